"""Responses, in the orders in which services tell them, and with what they leave out."""

from typing import Any

import pytest

from tests.support.dialects import Event, counted
from tests.support.order import check
from voice.protocol.dialect_answers import ITEM_DONE, LIMITS
from voice.protocol.dialect_parts import Telling
from voice.protocol.dialect_sound import USUAL, Way
from voice.protocol.dialect_story import Story

SAID, TEXT, CALL = "response.output_audio_transcript.", "response.output_text.", "response.function_call_arguments."
ITEM_ADDED, ADDED = "response.output_item.added", "conversation.item.added"
BEGINS = ("session.created", {"session": {"type": "realtime"}})
USAGE = {
    "total_tokens": 3,
    "input_tokens": 1,
    "output_tokens": 2,
    "input_token_details": {"text_tokens": 1, "audio_tokens": 0},
    "output_token_details": {"text_tokens": 2, "audio_tokens": 0},
}


def story(silent_about: frozenset[str] = frozenset({LIMITS}), **telling: Any) -> Story:
    return Story(counted("x"), lambda: Way(USUAL, USUAL), Telling(silent_about=silent_about, **telling))


def tell(one: Story, *events: tuple[str, dict[str, Any]]) -> list[Event]:
    return [told for kind, fields in events for told in one.tell({"type": kind, **fields})]


def created(response_id: str = "r", **fields: Any) -> tuple[str, Event]:
    return "response.created", {"response": {"id": response_id, "status": "in_progress", **fields}}


def done(response_id: str = "r", status: str = "completed", **fields: Any) -> tuple[str, Event]:
    return "response.done", {"response": {"id": response_id, "status": status, "usage": USAGE, **fields}}


def message(item_id: str = "i", **fields: Any) -> Event:
    return {"id": item_id, "type": "message", "role": "assistant", "status": "in_progress", **fields}


def call(item_id: str = "c", **fields: Any) -> Event:
    return {"id": item_id, "type": "function_call", "name": "f", "call_id": "call", "arguments": "", "status": "in_progress", **fields}


HI = (f"{SAID}delta", {"response_id": "r", "item_id": "i", "delta": "Hi"})
WAYS = {
    "today": [
        created(),
        (ITEM_ADDED, {"item": message()}),
        (ADDED, {"item": message()}),
        HI,
        (ITEM_DONE, {"item": message(status="completed")}),
        done(),
    ],
    "only deltas": [created(), HI, done()],
    "no beginning": [HI, done()],
    "no names": [created(), (f"{SAID}delta", {"delta": "Hi"}), done()],
    "conversation first": [created(), (ADDED, {"item": message(content=[])}), (ITEM_ADDED, {"item": message()}), HI, done()],
    "only the end": [created(), done(output=[message(content=[{"type": "audio", "transcript": "Hi"}])])],
    "the end alone": [done(output=[message(content=[{"type": "audio", "transcript": "Hi"}])])],
    "everything twice": [created(), created(), (ITEM_ADDED, {"item": message()}), (ITEM_ADDED, {"item": message()}), HI, done(), done()],
    "an end that is a beginning": [("response.done", {"response": {"id": "r", "status": "in_progress"}}), HI, done()],
}


@pytest.mark.parametrize("name", WAYS)
def test_an_answer_is_told_whole_and_in_order(name: str) -> None:
    told = tell(story(), BEGINS, *((kind, {**fields}) for kind, fields in WAYS[name]))
    check(told)
    body = told[-2]["response"]
    assert [part["transcript"] for item in body["output"] for part in item["content"]] == ["Hi"]
    assert body["usage"] == USAGE


def test_a_message_and_calls_one_after_the_other() -> None:
    """They may come one amid the other; each is told when the one before it is done."""
    where = {"response_id": "r", "item_id": "c"}
    told = tell(
        story(),
        BEGINS,
        created(),
        HI,
        (ITEM_ADDED, {"response_id": "r", "item": call(role="tool")}),
        (f"{CALL}delta", {**where, "delta": "{}"}),
        (f"{SAID}delta", {"response_id": "r", "item_id": "i", "delta": " there"}),
        (f"{CALL}done", {**where, "arguments": "{}"}),
        (ITEM_DONE, {"response_id": "r", "item": message(status="completed")}),
        (ITEM_DONE, {"response_id": "r", "item": call(arguments="{}", status="completed")}),
        done(),
    )
    check(told)
    first, second = told[-2]["response"]["output"]
    assert first["content"][0]["transcript"] == "Hi there" and second["arguments"] == "{}"
    assert [event["output_index"] for event in told if event["type"] == ITEM_ADDED] == [0, 1]


def test_calls_of_which_only_the_end_is_told() -> None:
    silent = frozenset({LIMITS, ITEM_DONE, ITEM_ADDED})
    ends = [(f"{CALL}done", {"response_id": "r", "name": name, "arguments": "{}"}) for name in "fg"]
    told = tell(story(silent), BEGINS, created(), (f"{SAID}delta", {"response_id": "r", "delta": "Hi"}), *ends, done())
    check(told)
    output = told[-2]["response"]["output"]
    assert [item.get("name") for item in output] == [None, "f", "g"]
    assert len({item["call_id"] for item in output[1:]}) == 2


def test_what_was_open_ends_with_the_response() -> None:
    told = tell(story(), BEGINS, created(), HI, done(status="cancelled", status_details={"type": "cancelled", "reason": "turn_detected"}))
    check(told)
    assert told[-2]["response"]["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("status", "told", "cancelled", "want"),
    [
        ("completed", "unimplemented", False, None),
        ("completed", {"type": "completed"}, False, None),
        ("cancelled", "unimplemented", False, {"type": "cancelled", "reason": "turn_detected"}),
        ("cancelled", None, True, {"type": "cancelled", "reason": "client_cancelled"}),
        ("incomplete", None, False, {"type": "incomplete", "reason": "max_output_tokens"}),
        ("failed", "out of order", False, {"type": "failed", "error": {"type": "server_error", "code": None, "message": "out of order"}}),
        ("failed", {"error": {"code": "x"}}, False, {"type": "failed", "error": {"code": "x"}}),
    ],
)
def test_why_a_response_is_not_completed(status: str, told: Any, cancelled: bool, want: Any) -> None:
    one = story()
    tell(one, BEGINS, created())
    one.answers.cancelled = cancelled
    assert tell(one, done(status=status, status_details=told))[0]["response"]["status_details"] == want


def test_what_a_service_does_not_echo_is_what_was_asked() -> None:
    one = story()
    asked = {"metadata": {"a": "b"}, "output_modalities": ["text"]}
    one.answers.asked = [
        {"event_id": "e1", "response": asked},
        {"event_id": "e2"},
        {"event_id": "e3", "response": {"conversation": "none"}},
    ]
    tell(one, ("error", {"error": {"event_id": "e2"}}))
    told = tell(one, created("r1"), (f"{SAID}delta", {"response_id": "r1", "delta": "Hi"}), done("r1"), created("r2"))
    heads = [event["response"] for event in told if event["type"] == "response.created"]
    assert heads[0]["metadata"] == {"a": "b"} and heads[0]["conversation_id"]
    assert heads[1]["metadata"] is None and heads[1]["conversation_id"] is None
    assert told[-3]["response"]["metadata"] == {"a": "b"} and told[-3]["response"]["output"][0]["content"][0]["type"] == "output_text"


def test_an_echo_takes_its_own_request() -> None:
    one = story()
    one.answers.asked = [{"response": {"metadata": {"a": "1"}}}, {"response": {"metadata": {"a": "2"}, "conversation": "none"}}]
    head = tell(one, created(metadata={"a": "2"}))[0]["response"]
    assert head["metadata"] == {"a": "2"} and head["conversation_id"] is None
    assert len(one.answers.asked) == 1


def test_the_conversation_has_the_name_that_it_was_given() -> None:
    told = tell(story(), ("conversation.created", {"conversation": {"id": "conv_9"}}), created())
    assert [event["type"] for event in told] == ["response.created"] and told[0]["response"]["conversation_id"] == "conv_9"


def test_usage_may_stand_outside() -> None:
    kind, fields = done(usage=None)
    told = tell(story(), BEGINS, created(), (kind, {**fields, "usage": USAGE, "response_id": "r"}))
    assert told[-2]["response"]["usage"] == USAGE and not {"usage", "response_id"} & told[-2].keys()


def test_limits_are_told_behind_an_end() -> None:
    limits = (LIMITS, {"rate_limits": [{"name": "tokens"}]})
    for events in ([limits, created(), done()], [created(), limits, done()], [created(), done(), limits]):
        told = tell(story(frozenset()), *((kind, {**fields}) for kind, fields in events))
        assert [event["type"] for event in told] == ["response.created", "response.done", LIMITS]
        assert told[-1]["rate_limits"] == [{"name": "tokens"}]
    assert tell(story(), created(), done())[-1]["rate_limits"] == []


def test_what_comes_late_is_not_told() -> None:
    one = story()
    tell(one, created(), HI, done())
    assert tell(one, HI, (ITEM_DONE, {"response_id": "r", "item": message()})) == []


def test_one_beside_the_conversation_has_no_items_in_it() -> None:
    told = tell(story(), BEGINS, created(conversation_id=None), HI, done())
    check(told)
    assert not [event for event in told if event["type"].startswith("conversation.item.")]


def test_a_response_that_begins_ends_the_one_before_it() -> None:
    told = tell(story(), BEGINS, created("r"), HI, created("s"), done("s"), done("r"))
    ended = [event["response"] for event in told if event["type"] == "response.done"]
    assert [(body["id"], body["status"], len(body["output"])) for body in ended] == [("r", "cancelled", 1), ("s", "completed", 0)]


def test_but_one_whose_beginning_is_not_told_stands_beside_it() -> None:
    told = tell(
        story(), BEGINS, created("r"), HI, (f"{SAID}delta", {"response_id": "s", "item_id": "j", "delta": "Aside"}), done("s"), done("r")
    )
    check(told)
    assert [event["response"]["status"] for event in told if event["type"] == "response.done"] == ["completed", "completed"]


def test_a_response_that_fails_before_it_begins() -> None:
    told = tell(story(), BEGINS, done(status="failed", status_details={"type": "failed", "error": {"code": "quota"}}))
    check(told)
    assert [event["type"] for event in told[1:]] == ["response.done", LIMITS]
