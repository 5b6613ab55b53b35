"""Responses and their rounds where servers are less tidy than ours (`test_backstage.py` has those that are)."""

from typing import Any

import pytest

from tests.support.served import counted
from voice.errors import ProtocolError
from voice.protocol.rounds import NOT_RUN, Asked, Rounds, State
from voice.protocol.unseen import Unseen

Event = dict[str, Any]


def rounds() -> Rounds:
    return Rounds(lambda name: name == "ours", Unseen(), counted("b"))


def created(response_id: str, **fields: Any) -> Event:
    return {"type": "response.created", "response": {"id": response_id, "conversation_id": "c", "status": "in_progress", **fields}}


def done(response_id: str, *output: Event, status: str = "completed", **fields: Any) -> Event:
    return {"type": "response.done", "response": {"id": response_id, "status": status, "output": list(output), **fields}}


def call(name: str = "ours", call_id: str = "k1", **fields: Any) -> Event:
    return {"type": "function_call", "id": f"i_{call_id}", "call_id": call_id, "name": name, "arguments": "{}", **fields}


def waiting() -> Rounds:
    """A response whose tool is running."""
    one = rounds()
    one.created(created("r1"))
    one.done(done("r1", call()))
    assert one.state is State.WAITING
    return one


def test_a_call_that_only_the_end_tells_of_runs() -> None:
    one = rounds()
    one.created(created("r1"))
    moves = one.done(done("r1", call(status=None)))
    assert [item.name for item in moves.calls] == ["ours"] and not moves.down


def test_a_call_that_is_only_told_on_the_way_runs() -> None:
    one = rounds()
    one.created(created("r1"))
    one.open.item_added({"response_id": "r1", "item": call()})
    assert not one.open.plain
    one.open.item_done({"response_id": "r1", "item": call()})
    assert [item.call_id for item in one.done(done("r1")).calls] == ["k1"]


def test_a_round_that_fails_before_it_begins_ends_the_response() -> None:
    one = waiting()
    one.finished("k1", "out")
    error = {"type": "failed", "error": {"message": "no"}}
    [told] = one.done(done("never", status="failed", status_details=error)).down
    assert (told["response"]["id"], told["response"]["status"], told["response"]["status_details"]) == ("r1", "failed", error)
    assert one.state is State.IDLE


def test_a_response_that_nobody_knows_is_told_as_it_is() -> None:
    one = rounds()
    event = done("never", status="failed")
    assert one.done(event).down == [event]
    one.created(created("r1"))
    assert one.done(event).down == [event] and one.state is State.OPEN


def test_an_output_that_nobody_waits_for_is_lost() -> None:
    assert rounds().finished("k1", "out") == []
    one = waiting()
    assert len(one.finished("k1", "out")) == 2 and one.finished("k1", "again") == []


def test_speech_between_the_wish_and_its_response_stops_it() -> None:
    one = waiting()
    one.finished("k1", "out")
    assert [event["type"] for event in one.interrupted().up] == ["response.cancel"]
    assert one.interrupted().up == [], "once"
    one.created(created("r2"))
    [told] = one.done(done("r2", status="cancelled")).down
    assert (told["response"]["id"], told["response"]["status"]) == ("r1", "cancelled")


def test_calls_in_the_round_that_was_not_wanted_are_not_run() -> None:
    one = waiting()
    one.finished("k1", "out")
    one.created(created("r2"))
    moves = one.done(done("r2", call(call_id="k2"), status="cancelled"))
    assert [event["item"]["output"] for event in moves.up] == [NOT_RUN] and not moves.calls and moves.down


def test_whoever_guesses_the_name_of_a_round_cancels_nothing() -> None:
    one = waiting()
    one.finished("k1", "out")
    one.created(created("r2"))
    with pytest.raises(ProtocolError) as refused:
        one.cancels({"type": "response.cancel", "response_id": "r2"})
    assert refused.value.code == "response_cancel_not_active"
    assert one.cancels({"type": "response.cancel", "response_id": "r1"}).up == [{"type": "response.cancel", "response_id": "r2"}]
    assert one.cancels({"type": "response.cancel"}).up == [{"type": "response.cancel"}]
    other = {"type": "response.cancel", "response_id": "beside"}
    assert one.cancels(other).up == [other]


def test_the_limits_behind_an_end_that_is_not_shown_follow_the_one_that_is() -> None:
    one = waiting()
    assert one.limits({"n": 1}) == []
    assert one.limits({"n": 2}) == [{"n": 2}], "those of another response"
    assert one.cancels({"type": "response.cancel"}).down[1:] == [{"n": 1}]


def test_wishes_are_known_again_by_what_comes_back_of_them() -> None:
    asked = Asked()
    asked.sent({"event_id": "a", "response": {"metadata": {"n": "1"}, "instructions": "x"}})
    asked.sent({"event_id": "b", "response": {"conversation": "none"}})
    asked.sent({"event_id": "c"})
    assert asked.begun({"id": "r0", "conversation_id": "c", "metadata": {"n": "9"}}) == {}
    assert not asked.begins_beside({"id": "r1", "conversation_id": "c"})
    assert asked.begun({"id": "r1", "conversation_id": "c", "metadata": {"n": "1"}})["instructions"] == "x"
    assert asked.begins_beside({"id": "r2", "conversation_id": None}) and not asked.begins_beside({"id": "r3"})
    asked.refused("")
    asked.refused("c")
    assert asked.begun({"id": "r4", "conversation_id": "c"}) == {}


@pytest.mark.parametrize(("event_id", "ends"), [("", True), ("ours", True), ("the client's", False)])
def test_an_error_ends_the_round_that_it_is_about(event_id: str, ends: bool) -> None:
    one = waiting()
    asked = one.finished("k1", "out")[-1]["event_id"]
    told = one.refused(asked if event_id == "ours" else event_id, {"type": "server_error", "code": "overloaded", "message": "Later."})
    assert [event["response"]["status"] for event in told] == ["failed"] * ends
    assert (one.state is State.IDLE) == ends
