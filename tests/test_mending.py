"""Events that are not quite what their type says: what can be read is read, and what is not known of an item is kept."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.needs import needs
from voice.errors import ProtocolError
from voice.protocol.codec import decode_server, encode
from voice.protocol.events import ItemAdded, SpeechStarted
from voice.protocol.mending import converted, fold, unfold
from voice.protocol.objects import EXTRA, ResponseParams
from voice.protocol.requests import ItemCreate, ResponseCreate

ITEMS: list[dict[str, Any]] = [
    {"type": "message", "id": "i", "role": "user", "content": [{"type": "input_image", "image_url": "data:,", "detail": "low"}]},
    {"type": "message", "id": "i", "role": "user", "content": [{"type": "input_video", "frames": [1, {"a": None}], "fps": 2.5}]},
    {"type": "message", "id": "i", "role": "assistant", "content": [], "phase": "final_answer", "annotations": [{"title": "안녕"}]},
    {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": "{}", "status": "completed"},
    {"type": "function_call_output", "id": "i", "call_id": "c", "output": "1", "extra": {"EXTRA": 1}},
    {"type": "mcp_list_tools", "id": "i", "server_label": "s", "tools": [{"name": "t", "input_schema": {"type": "object"}, "annotations": {}}]},
    {"type": "mcp_call", "id": "i", "server_label": "s", "name": "t", "arguments": "{}", "error": {"type": "http_error", "code": 502, "message": "no"}},
    {"type": "mcp_call", "id": "i", "server_label": "s", "name": "t", "arguments": "{}", "output": "1", "approval_request_id": "a", "error": None},
    {"type": "mcp_approval_request", "id": "i", "server_label": "s", "name": "t", "arguments": "{}"},
    {"type": "mcp_approval_response", "id": "i", "approval_request_id": "a", "approve": False, "reason": "no"},
    {"type": "computer_call", "id": "i", "action": {"kind": "click", "at": [1, 2]}, "pending": None},
]  # fmt: skip


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: str(item["type"]))
@pytest.mark.parametrize(
    "kind", ["conversation.item.added", "conversation.item.created", "conversation.item.retrieved", "response.output_item.done"]
)
def test_an_item_of_any_kind_comes_back_whole(item: dict[str, Any], kind: str) -> None:
    event = {"type": kind, "event_id": "e", "item": item}
    back = msgspec.json.decode(encode(decode_server(msgspec.json.encode(event))))  # type: ignore[arg-type]
    assert back["item"] == item


def test_so_does_a_response() -> None:
    event = {"type": "response.done", "event_id": "e", "response": {"id": "r", "output": ITEMS, "status": "completed"}}
    back = msgspec.json.decode(encode(decode_server(msgspec.json.encode(event))))  # type: ignore[arg-type]
    assert back["response"]["output"] == ITEMS


def test_a_program_finds_the_fields_that_we_do_not_know() -> None:
    event: Any = decode_server(msgspec.json.encode({"type": "conversation.item.added", "item": ITEMS[1]}))
    assert event.item.extra is msgspec.UNSET and event.item.content[0].extra == {"frames": [1, {"a": None}], "fps": 2.5}
    event = decode_server(msgspec.json.encode({"type": "conversation.item.added", "item": ITEMS[-1]}))
    assert event.item.extra == {"action": {"kind": "click", "at": [1, 2]}, "pending": None}


def test_an_item_can_be_put_into_a_conversation_again() -> None:
    seen: Any = decode_server(msgspec.json.encode({"type": "conversation.item.added", "item": ITEMS[1]}))
    for event in (ItemCreate(item=seen.item), ResponseCreate(response=ResponseParams(input=[seen.item]))):
        sent = msgspec.json.decode(encode(event))
        assert (sent["item"] if "item" in sent else sent["response"]["input"][0]) == ITEMS[1]


@needs("openai")
def test_every_kind_of_item_of_the_service_is_among_the_examples() -> None:
    from openai.types.realtime import ConversationItem

    kinds = {model.model_fields["type"].annotation.__args__[0] for model in ConversationItem.__args__[0].__args__}
    assert kinds <= {item["type"] for item in ITEMS}


def test_our_own_name_for_them_is_nobody_elses() -> None:
    raw: Any = {"item": {"type": "message", EXTRA: {"type": "x"}, "a": 1}}
    fold(raw)
    assert raw == {"item": {"type": "message", EXTRA: {"a": 1}}}
    assert unfold(raw) == {"item": {"type": "message", "a": 1}}


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ({"item_id": 7}, SpeechStarted(item_id="7")),
        ({"audio_start_ms": "320"}, SpeechStarted(audio_start_ms=320)),
        ({"audio_start_ms": 320.6}, SpeechStarted(audio_start_ms=321)),
        ({"audio_start_ms": 1e300}, SpeechStarted()),
        ({"audio_start_ms": "soon"}, SpeechStarted()),
        ({"audio_start_ms": "inf", "item_id": "i"}, SpeechStarted(item_id="i")),
        ({"audio_start_ms": True}, SpeechStarted()),
        ({"audio_start_ms": {"ms": 5}, "item_id": ["i"]}, SpeechStarted()),
    ],
)
def test_a_number_is_a_number_however_it_is_written(raw: dict[str, Any], want: SpeechStarted) -> None:
    assert converted({"type": "input_audio_buffer.speech_started", **raw}, SpeechStarted) == want


def test_a_key_with_a_dot_does_no_harm() -> None:
    with pytest.raises(ProtocolError):
        decode_server('{"type":"conversation.item.added","item":{"a.b":1}}')
    raw = '{"type":"response.done","response":{"id":"r","usage":{"input_token_details":{"cached_tokens_details":{"a.b":"x"}}}}}'
    assert decode_server(raw).response.id == "r"  # type: ignore[union-attr]


def test_mending_has_an_end() -> None:
    item = {"type": "message", "id": "a", "content": [{"type": "output_text", "text": []} for _ in range(100)]}
    with pytest.raises(msgspec.ValidationError):
        converted({"type": "conversation.item.added", "item": item}, ItemAdded)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(st.text(max_size=6).filter(lambda name: name != EXTRA), JSON, max_size=5))
def test_folding_loses_nothing(fields: dict[str, Any]) -> None:
    before: Any = {"item": {**fields, "content": [dict(fields)]}}
    after: Any = {"item": {**fields, "content": [dict(fields)]}}
    fold(after)
    assert unfold(after) == before
