"""The server's events: the 46 of the service, with exactly their fields; each survives the wire, and none is lost for a field left out."""

import typing
from typing import Any

import msgspec
import pytest

from tests.support.needs import needs
from tests.support.oracle import EXTENSIONS, fields, judge, models
from voice.errors import ProtocolError
from voice.protocol.codec import decode_server, encode
from voice.protocol.events import OWN_EVENTS, ServerEvent
from voice.protocol.foreign import FOREIGN_EVENTS, SERVER_EVENTS
from voice.protocol.objects import Content, ConversationHead, ErrorDetail, Item, Part, Response, Session

NOT_IN_MODELS = {"input_audio_buffer.dtmf_event_received": {"event_id"}}
"""Fields that the models leave out: every event of ours has an id."""
NEEDED = {"response.output_audio.delta": {"delta"}}
"""What an event would be nothing without, besides `item`."""

EXAMPLES: dict[type, Any] = {
    str: "x",
    int: 7,
    float: 1.5,
    bytes: b"\x01\x00",
    bool: True,
    list[dict[str, Any]]: [{"name": "tokens"}],
    dict[str, Any]: {"code": "x"},
    ErrorDetail: ErrorDetail("invalid_request_error", "no", "code", "param", "event_1"),
    Item: Item(type="message", id="item_1", role="user", content=[Content("input_text", text="hello")]),
    Part: Part("audio", transcript="hello"),
    Response: Response(id="resp_1", status="completed", output=[]),
    Session: Session(type="realtime", tools=[{"type": "function"}]),
    ConversationHead: ConversationHead("conv_1", "realtime.conversation"),
}


def tag(event: type[msgspec.Struct]) -> str:
    return str(event.__struct_config__.tag)


def example(event: type[ServerEvent]) -> ServerEvent:
    """An event with a value in every field."""
    values = {}
    for name, hint in typing.get_type_hints(event).items():
        kinds = [hint, *getattr(hint, "__args__", ())]
        values[name] = next(EXAMPLES[kind] for kind in kinds if kind in EXAMPLES)
    return event(**values)


@pytest.mark.parametrize("event", SERVER_EVENTS, ids=tag)
def test_it_comes_back_from_the_wire_as_it_was(event: type[ServerEvent]) -> None:
    sent = example(event)
    assert decode_server(encode(sent)) == sent
    assert msgspec.json.decode(encode(sent))["type"] == tag(event)


@needs("openai")
@pytest.mark.parametrize("event", SERVER_EVENTS, ids=tag)
def test_its_fields_are_those_of_the_service(event: type[ServerEvent]) -> None:
    extensions = set(EXTENSIONS.get(tag(event), ()))
    ours = set(event.__struct_fields__) - NOT_IN_MODELS.get(tag(event), set()) - extensions
    assert ours == set(fields("server", tag(event)))


@needs("openai")
def test_all_46_events_of_the_service_are_known() -> None:
    assert {tag(event) for event in SERVER_EVENTS} == set(models("server"))
    assert len(SERVER_EVENTS) == len(OWN_EVENTS) + len(FOREIGN_EVENTS) == 46


@needs("openai")
@pytest.mark.parametrize("kind", sorted({"mcp_list_tools.completed", "response.mcp_call_arguments.done", "output_audio_buffer.stopped"}))
def test_what_we_write_of_foreign_events_is_theirs(kind: str) -> None:
    event = next(event for event in FOREIGN_EVENTS if tag(event) == kind)
    judge("server", encode(example(event)))


@pytest.mark.parametrize("event", SERVER_EVENTS, ids=tag)
@pytest.mark.parametrize("value", ["absent", None, [], {}, "", "7", 7, 7.5, True, 1e300])
def test_a_field_of_another_kind_costs_no_more_than_itself(event: type[ServerEvent], value: Any) -> None:
    """Only what an event is about may cost the event, and no value raises anything but our own error."""
    whole = msgspec.json.decode(encode(example(event)))
    for name in event.__struct_fields__:
        odd = {key: entry for key, entry in whole.items() if key != name}
        if value != "absent":
            odd[name] = value
        needed = name in NEEDED.get(tag(event), set()) | {"item"}
        try:
            read: Any = decode_server(msgspec.json.encode(odd))
        except ProtocolError:
            assert needed
            continue
        assert type(read) is event
        left = {key: entry for key, entry in msgspec.json.decode(encode(read)).items() if key not in (name, "event_id")}
        assert left == {key: entry for key, entry in whole.items() if key not in (name, "event_id")}


def test_a_server_that_counts_no_parts_is_understood() -> None:
    event: Any = decode_server('{"type":"response.output_text.delta","response_id":"r","item_id":"i","delta":"x"}')
    assert (event.output_index, event.content_index, event.event_id) == (0, 0, "")
