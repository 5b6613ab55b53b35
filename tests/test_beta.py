"""The beta, event by event, in both roles: whatever is an event there is one here, and the other way round, as the typed models have them."""

import json
from typing import Any

import pytest

from tests.support.dialects import Event, before_client, before_server, down, up
from tests.support.needs import needs
from tests.support.oracle import judge, models
from tests.test_events import example
from voice.protocol.codec import encode
from voice.protocol.dialect import ONLY_TODAY
from voice.protocol.foreign import SERVER_EVENTS

pytestmark = needs("openai")

WHERE = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
CALL = {"response_id": "r", "item_id": "c", "output_index": 1, "call_id": "call"}
USER = {
    "id": "u",
    "object": "realtime.item",
    "type": "message",
    "role": "user",
    "status": "completed",
    "content": [{"type": "input_text", "text": "Hi"}],
}
SAID = {"id": "i", "object": "realtime.item", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
SPOKEN = {**SAID, "status": "completed", "content": [{"type": "audio", "transcript": "Hello"}]}
CALLED = {
    "id": "c",
    "object": "realtime.item",
    "type": "function_call",
    "status": "in_progress",
    "name": "f",
    "call_id": "call",
    "arguments": "",
}
DETECTION = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500, "create_response": True}
TOOL = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
SETTINGS: Event = {
    "modalities": ["audio", "text"],
    "instructions": "Be brief.",
    "voice": "alloy",
    "input_audio_format": "pcm16",
    "output_audio_format": "g711_ulaw",
    "input_audio_transcription": {"model": "whisper-1", "language": "ko", "prompt": "p"},
    "input_audio_noise_reduction": {"type": "near_field"},
    "turn_detection": {**DETECTION, "interrupt_response": False},
    "tools": [TOOL],
    "tool_choice": "auto",
    "temperature": 0.8,
    "max_response_output_tokens": "inf",
    "speed": 1.25,
    "tracing": {"workflow_name": "w", "group_id": "g", "metadata": {"a": "b"}},
}
SESSION = {"id": "sess", "model": "gpt-realtime", **SETTINGS}
USAGE = {
    "total_tokens": 30,
    "input_tokens": 20,
    "output_tokens": 10,
    "input_token_details": {"text_tokens": 15, "audio_tokens": 5, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 4, "audio_tokens": 6},
}
RESPONSE = {
    "id": "r",
    "object": "realtime.response",
    "conversation_id": "conv",
    "modalities": ["audio", "text"],
    "voice": "alloy",
    "output_audio_format": "g711_ulaw",
    "temperature": 0.8,
    "max_output_tokens": 7,
    "metadata": {"a": "b"},
}
ERROR = {"type": "invalid_request_error", "message": "No 'session.voice'.", "code": "c", "param": "session.voice", "event_id": "e"}
WORDS = "conversation.item.input_audio_transcription."
SERVER: list[tuple[str, Event]] = [
    ("session.created", {"session": SESSION}),
    ("conversation.created", {"conversation": {"id": "conv", "object": "realtime.conversation"}}),
    ("session.updated", {"session": SESSION}),
    ("input_audio_buffer.speech_started", {"item_id": "h", "audio_start_ms": 0}),
    ("input_audio_buffer.speech_stopped", {"item_id": "h", "audio_end_ms": 900}),
    ("input_audio_buffer.committed", {"item_id": "h", "previous_item_id": None}),
    (f"{WORDS}delta", {"item_id": "h", "content_index": 0, "delta": "Hi", "logprobs": [{"token": "Hi", "bytes": [72], "logprob": -1.0}]}),
    (f"{WORDS}completed", {"item_id": "h", "content_index": 0, "transcript": "Hi", "usage": {"type": "duration", "seconds": 1.5}}),
    ("conversation.item.created", {"item": USER, "previous_item_id": "h"}),
    (f"{WORDS}failed", {"item_id": "u", "content_index": 0, "error": {"code": "x", "message": "m", "type": "t", "param": None}}),
    ("response.created", {"response": {**RESPONSE, "status": "in_progress", "status_details": None, "output": [], "usage": None}}),
    ("rate_limits.updated", {"rate_limits": [{"name": "requests", "limit": 5, "remaining": 4, "reset_seconds": 1.5}]}),
    ("response.output_item.added", {"response_id": "r", "output_index": 0, "item": SAID}),
    ("conversation.item.created", {"item": SAID, "previous_item_id": "u"}),
    ("response.content_part.added", {**WHERE, "part": {"type": "audio", "transcript": ""}}),
    ("response.audio_transcript.delta", {**WHERE, "delta": "Hello"}),
    ("response.audio.delta", {**WHERE, "delta": "AAAA"}),
    ("response.audio.done", WHERE),
    ("response.audio_transcript.done", {**WHERE, "transcript": "Hello"}),
    ("response.content_part.done", {**WHERE, "part": {"type": "audio", "transcript": "Hello"}}),
    ("response.output_item.done", {"response_id": "r", "output_index": 0, "item": SPOKEN}),
    ("response.output_item.added", {"response_id": "r", "output_index": 1, "item": CALLED}),
    ("response.function_call_arguments.delta", {**CALL, "delta": "{}"}),
    ("response.function_call_arguments.done", {**CALL, "arguments": "{}"}),
    ("response.output_item.done", {"response_id": "r", "output_index": 1, "item": {**CALLED, "status": "completed", "arguments": "{}"}}),
    ("response.done", {"response": {**RESPONSE, "status": "completed", "status_details": None, "output": [SPOKEN], "usage": USAGE}}),
    ("response.created", {"response": {**RESPONSE, "id": "t", "modalities": ["text"], "status": "in_progress", "output": []}}),
    ("response.text.delta", {**WHERE, "response_id": "t", "item_id": "j", "delta": "Bye"}),
    ("response.text.done", {**WHERE, "response_id": "t", "item_id": "j", "text": "Bye"}),
    ("response.done", {"response": {**RESPONSE, "id": "t", "modalities": ["text"], "status": "cancelled", "output": [], "usage": USAGE}}),
    ("conversation.item.truncated", {"item_id": "i", "content_index": 0, "audio_end_ms": 0}),
    ("conversation.item.retrieved", {"item": SPOKEN}),
    ("conversation.item.deleted", {"item_id": "u"}),
    ("input_audio_buffer.cleared", {}),
    ("output_audio_buffer.started", {"response_id": "r"}),
    ("output_audio_buffer.stopped", {"response_id": "r"}),
    ("output_audio_buffer.cleared", {"response_id": "r"}),
    ("error", {"error": ERROR}),
]
"""A session of the beta with each of its events; `transcription_session.updated` has one of its own."""
TRANSCRIPTION = {
    "input_audio_format": "pcm16",
    "modalities": ["text"],
    "turn_detection": None,
    "client_secret": {"value": "x", "expires_at": 1},
}
PARAMS = {
    "modalities": ["text"],
    "instructions": "i",
    "voice": "alloy",
    "output_audio_format": "pcm16",
    "tools": [TOOL],
    "tool_choice": "none",
    "temperature": 0.7,
    "max_response_output_tokens": 5,
    "conversation": "none",
    "metadata": {"a": "b"},
    "input": [
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    ],
}
CLIENT: list[tuple[str, Event]] = [
    ("session.update", {"session": SETTINGS}),
    (
        "session.update",
        {"session": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}, "tracing": "auto", "max_response_output_tokens": 7}},
    ),
    (
        "transcription_session.update",
        {"session": {**TRANSCRIPTION, "client_secret": {"expires_at": {"anchor": "created_at", "seconds": 60}}, "include": []}},
    ),
    ("input_audio_buffer.append", {"audio": "AAAA"}),
    ("input_audio_buffer.commit", {}),
    ("input_audio_buffer.clear", {}),
    ("conversation.item.create", {"item": PARAMS["input"][0], "previous_item_id": "root"}),
    ("conversation.item.create", {"item": {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"}}),
    ("conversation.item.create", {"item": {"type": "function_call_output", "output": "{}", "call_id": "c"}}),
    ("conversation.item.retrieve", {"item_id": "i"}),
    ("conversation.item.delete", {"item_id": "i"}),
    ("conversation.item.truncate", {"item_id": "i", "content_index": 0, "audio_end_ms": 5}),
    ("response.create", {"response": PARAMS}),
    ("response.create", {}),
    ("response.cancel", {"response_id": "r"}),
    ("output_audio_buffer.clear", {}),
]


def event(number: int, kind: str, fields: Event) -> Event:
    return {"type": kind, "event_id": f"event_{number}", **json.loads(json.dumps(fields))}


def told() -> list[Event]:
    return [event(number, kind, fields) for number, (kind, fields) in enumerate(SERVER)]


def asked() -> list[Event]:
    return [event(number, kind, fields) for number, (kind, fields) in enumerate(CLIENT)]


def test_the_examples_are_all_events_of_the_beta() -> None:
    assert {kind for kind, _ in SERVER} | {"transcription_session.updated"} == set(models("server", beta=True))
    assert {kind for kind, _ in CLIENT} == set(models("client", beta=True))
    for one in told():
        judge("server", json.dumps(one), beta=True)
    for one in asked():
        judge("client", json.dumps(one), beta=True)


def test_what_a_server_of_the_beta_tells_is_told_as_today() -> None:
    seen = down(before_server(), told())
    for one in seen:
        judge("server", json.dumps(one))
    assert {one["type"] for one in seen} == set(models("server")) - ONLY_TODAY - {"conversation.created", "conversation.item.created"}


def test_nothing_of_its_settings_is_lost() -> None:
    session = down(before_server(), told()[:1])[0]["session"]
    back = down(before_client(), [{"type": "session.created", "session": session}])[0]["session"]
    ours = {**SESSION, "output_audio_format": "pcm16"}
    assert back == {name: value for name, value in ours.items() if name != "temperature"}, (
        "the client had asked for PCM, as everybody has at first"
    )


def test_a_transcription_session_of_the_beta_is_told_as_today() -> None:
    (one,) = down(before_server(), [event(0, "transcription_session.updated", {"session": TRANSCRIPTION})])
    judge("server", json.dumps({**one, "session": {name: value for name, value in one["session"].items() if name != "output_modalities"}}))
    assert "client_secret" not in json.dumps(one)


def test_what_a_client_of_the_beta_asks_is_asked_as_today() -> None:
    for one in asked():
        (sent,) = up(before_client(), [one])
        judge("client", json.dumps(sent))


def test_and_what_one_of_today_asks_is_asked_as_in_the_beta() -> None:
    for one in asked():
        today = up(before_client(), [one])
        sent = up(before_server(), today)
        for back in sent:
            judge("client", json.dumps(back), beta=True)
        assert [back["type"] for back in sent] == ([] if one["type"] == "output_audio_buffer.clear" else [one["type"]])


def test_what_was_asked_comes_back_as_it_was() -> None:
    """Through today's protocol and back: but for what that has no place for."""
    gone = {"temperature", "client_secret"}
    for one in asked():
        for back in up(before_server(), up(before_client(), [one])):
            for name in ("session", "response"):
                if name in one:
                    lost = gone | ({"modalities"} if one["type"].startswith("transcription") else set())
                    assert back[name] == {key: value for key, value in one[name].items() if key not in lost}
            assert back.get("item") == one.get("item")


@pytest.mark.parametrize("kind", SERVER_EVENTS, ids=lambda kind: kind.__struct_config__.tag)
def test_each_event_of_today_is_one_of_the_beta_or_left_out(kind: Any) -> None:
    today = json.loads(encode(example(kind)))
    real = {"logprobs": [{"token": "x", "bytes": [120], "logprob": -1.0}], "usage": {"type": "duration", "seconds": 1.0}}
    today.update({name: value for name, value in real.items() if name in today})
    seen = down(before_client(), [today])
    for one in seen:
        judge("server", json.dumps(one), beta=True)
    left_out = ONLY_TODAY | {"conversation.item.done"}
    assert bool(seen) == (today["type"] not in left_out)
