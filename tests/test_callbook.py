"""Which functions are called, however a server tells it: each once, whole, or not at all."""

import json
from typing import Any

import pytest

from voice.protocol.callbook import MAX_REMEMBERED, MAX_TOLD, Callbook
from voice.protocol.codec import decode_server
from voice.protocol.notices import ReplyEnded
from voice.protocol.objects import Item

Event = dict[str, Any]
ARGUMENTS = '{"city":"Oslo"}'


def call(status: str | None = "completed", arguments: str = ARGUMENTS, n: int = 1, **more: Any) -> Event:
    fields = {
        "type": "function_call",
        "id": f"i{n}",
        "call_id": f"c{n}",
        "name": "weather",
        "arguments": arguments,
        "status": status,
        **more,
    }
    return {name: value for name, value in fields.items() if value is not None}


def added(**more: Any) -> Event:
    return {"type": "response.output_item.added", "response_id": "r", "item": call("in_progress", "", **more)}


def delta(text: str) -> Event:
    return {"type": "response.function_call_arguments.delta", "response_id": "r", "item_id": "i1", "call_id": "c1", "delta": text}


def written(**more: Any) -> Event:
    return {"type": "response.function_call_arguments.done", "response_id": "r", "item_id": "i1", "arguments": ARGUMENTS, **more}


def item_done(**more: Any) -> Event:
    return {"type": "response.output_item.done", "response_id": "r", "item": call(**more)}


def done(status: str = "completed", *output: Event, response_id: str = "r") -> Event:
    return {"type": "response.done", "response": {"id": response_id, "status": status, "output": list(output)}}


def called(*events: Event) -> list[tuple[str, str, str, str]]:
    """(call_id, name, arguments, response) of each call, with the events told one after the other."""
    book = Callbook()
    found = []
    for event in events:
        if event["type"] == "response.done":
            response = event["response"]
            output = tuple(Item(**item) for item in response["output"])
            found += book.ended(ReplyEnded(response["id"], response["status"], "", None, output))
        else:
            found += book.event(decode_server(json.dumps(event)), "active")
    return [(str(one.item.call_id), str(one.item.name), str(one.item.arguments), one.response_id) for one in found]


ONCE = [("c1", "weather", ARGUMENTS, "r")]
ALL = [added(), delta(ARGUMENTS[:5]), delta(ARGUMENTS[5:]), written(call_id="c1", name="weather"), item_done(), done("completed", call())]


@pytest.mark.parametrize("left", range(1 << len(ALL)))
def test_whatever_is_left_out_it_is_made_once_or_is_not_known(left: int) -> None:
    events = [event for n, event in enumerate(ALL) if left >> n & 1]
    # Its item, or its response, is there.
    assert called(*events) == (ONCE if left >> 4 else [])


def test_at_once_when_its_item_is_complete() -> None:
    assert called(added(), written(), item_done()) == ONCE
    assert called(item_done(), item_done(), done("completed", call()), item_done()) == ONCE


@pytest.mark.parametrize("events", [[added(), delta(ARGUMENTS)], [added(), written()], [added(call_id="c1"), written(name="weather")]])
def test_a_server_that_lists_nothing_at_the_end(events: list[Event]) -> None:
    assert called(*events, done()) == ONCE
    for status in ("cancelled", "incomplete", "failed"):
        assert called(*events, done(status)) == []


def test_a_call_that_broke_off_is_not_made() -> None:
    half = call("incomplete", '{"city":"Os')
    assert called(added(), written(arguments='{"city":"Os'), done("incomplete", half)) == []
    assert called(added(), item_done(status="incomplete"), done("completed", call())) == []
    assert called(added(), done("cancelled"), item_done()) == []


def test_a_whole_call_of_an_answer_that_broke_off_is_made() -> None:
    assert called(added(), done("cancelled", call("completed"), call("incomplete", n=2))) == ONCE
    assert called(added(), item_done(status=None), done("completed", call(None))) == ONCE
    assert called(added(), item_done(status=None), done("cancelled", call(None))) == []


def test_several() -> None:
    two = ("c2", "weather", ARGUMENTS, "r")
    assert called(added(), added(n=2), item_done(n=2), item_done(), done("completed", call(), call(n=2))) == [two, *ONCE]
    assert called(done("completed", call(), call(n=2))) == [*ONCE, two]


def test_events_that_do_not_say_of_which_response_they_are() -> None:
    assert called({**item_done(), "response_id": ""}) == [("c1", "weather", ARGUMENTS, "active")]
    assert called({**added(), "response_id": "other"}, {**written(), "response_id": "other"}, done(response_id="r")) == []
    assert called({**added(), "response_id": "other"}, {**written(), "response_id": "other"}, done(response_id="")) != []


def test_a_call_without_an_id_of_its_own_has_that_of_its_item() -> None:
    assert called(item_done(call_id=None)) == [("i1", "weather", ARGUMENTS, "r")]
    assert called(done("completed", call(id=None))) == ONCE
    assert called(item_done(call_id=None, id=None)) == []


def test_one_without_a_name_cannot_be_made() -> None:
    assert called(item_done(name="")) == [] and called(written(call_id="c1"), done()) == []


def test_other_items_are_no_calls() -> None:
    assert called(item_done(type="message"), done("completed", call(type="mcp_call"), call(type="function_call_output"))) == []


def test_when_the_link_breaks_what_was_told_in_full_is_made() -> None:
    for event, wanted in [(written(call_id="c1", name="weather"), 1), (delta(ARGUMENTS), 0), (added(), 0)]:
        book = Callbook()
        book.event(decode_server(json.dumps(added())), "")
        book.event(decode_server(json.dumps(event)), "")
        assert len(book.broken()) == wanted and book.broken() == []
        assert book.event(decode_server(json.dumps(item_done())), "") == [] if wanted else True


def test_it_does_not_grow_without_end() -> None:
    book = Callbook()
    for n in range(MAX_REMEMBERED + 10):
        book.event(decode_server(json.dumps(added(n=n))), "")
        if n % 2:
            book.event(decode_server(json.dumps(item_done(n=n))), "")
    assert len(book._told) <= MAX_TOLD and len(book._done) <= MAX_REMEMBERED
