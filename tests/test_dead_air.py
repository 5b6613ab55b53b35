"""When a word is said while a function runs: not over anybody, not over an answer, once, and in the language of the conversation."""

import pytest

from tests.support.calling import Caller
from voice.protocol.dead_air import HOLD_S, SAY, WORDS, DeadAir, Filler, language_of


class Air:
    """The machine alone, two seconds patient."""

    def __init__(self, filler: Filler | None = None, language: str = "") -> None:
        self.open = False
        self.air = DeadAir(filler or Filler(), lambda: language, lambda: self.open)

    def said(self, now: float) -> str | None:
        params = self.air.words(now)
        assert params is None or params.tool_choice == "none"
        return params.instructions if params is not None else None  # type: ignore[return-value]


def wanted(words: str) -> str:
    return f'Say exactly this, and nothing else: "{words}"'


def test_after_two_seconds_of_nothing() -> None:
    bench = Air()
    assert bench.air.deadline(False) is None
    bench.air.started("c1", 10.0)
    assert bench.air.deadline(False) == 12.0
    assert bench.said(11.9) is None and bench.said(12.0) == wanted("One moment, please.")
    assert bench.said(20.0) is None and bench.air.deadline(False) is None, "once"
    assert bench.air.began(12.1) and not bench.air.began(13.0)
    bench.air.started("c2", 30.0)
    assert bench.said(32.0)


def test_nothing_is_said_of_what_has_ended_or_where_nobody_wants_it() -> None:
    bench = Air()
    bench.air.started("c1", 10.0)
    bench.air.finished("c1")
    assert bench.said(13.0) is None
    never = Air(Filler(after_s=None))
    never.air.started("c1", 10.0)
    assert never.said(99.0) is None and never.air.deadline(False) is None


def test_silence_counts_from_the_last_sound() -> None:
    bench = Air()
    bench.air.heard(9.0, sound_s=0.5)
    bench.air.heard(9.1, sound_s=3.0)
    bench.air.started("c1", 10.0)
    assert bench.air.deadline(False) == 14.5
    assert bench.said(14.4) is None and bench.said(14.5)


def test_not_while_somebody_speaks() -> None:
    bench = Air()
    bench.air.started("c1", 10.0)
    bench.air.speech(True, 11.0)
    assert bench.air.talking and bench.said(14.0) is None and bench.air.deadline(False) == 14.25
    bench.air.speech(False, 15.0)
    assert bench.said(16.9) is None and bench.said(17.0)
    bench.air.began(18.0)
    bench.open = True
    bench.air.started("c2", 20.0)
    assert bench.air.talking and bench.said(30.0) is None
    bench.open = False
    assert bench.said(30.0)


def test_speech_that_never_ends_has_ended() -> None:
    bench = Air()
    bench.air.speech(True, 10.0)
    assert bench.air.deadline(False) is None and bench.air.deadline(True) is not None
    bench.air.words(10.0 + HOLD_S)
    assert not bench.air.talking


def test_whoever_stops_the_answer_wants_no_such_words() -> None:
    bench = Air()
    bench.air.started("c1", 10.0)
    bench.air.heard(10.0, sound_s=60.0)
    bench.air.interrupted()
    assert bench.said(99.0) is None
    bench.air.started("c2", 100.0)
    assert bench.air.deadline(False) == 102.0, "and nothing is being played any more"


def test_a_wish_that_was_not_heard_is_over() -> None:
    bench = Air()
    bench.air.started("c1", 10.0)
    assert bench.said(12.0)
    bench.air.unheard()
    assert not bench.air.began(13.0) and bench.said(20.0) is None


@pytest.mark.parametrize(
    ("language", "words", "said"),
    [("ko", "", WORDS["ko"]), ("de-AT", "", WORDS["de"]), ("xx", "", WORDS["en"]), ("", "", WORDS["en"]), ("ko", "Moment!", "Moment!")],
)
def test_the_words(language: str, words: str, said: str) -> None:
    bench = Air(Filler(1.0, words), language)
    bench.air.started("c1", 10.0)
    assert bench.said(11.0) == SAY.format(words=said)


@pytest.mark.parametrize(("text", "language"), [("지금 몇 시야", "ko"), ("東京はどこ", "ja"), ("你好", "zh"), ("hello", ""), ("", "")])
def test_the_language_of_letters(text: str, language: str) -> None:
    assert language_of(text) == language


def test_in_a_session_it_goes_through_the_arbiter_and_answers_nothing() -> None:
    caller = Caller(filler=Filler(2.0))
    caller.client.inbound.history.write("u1", "user", "날씨 어때?")
    caller.begins("r1")
    caller.calls("r1", 1)
    assert caller.client.deadline() is None, "the response that calls is still at work"
    caller.now += 1
    caller.ends("r1", 1)
    assert caller.client.deadline() == 103.0
    caller.now = 103.0
    caller.client.tick(caller.now)
    caller.flush()
    assert [event["response"] for event in caller.asked] == [{"instructions": wanted(WORDS["ko"]), "tool_choice": "none"}]
    caller.finish(1)
    caller.tells_of_outputs()
    caller.begins("filler")
    caller.ends("filler")
    assert len(caller.asked) == 2 and caller.asked[1]["response"] == {}, "the answer is still owed"
    caller.begins("r2")
    caller.ends("r2")
    assert len(caller.asked) == 2


def test_it_waits_for_the_answer_to_something_else() -> None:
    caller = Caller(filler=Filler(2.0))
    caller.answers_with("r1", 1)
    caller.begins("r2")
    caller.now += 5
    caller.client.tick(caller.now)
    caller.flush()
    assert caller.asked == [] and caller.client.deadline() is None
    caller.ends("r2")
    assert caller.client.deadline() == caller.now + 2.0
