"""What goes on beside a conversation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.support.talking import Taken, stage
from tests.support.until import until
from voice.aside import Aside, Recorded
from voice.devices import recording as module
from voice.devices.base import Frame
from voice.devices.recording import Recording
from voice.devices.typed import Key
from voice.policy.staying import GRACE_S, Staying
from voice.protocol.aloud import ENDS_SOON, FAREWELL, MUTING
from voice.protocol.floor import Floor
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


class Voice:
    """Says what it is asked to say while `quiet`."""

    def __init__(self) -> None:
        self.quiet = True
        self.said: list[str] = []

    def say(self, words: Mapping[str, str]) -> bool:
        if self.quiet:
            self.said.append(words["en"])
        return self.quiet


class Room:
    """An `Aside` whose time the test tells."""

    def __init__(self, **limits: float) -> None:
        self.taken, self.voice, self.floor, self.now = Taken(), Voice(), Floor(), 0.0
        self.stopped = 0
        self.aside = Aside(self.taken, None, Staying(**limits), self.voice)  # type: ignore[arg-type]

    def stop(self) -> None:
        self.stopped += 1

    def wait(self, seconds: float, quiet: bool = True) -> None:
        for _ in range(round(seconds * 10)):
            self.aside.step(self.now, quiet, self.floor, self.stop)
            self.now = round(self.now + 0.1, 3)


def test_a_muted_microphone_is_told_of_and_opened_by_any_key() -> None:
    room = Room(idle_mute_s=5.0)
    room.wait(5.1)
    assert room.floor.muted and room.voice.said == [MUTING["en"]] and "the microphone is muted" in room.taken.notes[0]
    room.wait(60)
    assert len(room.taken.notes) == 1
    assert room.aside.touched(room.now, room.floor) and not room.floor.muted and room.taken.notes[1] == "the microphone is open again"
    assert not room.aside.touched(room.now, room.floor)
    room.wait(4.9)
    assert not room.floor.muted
    room.wait(0.3)
    assert room.floor.muted


def test_one_that_the_user_has_muted_stays_so() -> None:
    room = Room(idle_mute_s=5.0)
    room.wait(3)
    room.floor.muted = True
    room.wait(60)
    assert not room.aside.touched(room.now, room.floor) and room.floor.muted and room.taken.notes == []
    room.floor.muted = False
    room.wait(5.2)
    room.floor.muted = False  # by its key
    room.wait(1)
    assert not room.aside.touched(room.now, room.floor)


def test_what_cannot_be_said_yet_is_said_when_it_can_be_if_it_is_still_so() -> None:
    room = Room(idle_mute_s=5.0)
    room.voice.quiet = False
    room.wait(4)
    assert not room.floor.muted, "somebody speaks, says the session"
    room = Room(max_length_s=100.0)
    room.wait(75)
    room.wait(16, quiet=False)
    assert "this conversation ends in 10 s (--max-length)" in room.taken.notes and room.voice.said == []
    room.wait(1)
    assert room.voice.said == [ENDS_SOON["en"]]


def test_a_conversation_ends_with_a_farewell_and_no_new_turn() -> None:
    room = Room(max_length_s=10.0)
    room.wait(10.1)
    assert room.voice.said == [ENDS_SOON["en"], FAREWELL["en"]] and room.floor.muted and not room.floor.left
    room.wait(3, quiet=False)
    assert not room.floor.left, "it is being said"
    room.wait(0.2)
    assert room.floor.left and room.stopped == 0


def test_an_answer_that_does_not_end_is_stopped_for_the_farewell() -> None:
    room = Room(max_length_s=10.0)
    room.wait(10 + GRACE_S + 0.1, quiet=False)
    assert room.stopped == 1 and room.voice.said == [] and room.floor.muted
    room.wait(0.2)
    assert room.voice.said == [FAREWELL["en"]]
    room.wait(0.2)
    assert room.floor.left


async def test_a_conversation_in_which_nobody_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Muted, opened by an empty line (which stops nothing), muted again, opened by Esc; then over, and that is no failure."""
    async with stage() as made:
        voice = Voice()
        made.talk._aside = Aside(made.taken, None, Staying(idle_mute_s=0.05), voice)  # type: ignore[arg-type]
        await made.state("muted")
        await made.frames(1)
        made.talk._aside._staying = Staying()
        made.type("")
        await made.state("listening")
        await made.frames(2)
        assert made.session.pushed == [(1, "muted"), (2, "")] and made.session.did == [] and made.speaker.stopped == 0
        made.talk._aside._staying = Staying(idle_mute_s=0.05)
        await made.state("muted")
        made.talk._aside._staying = Staying()
        made.press(Key.STOP)
        await made.state("listening")
        made.talk._aside._staying = Staying(idle_mute_s=0.05)
        await made.state("muted")
        made.talk._aside._staying = Staying()
        made.press(Key.MUTE)
        await made.state("listening")
        assert set(voice.said) == {MUTING["en"]}
        made.talk._aside._staying = Staying(max_length_s=0.05)
        await until(lambda: made.taken.lines)
        assert voice.said[-2:] == [ENDS_SOON["en"], FAREWELL["en"]] and made.taken.summary["turns"] == 0
