"""PCM samples: the one array type of the house, and cutting a stream into frames.

`Samples` is int16, mono, any length. Floats never cross a module border of this floor,
bytes never reach the floors above `protocol` and `links`.
"""

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
