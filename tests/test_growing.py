"""A WAV that can be read while it grows."""

import os
import stat
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voice.devices.growing import GrowingWav, write_all
from voice.errors import UsageError

pytestmark = pytest.mark.usefixtures("opened")

PIECES = [np.arange(start, start + 700, dtype=np.int16) for start in range(0, 7_000, 700)]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Files that a test leaves open are closed behind it."""
    files: list[GrowingWav] = []
    begin = GrowingWav.__init__

    def noted(self: GrowingWav, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        files.append(self)

    monkeypatch.setattr(GrowingWav, "__init__", noted)
    yield
    for file in files:
        file.close()


def read(path: Path) -> tuple[list[int], int, int]:
    """By the two readers that there are: samples, rate, channels."""
    samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
    with wave.open(str(path)) as other:
        assert (other.getframerate(), other.getnchannels(), other.getsampwidth()) == (rate_hz, samples.shape[1], 2)
        assert other.readframes(other.getnframes()) == samples.astype("<i2").tobytes()
        assert other.getnframes() == len(samples)
    return samples.ravel().tolist(), rate_hz, samples.shape[1]


def test_it_can_be_read_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    file = GrowingWav(path, 1, 16_000)
    assert read(path) == ([], 16_000, 1)
    for count, piece in enumerate(PIECES, 1):
        file.append(piece)
        assert read(path) == (np.concatenate(PIECES[:count]).tolist(), 16_000, 1)
    assert file.seconds == 7_000 / 16_000
    file.close()
    file.close()
    assert read(path)[0] == list(range(7_000))


def test_stereo_with_a_comment(tmp_path: Path) -> None:
    for comment in ("odd", "even"):
        path = tmp_path / comment
        file = GrowingWav(path, 2, 48_000, comment)
        file.append(np.stack(PIECES[:2], axis=1))
        assert read(path) == (np.stack(PIECES[:2], axis=1).ravel().tolist(), 48_000, 2)
        assert soundfile.SoundFile(path).comment == comment
        assert file.seconds == 700 / 48_000


@pytest.mark.parametrize("behind", [1, 2, 77, 4_096])
def test_killed_between_the_sound_and_its_length(tmp_path: Path, behind: int) -> None:
    path = tmp_path / "a.wav"
    file = GrowingWav(path, 1, 16_000, "comment")
    file.append(PIECES[3])
    with path.open("ab") as more:
        more.write(np.random.default_rng(behind).bytes(behind))
    assert read(path)[0] == PIECES[3].tolist()
    file.append(PIECES[4])
    assert read(path)[0] == [*PIECES[3], *PIECES[4]], "and whoever was not killed writes over it"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path, link = tmp_path / "a.wav", tmp_path / "link.wav"
    path.write_text("mine")
    link.symlink_to(tmp_path / "elsewhere")
    for taken in (path, link):
        with pytest.raises(UsageError, match=r"is there already, and is not overwritten"):
            GrowingWav(taken, 1, 16_000)
    assert path.read_text() == "mine" and not (tmp_path / "elsewhere").exists()


def test_for_its_owner_alone(tmp_path: Path) -> None:
    GrowingWav(tmp_path / "a.wav", 1, 16_000)
    assert stat.S_IMODE(os.stat(tmp_path / "a.wav").st_mode) == 0o600


def test_as_long_as_a_wav_can_be(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    file = GrowingWav(path, 1, 16_000, most_bytes=2 * 1_500)
    file.append(PIECES[0])
    file.append(PIECES[1])
    with pytest.raises(UsageError, match=r"a\.wav is as long as a WAV can be \(0\.0 hours\)"):
        file.append(PIECES[2])
    assert read(path)[0] == [*PIECES[0], *PIECES[1]]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    file = GrowingWav(path, 1, 16_000)
    file.append(PIECES[0])
    full = os.open("/dev/full", os.O_WRONLY)
    kept = os.dup(file._file.fileno())
    os.dup2(full, file._file.fileno())
    try:
        with pytest.raises(UsageError, match=r"a\.wav cannot be written \(No space left on device\)"):
            file.append(PIECES[1])
        assert read(path)[0] == PIECES[0].tolist()
    finally:
        os.dup2(kept, file._file.fileno())
        os.close(full), os.close(kept)


def test_a_file_that_takes_a_little_at_a_time() -> None:
    taken = bytearray()

    def write(data: bytes | memoryview) -> int:
        taken.extend(data[:3])
        return len(data[:3])

    write_all(write, b"all of these bytes")
    assert taken == b"all of these bytes"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no/a\.wav cannot be written"):
        GrowingWav(tmp_path / "no" / "a.wav", 1, 16_000)
