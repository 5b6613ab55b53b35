"""The bookkeeping of a response of several rounds."""

from typing import Any

import pytest

from voice.protocol.shownresponse import HiddenCall, ShownResponse, total
from voice.protocol.unseen import Unseen

GIVEN = {"id": "r1", "status": "in_progress", "conversation_id": "c", "metadata": {"n": "1"}}
CALL = {"id": "i1", "type": "function_call", "call_id": "k1", "name": "ours", "arguments": '{"n":1}', "status": "completed"}


def test_events_are_numbered_as_the_client_has_seen_them() -> None:
    shown, unseen = ShownResponse(GIVEN, {}), Unseen()
    event = {"type": "any", "response_id": "r1", "item_id": "i2", "output_index": 1}
    assert shown.named(event) is event
    shown.called(CALL, unseen)
    shown.item("i2")
    shown.item("i2")
    assert shown.named(event) == {**event, "output_index": 0}
    shown.goes_on("r2")
    shown.item("i3")
    later = {"type": "any", "response_id": "r2", "item": {"id": "i3"}, "output_index": 0}
    assert shown.named(later) == {**later, "response_id": "r1", "output_index": 1}
    assert shown.named({"response_id": "other"}) == {"response_id": "other"}
    assert shown.named({"response_id": "r2", "type": "any"}) == {"response_id": "r1", "type": "any"}


@pytest.mark.parametrize("status", ["incomplete", "in_progress"])
def test_a_call_that_broke_off_is_none(status: str) -> None:
    shown = ShownResponse(GIVEN, {})
    shown.called({**CALL, "status": status}, Unseen())
    assert not shown.calls


def test_a_call_runs_once_however_often_it_is_told() -> None:
    shown, unseen = ShownResponse(GIVEN, {}), Unseen()
    shown.called(CALL, unseen)
    shown.called({**CALL, "arguments": "{}"}, unseen)
    assert list(shown.calls.values()) == [HiddenCall("k1", "ours", '{"n":1}')]
    assert "k1" in unseen.calls and "i1" in unseen.items


def test_a_call_without_a_name_of_its_own_or_arguments() -> None:
    shown = ShownResponse(GIVEN, {})
    shown.called({"id": "i1", "name": "ours"}, Unseen())
    assert list(shown.calls.values()) == [HiddenCall("i1", "ours", "{}")]


def test_its_end_is_that_of_the_last_round_with_the_items_and_the_cost_of_all() -> None:
    shown = ShownResponse(GIVEN, {})
    last: dict[str, Any] = {
        "id": "r2",
        "status": "completed",
        "conversation_id": "c",
        "output": [{"id": "b"}],
        "usage": {"total_tokens": 2},
    }
    assert shown.ended(last) is last
    shown.called(CALL, Unseen())
    shown.add([{"id": "a"}], {"total_tokens": 5})
    shown.add([{"id": "b"}], {"total_tokens": 2})
    assert shown.ended(last) == {**GIVEN, "status": "completed", "output": [{"id": "a"}, {"id": "b"}], "usage": {"total_tokens": 7}}


@pytest.mark.parametrize(
    ("one", "other", "want"),
    [
        (None, {"a": 1}, {"a": 1}),
        ({"a": 1}, None, {"a": 1}),
        ({"a": 1, "b": {"c": 2}}, {"a": 3, "b": {"c": 4, "d": 1}}, {"a": 4, "b": {"c": 6, "d": 1}}),
        ({"a": None}, {"a": 2}, {"a": 2}),
        ({"a": "x"}, {"a": "y"}, {"a": "x"}),
    ],
)
def test_costs_add_up(one: Any, other: Any, want: Any) -> None:
    assert total(one, other) == want
