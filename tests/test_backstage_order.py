"""Calls of the server's own tools behind an upstream that tells things in another order, or not all: no client sees one."""

import json
from typing import Any

import pytest

from tests.support.front import ORDERS, Front, veil
from tests.support.served import counted
from voice.protocol.backstage import Backstage, Staged
from voice.protocol.rounds import NOT_RUN

CALL: dict[str, Any] = {
    "id": "i9",
    "type": "function_call",
    "name": ORDERS.name,
    "call_id": "k9",
    "arguments": '{"n":1}',
    "status": "completed",
}
WORDS: dict[str, Any] = {"id": "i8", "type": "message", "role": "assistant", "content": [], "status": "completed"}
RESPONSE: dict[str, Any] = {"id": "r1", "status": "in_progress", "output": [], "conversation_id": "c"}
CREATED = {"type": "response.created", "response": RESPONSE}
ADDED = {"type": "response.output_item.added", "response_id": "r1", "output_index": 0, "item": {**CALL, "status": "in_progress"}}
STANDS = {"type": "conversation.item.added", "previous_item_id": None, "item": {**CALL, "status": "in_progress"}}
DELTA = {"type": "response.function_call_arguments.delta", "response_id": "r1", "item_id": "i9", "call_id": "k9", "delta": "{}"}
TOLD = {**DELTA, "type": "response.function_call_arguments.done", "name": ORDERS.name, "arguments": "{}"}
ITEM = {**ADDED, "type": "response.output_item.done", "item": CALL}
STOOD = {**STANDS, "type": "conversation.item.done", "item": CALL}


def done(*output: dict[str, Any], response_id: str = "r1") -> dict[str, Any]:
    return {"type": "response.done", "response": {**RESPONSE, "id": response_id, "status": "completed", "output": list(output)}}


def begun() -> Backstage:
    stage = Backstage(veil(), counted("b"))
    stage.down('{"type":"session.created","session":{"type":"realtime"}}')
    stage.down('{"type":"session.updated","session":{"type":"realtime"}}')
    return stage


def all_of(stage: Backstage, *events: dict[str, Any]) -> Staged:
    staged = [stage.down(json.dumps(event)) for event in events]
    up, down, calls = (sum((getattr(one, name) for one in staged), ()) for name in ("up", "down", "calls"))
    return Staged(up, down, calls)


def types(texts: tuple[str, ...]) -> list[str]:
    return [json.loads(text)["type"] for text in texts]


@pytest.mark.parametrize(
    "events",
    [
        (CREATED, STANDS, ADDED, DELTA, TOLD, ITEM, STOOD, done(CALL)),
        (CREATED, STANDS, DELTA, TOLD, STOOD, ITEM, done(CALL)),
        (CREATED, TOLD, ITEM, done(CALL)),
        (CREATED, STOOD, ITEM, done()),
        (CREATED, STOOD, done(CALL)),
    ],
)
def test_a_call_is_hidden_whatever_tells_of_it_first(events: tuple[dict[str, Any], ...]) -> None:
    staged = all_of(begun(), *events)
    assert types(staged.down) == ["response.created"] and not staged.up
    assert [(call.call_id, call.name) for call in staged.calls] == [("k9", ORDERS.name)]


def test_a_call_in_a_response_that_nobody_has_begun_is_not_run_and_not_shown() -> None:
    stage = begun()
    staged = all_of(stage, ADDED, STANDS, DELTA, TOLD, ITEM, STOOD, done(WORDS, CALL))
    [told] = map(json.loads, staged.down)
    assert (told["type"], told["response"]["output"]) == ("response.done", [WORDS])
    [answer] = map(json.loads, staged.up)
    assert (answer["type"], answer["item"]["call_id"], answer["item"]["output"]) == ("conversation.item.create", "k9", NOT_RUN)
    assert not staged.calls
    again = all_of(stage, done(WORDS, CALL))
    assert not again.up and not again.calls, "each call is answered once"
    output = {"type": "conversation.item.added", "previous_item_id": "i9", "item": answer["item"]}
    assert not all_of(stage, output).down


def test_a_call_in_another_response_than_the_one_that_is_open_is_no_part_of_it() -> None:
    stage = begun()
    staged = all_of(stage, CREATED, done(CALL, response_id="r7"), done(WORDS))
    assert types(staged.down) == ["response.created", "response.done", "response.done"]
    assert [json.loads(text)["response"]["output"] for text in staged.down[1:]] == [[], [WORDS]]
    assert len(staged.up) == 1 and not staged.calls


def test_a_call_that_was_run_is_not_answered_a_second_time_by_an_end_that_is_told_twice() -> None:
    stage = begun()
    staged = all_of(stage, CREATED, ADDED, ITEM, done(CALL), done(CALL))
    assert len(staged.calls) == 1 and not staged.up
    assert ORDERS.name not in "".join(staged.down)


def test_a_call_without_names_hides_nothing_else() -> None:
    staged = all_of(begun(), {"type": "conversation.item.added", "item": {"type": "function_call", "name": ORDERS.name}}, {"type": "ping"})
    assert types(staged.down) == ["ping"]


def test_a_client_makes_up_no_call_of_the_servers() -> None:
    front = Front()
    made = {"type": "conversation.item.create", "event_id": "mine", "item": {"type": "function_call", "name": ORDERS.name, "call_id": "k1"}}
    staged = front.stage.up(json.dumps(made))
    [told] = map(json.loads, staged.down)
    assert not staged.up and (told["error"]["code"], told["error"]["param"], told["error"]["event_id"]) == (
        "invalid_value",
        "item.name",
        "mine",
    )
