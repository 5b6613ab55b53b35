"""Change of sample rate, in a stream (LQ: 1-6 ms delay, up to 20 ms at odd ratios) or of a whole signal (HQ).

soxr does the work, in float32: its int16 output is dithered with a seed taken from the clock, so that the same
sound would give other samples each time, and silence would become +-1. Ours is a function of its input alone.
"""

from typing import Any

import numpy as np
import soxr

from voice.audio.pcm import Samples, clip_int16, empty

MARGIN = 16
"""Blocks of soxr's are of one length but for rounding: at 44.1 kHz 326 or 327 samples come out."""


class Resampler:
    """A stream of int16 mono samples from one rate to another.

    However the stream is cut into pushes, the samples that come out are the same; with `flush` there are
    `len * to_hz / from_hz` of them, rounded half up. May be used from any one thread at a time.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Raises: ValueError if a rate is not positive."""
        _check_rates(from_hz, to_hz)
        self._ratio = (from_hz, to_hz)
        self._held = 0
        """What was pushed and has not come out, in samples of the input, times `to_hz`."""
        self._longest = 0
        """The most that was ever held without anything coming out, from the second time on."""
        self._begun = False
        self._stream: Any = None
        if from_hz != to_hz:
            self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="LQ")

    def push(self, samples: Samples) -> Samples:
        """What is ready after these samples (any length, 0 too); the input itself if the rates are equal."""
        if self._stream is None:
            return samples
        if not len(samples):
            return empty()
        return self._take(samples, last=False)

    def flush(self) -> Samples:
        """The end of the stream: what was held back. The next push begins a new stream."""
        if self._stream is None:
            return empty()
        rest = self._take(empty(), last=True)
        self._stream.clear()
        self._held, self._begun = 0, False
        return rest

    @property
    def wanted(self) -> int:
        """Fewer samples than these bring nothing: soxr works in blocks (at 48 to 16 kHz 300 samples come out at a time), as long as those
        that it has been seen to work in. 1 where nothing is known yet."""
        return max(1, (self._longest - self._held) // self._ratio[1] + 1 - MARGIN) if self._begun else 1

    def _take(self, samples: Samples, last: bool) -> Samples:
        ready = clip_int16(self._stream.resample_chunk(samples.astype(np.float32), last=last))
        from_hz, to_hz = self._ratio
        self._held += len(samples) * to_hz - len(ready) * from_hz
        if len(ready):
            self._begun = True
        elif self._begun:
            self._longest = max(self._longest, self._held)
        return ready


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """A whole signal at another rate (HQ, no delay, rounded length); the input itself if the rates are equal.

    Raises: ValueError if a rate is not positive.
    """
    _check_rates(from_hz, to_hz)
    if from_hz == to_hz or not len(samples):
        return samples
    return clip_int16(soxr.resample(samples.astype(np.float32), from_hz, to_hz, quality="HQ"))


def _check_rates(from_hz: int, to_hz: int) -> None:
    if from_hz < 1 or to_hz < 1:
        raise ValueError(f"a sample rate is positive, not {min(from_hz, to_hz)} Hz")
