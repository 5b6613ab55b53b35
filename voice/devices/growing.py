"""A WAV that can be read at any moment while it grows, also if the program is killed in the next.

Its header is never behind by more than what was appended last, and never ahead of the sound. Sound first, then the lengths in the header:
whoever is interrupted between the two leaves a whole file with some bytes behind it that no reader looks at.
"""

import os
import struct
from collections.abc import Callable
from io import FileIO

import numpy as np
from numpy.typing import NDArray

from voice.devices.wavfile import MOST_BYTES, StrPath, cannot_write
from voice.errors import UsageError

LENGTHS_AT = 4
"""Where the first length is in a header: what lies before it never changes."""


class GrowingWav:
    """See the top of the file. 16 bit; only its owner may read it (0600). From any one thread at a time."""

    def __init__(self, path: StrPath, channels: int, rate_hz: int, comment: str = "", most_bytes: int = MOST_BYTES) -> None:
        """`comment` is written into the file (ASCII). Raises: UsageError if the file is there already or cannot be made."""
        self.name = os.fspath(path)
        self._channels = channels
        self._rate_hz = rate_hz
        self._comment = comment
        self._most_bytes = most_bytes
        self._bytes = 0
        self._file = open_new(self.name)
        try:
            write_all(self._file.write, self._header())
        except OSError as exc:
            self._file.close()
            raise cannot_write(self.name, exc) from exc

    @property
    def seconds(self) -> float:
        """How much sound is in it."""
        return self._bytes / (2 * self._channels * self._rate_hz)

    def append(self, samples: NDArray[np.int16]) -> None:
        """More sound: (samples,) or (samples, channels). Raises: UsageError at the longest that a WAV can be, or if the disk is full; what was
        appended before stays readable."""
        data = samples.astype("<i2", copy=False).tobytes()
        if self._bytes + len(data) > self._most_bytes:
            raise UsageError(f"{self.name} is as long as a WAV can be ({self.seconds / 3600:.1f} hours)")
        header = len(self._header())
        try:
            self._file.seek(header + self._bytes)
            write_all(self._file.write, data)
            self._bytes += len(data)
            self._file.seek(LENGTHS_AT)
            write_all(self._file.write, self._header()[LENGTHS_AT:])
        except OSError as exc:
            raise cannot_write(self.name, exc) from exc

    def close(self) -> None:
        """Harmless when called twice. Everything was written before. Raises: UsageError if the disk says only now that it is full."""
        try:
            self._file.close()
        except OSError as exc:
            raise cannot_write(self.name, exc) from exc

    def _header(self) -> bytes:
        frame_bytes = 2 * self._channels
        form = struct.pack("<HHIIHH", 1, self._channels, self._rate_hz, self._rate_hz * frame_bytes, frame_bytes, 16)
        parts = _chunk(b"fmt ", form)
        if self._comment:
            # With a zero at its end, as the format has it.
            parts += _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", self._comment.encode("ascii") + b"\0"))
        parts += b"data" + struct.pack("<I", self._bytes)
        return b"RIFF" + struct.pack("<I", 4 + len(parts) + self._bytes) + b"WAVE" + parts


def open_new(name: str) -> FileIO:
    """A new file, without a buffer, for its owner alone. Raises: UsageError if there is one already, or none can be made."""
    try:
        return open(name, "xb", buffering=0, opener=lambda path, flags: os.open(path, flags, 0o600))
    except FileExistsError as exc:
        raise UsageError(f"{name} is there already, and is not overwritten: give another directory") from exc
    except OSError as exc:
        raise cannot_write(name, exc) from exc


def write_all(write: Callable[[bytes | memoryview], int | None], data: bytes) -> None:
    """A file without a buffer may take a part only. Raises: OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[write(rest) or 0 :]


def _chunk(name: bytes, body: bytes) -> bytes:
    """Padded to an even length."""
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
