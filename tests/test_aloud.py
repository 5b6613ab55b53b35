"""Notices of the program's own, said aloud."""

import pytest

from tests.support.calling import Caller
from tests.support.pair import Pair
from voice.engines.verbatim import ordered
from voice.protocol.aloud import ENDS_SOON, FAREWELL, MUTING, Aloud
from voice.protocol.dead_air import WORDS
from voice.protocol.objects import Audio, AudioInput, Session, Transcription, TurnDetection

ASKED = "response.create"


def aloud(caller: Caller) -> Aloud:
    return Aloud(caller.client.errands, lambda: caller.client.quiet, caller.flush)


def said(caller: Caller) -> str | None:
    return ordered(caller.asked[-1]["response"]["instructions"])


def test_it_is_asked_for_word_for_word_when_it_is_quiet() -> None:
    caller = Caller()
    assert aloud(caller).quiet and aloud(caller).say(FAREWELL)
    assert caller.rows() == [ASKED] and said(caller) == FAREWELL["en"]
    assert caller.asked[-1]["response"]["tool_choice"] == "none"


def test_not_over_an_answer_and_not_twice_at_once() -> None:
    caller = Caller()
    caller.begins("r1")
    assert not aloud(caller).quiet and not aloud(caller).say(MUTING)
    caller.ends("r1")
    assert aloud(caller).say(MUTING) and not aloud(caller).say(MUTING)
    caller.begins("r2")
    caller.ends("r2")
    assert aloud(caller).say(ENDS_SOON)


def test_not_over_the_user() -> None:
    caller = Caller()
    caller.tell("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u1")
    assert not aloud(caller).say(FAREWELL)


def test_what_the_server_refused_can_be_asked_for_again() -> None:
    caller = Caller()
    aloud(caller).say(FAREWELL)
    error = {"type": "invalid_request_error", "message": "no", "code": "any", "event_id": caller.asked[-1]["event_id"]}
    caller.tell("error", error=error)
    assert aloud(caller).say(FAREWELL)


def test_it_answers_nothing_that_a_function_has_said() -> None:
    caller = Caller()
    assert aloud(caller).say(ENDS_SOON)
    caller.answers_with("r1", 1)
    caller.finish(1)
    assert caller.rows()[-1] == ASKED, "the answer to what came of the function is still owed"


@pytest.mark.parametrize("words", [MUTING, ENDS_SOON, FAREWELL])
def test_in_every_language_that_a_filler_is_said_in(words: dict[str, str]) -> None:
    assert words.keys() == WORDS.keys() and len(set(words.values())) == len(words)
    for language, sentence in words.items():
        hearing = AudioInput(transcription=Transcription(model="any", language=language), turn_detection=TurnDetection("server_vad"))
        pair = Pair(Session(audio=Audio(hearing)))
        assert Aloud(pair.client.errands, lambda pair=pair: pair.client.quiet, lambda: None).say(words)  # type: ignore[misc]
        pair.run()
        [asked] = [event for event in pair.up if event["type"] == ASKED]
        assert ordered(asked["response"]["instructions"]) == sentence
