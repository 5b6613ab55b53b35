"""Both sides of a conversation, side by side: what the user said and what the loudspeaker played, each sample where it was in the air.

The microphone's count is the time. What is handed to a loudspeaker together with a frame of the microphone is in the air later, by the delay
that comes with it: it is written so much further on. That delay is a measured one and trembles: it is followed where the loudspeaker is silent,
so that no sound is cut, and within a reply only if it is far off for long.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from voice.audio.pcm import Samples, empty, samples_in

Stereo = NDArray[np.int16]
"""(samples, 2): the user on the left, the loudspeaker on the right; 16 kHz."""

MOST_MS = 1_000
"""No loudspeaker is later; a larger figure is a clock's mistake."""
MEASURED = 25
"""Frames whose median is the delay: half a second, in which a callback that was late once counts for nothing."""
FAR_MS, LONG = 40, 50
"""A delay that is so far off for so many frames (1 s) is a device that was opened again: it is followed within a reply, too."""


class Aligner:
    """See the top of the file. Pure: the same frames give the same sound."""

    def __init__(self) -> None:
        self._heard = empty()
        self._played = empty()
        self._delay = 0
        self._lately: deque[int] = deque(maxlen=MEASURED)
        self._skip = 0
        """Samples that are still to be left out."""
        self._far = 0

    def push(self, heard: Samples, played: Samples | None, delay_ms: int = 0) -> Stereo:
        """A piece of the microphone and what was handed to the loudspeaker with it (as many samples; None: not known, which is silence).

        `delay_ms`: from `played` to its being in the air as the microphone counts; below 0: it was in the air before. Returns what is
        complete on both sides.
        """
        self._heard = np.concatenate((self._heard, heard))
        self._played = np.concatenate((self._played, np.zeros_like(heard) if played is None else self._moved(played, delay_ms)))
        count = min(len(self._heard), len(self._played))
        pair = np.stack((self._heard[:count], self._played[:count]), axis=1)
        self._heard, self._played = self._heard[count:], self._played[count:]
        return pair

    def flush(self) -> Stereo:
        """The rest, as long as the microphone's: what was to be heard later is not in it."""
        rest = np.zeros((len(self._heard), 2), np.int16)
        rest[:, 0] = self._heard
        rest[: len(self._played), 1] = self._played[: len(self._heard)]
        self._heard = self._played = empty()
        return rest

    def _moved(self, played: Samples, delay_ms: int) -> Samples:
        """The loudspeaker's sound, with silence before it or some of its silence left out where the delay has changed."""
        self._lately.append(max(-MOST_MS, min(MOST_MS, delay_ms)))
        wanted = samples_in(sorted(self._lately)[len(self._lately) // 2])
        off = wanted - self._delay
        self._far = self._far + 1 if abs(off) >= samples_in(FAR_MS) else 0
        if off and (not played.any() or self._far >= LONG):
            self._delay = wanted
            self._skip -= off
        silent = np.zeros(max(0, -self._skip), np.int16)
        cut = min(max(0, self._skip), len(played))
        self._skip = max(0, self._skip) - cut
        return np.concatenate((silent, played[cut:]))
