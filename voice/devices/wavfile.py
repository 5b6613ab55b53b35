"""Sound files: any WAV (and what else libsndfile reads) as 16 kHz mono blocks, and 16-bit mono WAVs written.

Memory is constant however long a file is or says it is: nothing is allocated by what a header promises.
"""

import os
import stat
import wave
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import soundfile

from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, Framer, Samples, clip_int16, samples_in, to_bytes
from voice.audio.resample import Resampler
from voice.errors import UsageError

BLOCK_MS = 100
LOWEST_HZ, HIGHEST_HZ = 1_000, 1_000_000
"""Rates outside are a broken header, not sound."""
MOST_BYTES = 0xFFFF_FFFF - 64
"""The lengths in a WAV header have 32 bits; 64 bytes are room for the header itself."""

LEFT_IS_THE_USER = "voice: left the user, right what was played"
"""The comment in a recording of ours: of such a file the left channel is read, and not both."""

StrPath = str | os.PathLike[str]


def read_wav(path: StrPath, note: Callable[[str], None] | None = None) -> Iterator[Samples]:
    """The file as int16 mono 16 kHz blocks of about 100 ms: channels averaged (of a recording by `recording.py` the left one alone, which is the
    user), NaN as silence, too loud clipped.

    The file is checked before this returns, so a bad one is known before anything is played. A truncated WAV is read
    as far as it goes; `note` is then told so, once, in a sentence, before the first block.

    Raises: UsageError if there is no sound to read; later, from the iterator, if the file breaks off inside a
    compressed block.
    """
    with _opened(path):
        pass
    return _blocks(path, note)


def wav_frames(path: StrPath, note: Callable[[str], None] | None = None) -> Iterator[Samples]:
    """The same in frames of 20 ms; the last one is filled up with silence. Raises: as `read_wav`."""
    return _framed(read_wav(path, note))


def wav_duration_ms(path: StrPath) -> int:
    """How long the sound in the file really is, in whole ms. Raises: UsageError as `read_wav`."""
    with _opened(path) as file:
        return int(file.frames) * 1000 // int(file.samplerate)


class WavWriter:
    """A 16-bit mono WAV that grows; its header is right once it is closed, also after no samples at all."""

    def __init__(self, path: StrPath, rate_hz: int) -> None:
        """Raises: UsageError if the file cannot be made."""
        self._path = os.fspath(path)
        self._bytes = 0
        try:
            # Ours to close: a Wave_write that fails half-way would leave it open.
            self._file = open(path, "wb")
        except OSError as exc:
            raise cannot_write(self._path, exc) from exc
        self._wave: wave.Wave_write | None = wave.open(self._file, "wb")
        self._wave.setnchannels(1)
        self._wave.setsampwidth(2)
        self._wave.setframerate(rate_hz)

    def append(self, samples: Samples) -> None:
        """More samples. Raises: UsageError if the disk is full, or at 4 GiB, which is as long as a WAV can be."""
        if self._wave is None:
            raise UsageError(f"{self._path} is closed: nothing can be appended to it")
        if self._bytes + 2 * len(samples) > MOST_BYTES:
            raise UsageError(f"{self._path} has reached 4 GiB, and a WAV cannot be longer: begin another file")
        try:
            self._wave.writeframesraw(to_bytes(samples))
        except OSError as exc:
            raise cannot_write(self._path, exc) from exc
        self._bytes += 2 * len(samples)

    def close(self) -> None:
        """Completes the header. Harmless when called twice. Raises: UsageError if the disk is full."""
        if self._wave is None:
            return
        writer, self._wave = self._wave, None
        try:
            with self._file:
                writer.close()
        except OSError as exc:
            raise cannot_write(self._path, exc) from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _framed(blocks: Iterator[Samples]) -> Iterator[Samples]:
    framer = Framer()
    for block in blocks:
        yield from framer.push(block)
    rest = framer.flush()
    if rest.size:
        yield np.concatenate([rest, np.zeros(FRAME_SAMPLES - rest.size, np.int16)])


def _blocks(path: StrPath, note: Callable[[str], None] | None) -> Iterator[Samples]:
    missing_ms = _missing_ms(path)
    if missing_ms and note:
        more_s = missing_ms / 1000
        note(f"{os.fspath(path)} is truncated: its header promises {more_s:.1f} s more sound than it has; read as far as it goes")
    with _opened(path) as file:
        resampler = Resampler(file.samplerate, RATE_HZ)
        ours = file.channels == 2 and file.comment == LEFT_IS_THE_USER
        while len(frames := _read(file, samples_in(BLOCK_MS, file.samplerate), path)):
            block = resampler.push(_mono(frames[:, :1] if ours else frames))
            if len(block):
                yield block
        rest = resampler.flush()
        if len(rest):
            yield rest


def _read(file: soundfile.SoundFile, frames: int, path: StrPath) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """(frames, channels), 1.0 = full scale; no frames at the end."""
    try:
        read: np.ndarray[tuple[int, int], np.dtype[np.float32]] = file.read(frames, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as exc:
        raise UsageError(f"{os.fspath(path)} is damaged: the sound in it cannot be decoded ({exc})") from exc
    return read


def _mono(frames: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Samples:
    if frames.shape[1] == 1:
        return clip_int16(frames[:, 0] * np.float32(32768.0))
    # Cleaned before the mean: one NaN or infinity must not silence or overload the other channels.
    clean = np.clip(np.nan_to_num(frames, nan=0.0), -1.0, 1.0)
    return clip_int16(clean.mean(axis=1, dtype=np.float64) * 32768.0)


def _opened(path: StrPath) -> soundfile.SoundFile:
    """The file, open, with sound in it. Raises: UsageError."""
    name = os.fspath(path)
    _check_file(name)
    try:
        file = soundfile.SoundFile(name)
    except (soundfile.SoundFileError, ValueError, TypeError) as exc:
        reason = str(exc).split(": ", 1)[-1].rstrip(".")
        raise UsageError(f"{name} is not a sound file that can be read ({reason}): give a WAV") from exc
    trouble = None
    if not LOWEST_HZ <= file.samplerate <= HIGHEST_HZ:
        trouble = f"claims a sample rate of {file.samplerate} Hz: its header is broken, record it again"
    elif file.frames <= 0:
        trouble = "has a header but no sound in it: record it again"
    if trouble:
        file.close()
        raise UsageError(f"{name} {trouble}")
    return file


def _check_file(name: str) -> None:
    if os.path.isdir(name):
        raise UsageError(f"{name} is a directory: give the WAV files in it")
    try:
        status = os.stat(name)
        # Opening a pipe would wait for its writer.
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{name} is not a regular file: save the sound as a WAV first")
        if not status.st_size:
            raise UsageError(f"{name} is empty: it has no sound to read")
        with open(name, "rb"):
            pass
    except FileNotFoundError as exc:
        raise UsageError(f"{name} does not exist: check the name") from exc
    except OSError as exc:
        raise UsageError(f"{name} cannot be read ({exc.strerror}): check the permissions") from exc


def _missing_ms(path: StrPath) -> int:
    """How much sound a RIFF header promises beyond the end of the file; 0 for whole files and other formats."""
    with open(path, "rb") as file:
        promised = _promised_bytes(file)
        present = os.fstat(file.fileno()).st_size - file.tell()
    if promised is None or promised[0] <= present:
        return 0
    return (promised[0] - present) * 1000 // max(1, promised[1])


def _promised_bytes(file: BinaryIO) -> tuple[int, int] | None:
    """(length of the sound chunk, bytes a second) by the header, the file left at the sound's first byte; None if not RIFF."""
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    bytes_per_s = 0
    while len(chunk := file.read(8)) == 8:
        size = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            return size, bytes_per_s
        body = file.read(min(size, 16))
        if chunk[:4] == b"fmt ":
            bytes_per_s = int.from_bytes(body[8:12], "little")
        # Chunks are padded to an even length.
        file.seek(size + size % 2 - len(body), os.SEEK_CUR)
    return None


def cannot_write(name: str, exc: OSError) -> UsageError:
    """The failure to write a file, as a sentence."""
    return UsageError(f"{name} cannot be written ({exc.strerror}): check the directory and the disk")
