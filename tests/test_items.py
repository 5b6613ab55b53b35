"""Items that clients give: each role may contain what it may on the service."""

import base64
from typing import Any

import msgspec
import pytest

from tests.support.served import Served, types
from voice.audio.encoding import PCM, Encoding
from voice.errors import ProtocolError
from voice.protocol.items import Given, given_item
from voice.protocol.objects import Item

TEXT = {"type": "input_text", "text": "hello"}


def give(**fields: Any) -> Given:
    return given_item(msgspec.convert(fields, Item), "item_1", encoding=Encoding(PCM, 16_000))


def refused(**fields: Any) -> tuple[str, str | None]:
    with pytest.raises(ProtocolError) as caught:
        give(**fields)
    return caught.value.code, caught.value.param


@pytest.mark.parametrize(
    ("role", "content"),
    [
        ("user", [TEXT]),
        ("user", []),
        ("user", [TEXT, {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"}]),
        ("system", [TEXT]),
        ("assistant", [{"type": "output_text", "text": "hi"}]),
    ],
)
def test_a_message_is_taken_as_it_is(role: str, content: list[dict[str, Any]]) -> None:
    given = give(type="message", role=role, content=content, status="in_progress", id="theirs")
    assert msgspec.to_builtins(given.item) == {
        "type": "message",
        "id": "item_1",
        "object": "realtime.item",
        "status": "completed",
        "role": role,
        "content": content,
    }
    assert given.sounds == ()


def test_calls_and_their_outputs_are_taken() -> None:
    assert give(type="function_call", name="f", arguments="{}", call_id="c").item.name == "f"
    assert give(type="function_call", name="f", arguments="{}").item.call_id == "call_item_1", "its output has to name something"
    assert give(type="function_call_output", call_id="c", output="").item.output == ""


def test_sound_is_taken_out() -> None:
    halves = [base64.b64encode(data).decode() for data in (b"\x01\x00\x02\x00", b"\xff\xff")]
    given = give(type="message", role="user", content=[{"type": "input_audio", "audio": half, "transcript": "t"} for half in halves])
    assert [(index, samples.tolist()) for index, samples in given.sounds] == [(0, [1, 2]), (1, [-1])]
    assert msgspec.to_builtins(given.item)["content"] == [{"type": "input_audio", "transcript": "t"}] * 2


def test_each_sound_keeps_its_place() -> None:
    sound = {"type": "input_audio", "audio": base64.b64encode(b"\x01\x00").decode()}
    given = give(type="message", role="user", content=[TEXT, sound, TEXT, sound])
    assert [index for index, _ in given.sounds] == [1, 3]


@pytest.mark.parametrize(
    ("status", "kept"), [("incomplete", "incomplete"), ("completed", "completed"), ("in_progress", "completed"), (None, "completed")]
)
def test_what_was_broken_off_stays_so_and_all_else_is_complete(status: str | None, kept: str) -> None:
    given = give(type="message", role="assistant", content=[{"type": "output_text", "text": "One, two"}], status=status)
    assert given.item.status == kept
    assert give(type="function_call", name="f", arguments='{"a', status=status).item.status == kept


def test_no_item_is_called_like_the_beginning() -> None:
    with pytest.raises(ProtocolError, match="'root'") as caught:
        given_item(msgspec.convert({"type": "message", "role": "user", "content": [TEXT]}, Item), "root")
    assert (caught.value.code, caught.value.param) == ("invalid_value", "item.id")


MISSING, INVALID = "missing_required_parameter", "invalid_value"
REFUSED: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"type": "thing"}, (INVALID, "item.type")),
    ({"type": "mcp_call"}, (MISSING, "item.server_label")),
    ({"type": "mcp_approval_response", "approval_request_id": "a"}, (MISSING, "item.approve")),
    ({"type": "mcp_list_tools", "server_label": "s", "tools": None}, (MISSING, "item.tools")),
    ({"type": "item_reference", "id": "x"}, (INVALID, "item.type")),
    ({"type": "message", "content": [TEXT]}, (MISSING, "item.role")),
    ({"type": "message", "role": "user"}, (MISSING, "item.content")),
    ({"type": "message", "role": "user", "content": None}, (MISSING, "item.content")),
    ({"type": "message", "role": "boss", "content": [TEXT]}, (INVALID, "item.role")),
    ({"type": "message", "role": "user", "content": [TEXT, {"type": "output_text", "text": "x"}]}, (INVALID, "item.content[1].type")),
    ({"type": "message", "role": "assistant", "content": [TEXT]}, (INVALID, "item.content[0].type")),
    ({"type": "message", "role": "assistant", "content": [{"type": "output_audio", "audio": ""}]}, (INVALID, "item.content[0].type")),
    ({"type": "message", "role": "system", "content": [{"type": "input_audio", "audio": ""}]}, (INVALID, "item.content[0].type")),
    ({"type": "message", "role": "user", "content": [{"type": "input_text"}]}, (MISSING, "item.content[0].text")),
    ({"type": "message", "role": "user", "content": [{"type": "input_text", "text": None}]}, (MISSING, "item.content[0].text")),
    ({"type": "message", "role": "user", "content": [{"type": "input_audio"}]}, (MISSING, "item.content[0].audio")),
    ({"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "AAA="[:3]}]}, (INVALID, "item.content[0].audio")),
    ({"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "AA=="}]}, (INVALID, "item.content[0].audio")),
    ({"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "안녕"}]}, (INVALID, "item.content[0].audio")),
    ({"type": "message", "role": "user", "content": [{"type": "input_image"}]}, (MISSING, "item.content[0].image_url")),
    ({"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": ""}]}, (INVALID, "item.content[0].audio")),
    ({"type": "message", "role": "user", "content": [TEXT] * 65}, ("array_above_max_length", "item.content")),
    ({"type": "message", "role": "user", "content": [TEXT], "status": "weird"}, (INVALID, "item.status")),
    ({"type": "function_call", "name": "f", "arguments": "{}", "status": ""}, (INVALID, "item.status")),
    ({"type": "function_call", "arguments": "{}"}, (MISSING, "item.name")),
    ({"type": "function_call_output", "output": ""}, (MISSING, "item.call_id")),
    ({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 900_001}]}, ("string_above_max_length", "item")),
]


@pytest.mark.parametrize(("fields", "want"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_wrong_is_named(fields: dict[str, Any], want: tuple[str, str]) -> None:
    assert refused(**fields) == want


def test_the_path_is_that_of_the_event() -> None:
    with pytest.raises(ProtocolError) as caught:
        given_item(Item(type="message"), "", "response.input[3]")
    assert caught.value.param == "response.input[3].role"


SERVERS: list[dict[str, Any]] = [
    {"type": "mcp_list_tools", "server_label": "s", "tools": [{"name": "t", "input_schema": {"type": "object"}}]},
    {"type": "mcp_call", "server_label": "s", "name": "t", "arguments": "{}", "output": "1"},
    {
        "type": "mcp_call",
        "server_label": "s",
        "name": "t",
        "arguments": "{}",
        "error": {"type": "http_error", "code": 502, "message": "no"},
    },
    {"type": "mcp_approval_request", "server_label": "s", "name": "t", "arguments": "{}"},
    {"type": "mcp_approval_response", "approval_request_id": "a", "approve": False, "reason": "no"},
]


@pytest.mark.parametrize("fields", SERVERS, ids=lambda fields: str(fields["type"]))
def test_items_of_tool_servers_are_kept_as_they_are(fields: dict[str, Any]) -> None:
    assert msgspec.to_builtins(give(**fields).item) == {**fields, "id": "item_1"}
    served = Served()
    added, done = served.send("conversation.item.create", item={**fields, "id": "mine"})
    [retrieved] = served.send("conversation.item.retrieve", item_id="mine")
    assert added["item"] == done["item"] == retrieved["item"] == {**fields, "id": "mine"}
    served.update(output_modalities=["text"])
    assert types(served.send("response.create")) == ["response.created"]


@pytest.mark.parametrize(
    ("audio", "why"), [("?", "expected base64-encoded audio"), ("안녕", "expected base64-encoded audio"), ("AA==", "even number")]
)
def test_the_sentence_is_no_decoders(audio: str, why: str) -> None:
    with pytest.raises(ProtocolError, match=f"^Invalid value for 'item.content\\[0\\].audio': .*{why}"):
        give(type="message", role="user", content=[{"type": "input_audio", "audio": audio}])


def test_as_many_parts_as_there_may_be_are_taken() -> None:
    assert len(give(type="message", role="user", content=[TEXT] * 64).item.content or ()) == 64
