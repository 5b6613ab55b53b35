"""Sound files: every usual format gives the same sound, bad ones give a sentence, memory stays constant."""

import struct
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support import signals
from tests.support.wav import write_wav
from voice.audio.pcm import Samples, empty, to_bytes
from voice.audio.resample import resample
from voice.devices.wavfile import WavWriter, read_wav, wav_duration_ms, wav_frames
from voice.errors import UsageError

PCM_16K = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)


def riff(sound: bytes, promised: int | None = None, fmt: bytes = PCM_16K, before: bytes = b"") -> bytes:
    """A WAV by hand; `promised` is what its header says of the sound's length in bytes."""
    length = len(sound) if promised is None else promised
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + before + b"data" + struct.pack("<I", length) + sound
    return b"RIFF" + struct.pack("<I", min(len(body), 0xFFFF_FFFF)) + body


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def whole(path: Path, notes: list[str] | None = None) -> Samples:
    blocks = list(read_wav(path, notes.append if notes is not None else None))
    assert all(block.dtype == np.int16 and 0 < len(block) <= 3200 for block in blocks)
    return np.concatenate(blocks)


SOUND = signals.speech_like(700)
COUNT = len(SOUND)


@pytest.mark.parametrize(
    ("subtype", "worst"),
    [("PCM_16", 0), ("PCM_24", 0), ("PCM_32", 0), ("FLOAT", 0), ("DOUBLE", 0), ("PCM_U8", 256), ("ULAW", 600), ("ALAW", 600)],
)
@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
def test_formats(tmp_path: Path, form: str, subtype: str, worst: int) -> None:
    soundfile.write(tmp_path / "a.wav", SOUND / 32768.0, 16_000, subtype=subtype, format=form)
    out = whole(tmp_path / "a.wav")
    assert len(out) == COUNT
    assert np.abs(out.astype(int) - SOUND).max() <= worst


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000, 44_056])
def test_any_rate_has_exact_length_and_keeps_its_place_in_time(tmp_path: Path, rate_hz: int) -> None:
    write_wav(tmp_path / "a.wav", resample(SOUND, 16_000, rate_hz), rate_hz)
    frames = soundfile.info(tmp_path / "a.wav").frames
    out = whole(tmp_path / "a.wav")
    assert len(out) == (2 * frames * 16_000 + rate_hz) // (2 * rate_hz)
    same = min(len(out), COUNT)
    error = out[800 : same - 800].astype(float) - SOUND[800 : same - 800]
    assert np.sqrt(np.mean(error**2)) < 0.05 * np.sqrt(np.mean(SOUND.astype(float) ** 2))


def test_channels_are_averaged(tmp_path: Path) -> None:
    left = signals.tone(300, 300.0)
    stereo = np.stack((left, np.zeros_like(left)), axis=1)
    soundfile.write(tmp_path / "2.wav", stereo, 16_000)
    assert np.abs(whole(tmp_path / "2.wav").astype(int) - left / 2).max() <= 1
    six = np.stack((left, -left, left, -left, left, left), axis=1)
    soundfile.write(tmp_path / "6.wav", six, 16_000, format="WAVEX")
    assert np.abs(whole(tmp_path / "6.wav").astype(int) - left / 3).max() <= 1


def test_wild_floats_become_silence_or_full_scale(tmp_path: Path) -> None:
    wild = np.array([0.5, np.nan, np.inf, -np.inf, 3.0, -3.0], np.float32)
    soundfile.write(tmp_path / "1.wav", wild, 16_000, subtype="FLOAT")
    assert whole(tmp_path / "1.wav").tolist() == [16384, 0, 32767, -32768, 32767, -32768]
    soundfile.write(tmp_path / "2.wav", np.stack((wild, np.full(6, 0.5, np.float32)), axis=1), 16_000, subtype="FLOAT")
    assert whole(tmp_path / "2.wav").tolist() == [16384, 8192, 24576, -8192, 24576, -8192]


def test_odd_chunks_before_the_sound_are_skipped(tmp_path: Path) -> None:
    path = put(tmp_path / "a.wav", riff(to_bytes(SOUND), before=b"LIST\x03\x00\x00\x00abc\x00"))
    notes: list[str] = []
    assert np.array_equal(whole(path, notes), SOUND)
    assert notes == []
    put(path, riff(to_bytes(SOUND), 9 * COUNT, before=b"LIST\x03\x00\x00\x00abc\x00"))
    assert np.array_equal(whole(path, notes), SOUND)
    assert len(notes) == 1


@pytest.mark.parametrize("promised", [4 * COUNT, 0xFFFF_FFFF, 0x7FFF_F000])
def test_truncated_is_read_as_far_as_it_goes_and_said(tmp_path: Path, promised: int) -> None:
    path = put(tmp_path / "cut.wav", riff(to_bytes(SOUND), promised))
    notes: list[str] = []
    assert np.array_equal(whole(path, notes), SOUND)
    (sentence,) = notes
    assert "cut.wav is truncated" in sentence
    assert f"promises {(promised - 2 * COUNT) // 32 / 1000:.1f} s more" in sentence
    assert wav_duration_ms(path) == 700
    assert np.array_equal(whole(path), SOUND)


BROKEN = {
    "text": (b"this is not sound at all" * 9, "not a sound file"),
    "empty": (b"", "is empty"),
    "header only": (riff(b""), "no sound in it"),
    "header that promises": (riff(b"", 5000), "no sound in it"),
    "header cut": (riff(b"")[:30], "not a sound file"),
    "no sound chunk": (riff(b"")[:36], "not a sound file"),
    "no channels": (riff(bytes(99), fmt=struct.pack("<HHIIHH", 1, 0, 16_000, 0, 2, 16)), "not a sound file"),
    "rate of 0": (riff(bytes(99), fmt=struct.pack("<HHIIHH", 1, 1, 0, 0, 2, 16)), "not a sound file"),
    "rate of 2": (riff(bytes(99), fmt=struct.pack("<HHIIHH", 1, 1, 2, 4, 2, 16)), "sample rate of 2 Hz"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_gives_a_sentence_at_once(tmp_path: Path, case: str) -> None:
    data, want = BROKEN[case]
    path = put(tmp_path / "bad.wav", data)
    for look in (read_wav, wav_duration_ms):
        with pytest.raises(UsageError, match=want) as caught:
            look(path)
        assert "bad.wav" in str(caught.value)


def test_what_is_no_file_gives_a_sentence(tmp_path: Path) -> None:
    for path, want in ((tmp_path, "is a directory"), (tmp_path / "no.wav", "does not exist"), (Path("/dev/null"), "not a regular file")):
        with pytest.raises(UsageError, match=want):
            read_wav(path)


def test_a_two_hour_file_streams_in_little_memory(tmp_path: Path) -> None:
    path, seconds = tmp_path / "long.wav", 7200
    with open(path, "wb") as file:
        file.write(riff(b"", seconds * 16_000, fmt=struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16)))
        file.truncate(file.tell() + seconds * 16_000)
    assert wav_duration_ms(path) == seconds * 1000
    tracemalloc.start()
    blocks = read_wav(path)
    assert sum(len(next(blocks)) for _ in range(200)) > 19 * 16_000
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    blocks.close()


def test_written_is_16_bit_mono_and_comes_back(tmp_path: Path) -> None:
    with WavWriter(tmp_path / "a.wav", 24_000) as writer:
        for piece in np.split(SOUND, [100, 100, 5000]):
            writer.append(piece)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (1, 2, 24_000, COUNT)
        assert file.readframes(COUNT) == to_bytes(SOUND)


def test_frames_have_20_ms_and_the_last_is_filled_up(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", SOUND[:1_000], 16_000)
    frames = list(wav_frames(tmp_path / "a.wav"))
    assert [len(frame) for frame in frames] == [320] * 4
    assert np.array_equal(np.concatenate(frames), np.concatenate([SOUND[:1_000], np.zeros(280, np.int16)]))
    with pytest.raises(UsageError, match="does not exist"):
        wav_frames(tmp_path / "none.wav")  # at once, not with the first frame


def test_the_header_is_right_whenever_it_is_closed(tmp_path: Path) -> None:
    write_wav(tmp_path / "none.wav", empty(), 16_000)
    with wave.open(str(tmp_path / "none.wav")) as file:
        assert file.getnframes() == 0
    with pytest.raises(KeyError), WavWriter(tmp_path / "a.wav", 16_000) as writer:
        writer.append(SOUND)
        raise KeyError
    assert np.array_equal(whole(tmp_path / "a.wav"), SOUND)
    writer.close()
    with pytest.raises(UsageError, match="closed"):
        writer.append(SOUND)


def test_what_cannot_be_written_gives_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no/a.wav cannot be written \(No such file or directory\)"):
        WavWriter(tmp_path / "no" / "a.wav", 16_000)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_gives_a_sentence() -> None:
    with pytest.raises(UsageError, match="No space left"), WavWriter("/dev/full", 16_000) as writer:
        for _ in range(10):
            writer.append(SOUND)
