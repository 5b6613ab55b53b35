"""The sound of the input buffer: frames in order, and where in the session they are."""

from collections import deque

import numpy as np

from voice.audio.pcm import Samples, empty, ms_in


class Kept:
    """Frames that may still be wanted; the time of the session is counted here. Positions are in samples at 16 kHz from its first one."""

    def __init__(self) -> None:
        self._frames: deque[Samples] = deque()
        self.samples = 0
        """How many are kept."""
        self.position = 0
        """Behind the newest that was ever put in."""

    @property
    def position_ms(self) -> int:
        """The same in ms."""
        return ms_in(self.position)

    @property
    def start_ms(self) -> int:
        """Where the oldest that is kept begins."""
        return ms_in(self.position - self.samples)

    def put(self, frame: Samples) -> None:
        """The newest: int16, mono, 16 kHz."""
        self._frames.append(frame)
        self.samples += frame.size
        self.position += frame.size

    def forget_before(self, position: int) -> None:
        """Keep what comes from there on, in whole frames."""
        while self._frames and self.position - self.samples + self._frames[0].size <= position:
            self.samples -= self._frames.popleft().size

    def forget_all(self) -> None:
        """Keep nothing."""
        self._frames.clear()
        self.samples = 0

    def all(self) -> Samples:
        """Everything that is kept, in one piece."""
        return np.concatenate(self._frames) if self._frames else empty()

    def until(self, position: int) -> Samples:
        """What is kept up to there."""
        return self.all()[: max(0, position - (self.position - self.samples))]
