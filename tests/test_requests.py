"""The client's events have exactly the fields of the published models, and each survives the wire."""

from typing import Any

import msgspec
import pytest

from tests.support.needs import needs
from tests.support.oracle import fields, judge, models
from voice.protocol.codec import decode_client, encode
from voice.protocol.objects import AudioFormat, Content, Item, ResponseParams, Session
from voice.protocol.requests import (
    CLIENT_EVENTS,
    BufferAppend,
    BufferClear,
    BufferCommit,
    ClientEvent,
    ItemCreate,
    ItemDelete,
    ItemRetrieve,
    ItemTruncate,
    OutputBufferClear,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
)

MESSAGE = Item(type="message", id="item_1", role="user", content=[Content("input_text", text="안녕")])
EXAMPLES: list[ClientEvent] = [
    SessionUpdate(event_id="event_1", session=Session(type="realtime", instructions="", output_modalities=["text"])),
    BufferAppend(audio=b"\x01\x00\xff\x7f"),
    BufferAppend(audio=b""),
    BufferCommit(event_id="event_2"),
    BufferClear(),
    OutputBufferClear(),
    ItemCreate(item=MESSAGE, previous_item_id="root"),
    ItemRetrieve(item_id="item_1"),
    ItemDelete(item_id="item_1"),
    ItemTruncate(item_id="item_1", content_index=0, audio_end_ms=320),
    ResponseCreate(),
    ResponseCreate(response=ResponseParams(conversation="none", metadata={"a": "b"}, input=[MESSAGE])),
    ResponseCancel(response_id="resp_1"),
]


def tag(event: ClientEvent | type[ClientEvent]) -> str:
    return str(event.__struct_config__.tag)


def test_there_is_an_example_of_each() -> None:
    assert {type(event) for event in EXAMPLES} == set(CLIENT_EVENTS)


@pytest.mark.parametrize("event", EXAMPLES, ids=tag)
def test_it_comes_back_from_the_wire_as_it_was(event: ClientEvent) -> None:
    assert decode_client(encode(event)) == event


@needs("openai")
@pytest.mark.parametrize("event", EXAMPLES, ids=tag)
def test_the_service_would_take_it(event: ClientEvent) -> None:
    judge("client", encode(event))


@needs("openai")
def test_every_event_and_every_field_of_the_service_is_known() -> None:
    assert {tag(event): set(event.__struct_fields__) for event in CLIENT_EVENTS} == {
        kind: set(fields("client", kind)) for kind in models("client")
    }


def test_what_is_absent_is_not_sent_and_null_is() -> None:
    sent: dict[str, Any] = msgspec.json.decode(encode(ResponseCreate(response=ResponseParams(instructions=None))))
    assert sent == {"type": "response.create", "response": {"instructions": None}}


def test_audio_is_base64_on_the_wire() -> None:
    assert encode(BufferAppend(audio=b"\x00\x01\x02\x03")) == '{"type":"input_audio_buffer.append","audio":"AAECAw=="}'


def test_a_rate_is_written_out() -> None:
    assert msgspec.json.encode(AudioFormat("audio/pcm", 16_000)) == b'{"type":"audio/pcm","rate":16000}'
