"""No clicks where playback stops and goes on: for `jitter.py`.

Where sound stops, what was played last is played backwards, fading: it begins at the very sample at which the sound stopped, needs no
samples of the future, and nothing has to be held back for it. Where there are samples that continue it (`elastic.py`), it fades over into
them, and they die away. Where sound goes on after a gap it fades in; where it does so before the
fade-out is over, both are heard. Gains are linear, in 1/32768,
so that `web/jitter.js` computes the same samples.
"""

import numpy as np
from numpy.typing import NDArray

from voice.audio.pcm import Samples

Gains = NDArray[np.int32]
ONE = 1 << 15
HALF = 1 << 14


class Fades:
    """What passes on to the loudspeaker, and how it begins and ends. For the audio callback."""

    def __init__(self, length: int) -> None:
        """`length`: of a fade, in samples."""
        self._recent: Samples = np.zeros(length, np.int16)
        """What was played last."""
        self._sounding = False
        self._rising = _rising(length)
        self._faded_in = length
        self._rest: Samples = np.zeros(0, np.int16)
        """What is left of a fade-out."""

    def start(self, fade_in: bool) -> None:
        """Sound begins, or goes on with another item: then `fade_in` means nothing, and nothing is heard of the change."""
        if not self._sounding:
            self._sounding = True
            self._recent[:] = 0
            self._faded_in = 0 if fade_in else len(self._rising)

    def stop(self, length: int | None = None) -> None:
        """Sound ends here, if there was any: `ring` gives the rest, `length` samples (a whole fade if that is longer, or not given).

        What is left of a fade-out is cut to `length`, if that is given."""
        if self._sounding:
            self._sounding = False
            length = len(self._recent) if length is None else min(length, len(self._recent))
            self._rest = _falling(self._recent[::-1][:length])
        elif length is not None and len(self._rest) > length:
            self._rest = _falling(self._rest[:length])

    def trail(self, samples: Samples) -> None:
        """Sound breaks off here, if there was any, and goes on as `samples`, falling to nothing: `ring` gives them. None: as `stop`."""
        if not self._sounding or not len(samples):
            return
        self._sounding = False
        count = min(len(self._recent), len(samples))
        going, rising = samples.astype(np.int32), self._rising[:count]
        going[:count] = (self._recent[::-1][:count] * (ONE - rising) + going[:count] * rising + HALF) >> 15
        self._rest = _falling(going)

    def ring(self, out: Samples) -> int:
        """What is left of the fade-out, or as much of it as there is room for, into `out`; how many samples."""
        count = min(len(out), len(self._rest))
        out[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def pass_on(self, samples: Samples, out: Samples) -> None:
        """Samples that are played, into the beginning of `out`; what is left of a fade-out is heard with them."""
        count, length = len(samples), len(self._recent)
        played = out[:count]
        played[:] = samples
        gains = self._rising[self._faded_in : self._faded_in + count]
        if len(gains):
            played[: len(gains)] = _scaled(samples[: len(gains)], gains)
            self._faded_in += len(gains)
        if len(self._rest):
            mixed = played[: len(self._rest)]
            mixed[:] = np.clip(mixed.astype(np.int32) + self._rest[:count], -ONE, ONE - 1)
            self._rest = self._rest[count:]
        if count < length:
            self._recent[:-count] = self._recent[count:].copy()
            self._recent[length - count :] = played
        else:
            self._recent[:] = played[count - length :]


def _rising(length: int) -> Gains:
    gains: Gains = np.arange(1, length + 1, dtype=np.int32) * ONE // max(1, length)
    return gains


def _falling(samples: NDArray[np.integer]) -> Samples:
    length = len(samples)
    return _scaled(samples, np.arange(length - 1, -1, -1, dtype=np.int32) * ONE // max(1, length))


def _scaled(samples: NDArray[np.integer], gains: Gains) -> Samples:
    return ((samples.astype(np.int32) * gains + HALF) >> 15).astype(np.int16)
