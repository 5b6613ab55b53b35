"""Sound made longer without a change of pitch, where it is at the loudspeaker, or where it breaks off: for `lead.py`.

A piece of the past is played once more: what comes next fades over into what came `lag` earlier, which leads to this very place again.
So all samples of the original are played, in order and exact; those in between are extra. The lag is the one at which the past looks
most like what comes next (waveform similarity, as in WSOLA: W. Verhelst and M. Roelands, ICASSP 1993), which for speech is a pitch
period, or some: 10 to 20 ms have a multiple of any voice's. It is looked for in thinned out sound first.

In integers, so that `web/elastic.js` gives the same samples.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from voice.audio.pcm import Samples, samples_in

LEAST_LAG_MS, MOST_LAG_MS = 10, 20
FADE_MS = 10
"""Of this much of the sound the likeness is measured, and so long one fades over into the other. At most the least lag."""
COARSE_HZ = 6_000
"""The lag is first looked for at about this rate."""
ONE, HALF = 1 << 15, 1 << 14


class Elastic:
    """Makes the extra samples for sound at one rate."""

    def __init__(self, rate_hz: int) -> None:
        self._thin = max(1, rate_hz // COARSE_HZ)
        self._least = max(1, samples_in(LEAST_LAG_MS, rate_hz) // self._thin)
        self._most = max(2, samples_in(MOST_LAG_MS, rate_hz) // self._thin)
        self._fade = max(1, samples_in(FADE_MS, rate_hz) // self._thin)
        self.ahead = self._fade * self._thin
        """So many samples from the place on are needed."""
        self.back = (self._most + 1) * self._thin
        """So many samples before the place are needed."""
        self._gains = np.arange(1, self.ahead + 1, dtype=np.int32) * ONE // self.ahead

    def stretched(self, around: Samples) -> Samples:
        """What is played between `back` and `ahead` samples, given in one piece; none where sound begins or ends: one would hear it twice."""
        lag, unlike = self._best(around)
        here, there = around[self.back : self.back + self.ahead], around[self.back - lag : self.back - lag + self.ahead]
        # Two different pieces of noise are as unlike as 0.7 of their sum; where sound sets in it is all of it.
        if unlike * 4 > _size(here, there) * 3:
            return around[:0]
        return self._between(around, lag)

    def rested(self, around: Samples) -> Samples:
        """The same in a pause, where no lag is better than another."""
        return self._between(around, self._most * self._thin)

    def continued(self, around: Samples, length: int) -> Samples:
        """How sound may go on that breaks off at the end of `back` and `ahead` samples: its last period, again and again. None if it has
        no period."""
        lag, unlike = self._best(around)
        if unlike * 2 > _size(around[self.back :], around[self.back - lag : self.back - lag + self.ahead]):
            return around[:0]
        return np.resize(around[-lag:], length)

    def _best(self, around: Samples) -> tuple[int, int]:
        """The lag in samples, and how unlike the sound is at it: a sum of differences."""
        thin = around.astype(np.int32).reshape(-1, self._thin).sum(axis=1, dtype=np.int32)
        back = self._most + 1
        coarse = self._least + _most_alike(thin[back - self._most : back - self._least + self._fade], thin[back : back + self._fade])[0]
        low = max((coarse - 1) * self._thin, self.ahead)
        high = (coarse + 1) * self._thin
        wide = around.astype(np.int32)
        more, unlike = _most_alike(wide[self.back - high : self.back - low + self.ahead], wide[self.back :])
        return low + more, unlike

    def _between(self, around: Samples, lag: int) -> Samples:
        past = around[self.back - lag : self.back]
        here, there = around[self.back : self.back + self.ahead].astype(np.int32), past[: self.ahead].astype(np.int32)
        faded = ((here * (ONE - self._gains) + there * self._gains + HALF) >> 15).astype(np.int16)
        return np.concatenate((faded, past[self.ahead :]))


def _most_alike(past: NDArray[np.int32], here: NDArray[np.int32]) -> tuple[int, int]:
    """At which place before the last one of `past` it is most like `here`, the last such place; and the sum of the differences there."""
    unlike = np.abs(sliding_window_view(past, len(here)) - here).sum(axis=1, dtype=np.int64)[::-1]
    at = int(np.argmin(unlike))
    return at, int(unlike[at])


def _size(*pieces: Samples) -> int:
    return sum(int(np.abs(piece.astype(np.int32)).sum(dtype=np.int64)) for piece in pieces)
