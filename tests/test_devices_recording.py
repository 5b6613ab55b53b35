"""A conversation written down while it is held."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.until import wait_until
from voice.audio.pcm import FRAME_SAMPLES, Samples
from voice.devices import recording as module
from voice.devices.base import Frame
from voice.devices.growing import GrowingWav
from voice.devices.recording import MOST_FRAMES, NAMES, Recording
from voice.devices.wavfile import read_wav
from voice.errors import UsageError


def level(value: int) -> Samples:
    return np.full(FRAME_SAMPLES, value, np.int16)


def sides(folder: Path) -> tuple[list[int], list[int], list[int]]:
    """The first sample of each frame: left, right, captured."""
    both, rate_hz = soundfile.read(folder / "conversation.wav", dtype="int16", always_2d=True)
    captured, captured_hz = soundfile.read(folder / "captured.wav", dtype="int16")
    assert (rate_hz, captured_hz) == (16_000, 16_000) and both.shape[1] == 2 and captured.ndim == 1
    return both[::FRAME_SAMPLES, 0].tolist(), both[::FRAME_SAMPLES, 1].tolist(), captured[::FRAME_SAMPLES].tolist()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Written at once, nearly: the tests wait for it."""
    monkeypatch.setattr(module, "WRITE_S", 0.01)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that takes nothing until the event is set."""
    goes_on = threading.Event()
    append = GrowingWav.append

    def wait(self: GrowingWav, samples: Samples) -> None:
        assert goes_on.wait(60)
        append(self, samples)

    monkeypatch.setattr(GrowingWav, "append", wait)
    yield goes_on
    goes_on.set()


def test_both_sides_and_what_the_card_gave(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with Recording(folder) as recording:
        assert recording.on
        recording.push(Frame(level(1), captured=level(11), played=level(0)))
        recording.push(Frame(level(2), captured=level(12), played=level(22)))
        recording.push(Frame(level(3)))
        recording.push(Frame(level(0), dropped=True))
        recording.write('{"t":0.0}\n')
        recording.turn({"event": "turn", "user_text": "한국어"})
    assert sides(folder) == ([1, 2, 3, 0], [0, 22, 0, 0], [11, 12, 3, 0])
    assert (folder / "trace.jsonl").read_text() == '{"t":0.0}\n'
    assert json.loads((folder / "turns.jsonl").read_text("utf-8")) == {"event": "turn", "user_text": "한국어"}
    assert not recording.on and recording.trouble() is None
    assert folder.stat().st_mode & 0o777 == 0o700 and (folder / "trace.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_was_withheld_is_not_on_the_left_and_what_is_private_nowhere(tmp_path: Path) -> None:
    with Recording(tmp_path) as recording:
        recording.push(Frame(level(1), captured=level(11), played=level(5)), withheld="muted")
        recording.push(Frame(level(2), captured=level(12), played=level(6)), withheld="muted", private=True)
        recording.push(Frame(level(3), captured=level(13), played=level(7)))
    assert sides(tmp_path) == ([0, 0, 3], [5, 6, 7], [11, 0, 13])


def test_the_loudspeaker_lies_where_it_was_in_the_air(tmp_path: Path) -> None:
    with Recording(tmp_path) as recording:
        for index in range(60):
            recording.push(Frame(level(1), played=level(9 if index == 40 else 0), delay_ms=100))
    assert [index for index, value in enumerate(sides(tmp_path)[1]) if value] == [45]


def test_replayed_it_is_the_user_alone(tmp_path: Path) -> None:
    with Recording(tmp_path) as recording:
        for index in range(10):
            recording.push(Frame(level(index), played=level(30_000)))
    replayed = np.concatenate(list(read_wav(tmp_path / "conversation.wav")))
    assert replayed[::FRAME_SAMPLES].tolist() == list(range(10))
    other = tmp_path / "other.wav"
    soundfile.write(other, soundfile.read(tmp_path / "conversation.wav", dtype="int16")[0], 16_000)
    assert np.concatenate(list(read_wav(other)))[FRAME_SAMPLES] == 15_000, "of anybody else's stereo it is the mean"


def test_it_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    with Recording(tmp_path) as recording:
        for count in (25, 50):
            for _ in range(25):
                recording.push(Frame(level(7)))
            recording.write("{}\n" * 10)
            wait_until(lambda count=count: len(sides(tmp_path)[0]) == count)
            wait_until(lambda count=count: len((tmp_path / "trace.jsonl").read_text().splitlines()) == count // 25 * 10)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_never_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    (tmp_path / "notes.txt").write_text("other files may lie there")
    with pytest.raises(UsageError, match=f"has a recording in it .{name}., which is not overwritten: give another directory"):
        Recording(tmp_path)
    assert (tmp_path / name).read_text() == "mine" and len(list(tmp_path.iterdir())) == 2


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="is not a directory"):
        Recording(file)
    with pytest.raises(UsageError, match="cannot be written"):
        Recording(file / "below")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="dangling"):
        Recording(tmp_path / "dangling")


def test_a_recording_of_nothing_leaves_nothing(tmp_path: Path) -> None:
    Recording(tmp_path / "new").close()
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    Recording(tmp_path / "old").close()
    assert list((tmp_path / "old").iterdir()) == []


def test_nobody_waits_for_the_disk_and_time_stays_right(tmp_path: Path, slow: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LINES_BYTES", 100)
    with Recording(tmp_path) as recording:
        recording.push(Frame(level(1)))
        wait_until(lambda: not recording._waiting)
        for index in range(MOST_FRAMES + 4_000):
            recording.push(Frame(level(2 if index < MOST_FRAMES else 3)))
        for _ in range(20):
            recording.write("0123456789\n")
        assert (recording.dropped_frames, recording.dropped_lines) == (4_000, 11)
        assert len(recording._waiting) <= MOST_FRAMES + 10
        assert "too slow" in (recording.trouble() or "") and recording.trouble() is None
        slow.set()
        wait_until(lambda: not recording._waiting)
        recording.push(Frame(level(4)))
    left = sides(tmp_path)[0]
    assert left == [1] + [2] * MOST_FRAMES + [0] * 4_000 + [4]
    assert (tmp_path / "trace.jsonl").read_text() == "0123456789\n" * 9


def test_a_disk_that_fails_ends_the_recording_and_says_so_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(tmp_path)
    recording.push(Frame(level(1)))
    wait_until(lambda: len(sides(tmp_path)[0]) == 1)

    def full(self: GrowingWav, samples: Samples) -> None:
        raise UsageError("conversation.wav cannot be written (No space left on device): check the directory and the disk")

    monkeypatch.setattr(GrowingWav, "append", full)
    recording.push(Frame(level(2)))
    wait_until(lambda: not recording.on)
    for _ in range(10_000):
        recording.push(Frame(level(3)))
        recording.write("{}\n")
    assert len(recording._waiting) <= 1 and recording.dropped_frames == 0
    said = recording.trouble() or ""
    assert "No space left" in said and said.endswith("nothing more is recorded, and the conversation goes on")
    recording.close()
    assert recording.trouble() is None
    assert sides(tmp_path)[0] == [1], "what was written before can be read"


def test_the_longest_that_there_can_be_is_said(tmp_path: Path) -> None:
    recording = Recording(tmp_path, most_bytes=4 * FRAME_SAMPLES * 2)
    recording.push(Frame(level(1)))
    recording.push(Frame(level(2)))
    wait_until(lambda: len(sides(tmp_path)[0]) == 2)
    recording.push(Frame(level(3)))
    wait_until(lambda: not recording.on)
    assert "conversation.wav is as long as a WAV can be" in (recording.trouble() or "")
    recording.close()
    assert sides(tmp_path)[0] == [1, 2]


def test_a_disk_that_does_not_answer_does_not_hold_up_the_end(
    tmp_path: Path, slow: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSE_S", 0.05)
    with Recording(tmp_path) as recording:
        recording.push(Frame(level(1)))
    assert "does not answer" in (recording.trouble() or "")
    slow.set()
    wait_until(lambda: not recording._thread.is_alive())


def test_what_an_hour_takes() -> None:
    """A WAV can have 4 GiB: 18 hours of stereo."""
    assert 4 * 16_000 * 3_600 < module.MOST_BYTES / 18
    assert os.fspath(NAMES[0]) == "conversation.wav"
