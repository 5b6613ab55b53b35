"""What goes on beside a conversation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.support.talking import Taken, stage
from voice.aside import Aside, Recorded
from voice.devices import recording as module
from voice.devices.base import Frame
from voice.devices.recording import Recording
from voice.report import Meters


def frame(level: int) -> Frame:
    return Frame(np.full(320, level, np.int16))


def left(folder: Path) -> list[int]:
    return soundfile.read(folder / "conversation.wav", dtype="int16")[0][::320, 0].tolist()


def captured(folder: Path) -> list[int]:
    return soundfile.read(folder / "captured.wav", dtype="int16")[0][::320].tolist()


def test_without_a_recording_nothing_is_kept() -> None:
    Aside(Taken()).heard(frame(1), "", False)


def test_turns_and_all_else_reach_whoever_reports_and_the_turns_the_file(tmp_path: Path) -> None:
    taken: Any = Taken()
    with Recording(tmp_path) as recording:
        report = Recorded(taken, recording)
        report.result({"event": "turn", "index": 0})
        report.note("a note"), report.state("listening"), report.caption("you", "hello"), report.saying(())
        report.meters(Meters(underruns=3))
    report.meters(Meters())
    assert (taken.lines, taken.notes, taken.states, taken.captions) == (
        [{"event": "turn", "index": 0}],
        ["a note"],
        ["listening"],
        [("you", "hello")],
    )
    assert [meters.recording for meters in taken.readings] == [str(tmp_path), ""], "shown while it is on"
    assert taken.readings[0].underruns == 3
    assert (tmp_path / "turns.jsonl").read_text() == '{"event":"turn","index":0}\n'


def test_trouble_is_said_once_and_the_conversation_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Taken()
    with Recording(tmp_path) as recording:
        told = ["the disk is full", None, None]
        monkeypatch.setattr(recording, "trouble", lambda: told.pop(0))
        aside = Aside(taken, recording)
        for _ in range(3):
            aside.heard(frame(1), "", False)
    assert taken.notes == ["the disk is full"]


async def test_what_is_recorded_of_a_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was withheld is silence for the session and for the left channel; what a muted microphone hears is nowhere."""
    monkeypatch.setattr(module, "WRITE_S", 0.01)
    with Recording(tmp_path) as recording:
        async with stage(half_duplex=True) as made:
            made.talk._aside = Aside(made.taken, recording)
            await made.frames(1, 2)
            await made.reply()
            await made.frames(3)
            made.speaker.hear_out("a")
            await made.state("listening")
            await made.frames(4)
            made.talk._floor.muted = True
            await made.frames(5)
    assert left(tmp_path) == [1, 2, 0, 4, 0] and captured(tmp_path) == [1, 2, 3, 4, 0]
