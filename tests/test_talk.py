"""The loop of `voice talk` with its ends played by the test; the real ones are in test_talk_real.py."""

import asyncio

import numpy as np
import pytest

from tests.support.talking import SPEECH, Stage, added, stage
from tests.support.until import until
from voice import talk, telling
from voice.devices.typed import Key
from voice.errors import MissingError
from voice.protocol.notices import (
    ErrorReported,
    LinkLost,
    LinkRestored,
    Notice,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyLost,
    SessionEnded,
    SpeechBegan,
    SpeechEnded,
    TurnCommitted,
    UserText,
)
from voice.talk import TalkOptions

SPOKEN: tuple[Notice, ...] = (SpeechBegan(100, False, "u1"), SpeechEnded(900, False, "u1"), TurnCommitted("u1"))


async def test_a_spoken_turn_from_the_first_word_to_the_last_sample() -> None:
    async with stage() as scene:
        assert scene.taken.states == ["listening"]
        await scene.frames(5, 6, 7)
        scene.session.tell(*SPOKEN)
        await scene.state("thinking")
        scene.session.tell(UserText("u1", "what time", False), UserText("u1", "what time is it", True))
        await scene.reply(ms=240)
        await scene.state("speaking")
        assert scene.taken.turns == [], "it is not over before it has been heard"
        assert scene.speaker.ended == ["a"]
        scene.speaker.hear_out("a")
        await scene.state("listening")
    (turn,) = scene.taken.turns
    assert (turn["user_text"], turn["assistant_text"], turn["status"]) == ("what time is it", "Hello.", "completed")
    assert (turn["speech_started_ms"], turn["speech_stopped_ms"], turn["file"]) == (100, 900, "fake microphone")
    assert (turn["reply_ms"], turn["heard_ms"]) == (240, 240) and isinstance(turn["first_audio_ms"], int)
    assert scene.taken.captions == [("you", "what time is it"), ("voice", "Hello.")]
    assert scene.session.pushed == [(5, ""), (6, ""), (7, "")] and scene.session.did == []
    assert scene.taken.summary["turns"] == 1 and scene.taken.summary["reconnects"] == 0


async def test_a_typed_line_is_a_turn_with_its_words() -> None:
    async with stage() as scene:
        scene.type('  say "hi" \x1b[31m\x07 ')
        await scene.state("thinking")
        assert scene.session.did == [("say", 'say "hi" [31m')]
        scene.session.tell(added("other", "something else"), added("t1", 'say "hi" [31m'))
        await scene.reply()
        scene.speaker.hear_out("a")
        await scene.state("listening")
    (turn,) = scene.taken.turns
    assert (turn["user_text"], turn["assistant_text"]) == ('say "hi" [31m', "Hello.")
    assert turn["speech_started_ms"] is None and turn["first_audio_ms"] is None


async def test_a_typed_line_too_many_waits_and_that_is_said() -> None:
    async with stage() as scene:
        scene.session.full = True
        scene.type("one more")
        scene.type("and one")
        await until(lambda: scene.taken.notes)
        assert scene.session.did == []
        scene.session.full = False
        await until(lambda: len(scene.session.did) == 2)
        assert scene.session.did == [("say", "one more"), ("say", "and one")]
        assert len(scene.taken.notes) == 1 and "sent when there is room" in scene.taken.notes[0]


@pytest.mark.parametrize("by", ["server", "local", "enter", "escape", "key", "talk key"])
async def test_whoever_interrupts_hears_no_more_and_the_server_learns_what_was_heard(by: str) -> None:
    async with stage() as scene:
        await scene.reply(ms=500, whole=False)
        await scene.state("speaking")
        scene.speaker.heard["a"] = 180
        match by:
            case "server":
                scene.session.tell(SpeechBegan(100, False, "u1"))
            case "local":
                await scene.frames(*[SPEECH] * 30)
            case "enter":
                scene.type("")
            case "escape":
                scene.type("\x1b")
            case "key":
                scene.press(Key.STOP)
            case "talk key":
                scene.press(Key.TALK)
        await scene.state("listening")
        assert scene.session.did == [("interrupt", "a", 180)] and scene.speaker.stopped == 1
        late = [ReplyAudio("r1", item, np.ones(240, np.int16), 24_000) for item in ("a", "b")]
        scene.session.tell(*late, ReplyEnded("r1", "cancelled", "turn_detected", None))
        await until(lambda: scene.taken.turns)
        assert [item for item, *_ in scene.speaker.played] == ["a"], "late sound is dropped, of other items too"
        await scene.reply("r2", "c")
        assert scene.speaker.played[-1][0] == "c"
        scene.speaker.hear_out("c")
        await until(lambda: len(scene.taken.turns) == 2)
    first, second = scene.taken.turns
    assert (first["status"], first["heard_ms"]) == ("cancelled", 180)
    assert (second["status"], second["heard_ms"]) == ("completed", 100)


async def test_items_that_were_not_begun_are_taken_back_too() -> None:
    async with stage() as scene:
        await scene.reply("r1", "a")
        await scene.reply("r2", "b")
        scene.speaker.heard["a"] = 40
        scene.type("")
        await until(lambda: len(scene.session.did) == 2)
        assert scene.session.did == [("interrupt", "a", 40), ("interrupt", "b", 0)]


async def test_speech_while_nothing_is_heard_interrupts_nothing() -> None:
    async with stage() as scene:
        scene.session.tell(*SPOKEN)
        scene.session.hears.append([SpeechBegan(100, True)])
        await scene.frames(1)
        await scene.settled()
        assert scene.session.did == []


async def test_speech_while_an_answer_is_made_to_a_turn_that_we_ended_cancels_it() -> None:
    async with stage(turns="client") as scene:
        scene.session.arbitrates = scene.session.deciding.own = True
        scene.session.hears.extend([[SpeechBegan(0, True)], [SpeechEnded(40, True)]])
        await scene.frames(1, 1)
        scene.session.tell(TurnCommitted("u1"), ReplyBegan("r1"))
        await scene.settled()
        scene.session.hears.append([SpeechBegan(60, True)])
        await scene.frames(*[SPEECH] * 30)
        assert scene.session.did == [("interrupt", None, 0)]
        scene.session.tell(ReplyAudio("r1", "a", np.ones(240, np.int16), 24_000), ReplyEnded("r1", "cancelled", "", None))
        await scene.state("listening")
        assert scene.speaker.played == []
    assert scene.taken.turns[0]["speech_stopped_ms"] == 40, "our detector's times"


async def test_half_duplex_withholds_the_microphone_until_a_moment_after_the_reply() -> None:
    async with stage(half_duplex=True) as scene:
        await scene.frames(1)
        await scene.reply()
        await scene.state("speaking")
        await scene.frames(2, 3)
        scene.speaker.hear_out("a")
        await scene.frames(4)
        await scene.state("listening")
        await scene.frames(5)
        assert scene.session.pushed == [(1, ""), (2, "muted"), (3, "muted"), (4, "muted"), (5, "")]


async def test_half_duplex_withholds_what_a_late_microphone_still_has_of_the_reply() -> None:
    async with stage(half_duplex=True) as scene:
        scene.microphone.latency_s = 1.0
        await scene.reply()
        await scene.state("speaking")
        scene.speaker.hear_out("a")
        await scene.state("listening")
        await scene.frames(1)
        assert scene.session.pushed == [(1, "muted")]
        await asyncio.sleep(1.0)
        await scene.frames(2)
        assert scene.session.pushed[1:] == [(2, "")]


async def test_half_duplex_hears_at_once_whoever_stops_the_reply() -> None:
    async with stage(half_duplex=True) as scene:
        await scene.reply()
        await scene.state("speaking")
        scene.type("")
        await until(lambda: scene.session.did)
        await scene.frames(2)
        assert scene.session.pushed == [(2, "")]


async def test_frames_that_were_dropped_are_counted_as_such() -> None:
    async with stage(half_duplex=True) as scene:
        scene.microphone.hear(0, dropped=True)
        scene.microphone.hear(0, dropped=True, stale=True)
        scene.microphone.hear(1)
        await until(lambda: len(scene.session.pushed) == 3)
        assert scene.session.pushed == [(0, "bound"), (0, "stale"), (1, "")]


async def test_a_reply_that_no_loudspeaker_plays_is_over_after_a_while_and_the_server_learns_what_was_heard() -> None:
    async with stage() as scene:
        await scene.reply("r1", "a", ms=2_000)
        scene.speaker.heard["a"] = 300
        await scene.state("speaking")
        assert scene.speaker.stopped == 0
        scene.speaker.stranded = True
        await until(lambda: scene.speaker.stopped)
        scene.speaker.stranded = False
        await scene.state("listening")
        assert ("interrupt", "a", 300) in scene.session.did


async def test_push_to_talk() -> None:
    async with stage(turns="client", push_to_talk=True) as scene:
        await scene.state("muted")
        await scene.frames(1)
        scene.type("")
        await scene.state("listening")
        await scene.frames(*[2] * 6)
        scene.type("")
        await until(lambda: ("commit", 140) in scene.session.did)
        scene.session.tell(TurnCommitted("u1"))
        await scene.state("thinking")
        await scene.reply()
        await scene.state("speaking")
        scene.speaker.heard["a"] = 30
        scene.type("")
        await scene.state("listening")
        assert scene.session.did[-1] == ("interrupt", "a", 30)
        scene.type("")
        await until(lambda: scene.taken.notes)
        assert "too short" in scene.taken.notes[0] and scene.session.did.count(("commit", 140)) == 1
        await scene.state("muted")
    assert [withheld for _, withheld in scene.session.pushed] == ["muted"] + [""] * 6
    turn = scene.taken.turns[0]
    assert (turn["speech_started_ms"], turn["speech_stopped_ms"]) == (20, 140)


async def test_a_link_that_breaks_and_comes_back() -> None:
    async with stage() as scene:
        await scene.reply(whole=False)
        scene.session.tell(ReplyLost("r1", False), LinkLost(1006, "gone", 0.5))
        await scene.state("reconnecting")
        assert scene.speaker.ended == ["a"], "what has come is played to its end"
        await scene.frames(7)
        scene.speaker.hear_out("a")
        scene.session.tell(LinkRestored(1, False))
        await scene.state("listening")
        assert scene.session.pushed == [(7, "")], "the microphone goes on"
    assert scene.taken.notes[:2] == ["the link is gone (1006 gone); next try in 0.5 s", "the link is back"]
    assert scene.taken.summary["reconnects"] == 1
    assert scene.taken.turns[0]["status"] == "incomplete"


async def test_a_planned_move_is_not_worth_a_word() -> None:
    async with stage() as scene:
        scene.session.tell(LinkRestored(1, True))
        await scene.settled()
        assert scene.taken.notes == [] and scene.taken.states == ["listening"]
    assert scene.taken.summary["reconnects"] == 1


async def test_failures_are_told_and_the_conversation_goes_on() -> None:
    async with stage() as scene:
        scene.session.tell(ErrorReported("rate_limit", "Slow down."), ReplyBegan("r1"), ReplyEnded("r1", "failed", "no credit", None))
        await until(lambda: len(scene.taken.notes) == 2)
        await until(lambda: scene.taken.turns)
    assert scene.taken.notes[:2] == ["rate_limit: Slow down.", "no answer: no credit"]
    assert scene.taken.summary["errors"] == [{"code": "rate_limit", "message": "Slow down."}]
    assert scene.taken.turns[0]["status"] == "failed"


async def test_the_end_of_the_session_is_told_with_what_was_said() -> None:
    async with stage() as scene:
        scene.session.tell(*SPOKEN, SessionEnded(4001, "no credit", False))
        await until(lambda: scene.taken.lines and scene.taken.lines[-1]["event"] == "summary")
    assert scene.taken.notes == ["the session ended (4001 no credit)"]
    assert scene.taken.turns[0]["status"] == "no_reply" and scene.taken.summary["turns"] == 1


async def test_ctrl_c_tells_what_was_said_and_falls_silent() -> None:
    scene = Stage(TalkOptions())
    running = asyncio.ensure_future(scene.talk.run(scene.lines()))
    scene.session.tell(*SPOKEN, ErrorReported("x", "y"))
    await scene.state("thinking")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert scene.taken.summary["turns"] == 1 and scene.speaker.stopped == 1


async def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "STILL_S", 0.05)
    scene = Stage(TalkOptions())
    with pytest.RaisesGroup(pytest.RaisesExc(MissingError, match="says nothing")):
        await scene.talk.run(scene.lines())


async def test_a_turn_about_which_nothing_comes_gets_no_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as scene:
        monkeypatch.setattr(telling, "STILL_S", 0.05)
        monkeypatch.setattr(telling, "LATE_TEXT_S", 0.05)
        scene.session.tell(*SPOKEN)
        await until(lambda: scene.taken.turns)
        assert scene.taken.turns[0]["status"] == "no_reply"
        await scene.state("listening")


async def test_words_that_come_late_are_waited_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as scene:
        scene.session.tell(*SPOKEN)
        await scene.reply()
        scene.speaker.hear_out("a")
        await scene.state("listening")
        assert scene.taken.turns == []
        monkeypatch.setattr(telling, "LATE_TEXT_S", 0.05)
        await until(lambda: scene.taken.turns)
        assert scene.taken.turns[0]["user_text"] == ""


async def test_a_file_ends_the_conversation_once_its_last_turn_is_answered_and_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "TAIL_MS", 100)
    scene = Stage(TalkOptions())
    scene.session.tell(ErrorReported("x", "ready"))
    running = asyncio.ensure_future(scene.talk.run(scene.lines()))
    await scene.state("listening")
    await scene.frames(*[1] * 50)
    scene.session.tell(*SPOKEN)
    await scene.state("thinking")
    scene.microphone.ended = True
    await scene.frames(*[0] * 60)
    assert not running.done(), "a turn is open"
    await scene.reply()
    await scene.state("speaking")
    scene.speaker.hear_out("a")
    async with asyncio.timeout(30):
        assert await running
    assert scene.taken.summary["audio_in_ms"] == 1_000, "the file, not the silence behind it"
    assert scene.taken.turns[0]["heard_ms"] == 100


async def test_a_file_in_which_nobody_speaks_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "TAIL_MS", 100)
    scene = Stage(TalkOptions())
    scene.session.tell(ErrorReported("x", "ready"))
    running = asyncio.ensure_future(scene.talk.run(scene.lines()))
    await scene.state("listening")
    scene.microphone.ended = True
    await scene.frames(*[0] * 29)
    await asyncio.sleep(0.05)
    assert not running.done(), "a turn might still be noticed"
    await scene.frames(*[0] * 5)
    async with asyncio.timeout(30):
        assert await running
    assert scene.taken.summary["turns"] == 0


@pytest.mark.parametrize("pressed", [False, True])
async def test_a_file_with_push_to_talk_ends_too(pressed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "TAIL_MS", 100)
    scene = Stage(TalkOptions(turns="client", push_to_talk=True))
    scene.session.tell(ErrorReported("x", "ready"))
    running = asyncio.ensure_future(scene.talk.run(scene.lines()))
    await scene.state("muted")
    if pressed:
        scene.type("")
        await scene.state("listening")
    await scene.frames(*[1] * 20)
    scene.microphone.ended = True
    await scene.frames(*[0] * 40)
    async with asyncio.timeout(30):
        assert await running
    assert scene.session.did == ([("interrupt", None, 0), ("commit", 1_200)] if pressed else [])
