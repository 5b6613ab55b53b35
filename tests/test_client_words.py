"""What real clients say, word for word: settings with nulls, names of models that we do not know, ids and metadata of their own.

Each list is a session up to its first question, as `tests/test_clients.py` saw it pass. None of it may be an error.
"""

import json
from typing import Any

import pytest

from tests.support.served import Served, types

PCM = {"type": "audio/pcm", "rate": 24_000}
HELLO = [{"type": "input_text", "text": "hello"}]
Event = dict[str, Any]


def session(event_id: str | None = None, **settings: Any) -> Event:
    event = {"type": "session.update", "session": {"type": "realtime", **settings}}
    return event if event_id is None else {**event, "event_id": event_id}


def item(**fields: Any) -> Event:
    return {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": HELLO}, **fields}


VAD_OF_PIPECAT = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
VAD_OF_LIVEKIT = {"type": "semantic_vad", "create_response": True, "eagerness": "medium", "interrupt_response": True}

CLIENTS: dict[str, list[Event]] = {
    "openai-agents": [
        session(
            audio={
                "input": {"format": PCM, "transcription": {"model": "whisper-1"}, "turn_detection": {"type": "server_vad"}},
                "output": {"format": PCM, "voice": "ash"},
            },
            instructions="Be brief.",
            model="gpt-realtime",
            output_modalities=["audio"],
            tools=[],
        ),
        item(),
        {"type": "response.create", "event_id": "agents_py_response_create_1"},
        session(model="gpt-realtime", tracing="auto"),
    ],
    "@openai/agents": [
        session(
            audio={
                "input": {
                    "format": PCM,
                    "noise_reduction": None,
                    "transcription": {"model": "gpt-4o-mini-transcribe"},
                    "turn_detection": None,
                },
                "output": {"format": PCM, "speed": 1},
            },
            instructions="Be brief.",
            model="gpt-realtime",
            output_modalities=["audio"],
        ),
        session(tracing="auto"),
        item(),
        {"type": "response.create", "event_id": "agents_js_response_create_1"},
    ],
    "livekit": [
        session(
            "session_update_1",
            audio={
                "input": {
                    "format": PCM,
                    "noise_reduction": None,
                    "transcription": {"model": "gpt-4o-mini-transcribe"},
                    "turn_detection": VAD_OF_LIVEKIT,
                },
                "output": {"format": PCM, "speed": 1.0, "voice": "marin"},
            },
            max_output_tokens="inf",
            model="gpt-realtime",
            output_modalities=["audio"],
            tool_choice="auto",
            tracing=None,
        ),
        session("instructions_update_1", instructions="Be brief."),
        session("tools_update_1", model="gpt-realtime", tools=[]),
        item(event_id="chat_ctx_create_1", previous_item_id="root"),
        {
            "type": "response.create",
            "event_id": "response_create_1",
            "response": {"instructions": None, "metadata": {"client_event_id": "response_create_1"}},
        },
    ],
    "pipecat": [
        session(
            "6217b4fa-0e70-482e-b330-8792857785d9",
            model="gpt-realtime",
            audio={"input": {"transcription": {"model": "gpt-realtime-whisper"}, "turn_detection": VAD_OF_PIPECAT}},
            tools=[],
        ),
        {
            "type": "conversation.item.create",
            "event_id": "f8f9a091-4b61-4c52-8c5d-c7de8d1815c5",
            "item": {"id": "3e0e67f6223b463593823d9d34fecf4b", "type": "message", "role": "user", "content": HELLO},
        },
        {"type": "response.create", "event_id": "46126c2f-5c36-45f4-8630-55dfa6217371", "response": {"output_modalities": ["audio"]}},
    ],
    "pydantic-ai": [
        session(
            instructions="Be brief.",
            output_modalities=["audio"],
            audio={
                "input": {
                    "format": PCM,
                    "turn_detection": {"type": "server_vad", "create_response": True, "interrupt_response": True},
                    "transcription": {"model": "gpt-live-transcribe"},
                },
                "output": {"format": PCM},
            },
        ),
        {
            "type": "conversation.item.create",
            "event_id": "pydantic_ai.content.0",
            "item": {"id": "pydantic_ai_item_0", "type": "message", "role": "user", "content": HELLO},
        },
        {"type": "response.create", "event_id": "pydantic_ai.response.0", "response": {"metadata": {"pydantic_ai_inputs": "0"}}},
    ],
    "semantic-kernel": [
        session(
            audio={"input": {"transcription": {"model": "whisper-1"}, "turn_detection": {"type": "server_vad"}}},
            instructions="Be brief.",
            model="gpt-realtime",
        ),
        item(),
        {"type": "response.create", "event_id": None, "response": None},
    ],
}


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_says_is_no_error(client: str) -> None:
    served = Served()
    answers = [event for said in CLIENTS[client] for event in served.text(json.dumps(said))]
    updates = sum(said["type"] == "session.update" for said in CLIENTS[client])
    kinds = types(answers)
    assert "error" not in kinds and kinds.count("session.updated") == updates
    (created,) = (event["response"] for event in answers if event["type"] == "response.created")
    asked = next(said for said in CLIENTS[client] if said["type"] == "response.create")
    assert created["metadata"] == (asked.get("response") or {}).get("metadata")
    (given,) = (said["item"].get("id") for said in CLIENTS[client] if said["type"] == "conversation.item.create")
    (added,) = (event["item"] for event in answers if event["type"] == "conversation.item.done")
    assert added["id"] == (given or added["id"]) and added["content"] == HELLO
    assert types(served.reply("hi"))[-2:] == ["response.done", "rate_limits.updated"]


def test_a_cancel_that_comes_too_late_says_so_and_nothing_else() -> None:
    """livekit cancels what the server has cancelled already, in the same moment; then it cuts."""
    served = Served()
    for said in CLIENTS["livekit"]:
        served.text(json.dumps(said))
    served.reply("hi", ms=400)
    reply_id = served.sent[-2]["response"]["output"][0]["id"]
    (error,) = served.send("response.cancel")
    assert (error["type"], error["error"]["code"]) == ("error", "response_cancel_not_active")
    assert types(served.send("conversation.item.truncate", item_id=reply_id, content_index=0, audio_end_ms=200)) == [
        "conversation.item.truncated"
    ]


def test_a_commit_while_the_server_listens_ends_the_turn_there() -> None:
    """semantic-kernel cannot switch turn detection off: it says that it makes no responses, and commits amid the speech."""
    served = Served()
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False, "silence_duration_ms": 2000}}})
    assert "input_audio_buffer.speech_started" in types(served.hear("." * 20 + "#" * 40))
    committed = types(served.send("input_audio_buffer.commit"))
    assert committed[:3] == ["input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "conversation.item.added"]
    assert "response.created" in types(served.send("response.create", event_id=None, response=None))
