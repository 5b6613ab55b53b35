"""Text to typed event and back: what clients get told of their mistakes, what upstreams get away with, and that nothing escapes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.errors import ProtocolError
from voice.protocol.codec import ClientMistake, decode_client, decode_server
from voice.protocol.events import ErrorEvent, ItemAdded, ResponseDone, TranscriptionCompleted, Unknown
from voice.protocol.objects import Item
from voice.protocol.requests import BufferAppend, ItemDelete, ResponseCreate, SessionUpdate

DELETE = '{"type":"conversation.item.delete","item_id":"a"'
CREATE = '{"type":"conversation.item.create","event_id":"e","item":'
UPDATE = '{"type":"session.update","event_id":"e","session":'

# (text, code, param, event_id of the client's event if it can be read)
MISTAKES: list[tuple[str | bytes, str, str | None, str | None]] = [
    ("", "invalid_json", None, None),
    ("hello", "invalid_json", None, None),
    ("{", "invalid_json", None, None),
    (DELETE, "invalid_json", None, None),
    (DELETE + ',"x":NaN}', "invalid_json", None, None),
    (DELETE + "}}", "invalid_json", None, None),
    (DELETE + ',"x":"\ud800"}', "invalid_json", None, None),
    ('{"type":"conversation.item.delete","item_id":"\\ud800"}', "invalid_json", None, None),
    (b'{"type":"conversation.item.delete","item_id":"\xff\xfe"}', "invalid_json", None, None),
    (b"\xff\xfe\x00", "invalid_json", None, None),
    ("[" * 100_000 + "]" * 100_000, "invalid_type", None, None),
    (DELETE + ',"x":' + "[" * 100_000 + "]" * 100_000 + "}", "invalid_json", None, None),
    ('{"type":"session.update","session":{"type":"realtime","tools":[' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "]}}", "invalid_json", None, None),
    ("1", "invalid_type", None, None),
    ("null", "invalid_type", None, None),
    ("[]", "invalid_type", None, None),
    ("{}", "missing_required_parameter", "type", None),
    ('{"type":null}', "invalid_type", "type", None),
    ('{"type":"session.updated","event_id":"e"}', "invalid_value", "type", "e"),
    ('{"type":"","event_id":"e"}', "invalid_value", "type", "e"),
    ('{"type":"response.create","event_id":5}', "invalid_type", "event_id", None),
    ('{"type":"response.create","event_id":"e","type":"input_audio_buffer.clear"}', "invalid_value", "type", "e"),
    ('{"type":"conversation.item.delete","event_id":"e"}', "missing_required_parameter", "item_id", "e"),
    ('{"type":"conversation.item.delete","event_id":"e","item_id":7}', "invalid_type", "item_id", "e"),
    ('{"type":"conversation.item.create","event_id":"e"}', "missing_required_parameter", "item", "e"),
    (CREATE + "{}}", "missing_required_parameter", "item.type", "e"),
    (CREATE + '{"type":"message","content":[{}]}}', "missing_required_parameter", "item.content[0].type", "e"),
    (CREATE + '{"type":"message","content":[{"type":"input_text","txt":""}]}}', "unknown_parameter", "item.content[0].txt", "e"),
    ('{"type":"conversation.item.truncate","event_id":"e","item_id":"a","content_index":0}', "missing_required_parameter", "audio_end_ms", "e"),
    ('{"type":"input_audio_buffer.append","event_id":"e"}', "missing_required_parameter", "audio", "e"),
    ('{"type":"input_audio_buffer.append","event_id":"e","audio":"A*"}', "invalid_value", "audio", "e"),
    ('{"type":"input_audio_buffer.append","event_id":"e","audio":"QQ"}', "invalid_value", "audio", "e"),
    ('{"type":"input_audio_buffer.append","event_id":"e","audio":[1,2]}', "invalid_type", "audio", "e"),
    ('{"type":"session.update","event_id":"e"}', "missing_required_parameter", "session", "e"),
    (UPDATE + '{"type":"realtime","modalities":["text"]}}', "unknown_parameter", "session.modalities", "e"),
    (UPDATE + '{"audio":{"input":{"turn_detection":{"patience":1}}}}}', "unknown_parameter", "session.audio.input.turn_detection.patience", "e"),
    (UPDATE + '{"audio":{"input":{"format":"pcm16"}}}}', "invalid_type", "session.audio.input.format", "e"),
    (UPDATE + '{"max_output_tokens":' + "9" * 5000 + "}}", "invalid_type", "session.max_output_tokens", "e"),
    ('{"type":"response.create","event_id":"e","response":{"input":[{"type":"message","rôle":""}]}}', "unknown_parameter", "response.input[0].rôle", "e"),
    ('{"type":"response.create","event_id":"e","response":{"metadata":[1]}}', "invalid_type", "response.metadata", "e"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "param", "event_id"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_client_is_told_what_is_wrong_and_where(text: str | bytes, code: str, param: str | None, event_id: str | None) -> None:
    with pytest.raises(ClientMistake) as caught:
        decode_client(text)
    assert (caught.value.code, caught.value.param, caught.value.event_id) == (code, param, event_id)
    assert str(caught.value).endswith(".") and not str(caught.value).endswith("..") and len(str(caught.value)) < 600


def test_the_sentence_names_the_parameter() -> None:
    with pytest.raises(ClientMistake, match=r"^Missing required parameter: 'item_id'\.$"):
        decode_client('{"type":"conversation.item.delete"}')
    with pytest.raises(ClientMistake, match=r"^Unknown parameter: 'session\.voice'\.$"):
        decode_client('{"type":"session.update","session":{"voice":"alloy"}}')
    with pytest.raises(ClientMistake, match=r"^Invalid type for 'item_id': expected a string, but got an integer instead\.$"):
        decode_client('{"type":"conversation.item.delete","item_id":1}')


def test_what_a_client_may_do() -> None:
    assert decode_client('{"\\u0074ype":"conversation.item.delete","item_id":"a"}') == ItemDelete(item_id="a")
    assert decode_client(DELETE + ',"item_id":"b"}') == ItemDelete(item_id="b")
    assert decode_client(DELETE + ',"event_id":null,"client_timestamp":5}') == ItemDelete(item_id="a", event_id=None)
    assert decode_client(b'{"type":"input_audio_buffer.append","audio":"AAE="}') == BufferAppend(audio=b"\x00\x01")
    assert decode_client('{"type":"response.create","response":null}') == ResponseCreate(response=None)
    asked = decode_client(
        '{"type":"session.update","session":{"type":"realtime","tools":[{"any":{"key":1}}],"tracing":{"metadata":{"b":2}}}}'
    )
    assert isinstance(asked, SessionUpdate) and asked.session.tools == [{"any": {"key": 1}}]


def read(event: dict[str, Any]) -> Any:
    return decode_server(json.dumps(event))


def test_an_unknown_event_is_kept() -> None:
    raw = {"type": "voice.weather", "degrees": [1, {"a": None}]}
    assert read(raw) == Unknown("voice.weather", raw)


def test_a_known_event_keeps_what_is_readable_of_it() -> None:
    """Oddities that were seen: a usage that is no object, a status that is a word, a part of a new shape, numbers for words."""
    odd = {
        "id": "resp_1",
        "status": "completed",
        "status_details": "unimplemented",
        "usage": {"total_tokens": "many", "input_tokens": 3},
        "output": [{"type": "message", "id": "item_1", "content": [{"type": "output_text", "text": 5}]}, {"id": "item_2"}],
        "metadata": [],
        "extra": 1,
    }
    event = read({"type": "response.done", "event_id": 9, "response": odd})
    assert isinstance(event, ResponseDone) and event.event_id == "9"
    response = event.response
    assert (response.id, response.status, response.status_details, response.metadata) == ("resp_1", "completed", "unimplemented", None)
    assert response.usage is not None and (response.usage.total_tokens, response.usage.input_tokens) == (0, 3)
    assert isinstance(response.output, list) and [item.id for item in response.output] == ["item_1"]
    assert response.output[0].content is not msgspec.UNSET and response.output[0].content is not None
    assert response.output[0].content[0].type == "output_text"


def test_an_error_with_half_a_body_is_an_error() -> None:
    event = read({"type": "error", "error": {"code": 429, "message": "slow down"}})
    assert isinstance(event, ErrorEvent) and (event.error.code, event.error.message, event.error.type) == ("429", "slow down", "")


def test_a_dictionary_with_a_value_of_another_kind_goes_as_a_whole() -> None:
    event = read(
        {"type": "response.done", "response": {"usage": {"input_token_details": {"text_tokens": 2, "cached_tokens_details": {"a": "b"}}}}}
    )
    details = event.response.usage.input_token_details
    assert (details.text_tokens, details.cached_tokens_details) == (2, msgspec.UNSET)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "no base64!"},
        {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i"},
        {"type": "conversation.item.added", "item": {"id": "a"}},
        {"type": "conversation.item.added", "item": None},
        {"type": 5},
        {},
        [],
    ],
)
def test_an_event_without_what_it_is_about_is_refused(event: Any) -> None:
    with pytest.raises(ProtocolError, match="^the server sent an event that cannot be read: "):
        read(event)


def test_a_transcript_without_usage_is_read() -> None:
    event = read(
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "i", "transcript": "안녕", "status": "in_progress"}
    )
    assert isinstance(event, TranscriptionCompleted) and event.transcript == "안녕"


TYPES = [
    "session.update",
    "response.create",
    "conversation.item.create",
    "input_audio_buffer.append",
    "response.done",
    "error",
    "conversation.item.added",
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["AAAA", "message", "realtime"])
KEYS = st.sampled_from(
    ["type", "event_id", "session", "response", "item", "audio", "content", "output", "error", "input", "metadata", "id", "usage"]
) | st.text(max_size=3)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(kind=st.sampled_from(TYPES), body=st.dictionaries(KEYS, VALUES, max_size=4), cut=st.integers(0, 400), flip=st.binary(max_size=2))
def test_any_text_is_an_event_or_a_mistake(kind: str, body: dict[str, Any], cut: int, flip: bytes) -> None:
    text = json.dumps({**body, "type": kind}, ensure_ascii=False)
    broken = text.encode("utf-8", "surrogatepass")
    broken = broken[:cut] + flip + broken[cut + len(flip) :]
    for message in (text, broken, broken[:cut]):
        for decode, error in ((decode_client, ClientMistake), (decode_server, ProtocolError)):
            try:
                decode(message)
            except ProtocolError as exc:
                assert isinstance(exc, error)


@pytest.mark.parametrize("depth", [10, 100, 300, 500, 700, 900, 950, 980, 990, 1000, 2000])
def test_what_can_be_read_can_be_written(depth: int) -> None:
    """Settings come back in `session.updated`: an object that is nested as deeply as the reader takes must not break the writer."""
    tools = f'[{{"a":{"[" * depth}{"]" * depth}}}]'
    try:
        event = decode_client(f'{{"type":"session.update","session":{{"type":"realtime","tools":{tools}}}}}')
    except ClientMistake as exc:
        assert exc.code == "invalid_json"
        return
    assert tools in msgspec.json.encode(event).decode()


def test_items_are_read_like_those_of_the_service() -> None:
    event = read({"type": "conversation.item.added", "previous_item_id": None, "item": {"type": "message", "phase": "final_answer"}})
    assert event == ItemAdded(item=Item(type="message", phase="final_answer"), previous_item_id=None)
