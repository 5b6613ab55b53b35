"""Answers that call functions again and again: the session asks for words in the end, and then no more."""

import pytest

from tests.support.calling import Caller

ACTIVE = "conversation_already_has_active_response"


def calls_again(caller: Caller, *numbers: int) -> list[object]:
    """Answers that call one behind the other; the `tool_choice` of each wish that follows."""
    before = len(caller.asked)
    for n in numbers:
        caller.answers_with(f"r{n}", n)
        caller.finish(n)
    return [event["response"].get("tool_choice") for event in caller.asked[before:]]


def test_the_eighth_answer_in_a_row_is_asked_for_in_words() -> None:
    caller = Caller()
    assert calls_again(caller, *range(1, 9)) == [None] * 7 + ["none"]
    assert calls_again(caller, 9, 10, 11) == [], "a server that calls all the same is not asked again"
    assert len(caller.outputs) == 11, "but it has the outputs"
    assert not caller.client.arbiter.busy


@pytest.mark.parametrize("how", ["turn", "message"])
def test_what_the_user_says_begins_the_count_again(how: str) -> None:
    caller = Caller()
    assert calls_again(caller, *range(1, 10))[-1] == "none"
    if how == "turn":
        caller.tell("input_audio_buffer.committed", item_id="u1")
    else:
        caller.client.say("go on")
        caller.flush()
    caller.begins("r")
    caller.ends("r")
    assert calls_again(caller, *range(11, 19)) == [None] * 7 + ["none"]


def test_a_wish_that_was_refused_is_no_round() -> None:
    caller = Caller()
    calls_again(caller, *range(1, 8))
    caller.answers_with("r8", 8)
    caller.finish(8)
    caller.begins("other")
    error = {"type": "invalid_request_error", "message": "no", "code": ACTIVE, "event_id": caller.asked[-1]["event_id"]}
    caller.tell("error", error=error)
    caller.ends("other")
    assert [event["response"].get("tool_choice") for event in caller.asked[7:]] == ["none", "none"]
    assert calls_again(caller, 9) == []
