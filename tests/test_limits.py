"""How many events a client may send, and what it is told of it."""

import json
from typing import Any

import pytest

from tests.support.served import Served, sound, types
from voice.protocol.conversation import MAX_ITEMS, MAX_TEXT_BYTES
from voice.protocol.limits import BURST, LEAST_SOUND_BYTES, PER_S, Allowance
from voice.protocol.requests import BufferAppend, BufferClear

CLEAR = BufferClear()


def passed(allowance: Allowance, times: int, now: float) -> int:
    return sum(allowance.take(CLEAR, now) for _ in range(times))


# (burst, per second, [(moment, events, how many pass)])
@pytest.mark.parametrize(
    ("burst", "per_s", "story"),
    [
        (3, 1, [(0.0, 5, 3), (0.0, 1, 0), (0.9, 1, 0), (1.0, 2, 1), (1.5, 1, 0), (10.0, 9, 3)]),
        (10, 5, [(100.0, 10, 10), (100.1, 1, 0), (100.2, 1, 1), (101.0, 9, 4)]),
        (2, 1, [(5.0, 2, 2), (4.0, 1, 0), (5.5, 1, 0), (6.0, 1, 1)]),
    ],
)
def test_a_bucket_fills_with_time(burst: int, per_s: int, story: list[tuple[float, int, int]]) -> None:
    allowance = Allowance(burst, per_s)
    assert [passed(allowance, events, now) for now, events, _ in story] == [want for _, _, want in story]


def test_it_tells_how_much_is_left_and_when_it_is_full() -> None:
    allowance = Allowance(10, 2)
    passed(allowance, 4, 0.0)
    assert allowance.told() == [{"name": "requests", "limit": 10, "remaining": 6, "reset_seconds": 2.0}]
    passed(allowance, 1, 1.0)
    assert allowance.told() == [{"name": "requests", "limit": 10, "remaining": 7, "reset_seconds": 1.5}]


def test_sound_is_not_counted_unless_there_is_none() -> None:
    allowance = Allowance(2, 1)
    assert all(allowance.take(BufferAppend(audio=bytes(LEAST_SOUND_BYTES)), 0.0) for _ in range(100))
    assert [allowance.take(BufferAppend(audio=b""), 0.0) for _ in range(3)] == [True, True, False]


def test_a_text_that_cannot_be_read_counts_too() -> None:
    allowance = Allowance(1, 1)
    assert [allowance.take(None, 0.0) for _ in range(2)] == [True, False]


def test_the_longest_conversation_can_be_restored_at_once() -> None:
    assert BURST > MAX_ITEMS + 500


def test_what_is_too_much_is_refused_by_its_id_and_changes_nothing() -> None:
    served = Served()
    for _ in range(BURST):
        served.session.receive('{"type":"output_audio_buffer.clear"}', 0.0)
    assert served.take() == []
    item = {"type": "message", "id": "i", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    [event] = served.send("conversation.item.create", event_id="mine", item=item)
    assert (event["error"]["code"], event["error"]["event_id"]) == ("rate_limit_exceeded", "mine")
    assert event["error"]["message"].startswith(f"Rate limit reached: {BURST} events at once and {PER_S} a second")
    assert len(served.session.conversation) == 0 and served.orders == []
    [event] = served.text('{"type":"nonsense","event_id":"theirs"}')
    assert (event["error"]["code"], event["error"]["event_id"]) == ("rate_limit_exceeded", "theirs")
    [event] = served.text("{")
    assert (event["error"]["code"], event["error"]["event_id"]) == ("rate_limit_exceeded", None)
    assert served.append(sound("..", 24_000)) == []
    served.now = 1.0
    assert [event["type"] for event in served.send("conversation.item.create", item=item)] == [
        "conversation.item.added",
        "conversation.item.done",
    ]


def test_the_end_of_a_response_tells_what_is_left() -> None:
    served = Served()
    served.update(output_modalities=["text"])
    served.send("response.create")
    served.reply()
    told = served.sent[-1]
    assert told["type"] == "rate_limits.updated"
    assert told["rate_limits"] == [{"name": "requests", "limit": BURST, "remaining": BURST - 2, "reset_seconds": 2 / PER_S}]


def typed(name: str, text: str = "Hi") -> dict[str, Any]:
    return {"type": "message", "id": name, "role": "user", "content": [{"type": "input_text", "text": text}]}


def full(served: Served) -> Served:
    for n in range(MAX_ITEMS):
        assert served.session.receive(json.dumps({"type": "conversation.item.create", "item": typed(f"i{n}")}), 0.0) == []
    served.take()
    return served


def test_a_client_cannot_fill_the_conversation_beyond_its_bound() -> None:
    served = full(Served())
    [told] = served.send("conversation.item.create", event_id="mine", item=typed("more"))
    assert (told["error"]["code"], told["error"]["param"], told["error"]["event_id"]) == ("conversation_full", "item", "mine")
    assert str(MAX_ITEMS) in told["error"]["message"] and len(served.session.conversation) == MAX_ITEMS
    assert types(served.send("conversation.item.retrieve", item_id="i0")) == ["conversation.item.retrieved"]
    served.send("conversation.item.delete", item_id="i7")
    assert types(served.send("conversation.item.create", item=typed("more"))) == ["conversation.item.added", "conversation.item.done"]


def test_what_is_said_enters_and_what_goes_for_it_is_told() -> None:
    served = full(Served())
    events = served.hear("." * 25 + "#" * 20 + "." * 30)
    assert types(events)[:4] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "conversation.item.deleted",
        "input_audio_buffer.committed",
    ]
    assert events[2]["item_id"] == "i0" and events[3]["previous_item_id"] == f"i{MAX_ITEMS - 1}"
    gone = [event["item_id"] for event in served.reply() if event["type"] == "conversation.item.deleted"]
    assert gone == ["i1"] and len(served.session.conversation) == MAX_ITEMS


def test_text_has_a_bound_of_its_own() -> None:
    served = Served()
    piece = "x" * (MAX_TEXT_BYTES // 10 - 1_000)
    for n in range(10):
        served.send("conversation.item.create", item=typed(f"i{n}", piece))
    [told] = served.send("conversation.item.create", item=typed("more", "x" * 10_000))
    assert told["error"]["code"] == "conversation_full" and str(MAX_TEXT_BYTES) in told["error"]["message"]
    served.send("conversation.item.delete", item_id="i0")
    assert len(served.send("conversation.item.create", item=typed("more", piece))) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "function_call", "name": "x" * 850_000, "arguments": "{}"},
        {"type": "mcp_approval_response", "approval_request_id": "a", "approve": False, "reason": "x" * 850_000},
        {"type": "mcp_list_tools", "server_label": "s", "tools": [{"name": "x" * 850_000, "input_schema": {}}]},
        {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "AAA=", "transcript": "x" * 850_000}]},
    ],
    ids=["name", "reason", "tools", "transcript"],
)
def test_what_a_client_gives_counts_in_whatever_field(fields: dict[str, Any]) -> None:
    served = Served()
    told = [served.send("conversation.item.create", item={"id": f"i{n}", **fields})[-1] for n in range(12)]
    assert [event.get("error", {}).get("code") for event in told] == [None] * 9 + ["conversation_full"] * 3


def test_a_reply_that_is_being_given_is_not_driven_out() -> None:
    served = Served()
    served.update(output_modalities=["text"], audio={"input": {"turn_detection": None}})
    served.send("response.create")
    [answer] = {event["item"]["id"] for event in served.say("Once upon a time") if "item" in event}
    for n in range(MAX_ITEMS - 1):
        served.session.receive(json.dumps({"type": "conversation.item.create", "item": typed(f"i{n}")}), 0.0)
    served.take()
    served.hear("#" * 20)
    events = served.send("input_audio_buffer.commit")
    assert [event["item_id"] for event in events if event["type"] == "conversation.item.deleted"] == ["i0"]
    assert types(served.end())[-2:] == ["response.done", "rate_limits.updated"]
    assert served.send("conversation.item.retrieve", item_id=answer)[0]["item"]["content"][0]["text"] == "Once upon a time"
