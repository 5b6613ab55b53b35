"""What the loudspeaker plays, kept until the microphone's sound of the same moment comes: an echo canceller's reference.

For two that are streams of their own, with callbacks of their own and clocks that drift apart.
As much is taken as the microphone gives. What is not there yet is silence, so that the queue learns by itself how late the loudspeaker's
callbacks may be; what waits longer than that needs is dropped, a little at a time, because a canceller follows small steps and must begin
again after large ones. A reference may be early (the canceller finds the delay) but never late: an echo does not precede its sound.
"""

from collections import deque

import numpy as np

from voice.audio.pcm import Samples, ms_in, samples_in

MOST_MS = 300
"""More waits only if the microphone has stopped: it is of no use."""
KEPT_MS = 5
"""So much may always wait."""
STEP_MS = 1
"""So much is dropped each second: it follows clocks that are 1000 ppm apart, and real ones differ by 100."""
LEAP_MS = 50
"""More than this in excess is no drift but a stumble: it goes at once."""


class Reference:
    """See the top of the file. `rate_hz`: the loudspeaker's; `taker_hz`: the microphone's. Never waits; for the audio callbacks."""

    def __init__(self, rate_hz: int, taker_hz: int) -> None:
        self.rate_hz = rate_hz
        self._taker_hz = taker_hz
        self._queue: deque[Samples] = deque()
        self._waiting = 0
        self._owed = 0
        self._taken = 0
        self._least: int | None = None

    @property
    def waiting_ms(self) -> int:
        """How long the newest has to wait."""
        return ms_in(self._waiting, self.rate_hz)

    def put(self, samples: Samples) -> None:
        """What has been handed to the loudspeaker: int16, mono, any length, ours to keep."""
        self._queue.append(samples)
        self._waiting += len(samples)
        excess = self._waiting - samples_in(MOST_MS, self.rate_hz)
        if excess > 0:
            self._pop(excess)

    def take(self, count: int) -> Samples:
        """As much as lasts as long as `count` samples of the microphone, to the sample in the long run."""
        self._owed += count * self.rate_hz
        wanted, self._owed = divmod(self._owed, self._taker_hz)
        there = self._pop(min(wanted, self._waiting))
        self._settle(wanted)
        return np.concatenate([*there, np.zeros(wanted - sum(map(len, there)), np.int16)])

    def _settle(self, taken: int) -> None:
        """Once a second: what has waited all the time is not needed."""
        self._least = self._waiting if self._least is None else min(self._least, self._waiting)
        self._taken += taken
        if self._taken < self.rate_hz:
            return
        excess = self._least - samples_in(KEPT_MS, self.rate_hz)
        if excess > 0:
            self._pop(excess if excess > samples_in(LEAP_MS, self.rate_hz) else min(excess, samples_in(STEP_MS, self.rate_hz)))
        self._taken, self._least = 0, None

    def _pop(self, count: int) -> list[Samples]:
        """The oldest samples, so many; there are as many."""
        self._waiting -= count
        pieces: list[Samples] = []
        while count:
            piece = self._queue.popleft()
            if len(piece) > count:
                self._queue.appendleft(piece[count:])
                piece = piece[:count]
            pieces.append(piece)
            count -= len(piece)
        return pieces
