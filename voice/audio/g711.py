"""ITU-T G.711: one byte a sample, mu-law (America, Japan) and A-law (elsewhere). The sound of telephones, at 8 kHz.

Both laws cut each half of the scale into 128 intervals, of which the n-th byte names one; a decoder gives the middle of it. Here the
intervals are written down as in the Recommendation's tables 1 and 2 and become two tables in memory, one for each direction.
Negative samples are taken by their one's complement, as in the reference software of ITU-T G.191: what lies on a border belongs to
the interval nearer to zero there.
"""

import numpy as np
from numpy.typing import NDArray

from voice.audio.pcm import Samples

RATE_HZ = 8_000
_SEGMENT = 16
"""Intervals of equal width in each of the eight segments."""
_MU_BIAS = 33
"""Table 2: borders of 14-bit magnitudes are 33 below those that double exactly."""


def encode_mu(samples: Samples) -> bytes:
    """int16, any length, as mu-law bytes."""
    return _MU_BYTES[samples.astype(np.uint16)].tobytes()


def decode_mu(data: bytes) -> Samples:
    """mu-law bytes as samples, -32124 to 32124."""
    return _MU_SAMPLES[np.frombuffer(data, np.uint8)]


def encode_a(samples: Samples) -> bytes:
    """int16, any length, as A-law bytes."""
    return _A_BYTES[samples.astype(np.uint16)].tobytes()


def decode_a(data: bytes) -> Samples:
    """A-law bytes as samples, -32256 to 32256; there is no zero."""
    return _A_SAMPLES[np.frombuffer(data, np.uint8)]


def _mu_borders() -> NDArray[np.int64]:
    """The 129 borders of the intervals of positive 16-bit samples: 0, 4, 12, 20 ... The first is half as wide as its neighbours."""
    n = np.arange(129)
    borders = ((2 * (n % _SEGMENT) + _MU_BIAS - 1) << n // _SEGMENT) - _MU_BIAS
    borders[0] = 0
    wide: NDArray[np.int64] = borders * 4
    return wide


def _a_borders() -> NDArray[np.int64]:
    """The same for A-law: 0, 16, 32 ... The first two segments have the same width."""
    n = np.arange(129)
    segment = np.maximum(n // _SEGMENT, 1)
    borders: NDArray[np.int64] = (n - (segment - 1) * _SEGMENT) << (segment + 3)
    return borders


def _middles(borders: NDArray[np.int64]) -> NDArray[np.int64]:
    return (borders[:-1] + borders[1:]) // 2


def _bytes(borders: NDArray[np.int64], mask: int) -> NDArray[np.uint8]:
    """The byte of each sample, which is taken as a number from 0 to 65535 for an index. Bit 7 says "not negative"; `mask` is flipped."""
    samples = np.arange(65_536).astype(np.uint16).astype(np.int16).astype(np.int64)
    magnitude = np.where(samples < 0, ~samples, samples)
    interval = np.minimum(np.searchsorted(borders, magnitude, side="right") - 1, 127)
    return np.asarray(np.where(samples < 0, interval, interval | 0x80) ^ mask, np.uint8)


def _samples(borders: NDArray[np.int64], mask: int, zero: bool) -> Samples:
    """The sample of each byte; `zero`: the first interval, which reaches across zero, stands for it."""
    middles = _middles(borders)
    if zero:
        middles[0] = 0
    plain = np.arange(256) ^ mask
    samples: Samples = np.where(plain & 0x80, middles[plain & 0x7F], -middles[plain & 0x7F]).astype(np.int16)
    return samples


_MU_MASK, _A_MASK = 0x7F, 0x55
"""Bits that are sent inverted: all but the sign of mu-law, every second one of A-law."""
_MU_BYTES, _MU_SAMPLES = _bytes(_mu_borders(), _MU_MASK), _samples(_mu_borders(), _MU_MASK, zero=True)
_A_BYTES, _A_SAMPLES = _bytes(_a_borders(), _A_MASK), _samples(_a_borders(), _A_MASK, zero=False)
