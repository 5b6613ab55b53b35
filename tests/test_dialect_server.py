"""Before a server that speaks a dialect: what it is sent, and what a client of today is told."""

import base64
import json
from typing import Any

import pytest

from tests.support.dialects import Event, before_server, down, up
from voice.audio.pcm import from_bytes
from voice.protocol.dialect import DIALECTS
from voice.protocol.dialect_sound import unwrapped
from voice.protocol.interpreter import ServerInterpreter

PCM = {"type": "audio/pcm", "rate": 24_000}
FOREIGN = [name for name, row in DIALECTS.items() if not row.plain]
SILENT_AT_FIRST = [name for name in FOREIGN if not DIALECTS[name].detection.at_first]


def send(party: ServerInterpreter, kind: str, **fields: Any) -> list[Event]:
    return up(party, [{"type": kind, **fields}])


def answered(party: ServerInterpreter, kind: str, **fields: Any) -> Event:
    passage = party.up(json.dumps({"type": kind, "event_id": "mine", **fields}))
    assert passage.on == () and len(passage.back) == 1
    event: Event = json.loads(passage.back[0])
    return event


def update(party: ServerInterpreter, **session: Any) -> Event:
    return send(party, "session.update", session={"type": "realtime", **session})[0]["session"]  # type: ignore[no-any-return]


def created(party: ServerInterpreter, **session: Any) -> tuple[Event, list[Event]]:
    """What the client is told, and what the server is answered."""
    passage = party.down(json.dumps({"type": "session.created", "event_id": "e", "session": session}))
    return json.loads(passage.on[0])["session"], [json.loads(text) for text in passage.back]


def talk(party: ServerInterpreter, item_id: str = "i", delta: bytes = bytes(4_800)) -> list[Event]:
    """An answer with a piece of sound."""
    where = {"response_id": "r", "item_id": item_id, "output_index": 0, "content_index": 0}
    events = [
        {"type": "response.created", "response": {"id": "r", "status": "in_progress", "output": []}},
        {"type": "response.audio_transcript.delta", **where, "delta": "Hello"},
        {"type": "response.audio.delta", **where, "delta": base64.b64encode(delta).decode()},
    ]
    names = {theirs: ours for ours, theirs in party._dialect.events.names.items()}
    if not names:
        for event in events[1:]:
            event["type"] = str(event["type"]).replace("response.", "response.output_")
    return down(party, events)


def sound(told: list[Event]) -> bytes:
    return b"".join(base64.b64decode(event["delta"]) for event in told if event["type"] == "response.output_audio.delta")


@pytest.mark.parametrize("name", FOREIGN)
def test_a_session_is_told_as_one_of_today(name: str) -> None:
    party = before_server(name)
    session, _ = created(party, id="sess", object="realtime.session", modalities=["text", "audio"], voice="v", input_audio_format="pcm16")
    assert session["type"] == "realtime" and session["output_modalities"] == ["audio"]
    assert session["audio"]["input"]["format"] == PCM and session["audio"]["output"]["voice"] == "v"


@pytest.mark.parametrize("name", SILENT_AT_FIRST)
def test_turn_detection_is_asked_for_where_a_session_begins_without(name: str) -> None:
    party = before_server(name)
    session, back = created(party, turn_detection=None)
    assert session["audio"]["input"]["turn_detection"] == {"type": "server_vad"}
    assert [event["session"]["turn_detection"] for event in back] == [{"type": "server_vad"}]
    updated = {"type": "session.updated", "session": {"turn_detection": {"type": "server_vad"}}}
    assert down(party, [updated]) == [], "the client has asked for nothing"
    assert down(party, [updated])[0]["type"] == "session.updated", "nor have we a second time"
    update(party, instructions="Be brief.")
    assert down(party, [updated])[0]["type"] == "session.updated"


@pytest.mark.parametrize("name", SILENT_AT_FIRST)
def test_but_not_over_what_the_client_has_asked(name: str) -> None:
    party = before_server(name)
    update(party, audio={"input": {"turn_detection": None}})
    session, back = created(party, turn_detection=None)
    assert back == [] and session["audio"].get("input", {}).get("turn_detection") is None


@pytest.mark.parametrize("name", SILENT_AT_FIRST)
def test_a_client_that_asks_at_once_is_told_of_its_own_request_only(name: str) -> None:
    party = before_server(name)
    _, back = created(party, turn_detection=None)
    update(party, audio={"input": {"format": {"type": "audio/pcm", "rate": 16_000}}})
    updated = {"type": "session.updated", "session": {"turn_detection": {"type": "server_vad"}}}
    assert len(back) == 1 and down(party, [updated]) == [], "that is the answer to the request of ours, which went first"
    assert [event["type"] for event in down(party, [updated, updated])] == ["session.updated", "session.updated"]


@pytest.mark.parametrize("name", SILENT_AT_FIRST)
def test_a_client_that_asks_before_the_session_has_begun_asks_for_the_detection_too(name: str) -> None:
    party = before_server(name)
    assert update(party, instructions="Be brief.")["turn_detection"] == {"type": "server_vad"}
    session, back = created(party, turn_detection=None)
    assert back == [] and session["audio"]["input"]["turn_detection"] == {"type": "server_vad"}
    (told,) = down(party, [{"type": "session.updated", "session": {"turn_detection": {"type": "server_vad"}}}])
    assert told["type"] == "session.updated"


@pytest.mark.parametrize("name", SILENT_AT_FIRST)
def test_a_refusal_of_what_we_have_asked_for_is_nobodys_affair(name: str) -> None:
    party = before_server(name)
    _, back = created(party, turn_detection=None)
    error = {"type": "invalid_request_error", "message": "No.", "param": None}
    assert down(party, [{"type": "error", "error": {**error, "event_id": back[0]["event_id"]}}]) == []
    update(party, instructions="Be brief.")
    updated = {"type": "session.updated", "session": {"turn_detection": {"type": "server_vad"}}}
    assert [event["type"] for event in down(party, [updated])] == ["session.updated"], "the client's own"


def test_what_was_refused_is_not_in_effect() -> None:
    party = before_server("beta")
    created(party, output_audio_format="pcm16", modalities=["text", "audio"])
    detection = {"type": "server_vad", "threshold": 7}
    (asked,) = send(
        party,
        "session.update",
        session={"type": "realtime", "audio": {"input": {"turn_detection": detection}, "output": {"format": {"type": "audio/pcmu"}}}},
    )
    error = {"type": "invalid_request_error", "message": "No.", "param": "session.turn_detection.threshold", "event_id": asked["event_id"]}
    (told,) = down(party, [{"type": "error", "event_id": "e", "error": error}])
    assert told["error"]["event_id"] is None, "the client has not named it"
    assert sound(talk(party)) == bytes(4_800), "as it came"
    update(party, instructions="Be brief.")
    (told,) = down(party, [{"type": "session.updated", "session": {"output_audio_format": "pcm16"}}])
    assert told["session"]["audio"]["output"]["format"] == PCM


def test_a_detection_that_was_refused_is_not_said_again() -> None:
    party = before_server("glm")
    send(
        party, "session.update", event_id="mine", session={"type": "realtime", "audio": {"input": {"turn_detection": {"type": "odd_vad"}}}}
    )
    down(party, [{"type": "error", "event_id": "e", "error": {"message": "No.", "event_id": "mine"}}])
    assert update(party, instructions="Be brief.")["turn_detection"] == {"type": "server_vad"}


def test_settings_that_are_older_than_a_request_do_not_say_how_sound_goes_up() -> None:
    party = before_server("xai")
    old = {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 24_000}}}, "turn_detection": None}
    created(party, **old)
    update(party, audio={"input": {"format": {"type": "audio/pcm", "rate": 16_000}}})
    down(party, [{"type": "session.updated", "session": old}])
    append = '{"type":"input_audio_buffer.append","audio":"AAAA"}'
    assert party.up(append).on == (append,), "it is what the service will take by then"
    down(party, [{"type": "session.updated", "session": old}])
    assert party.up(append).on != (append,), "it has refused, and is obeyed"


def test_each_update_says_the_detection_again_where_it_must() -> None:
    party = before_server("glm")
    assert update(party, instructions="Be brief.")["turn_detection"] == {"type": "server_vad"}
    assert update(party, audio={"input": {"turn_detection": None}})["turn_detection"] == {"type": "client_vad"}
    assert update(party, tools=[])["turn_detection"] == {"type": "client_vad"}
    assert update(party)["beta_fields"] == {"chat_mode": "audio", "tts_source": "e2e"}


def test_the_client_hears_of_the_sound_that_it_asked_for() -> None:
    party = before_server("qwen")
    assert update(party, audio={"input": {"format": PCM}, "output": {"format": {"type": "audio/pcmu"}}}) == {
        "input_audio_format": "pcm",
        "output_audio_format": "pcm",
    }
    told = down(party, [{"type": "session.updated", "session": {"input_audio_format": "pcm", "output_audio_format": "pcm"}}])
    assert told[0]["session"]["audio"] == {"input": {"format": PCM}, "output": {"format": {"type": "audio/pcmu"}}}
    assert len(sound(talk(party))) == pytest.approx(800, abs=300)


def test_sound_goes_up_at_the_rate_that_the_service_takes() -> None:
    party = before_server("qwen")
    piece = base64.b64encode(bytes(4_800)).decode()
    sent = [
        *(event for _ in range(5) for event in send(party, "input_audio_buffer.append", audio=piece)),
        *send(party, "input_audio_buffer.commit"),
    ]
    assert sum(len(base64.b64decode(event.get("audio", ""))) for event in sent) == 5 * 3_200


def test_sound_goes_up_in_files_where_the_service_wants_them() -> None:
    party = before_server("glm")
    (event,) = send(party, "input_audio_buffer.append", audio=base64.b64encode(bytes(9_600)).decode())
    data, rate_hz = unwrapped(base64.b64decode(event["audio"]), 0)
    assert rate_hz == 16_000 and len(from_bytes(data)) > 2_000


def test_sound_that_needs_no_change_is_not_read() -> None:
    party = before_server("beta")
    text = '{"type": "input_audio_buffer.append",  "audio": "@@"}'
    assert party.up(text).on == (text,)
    update(party, audio={"input": {"format": {"type": "audio/pcm", "rate": 16_000}}})
    assert party.up(text).back


def test_a_service_that_takes_any_rate_gets_what_the_client_has() -> None:
    party = before_server("xai")
    asked = {"format": {"type": "audio/pcm", "rate": 16_000}}
    assert update(party, audio={"input": asked}) == {"audio": {"input": asked}, "turn_detection": {"type": "server_vad"}}
    text = '{"type":"input_audio_buffer.append","audio":"AAAA"}'
    assert party.up(text).on == (text,)


def test_voice_live_takes_two_rates() -> None:
    party = before_server("voicelive")
    assert update(party, audio={"input": {"format": {"type": "audio/pcm", "rate": 16_000}}})["input_audio_sampling_rate"] == 16_000
    assert update(party, audio={"input": {"format": {"type": "audio/pcm", "rate": 44_100}}})["input_audio_sampling_rate"] == 24_000


def test_a_session_that_only_writes_down() -> None:
    party = before_server("beta")
    (event,) = send(party, "session.update", session={"type": "transcription", "audio": {"input": {"transcription": {"model": "m"}}}})
    assert (event["type"], event["session"]) == ("transcription_session.update", {"input_audio_transcription": {"model": "m"}})
    told = down(party, [{"type": f"transcription_session.{kind}", "session": {"id": "s"}} for kind in ("created", "updated")])
    assert [(one["type"], one["session"]["type"]) for one in told] == [
        ("session.created", "transcription"),
        ("session.updated", "transcription"),
    ]


def test_items_and_requests_are_written_in_the_dialect() -> None:
    party = before_server("beta")
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
    assert send(party, "conversation.item.create", item=said)[0]["item"]["content"][0]["type"] == "text"
    params = {
        "output_modalities": ["text"],
        "audio": {"output": {"voice": "v"}},
        "max_output_tokens": 5,
        "input": [said],
        "metadata": {"a": "b"},
    }
    assert send(party, "response.create", response=params)[0]["response"] == {
        "modalities": ["text"],
        "voice": "v",
        "max_response_output_tokens": 5,
        "input": [{**said, "content": [{"type": "text", "text": "Hi"}]}],
        "metadata": {"a": "b"},
    }


@pytest.mark.parametrize("name", ["qwen", "glm"])
def test_a_sound_that_is_given_whole_is_carried_too(name: str) -> None:
    def given(sound: str) -> Event:
        return {"type": "message", "role": "user", "id": "i", "content": [{"type": "input_audio", "audio": sound}]}

    party = before_server(name)
    sound = base64.b64encode(bytes(4_800)).decode()
    (event,) = send(party, "conversation.item.create", item=given(sound))
    theirs = event["item"]["content"][0]["audio"]
    assert len(unwrapped(base64.b64decode(theirs), 0)[0]) == 3_200
    (told,) = down(party, [{"type": "conversation.item.retrieved", "item": given(theirs)}])
    assert told["item"]["content"][0]["audio"] == sound
    assert send(party, "conversation.item.create", item=given("@@"))[0]["item"]["content"][0]["audio"] == "@@"


def test_errors_speak_of_todays_settings() -> None:
    error = {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "Invalid 'session.modalities'.",
        "param": "session.modalities",
    }
    (told,) = down(before_server("qwen"), [{"type": "error", "event_id": "e", "error": error}])
    assert told["error"]["param"] == "session.output_modalities" and told["error"]["message"] == "Invalid 'session.output_modalities'."


@pytest.mark.parametrize("name", [name for name in FOREIGN if "conversation.item.truncate" in DIALECTS[name].lacks])
def test_an_answer_is_cut_for_a_service_that_cannot(name: str) -> None:
    party = before_server(name)
    first = talk(party)
    item_id = first[-1]["item_id"]
    cut = {"item_id": item_id, "content_index": 0}
    assert answered(party, "conversation.item.truncate", **cut, audio_end_ms=101)["error"]["code"] == "invalid_value"
    told = answered(party, "conversation.item.truncate", **cut, audio_end_ms=60)
    assert told["type"] == "conversation.item.truncated" and told["audio_end_ms"] == 60
    assert answered(party, "conversation.item.truncate", **cut, audio_end_ms=80)["audio_end_ms"] == 60
    assert (
        answered(party, "conversation.item.truncate", item_id="who", content_index=0, audio_end_ms=0)["error"]["code"] == "item_not_found"
    )
    assert answered(party, "conversation.item.truncate", **cut)["error"]["param"] == "audio_end_ms"
    down(party, [{"type": "input_audio_buffer.committed", "item_id": "u"}])
    assert answered(party, "conversation.item.truncate", item_id="u", content_index=0, audio_end_ms=0)["error"]["param"] == "item_id"
    assert sound(talk(party)) == b"", "what still comes of it is not told"


@pytest.mark.parametrize("name", [name for name in FOREIGN if "conversation.item.retrieve" in DIALECTS[name].lacks])
def test_an_item_is_told_again_for_a_service_that_cannot(name: str) -> None:
    party = before_server(name)
    item_id = talk(party)[-1]["item_id"]
    assert answered(party, "conversation.item.retrieve", item_id=item_id)["item"]["id"] == item_id
    error = answered(party, "conversation.item.retrieve", item_id=["odd"])["error"]
    assert (error["code"], error["event_id"]) == ("item_not_found", "mine")


def test_what_else_a_service_lacks_is_refused_with_a_reason() -> None:
    error = answered(before_server("qwen"), "conversation.item.delete", item_id="i")["error"]
    assert error["event_id"] == "mine" and "conversation.item.delete" in error["message"]
    assert before_server("qwen").up('{"type":"output_audio_buffer.clear"}').on == ()


def test_a_client_names_items_as_it_was_told_of_them() -> None:
    party = before_server("glm")
    told = down(party, [{"type": f"input_audio_buffer.{kind}"} for kind in ("speech_started", "speech_stopped")])
    down(party, [{"type": "input_audio_buffer.committed", "item_id": "theirs"}])
    (event,) = send(party, "conversation.item.create", previous_item_id=told[0]["item_id"], item={"type": "message"})
    assert event["previous_item_id"] == "theirs"


def test_who_cancelled_is_remembered() -> None:
    party = before_server("xai")
    talk(party)
    assert send(party, "response.cancel") == [{"type": "response.cancel"}]
    told = down(
        party, [{"type": "response.done", "response": {"id": "r", "status": "cancelled", "status_details": "unimplemented", "usage": {}}}]
    )
    assert [event["response"]["status_details"] for event in told if event["type"] == "response.done"] == [
        {"type": "cancelled", "reason": "client_cancelled"}
    ]


def test_another_event_of_a_session_is_none_that_tells_settings() -> None:
    """One service's tutorials speak of a `session.expired`."""
    told = down(before_server("holysheep"), [{"type": "session.expired", "event_id": "e", "session": {"voice": "v"}}])
    assert told == [{"type": "session.expired", "event_id": "e", "session": {"voice": "v"}}]


def test_heartbeats_are_nobodys_business() -> None:
    assert down(before_server("xai"), [{"type": "ping", "timestamp": 1}]) == down(before_server("glm"), [{"type": "heartbeat"}]) == []


@pytest.mark.parametrize("name", SILENT_AT_FIRST)
@pytest.mark.parametrize("audio", ["", 1, True, [[]], {"input": "x"}, {"input": 1}])
def test_sound_settings_that_are_none_are_told_as_none(name: str, audio: object) -> None:
    told, _ = created(before_server(name), audio=audio)
    assert told["audio"]["input"]["turn_detection"] == {"type": "server_vad"}
