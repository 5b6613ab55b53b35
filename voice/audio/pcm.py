"""PCM samples: the one array type of the house, and cutting a stream into frames.

`Samples` is int16, mono, any length. Floats never cross a module border of this floor,
bytes never reach the floors above `protocol` and `links`.
"""

import math

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE_HZ = 16_000
"""The rate inside the house: what detectors and recognisers take."""
FRAME_MS = 20
"""webrtcvad takes 10, 20 or 30 ms; 20 behaves best (measured)."""
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000


def empty() -> Samples:
    """No samples."""
    return np.zeros(0, np.int16)


def silence(duration_ms: int, rate_hz: int = RATE_HZ) -> Samples:
    """So many ms of zeros."""
    return np.zeros(samples_in(duration_ms, rate_hz), np.int16)


def samples_in(duration_ms: int, rate_hz: int = RATE_HZ) -> int:
    """How many samples there are in so many milliseconds."""
    return duration_ms * rate_hz // 1000


def ms_in(count: int, rate_hz: int = RATE_HZ) -> int:
    """How many whole milliseconds so many samples last."""
    return count * 1000 // rate_hz


def from_bytes(data: bytes) -> Samples:
    """Little-endian 16-bit bytes as samples. Raises: ValueError on an odd length."""
    if len(data) % 2:
        raise ValueError(f"16-bit PCM has an even number of bytes, got {len(data)}")
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def to_bytes(samples: Samples) -> bytes:
    """Samples as little-endian 16-bit bytes."""
    return samples.astype("<i2", copy=False).tobytes()


def clip_int16(values: NDArray[np.floating]) -> Samples:
    """Floats on the int16 scale as samples: rounded, clipped, NaN as 0. Any shape."""
    rounded = np.rint(values)
    # Not np.clip and np.nan_to_num: for a block of 10 ms they take three times as long.
    rounded = np.minimum(np.maximum(rounded, -32768.0), 32767.0)
    if np.isnan(rounded).any():
        rounded = np.where(np.isnan(rounded), 0.0, rounded)
    clipped: Samples = rounded.astype(np.int16)
    return clipped


SILENT_DBFS = -100.0
"""What `dbfs` says of digital silence: a finite number, so that it can be printed, compared and sent as JSON."""


def dbfs(samples: Samples) -> float:
    """RMS level in dB below full scale (32768); a full-scale sine is -3. At least SILENT_DBFS, also for no samples."""
    if not len(samples):
        return SILENT_DBFS
    wide = samples.astype(np.float64)
    mean_square = float(np.dot(wide, wide)) / len(wide)
    if mean_square <= 0.0:
        return SILENT_DBFS
    return max(SILENT_DBFS, 10.0 * math.log10(mean_square / 32768.0**2))


class Framer:
    """Cuts a stream of any pieces into frames of equal length: every sample once, in order.

    The frames share no memory with what was pushed.
    """

    def __init__(self, frame_samples: int = FRAME_SAMPLES) -> None:
        """Raises: ValueError if `frame_samples` is not positive."""
        if frame_samples < 1:
            raise ValueError(f"a frame has at least one sample, not {frame_samples}")
        self._frame_samples = frame_samples
        self._rest = empty()

    def push(self, samples: Samples) -> list[Samples]:
        """All frames that are complete now, oldest first; what is left over waits for the next push."""
        whole = np.concatenate((self._rest, samples))
        size = self._frame_samples
        end = len(whole) - len(whole) % size
        # A copy: a view of a few samples would keep a large push in memory.
        self._rest = whole[end:].copy()
        return [whole[at : at + size] for at in range(0, end, size)]

    @property
    def wanted(self) -> int:
        """Samples that complete the next frame."""
        return self._frame_samples - len(self._rest)

    def flush(self) -> Samples:
        """What is left over, unpadded (less than a frame), and forgets it."""
        rest, self._rest = self._rest, empty()
        return rest
