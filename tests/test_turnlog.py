"""Who said what, when, and what came of it: turns from notices, in any order that they may come in."""

import numpy as np
import pytest

from voice.protocol.ledger import FrameCount
from voice.protocol.notices import (
    ErrorReported,
    LinkRestored,
    Notice,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyText,
    SpeechBegan,
    SpeechEnded,
    TurnCommitted,
    UserText,
)
from voice.protocol.turnlog import Origin, Turn, TurnLog, Waterfall, summary_json, turn_json, waterfall


def log_of(*notices: Notice) -> TurnLog:
    log = TurnLog()
    for now, notice in enumerate(notices):
        log.see(notice, float(now))
    return log


def sound(response_id: str, ms: int = 100, rate_hz: int = 24_000) -> ReplyAudio:
    return ReplyAudio(response_id, "a", np.zeros(ms * rate_hz // 1000, np.int16), rate_hz)


def ended(response_id: str, status: str = "completed") -> ReplyEnded:
    return ReplyEnded(response_id, status, "", None)


SPOKEN = (SpeechBegan(500, False, "u"), SpeechEnded(900, False, "u"), TurnCommitted("u"))


def test_a_turn() -> None:
    log = log_of(
        *SPOKEN,
        UserText("u", "Wh", final=False),
        UserText("u", "at?", final=False),
        ReplyBegan("r"),
        ReplyText("r", "a", "No", final=False),
        ReplyText("r", "a", "thing", final=False),
        sound("r"),
        sound("r", 50),
        UserText("u", "What now?", final=True),
        ReplyText("r", "a", "Nothing.", final=True),
        ended("r"),
    )
    [turn] = log.turns
    assert (turn.index, turn.item_id, turn.started_ms, turn.stopped_ms, turn.user_text, turn.heard) == (0, "u", 500, 900, "What now?", True)
    assert (turn.assistant_text, turn.response_id, turn.status, turn.reply_ms, turn.came.audio_at) == (
        "Nothing.",
        "r",
        "completed",
        150,
        8.0,
    )
    assert log.open_turns == []


def test_what_is_said_in_between_stands_in_its_turn() -> None:
    log = log_of(
        *SPOKEN, UserText("u", "Wh", final=False), UserText("u", "at?", final=False), ReplyBegan("r"), ReplyText("r", "a", "No", False)
    )
    assert [(turn.user_text, turn.assistant_text, turn.heard, turn.status) for turn in log.open_turns] == [("What?", "No", False, None)]


def test_words_may_come_before_their_turn() -> None:
    log = log_of(UserText("u", "half", final=False), UserText("u", "What?", final=True), TurnCommitted("u"))
    assert [(turn.user_text, turn.heard, turn.started_ms) for turn in log.turns] == [("What?", True, None)]
    log = log_of(UserText("u", "ha", final=False), UserText("u", "lf", final=False), TurnCommitted("u"), UserText("u", " way", final=False))
    assert [(turn.user_text, turn.heard) for turn in log.turns] == [("half way", False)]
    log = log_of(*(UserText(str(n), "x", final=True) for n in range(100)), TurnCommitted("0"), TurnCommitted("99"))
    assert [turn.user_text for turn in log.turns] == ["", "x"]


def test_answers_belong_to_the_oldest_turn_without_one() -> None:
    log = log_of(
        TurnCommitted("u1"), TurnCommitted("u2"), ReplyBegan("r1"), ended("r1", "cancelled"), ReplyBegan("r2"), sound("r2"), ended("r2")
    )
    assert [(turn.item_id, turn.response_id, turn.status, turn.reply_ms) for turn in log.turns] == [
        ("u1", "r1", "cancelled", 0),
        ("u2", "r2", "completed", 100),
    ]


def test_an_answer_that_no_turn_waits_for_is_a_turn() -> None:
    log = log_of(ReplyBegan("r"), ReplyText("r", "a", "Time is up.", final=True), ended("r"))
    assert [(turn.item_id, turn.user_text, turn.assistant_text, turn.heard) for turn in log.turns] == [("", "", "Time is up.", True)]


def test_a_failure_without_a_beginning_ends_its_turn() -> None:
    assert [turn.status for turn in log_of(TurnCommitted("u"), ended("r", "failed")).turns] == ["failed"]
    log = log_of(TurnCommitted("u"), ended("r", "cancelled"), sound("nobody"), ReplyText("nobody", "a", "x", final=True))
    assert [turn.status for turn in log.turns] == [None]
    log.close()
    assert [turn.status for turn in log.turns] == ["no_reply"]


def test_errors_are_kept() -> None:
    error = ErrorReported("code", "message")
    assert log_of(error).errors == [error]


def test_the_lines_of_the_contract() -> None:
    log = log_of(*SPOKEN, ReplyBegan("r"), sound("r"), ended("r"), ErrorReported("c", "m"))
    assert turn_json(log.turns[0], Origin("a.wav", 400), Waterfall(520, 80, 120)) == {
        "event": "turn",
        "index": 0,
        "file": "a.wav",
        "user_text": "",
        "assistant_text": "",
        "speech_started_ms": 100,
        "speech_stopped_ms": 500,
        "first_audio_ms": 120,
        "waterfall": {"turn_ms": 520, "delta_ms": 80, "sound_ms": 120},
        "reply_ms": 100,
        "status": "completed",
    }
    log.see(LinkRestored(2, planned=False), 9.0)
    assert summary_json(log, FrameCount(100, 40, {"silence": 60}, 0), 2000) == {
        "event": "summary",
        "turns": 1,
        "audio_in_ms": 2000,
        "audio_out_ms": 100,
        "errors": [{"code": "c", "message": "m"}],
        "reconnects": 1,
        "frames_captured": 100,
        "frames_committed": 40,
        "frames_discarded": {"silence": 60},
        "frames_lost": 0,
    }


# The session's first sample was in the air at 100.0, the last voiced one 900 ms later; commit, words, sound and more words come at:
COMES = ((101.4, TurnCommitted("u")), (101.5, ReplyBegan("r")))
TEXT, SOUND = ReplyText("r", "a", "No", final=False), sound("r")


@pytest.mark.parametrize(
    ("came", "began_s", "sound_at", "want"),
    [
        (((101.6, TEXT), (101.7, SOUND)), 100.0, 101.75, Waterfall(500, 700, 850)),
        (((101.6, SOUND), (101.7, TEXT)), 100.0, 101.65, Waterfall(500, 700, 750)),
        (((101.6, TEXT), (101.7, SOUND)), 100.0, 101.695, Waterfall(500, 700, 800)),
        (((101.6, TEXT), (101.7, SOUND)), 100.0, None, Waterfall(500, 700, None)),
        (((101.6, ended("r")),), 100.0, None, Waterfall(500, None, None)),
        (((101.6, SOUND),), None, 101.7, Waterfall(None, None, None)),
    ],
)
def test_where_the_time_went(
    came: tuple[tuple[float, Notice], ...], began_s: float | None, sound_at: float | None, want: Waterfall
) -> None:
    log = log_of(SpeechBegan(500, False, "u"), SpeechEnded(900, False, "u"))
    for at, notice in (*COMES, *came):
        log.see(notice, at)
    assert waterfall(log.turns[0], began_s, sound_at) == want


def test_a_typed_message_has_no_last_sample_to_count_from() -> None:
    log = log_of()
    log.typed("t", "hello")
    assert waterfall(log.turns[0], 100.0, 101.0) == Waterfall()


@pytest.mark.parametrize("status", [None, "completed"])
def test_a_turn_of_which_nothing_is_known(status: str | None) -> None:
    line = turn_json(Turn(3, "", status=status), Origin("", 0), Waterfall())
    assert (line["speech_started_ms"], line["speech_stopped_ms"], line["first_audio_ms"]) == (None, None, None)
    assert line["status"] == (status or "no_reply") and line["index"] == 3


def test_a_typed_message_is_a_turn_with_the_next_answer() -> None:
    log = log_of(*SPOKEN, ReplyBegan("r"), ended("r"))
    turn = log.typed("t", "hello")
    assert (turn.index, turn.item_id, turn.user_text, turn.heard, turn.started_ms) == (1, "t", "hello", True, None)
    assert log.open_turns == [turn]
    for notice in (ReplyBegan("r2"), ReplyText("r2", "b", "Hi.", final=True), ended("r2")):
        log.see(notice, 0.0)
    assert (turn.assistant_text, turn.status) == ("Hi.", "completed") and len(log.turns) == 2
