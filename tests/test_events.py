"""The server's events have exactly the fields of the published models, and each survives the wire."""

from typing import Any

import msgspec
import pytest

from tests.support.needs import needs
from tests.support.oracle import EXTENSIONS, fields, models
from voice.protocol.codec import decode_server, encode
from voice.protocol.events import SERVER_EVENTS, ServerEvent
from voice.protocol.objects import ErrorDetail, Item, Part, Response, Session

READ_BY_NOBODY = {"logprobs", "languages"}
"""Of transcriptions: not asked for, hence not kept."""

EXAMPLES: dict[type, Any] = {
    str: "x",
    int: 7,
    bytes: b"\x01\x00",
    bool: True,
    list[dict[str, Any]]: [{"name": "tokens"}],
    dict[str, Any]: {"code": "x"},
    ErrorDetail: ErrorDetail("invalid_request_error", "no", "code", "param", "event_1"),
    Item: Item(type="message", id="item_1", role="user", content=[]),
    Part: Part("audio", transcript="hello"),
    Response: Response(id="resp_1", status="completed", output=[]),
    Session: Session(type="realtime", tools=[{"type": "function"}]),
}


def tag(event: type[msgspec.Struct]) -> str:
    return str(event.__struct_config__.tag)


def example(event: type[ServerEvent]) -> ServerEvent:
    """An event with a value in every field."""
    values = {}
    for field in msgspec.structs.fields(event):
        kinds = [field.type, *getattr(field.type, "__args__", ())]
        values[field.name] = next(EXAMPLES[kind] for kind in kinds if kind in EXAMPLES)
    return event(**values)


@pytest.mark.parametrize("event", SERVER_EVENTS, ids=tag)
def test_it_comes_back_from_the_wire_as_it_was(event: type[ServerEvent]) -> None:
    sent = example(event)
    assert decode_server(encode(sent)) == sent
    assert msgspec.json.decode(encode(sent))["type"] == tag(event)


@needs("openai")
@pytest.mark.parametrize("event", SERVER_EVENTS, ids=tag)
def test_its_fields_are_those_of_the_service(event: type[ServerEvent]) -> None:
    known = fields("server", tag(event))
    assert set(known) - READ_BY_NOBODY == set(event.__struct_fields__) - set(EXTENSIONS.get(tag(event), ()))


@needs("openai")
def test_what_is_left_out_is_of_other_features() -> None:
    """Tool calls, MCP, telephony, idle timeout and diarisation are rooms of their own; all else is here."""
    other = ("mcp", "function_call", "dtmf", "output_audio_buffer", "timeout", "segment", "conversation.created", "item.created")
    missing = set(models("server")) - {tag(event) for event in SERVER_EVENTS}
    assert [kind for kind in missing if not any(word in kind for word in other)] == []


def test_a_server_that_counts_no_parts_is_understood() -> None:
    event: Any = decode_server('{"type":"response.output_text.delta","response_id":"r","item_id":"i","delta":"x"}')
    assert (event.output_index, event.content_index, event.event_id) == (0, 0, "")
