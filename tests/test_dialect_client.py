"""Before a client that speaks a dialect: what a server of today is sent, and what the client is told."""

import base64
import json
from typing import Any

import pytest

from tests.support.dialects import Event, before_client, counted, down, up
from voice.protocol.dialect import DIALECTS
from voice.protocol.dialect_sound import wrapped
from voice.protocol.interpreter import ClientInterpreter

PCM = {"type": "audio/pcm", "rate": 24_000}
FOREIGN = [name for name, row in DIALECTS.items() if not row.plain]
SESSION = {
    "type": "realtime",
    "id": "sess",
    "object": "realtime.session",
    "model": "m",
    "output_modalities": ["audio"],
    "audio": {
        "input": {
            "format": PCM,
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": {"type": "server_vad", "idle_timeout_ms": None},
        },
        "output": {"format": PCM, "voice": "v", "speed": 1.0},
    },
    "tools": [],
    "max_output_tokens": "inf",
    "truncation": "auto",
}
DELTA = {"type": "response.output_audio.delta", "event_id": "e", "response_id": "r", "item_id": "i", "content_index": 0}


def send(party: ClientInterpreter, kind: str, **fields: Any) -> list[Event]:
    return up(party, [{"type": kind, **fields}])


def told(party: ClientInterpreter, kind: str, **fields: Any) -> list[Event]:
    """What becomes of a server's event; what the server is answered is passed over."""
    return down(party, [{"type": kind, "event_id": "e", **fields}])


def test_a_client_of_the_beta_is_told_flat_settings() -> None:
    (event,) = told(before_client(), "session.created", session=SESSION)
    assert event["session"] == {
        "id": "sess",
        "object": "realtime.session",
        "model": "m",
        "modalities": ["audio", "text"],
        "input_audio_format": "pcm16",
        "input_audio_transcription": None,
        "input_audio_noise_reduction": None,
        "turn_detection": {"type": "server_vad"},
        "output_audio_format": "pcm16",
        "voice": "v",
        "speed": 1.0,
        "tools": [],
        "max_response_output_tokens": "inf",
    }


def test_what_only_the_dialect_has_is_told_back() -> None:
    party = before_client()
    (event,) = send(party, "session.update", session={"temperature": 0.7, "client_secret": {"value": "never told"}, "instructions": "Hi"})
    assert event["session"] == {"type": "realtime", "instructions": "Hi"}
    assert told(party, "session.updated", session=SESSION)[0]["session"]["temperature"] == 0.7
    (begun,) = told(
        party,
        "response.created",
        response={"id": "r", "output_modalities": ["audio"], "max_output_tokens": 7, "audio": {"output": {"voice": "v"}}},
    )
    assert begun["response"] == {
        "id": "r",
        "modalities": ["audio", "text"],
        "max_output_tokens": 7,
        "voice": "v",
        "temperature": 0.7,
        "usage": None,
    }


def test_a_session_of_the_beta_that_only_writes_down() -> None:
    party = before_client()
    (event,) = send(
        party, "transcription_session.update", session={"modalities": ["text"], "input_audio_format": "pcm16", "include": ["x"]}
    )
    assert event["type"] == "session.update"
    assert event["session"] == {"type": "transcription", "audio": {"input": {"format": PCM}}, "include": ["x"]}
    for kind in ("created", "updated"):
        (event,) = told(
            party, f"session.{kind}", session={"type": "transcription", "include": None, "audio": {"input": {"transcription": None}}}
        )
        assert event["type"] == f"transcription_session.{kind}"
        assert event["session"] == {"include": None, "input_audio_transcription": None, "client_secret": None}


def test_items_and_requests_of_the_beta() -> None:
    party = before_client()
    said = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]}
    assert send(party, "conversation.item.create", item=said)[0]["item"]["content"][0]["type"] == "output_text"
    params = {"modalities": ["text"], "voice": "v", "temperature": 0.8, "max_response_output_tokens": 5, "conversation": "none"}
    assert send(party, "response.create", event_id="e", response=params) == [
        {
            "type": "response.create",
            "event_id": "e",
            "response": {
                "output_modalities": ["text"],
                "audio": {"output": {"voice": "v"}},
                "max_output_tokens": 5,
                "conversation": "none",
            },
        }
    ]
    assert send(party, "response.create") == [{"type": "response.create"}]


def test_errors_speak_of_the_clients_settings() -> None:
    param = "session.audio.input.turn_detection.threshold"
    error = {
        "type": "invalid_request_error",
        "message": f"Invalid value for '{param}'.",
        "param": param,
        "code": "invalid_value",
        "event_id": "mine",
    }
    (event,) = told(before_client(), "error", error=error)
    theirs = "session.turn_detection.threshold"
    assert event["error"] == {**error, "param": theirs, "message": f"Invalid value for '{theirs}'."}


def test_what_the_beta_has_nothing_like_is_not_told() -> None:
    party = before_client()
    for kind in ("conversation.item.done", "input_audio_buffer.timeout_triggered", "mcp_list_tools.completed"):
        assert told(party, kind, item_id="i") == []
    (event,) = told(party, "response.function_call_arguments.done", item_id="i", name="f", arguments="{}")
    assert "name" not in event


def test_a_format_that_nobody_knows_reaches_the_server() -> None:
    (event,) = send(before_client(), "session.update", session={"input_audio_format": "mp3"})
    assert event["session"]["audio"]["input"]["format"] == {"type": "mp3"}


def test_words_come_whole_where_a_dialect_tells_them_so() -> None:
    party, words = before_client("xai"), "conversation.item.input_audio_transcription."
    events = [event for text in ("Hello", " there") for event in told(party, f"{words}delta", item_id="i", content_index=0, delta=text)]
    assert [(event["type"], event["transcript"]) for event in events] == [(f"{words}updated", "Hello"), (f"{words}updated", "Hello there")]
    (last,) = told(party, f"{words}completed", item_id="i", transcript="Hello there.", usage={"type": "duration", "seconds": 1})
    assert last["status"] == "completed" and "usage" not in last


def test_usage_stands_outside_where_a_dialect_tells_it_so() -> None:
    (event,) = told(
        before_client("xai"),
        "response.done",
        response={"id": "r", "status": "completed", "status_details": None, "usage": {"total_tokens": 3}},
    )
    assert event["usage"] == {"total_tokens": 3}
    assert event["response"]["usage"] == {} and event["response"]["status_details"] == "unimplemented"


@pytest.mark.parametrize("name", FOREIGN)
def test_a_session_begins_as_the_service_begins_it(name: str) -> None:
    events = told(before_client(name), "session.created", session=SESSION)
    assert [event["type"] for event in events] == ["session.created", *DIALECTS[name].events.greets]
    assert ("type" in events[0]["session"]) == DIALECTS[name].settings.typed


@pytest.mark.parametrize("name", [name for name in FOREIGN if not DIALECTS[name].detection.at_first])
def test_a_client_that_asks_at_once_is_answered_once(name: str) -> None:
    party = before_client(name)
    detection = {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
    back = party.down(json.dumps({"type": "session.created", "session": {"type": "realtime", **detection}})).back
    up(party, [{"type": "session.update", "session": {"instructions": "Be brief."}}])
    updated = {"type": "session.updated", "session": {"type": "realtime", "instructions": "Be brief."}}
    assert len(back) == 1 and down(party, [updated]) == [], "that is the answer to the request of ours, which went first"
    assert [event["type"] for event in down(party, [updated])] == ["session.updated"]


def test_what_was_refused_is_never_told_as_in_effect() -> None:
    party = before_client()
    refused = {"output_audio_format": "g711_ulaw", "temperature": 0.7, "turn_detection": {"type": "server_vad", "threshold": 7}}
    (asked,) = send(party, "session.update", session=refused)
    assert asked["event_id"]
    error = {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "No.",
        "param": "session.audio.input.turn_detection.threshold",
    }
    (event,) = told(party, "error", error={**error, "event_id": asked["event_id"]})
    assert event["error"]["event_id"] is None, "the client has not named it"
    send(party, "session.update", event_id="mine", session={"instructions": "x"})
    (event,) = told(party, "session.updated", session=SESSION)
    assert event["session"]["output_audio_format"] == "pcm16" and "temperature" not in event["session"]
    assert told(party, "response.output_audio.delta", delta="AAAA")[0]["delta"] == "AAAA"


def test_a_form_of_sound_is_in_effect_when_it_is_granted() -> None:
    party = before_client("qwen")
    append = {"audio": base64.b64encode(bytes(4_800)).decode()}
    send(
        party,
        "session.update",
        event_id="mine",
        session={"audio": {"input": {"format": PCM}, "output": {"format": {**PCM, "rate": 8_000}}}},
    )
    assert send(party, "input_audio_buffer.append", **append)[0]["audio"] == append["audio"], "behind the request: as it asks"
    assert told(party, "response.output_audio.delta", response_id="r", delta="AAAA")[0]["delta"] == "AAAA", "before the answer: as ever"
    told(party, "error", error={"event_id": "mine", "message": "No."})
    assert len(send(party, "input_audio_buffer.append", **append)[0]["audio"]) > len(append["audio"]), "16 kHz, as before"
    assert told(party, "response.output_audio.delta", response_id="r", delta="AAAA")[0]["delta"] == "AAAA"


@pytest.mark.parametrize("name", [name for name in FOREIGN if not DIALECTS[name].detection.at_first])
@pytest.mark.parametrize("chosen", [False, True])
def test_a_session_begins_in_the_same_way_whenever_the_client_speaks(name: str, chosen: bool) -> None:
    nobody, asked = (
        DIALECTS[name].detection.nobody,
        {"instructions": "hi", **({"turn_detection": {"type": "server_vad"}} if chosen else {})},
    )
    for early in (True, False):
        party = before_client(name)
        if early:
            send(party, "session.update", session=asked)
        passage = party.down(json.dumps({"type": "session.created", "event_id": "e", "session": SESSION}))
        assert json.loads(passage.on[0])["session"]["turn_detection"] == nobody
        assert len(passage.back) == (0 if early and chosen else 1)
        if not early:
            send(party, "session.update", session=asked)
        updates = [event for _ in range(1 + len(passage.back)) for event in told(party, "session.updated", session=SESSION)]
        assert len(updates) == 1, "its own"


def test_a_refusal_of_what_we_have_asked_for_is_nobodys_affair() -> None:
    party = before_client("stepfun")
    passage = party.down(json.dumps({"type": "session.created", "event_id": "e", "session": SESSION}))
    assert told(party, "error", error={"message": "No.", "event_id": json.loads(passage.back[0])["event_id"]}) == []
    send(party, "session.update", session={"instructions": "hi"})
    assert len(told(party, "session.updated", session=SESSION)) == 1


@pytest.mark.parametrize("name", [name for name in FOREIGN if not DIALECTS[name].detection.at_first])
def test_turn_detection_is_off_until_the_client_asks(name: str) -> None:
    party = before_client(name)
    passage = party.down(json.dumps({"type": "session.created", "event_id": "e", "session": SESSION}))
    nobody = DIALECTS[name].detection.nobody
    assert json.loads(passage.on[0])["session"]["turn_detection"] == nobody
    assert [json.loads(text)["session"] for text in passage.back] == [{"type": "realtime", "audio": {"input": {"turn_detection": None}}}]
    assert told(party, "session.updated", session=SESSION) == [], "the client has asked for nothing"
    (event,) = send(party, "session.update", session={"turn_detection": {"type": "server_vad"}})
    assert event["session"]["audio"]["input"]["turn_detection"] == {"type": "server_vad"}
    assert told(party, "session.updated", session=SESSION)[0]["session"]["turn_detection"] == {"type": "server_vad"}


def test_an_update_that_does_not_say_it_again_switches_detection_off_where_it_must() -> None:
    assert send(before_client("glm"), "session.update", session={"instructions": "x"})[0]["session"] == {
        "type": "realtime",
        "instructions": "x",
        "audio": {"input": {"turn_detection": None}},
    }


def test_items_without_names() -> None:
    party = before_client("glm")
    assert "item_id" not in told(party, "input_audio_buffer.speech_started", item_id="i", audio_start_ms=3)[0]
    assert told(party, "input_audio_buffer.committed", item_id="i", previous_item_id=None)[0]["item_id"] == "i"


def test_sound_of_a_client_is_carried_to_the_rate_of_today() -> None:
    party = before_client("qwen")
    assert send(party, "session.update", session={"input_audio_format": "pcm"})[0]["session"]["audio"]["input"]["format"] == PCM
    sent = [
        *send(party, "input_audio_buffer.append", audio=base64.b64encode(bytes(3_200)).decode()),
        *send(party, "input_audio_buffer.commit"),
    ]
    assert sum(len(base64.b64decode(event.get("audio", ""))) for event in sent) == 4_800


def test_files_are_unpacked() -> None:
    party = before_client("glm")
    sent = send(party, "input_audio_buffer.append", audio=base64.b64encode(wrapped(bytes(3_200), 16_000)).decode())
    assert len(base64.b64decode(sent[0]["audio"])) == pytest.approx(4_800, abs=1_200)


def test_a_sound_that_is_given_whole_is_carried_too() -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": base64.b64encode(bytes(3_200)).decode()}]}
    (event,) = send(before_client("qwen"), "conversation.item.create", item=item)
    assert len(base64.b64decode(event["item"]["content"][0]["audio"])) == 4_800


def test_an_answers_sound_is_carried_to_its_end() -> None:
    party = before_client("xai")
    send(party, "session.update", session={"audio": {"output": {"format": {"type": "audio/pcm", "rate": 16_000}}}})
    told(party, "session.updated", session=SESSION)
    piece = base64.b64encode(bytes(4_800)).decode()
    events = down(party, [{**DELTA, "delta": piece} for _ in range(5)] + [{**DELTA, "type": "response.output_audio.done"}])
    assert [event["type"] for event in events][-2:] == ["response.output_audio.delta", "response.output_audio.done"]
    assert sum(len(base64.b64decode(event.get("delta", ""))) for event in events) == 5 * 3_200
    assert down(party, [{**DELTA, "type": "response.output_audio.done"}])[0]["type"] == "response.output_audio.done"


def test_sound_that_needs_no_change_is_not_read() -> None:
    text = json.dumps({"type": "input_audio_buffer.append", "audio": "@@"})
    assert ClientInterpreter(DIALECTS["beta"], counted("x")).up(text).on == (text,)
