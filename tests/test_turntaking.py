"""Turns with pauses that are judged, and silence that becomes a turn, through a whole `ServerSession`."""

import base64
from typing import Any

import pytest

from tests.support.served import Served, sound, types
from tests.support.signals import tone
from voice.audio.patience import PAUSE_MS, Thought
from voice.audio.pcm import to_bytes
from voice.protocol.judging import JUDGE_S
from voice.protocol.orders import ListenEnded, ListenMore, ListenPaused
from voice.protocol.stall import LATE_S

WORD = "." * 25 + "#" * 20
STARTED, STOPPED = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
COMMITTED = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
ENDED = [STOPPED, *COMMITTED]
SILENCE = ["input_audio_buffer.timeout_triggered", "conversation.item.added", "conversation.item.done", *COMMITTED, "response.created"]


def semantic(eagerness: str = "medium", **more: Any) -> Served:
    served = Served()
    served.update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": eagerness, **more}}})
    return served


def pauses(served: Served) -> list[ListenPaused]:
    return [order for order in served.orders if isinstance(order, ListenPaused)]


def judge(served: Served, thought: Thought) -> list[dict[str, Any]]:
    """The engine answers the newest pause."""
    served.session.judging.judged(pauses(served)[-1].pause, thought)
    assert served.session.deadline() == 0.0
    return served.tick(served.now)


def waited_ms(served: Served, thought: Thought | None) -> int:
    """How much silence after a word of 400 ms ends the turn, heard 20 ms at a time."""
    served.hear(WORD)
    for frames in range(1, 500):
        if STOPPED in types(served.hear(".")):
            return frames * 20
        if len(pauses(served)) == 1 and thought is not None:
            if STOPPED in types(judge(served, thought)):
                return frames * 20
            thought = None
        served.now += 0.02
        if STOPPED in types(served.tick(served.now)):
            return frames * 20
    raise AssertionError("the turn does not end")


@pytest.mark.parametrize(
    ("eagerness", "thought", "want_ms"),
    [
        ("high", Thought.FINISHED, 400),
        ("medium", Thought.FINISHED, 500),
        ("auto", Thought.FINISHED, 500),
        ("low", Thought.FINISHED, 800),
        ("medium", Thought.LIKELY, 1000),
        ("medium", Thought.UNKNOWN, 1700),
        ("high", Thought.UNFINISHED, 2000),
        ("medium", Thought.UNFINISHED, 4000),
        ("low", Thought.UNFINISHED, 8000),
    ],
)
def test_a_turn_is_as_patient_as_what_was_said_wants(eagerness: str, thought: Thought, want_ms: int) -> None:
    assert abs(waited_ms(semantic(eagerness), thought) - want_ms) <= 40


def test_without_an_answer_of_the_engine_the_wait_is_a_middle_one() -> None:
    # Sound waits while nobody judges: the turn ends when it is given up, if that is later.
    assert abs(waited_ms(semantic(), None) - JUDGE_S * 1000 - PAUSE_MS) <= 60


def test_the_end_of_speech_is_told_as_it_was_however_long_was_waited() -> None:
    for thought in (Thought.FINISHED, Thought.UNKNOWN, Thought.UNFINISHED):
        served = semantic()
        waited_ms(served, thought)
        [stopped] = [event for event in served.sent if event["type"] == STOPPED]
        assert abs(stopped["audio_end_ms"] - (900 + PAUSE_MS)) <= 20
        [ended] = [order for order in served.orders if isinstance(order, ListenEnded)]
        assert abs(ended.audio_ms - (stopped["audio_end_ms"] - 200)) <= 20


@pytest.mark.parametrize("pieces", [1, 7, 90])
def test_the_same_sound_makes_the_same_turns_however_fast_it_comes(pieces: int) -> None:
    """A thought held open over 1.5 s, then finished; another turn behind it. All of it may be there before the first judgement."""
    pattern = WORD + "." * 75 + "#" * 20 + "." * 60 + "#" * 20 + "." * 60
    samples = sound(pattern, 24_000)
    served = semantic()
    thoughts = iter([Thought.UNFINISHED, Thought.FINISHED, Thought.FINISHED])
    judged = 0
    for at in range(0, len(samples), len(samples) // pieces + 1):
        served.append(samples[at : at + len(samples) // pieces + 1])
        while len(pauses(served)) > judged:
            judged += 1
            judge(served, next(thoughts))
    turns = [
        (event["type"][-7:], event.get("audio_start_ms", event.get("audio_end_ms"))) for event in served.sent if "speech_" in event["type"]
    ]
    assert [kind for kind, _ in turns] == ["started", "stopped", "started", "stopped"]
    want = [200, 900 + 1500 + 400 + PAUSE_MS, 900 + 1500 + 400 + 1200 - 300, 900 + 1500 + 400 + 1200 + 400 + PAUSE_MS]
    assert all(abs(got - wanted) <= 40 for (_, got), wanted in zip(turns, want, strict=True)), turns
    assert next(thoughts, None) is None
    heard = [order for order in served.orders if isinstance(order, ListenMore)]
    first = heard[0].item_id
    assert sum(len(order.samples) for order in heard if order.item_id == first) // 16 >= want[1] - 200 - 40


def test_the_same_pause_is_two_turns_for_a_fixed_silence() -> None:
    served = Served()
    assert types(served.hear(WORD + "." * 75 + "#" * 20 + "." * 60)).count(STARTED) == 2


def test_what_semantic_turns_create_and_interrupt_is_settled_by_their_flags() -> None:
    served = semantic(create_response=False, interrupt_response=False)
    served.hear(WORD + "." * 30)
    assert types(judge(served, Thought.FINISHED)) == ENDED and served.wanted() == []
    served.send("response.create")
    served.say("Well,")
    assert types(served.hear(WORD)) == [STARTED]
    served.end()
    served.hear("." * 30)
    judge(served, Thought.FINISHED)
    served.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    served.send("response.create")
    served.say("Well,")
    assert types(served.hear(WORD))[0] == STARTED and served.sent[-1]["type"] == "rate_limits.updated"


@pytest.mark.parametrize(
    ("silent_ms", "eagerness", "thought", "waited_s"),
    [
        (1000, "high", Thought.UNFINISHED, 1.0),
        (300, "medium", Thought.FINISHED, 0.2),
        (1500, "medium", Thought.UNKNOWN, 0.2),
        # Sound that ends before there is a pause is judged by nobody: the longest wait.
        (0, "high", None, 2.0),
        (100, "low", None, 7.9),
    ],
)
def test_time_goes_on_where_sound_does_not(silent_ms: int, eagerness: str, thought: Thought | None, waited_s: float) -> None:
    served = semantic(eagerness)
    assert types(served.hear(WORD + "." * (silent_ms // 20))) == [STARTED]
    served.tick(0.0)
    if thought is not None:
        assert judge(served, thought) == []
    due = served.session.deadline()
    assert due == pytest.approx(waited_s + LATE_S, abs=0.04) and served.tick(due - 0.01) == []
    assert types(served.tick(due)) == [*ENDED, "response.created"] and served.session.deadline() == 3600.0
    [stopped] = [event for event in served.sent if event["type"] == STOPPED]
    assert abs(stopped["audio_end_ms"] - (900 + min(silent_ms, PAUSE_MS))) <= 20
    [ended] = [order for order in served.orders if isinstance(order, ListenEnded)]
    assert abs(ended.audio_ms - (stopped["audio_end_ms"] - 200)) <= 20
    served.reply()
    assert types(served.hear(WORD)) == [STARTED], "and what comes then is another turn"


def test_a_judgement_that_comes_late_or_never_holds_no_turn_open() -> None:
    """1.5 s of silence, which is less than what is not known waits for; the engine is busy."""
    served = semantic()
    served.hear(WORD + "." * 75)
    ended_at = next(now / 10 for now in range(1, 100) if STOPPED in types(served.tick(now / 10)))
    assert ended_at <= JUDGE_S + LATE_S + 0.1


@pytest.mark.parametrize("burst_ms", [20, 100, 500, 1000])
def test_sound_in_bursts_is_heard_as_a_steady_one(burst_ms: int) -> None:
    pattern = WORD + "." * 75 + "#" * 20 + "." * 60 + "#" * 20 + "." * 60
    served = semantic()
    thoughts = iter([Thought.UNFINISHED, Thought.FINISHED, Thought.FINISHED])
    judged = 0
    for at in range(0, len(pattern), burst_ms // 20):
        served.hear(pattern[at : at + burst_ms // 20])
        while len(pauses(served)) > judged:
            judged += 1
            judge(served, next(thoughts))
        until = served.now + burst_ms / 1000
        while (due := served.session.deadline() or 0.0) < until:
            served.tick(max(due, served.now))
        served.now = until
    ends = [event["audio_end_ms"] for event in served.sent if event["type"] == STOPPED]
    assert len(ends) == 2 and abs(ends[0] - 2800 - PAUSE_MS) <= 40 and abs(ends[1] - 4400 - PAUSE_MS) <= 40


def test_empty_messages_are_no_sound_and_a_fixed_silence_must_be_sent() -> None:
    served = semantic("high")
    served.hear(WORD)
    for second in range(4):
        served.tick(float(second))
        served.append(sound("", 24_000))
    assert types(served.sent)[-1] == "response.created"
    fixed = Served()
    assert types(fixed.hear(WORD + "." * 10)) == [STARTED] and fixed.tick(3000.0) == []


def test_a_commit_in_a_pause_takes_all_that_has_come() -> None:
    served = semantic()
    served.hear(WORD + "." * 60)
    assert types(served.send("input_audio_buffer.commit")) == ENDED
    [ended] = [order for order in served.orders if isinstance(order, ListenEnded)]
    assert abs(ended.audio_ms - (400 + 300 + 1200)) <= 40 and served.wanted() == []
    served.session.judging.judged(1, Thought.FINISHED)
    assert served.tick(9.0) == [] == served.hear("." * 100)


def test_a_clear_in_a_pause_forgets_all_that_has_come() -> None:
    served = semantic()
    served.hear(WORD + "." * 60)
    assert types(served.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert served.tick(9.0) == [] == served.hear("." * 100)
    assert types(served.hear(WORD)) == [STARTED]


@pytest.mark.parametrize("detection", [None, {"type": "server_vad"}, {"type": "semantic_vad", "eagerness": "high"}])
def test_settings_may_change_in_a_pause(detection: dict[str, Any] | None) -> None:
    served = semantic()
    served.hear(WORD + "." * 20)
    served.update(audio={"input": {"turn_detection": detection}})
    events = served.hear("." * 300)
    if detection is None:
        assert events == [] and types(served.send("input_audio_buffer.commit")) == ENDED
    else:
        assert types(events) == [*ENDED, "response.created"]


# --- silence that becomes a turn ---


def idling(timeout_ms: int = 5000, **more: Any) -> Served:
    served = Served()
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": timeout_ms, **more}}})
    return served


def answered(served: Served, ms: int = 1000) -> None:
    """An answer of so much sound is done now."""
    served.send("response.create")
    served.reply("Hello there.", ms)
    served.tick(served.now)


def quiet(served: Served, seconds: float) -> list[dict[str, Any]]:
    """A microphone without a speaker, in real time."""
    events = []
    for _ in range(round(seconds * 10)):
        served.now += 0.1
        events += served.hear("." * 5)
    return events


def test_a_silence_after_an_answer_becomes_a_turn() -> None:
    served = idling()
    quiet(served, 0.7)
    answered(served)
    assert quiet(served, 5.9) == [] and types(quiet(served, 0.2)) == SILENCE
    fired, system, _, committed, user, _, _ = served.sent[-7:]
    assert abs(fired["audio_start_ms"] - 1700) <= 100 and abs(fired["audio_end_ms"] - 6700) <= 100
    assert fired["item_id"] == committed["item_id"] == user["item"]["id"] != system["item"]["id"] == committed["previous_item_id"]
    assert system["item"]["role"] == "system" and "No user speech was detected" in system["item"]["content"][0]["text"]
    assert user["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    [ended] = [order for order in served.orders if isinstance(order, ListenEnded)]
    assert ended.silent and abs(ended.audio_ms - 5000) <= 100 and served.wanted()[-1].heard_item == fired["item_id"]
    [retrieved] = served.send("conversation.item.retrieve", item_id=fired["item_id"])
    assert abs(len(base64.b64decode(retrieved["item"]["content"][0]["audio"])) // 48 - 5000) <= 100
    served.session.transcribed(fired["item_id"], "", 5000)
    served.reply("Are you still there?", 500)
    served.tick(served.now)
    assert quiet(served, 5.4) == [] and types(quiet(served, 0.2)) == SILENCE, "and again, as long as nobody speaks"


def test_time_counts_where_a_gate_holds_the_silence_back_and_there_is_some_to_give() -> None:
    served = idling(1000)
    served.hear(WORD + "." * 35)
    served.reply("Hello there.", 400)
    assert served.session.deadline() == 0.0, "the count begins with a tick, which is wanted at once"
    served.tick(0.0)
    assert served.session.deadline() == 0.4 and served.tick(0.4) == []
    assert served.session.deadline() == 1.4 and types(served.tick(1.4)) == SILENCE
    fired = served.sent[-7]
    assert abs(fired["audio_end_ms"] - 1600) <= 20 and abs(fired["audio_start_ms"] - 1400) <= 40, "the end of what there is"
    served.reply("Are you there?", 400)
    assert served.tick(2.0) == served.tick(60.0) == [], "what has been a turn is none again"
    served.hear("." * 10)
    answered(served, 400)
    assert types(served.tick(120.0)) == SILENCE


def test_where_no_sound_ever_came_there_is_no_silence() -> None:
    served = idling(1000)
    answered(served)
    assert served.tick(60.0) == [] and served.session.deadline() == 3600.0


def test_it_is_not_counted_before_the_first_answer() -> None:
    assert quiet(idling(500), 5.0) == []


@pytest.mark.parametrize("more", [{"create_response": False}, {"idle_timeout_ms": None}, {"type": "semantic_vad"}])
def test_it_is_not_counted_where_nothing_is_to_be_said_unasked(more: dict[str, Any]) -> None:
    served = idling(**more)
    answered(served)
    assert quiet(served, 20.0) == []


def test_out_of_band_answers_are_not_heard_by_anybody() -> None:
    served = idling()
    served.send("response.create", response={"conversation": "none"})
    served.reply()
    assert quiet(served, 20.0) == []
    answered(served)
    served.send("response.create", response={"conversation": "none"})
    served.reply()
    assert types(quiet(served, 6.2)) == SILENCE


def test_who_speaks_is_not_asked_whether_he_is_there() -> None:
    served = idling()
    answered(served)
    quiet(served, 4.0)
    assert types(served.hear(WORD)) == [STARTED]
    served.now += 60.0
    assert served.tick(served.now) == []
    assert types(served.hear("." * 30)) == [*ENDED, "response.created"]
    served.reply(ms=1000)
    served.tick(served.now)
    assert quiet(served, 5.9) == [] and types(quiet(served, 0.2)) == SILENCE


def test_who_interrupts_is_heard_before_the_count_begins() -> None:
    served = idling()
    served.send("response.create")
    served.say("Well,", tone(1000, rate_hz=24_000))
    served.hear(WORD)
    assert served.sent[-1]["type"] == "rate_limits.updated"
    served.now += 60.0
    assert served.tick(served.now) == []


def test_an_answer_that_was_asked_for_ends_the_count() -> None:
    served = idling()
    answered(served)
    quiet(served, 5.0)
    served.send("response.create")
    assert quiet(served, 20.0) == []
    served.reply(ms=2000)
    served.tick(served.now)
    assert quiet(served, 6.9) == [] and types(quiet(served, 0.2)) == SILENCE


def test_other_turn_detection_ends_the_count_and_other_settings_do_not() -> None:
    served = idling()
    answered(served)
    quiet(served, 3.0)
    served.update(audio={"input": {"turn_detection": None}})
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}})
    assert quiet(served, 20.0) == []
    answered(served)
    quiet(served, 3.0)
    served.update(tracing="auto")
    assert types(quiet(served, 3.2)) == SILENCE


def test_a_very_long_silence_is_a_turn_of_its_end_only() -> None:
    served = idling(90_000)
    answered(served, 100)
    assert types(quiet(served, 90.3)) == SILENCE
    fired = served.sent[-7]
    [ended] = [order for order in served.orders if isinstance(order, ListenEnded)]
    assert 59_000 <= ended.audio_ms <= 60_100 and fired["audio_end_ms"] - fired["audio_start_ms"] == ended.audio_ms


def test_what_was_cleared_is_in_no_turn() -> None:
    served = idling()
    answered(served)
    quiet(served, 5.0)
    assert types(served.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert types(quiet(served, 1.1)) == SILENCE
    assert 900 <= served.sent[-7]["audio_end_ms"] - served.sent[-7]["audio_start_ms"] <= 1100


# --- turns that the client ends beside those of the detector ---


def test_a_commit_behind_the_detectors_own_finds_nothing() -> None:
    for served in (Served(), semantic()):
        served.hear(WORD + "." * 27)
        if pauses(served):
            judge(served, Thought.FINISHED)
        assert served.sent[-1]["type"] == "response.created"
        [error] = served.send("input_audio_buffer.commit", event_id="late")
        assert (error["error"]["code"], error["error"]["event_id"]) == ("input_audio_buffer_commit_empty", "late")
        assert "at least 100ms of audio, but buffer only has " in error["error"]["message"]
        served.send("input_audio_buffer.append", audio=base64.b64encode(to_bytes(sound("." * 5, 24_000))).decode())
        assert types(served.send("input_audio_buffer.commit")) == COMMITTED
