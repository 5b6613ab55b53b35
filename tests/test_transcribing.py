"""Sessions that only write down what is said: no answers, and no way from one kind of session to the other."""

from typing import Any

import pytest

from tests.support.needs import needs
from tests.support.served import LIFE_S, Served, types
from voice.protocol.orders import ListenEnded, ListenStarted, Order, ReplyWanted
from voice.protocol.settings import transcription_defaults

TURN = "." * 25 + "#" * 20 + "." * 30
TURN_EVENTS = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
]


def transcribing() -> Served:
    return Served(settings=transcription_defaults("sess_1", int(LIFE_S), "sphinx"), recogniser="sphinx")


def update(served: Served, **session: Any) -> list[dict[str, Any]]:
    return served.send("session.update", event_id="mine", session={"type": "transcription", **session})


def error(events: list[dict[str, Any]]) -> tuple[str, str | None]:
    [event] = events
    return event["error"]["code"], event["error"]["param"]


def kinds(orders: list[Order]) -> list[type]:
    return list(dict.fromkeys(type(order) for order in orders))


def test_it_says_what_it_is() -> None:
    [created] = transcribing().sent
    assert created["session"] == {
        "type": "transcription",
        "id": "sess_1",
        "object": "realtime.transcription_session",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": {"model": "sphinx"},
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                },
            }
        },
        "include": None,
        "expires_at": int(LIFE_S),
    }


@needs("openai")
def test_the_session_is_the_one_of_the_models() -> None:
    from openai.types.realtime import RealtimeTranscriptionSessionCreateResponse

    RealtimeTranscriptionSessionCreateResponse.model_validate(transcribing().sent[0]["session"], strict=True, extra="forbid")


def test_a_turn_is_written_down_and_not_answered() -> None:
    served = transcribing()
    events = served.hear(TURN)
    assert types(events) == TURN_EVENTS and kinds(served.orders)[-1] is ListenEnded
    item_id = events[0]["item_id"]
    assert not any(isinstance(order, ReplyWanted) for order in served.orders)
    served.orders += served.session.transcribed(item_id, "what time is it", 900)
    told = served.take()
    assert types(told) == [f"conversation.item.input_audio_transcription.{end}" for end in ("delta", "completed")]
    assert {event["item_id"] for event in told} == {item_id} and told[1]["transcript"] == "what time is it"
    assert told[1]["usage"] == {"type": "duration", "seconds": 0.9}
    assert served.wanted() == [] and served.session.quiet


def test_turns_may_be_committed_by_hand() -> None:
    served = transcribing()
    [updated] = update(served, audio={"input": {"turn_detection": None, "format": {"type": "audio/pcm", "rate": 16_000}}})
    assert updated["session"]["audio"]["input"]["turn_detection"] is None
    assert served.hear(TURN, 16_000) == []
    assert types(served.send("input_audio_buffer.commit")) == TURN_EVENTS[2:]
    assert kinds(served.orders)[0] is ListenStarted and served.wanted() == []
    assert error(served.send("input_audio_buffer.commit"))[0] == "input_audio_buffer_commit_empty"


def test_settings_change_as_in_any_session() -> None:
    served = transcribing()
    [updated] = update(served, audio={"input": {"transcription": {"model": "gpt-4o-transcribe", "language": "en", "prompt": "names"}}})
    heard = updated["session"]["audio"]["input"]
    assert heard["transcription"] == {"model": "sphinx", "language": "en", "prompt": "names"}
    [updated] = update(served, audio={"input": {"turn_detection": {"silence_duration_ms": 300, "create_response": True}}})
    assert "create_response" not in updated["session"]["audio"]["input"]["turn_detection"]
    assert updated["session"]["audio"]["input"]["transcription"] == heard["transcription"]
    [updated] = update(served, audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}})
    assert updated["session"]["audio"]["input"]["turn_detection"] == {"type": "semantic_vad", "eagerness": "high"}
    [updated] = update(served, audio={"input": {"transcription": None}})
    item_id = served.hear(TURN)[0]["item_id"]
    served.session.transcribed(item_id, "hello", 900)
    assert updated["session"]["audio"]["input"]["transcription"] is None and served.take() == []


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"type": "realtime"}, "invalid_parameter", "session.type"),
        ({"type": "realtime", "instructions": "x"}, "invalid_parameter", "session.type"),
        ({"type": "translation"}, "invalid_value", "session.type"),
        ({"type": "transcription", "instructions": "x"}, "unknown_parameter", "session.instructions"),
        ({"type": "transcription", "model": "gpt-realtime"}, "unknown_parameter", "session.model"),
        ({"type": "transcription", "tools": []}, "unknown_parameter", "session.tools"),
        ({"type": "transcription", "audio": {"output": {"voice": "alloy"}}}, "unknown_parameter", "session.audio.output"),
        ({"type": "transcription", "input_audio_format": "pcm16"}, "unknown_parameter", "session.input_audio_format"),
        ({"audio": {}}, "missing_required_parameter", "session.type"),
        ({"type": "transcription", "include": ["all"]}, "invalid_value", "session.include[0]"),
    ],
)
def test_what_is_of_other_sessions_is_refused(session: dict[str, Any], code: str, param: str) -> None:
    served = transcribing()
    before = served.sent[0]["session"]
    told = served.send("session.update", event_id="mine", session=session)
    assert error(told) == (code, param) and told[0]["error"]["event_id"] == "mine"
    assert update(served)[0]["session"] == before


def test_null_is_no_opinion_on_what_is_not_there() -> None:
    served = transcribing()
    [updated] = update(served, instructions=None, model=None, tools=None, audio={"output": None, "input": {"format": None}})
    assert updated["session"] == served.sent[0]["session"]


ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("response.create", {}),
        ("response.create", {"response": {"conversation": "none"}}),
        ("response.cancel", {}),
        ("conversation.item.create", {"item": ITEM}),
        ("conversation.item.truncate", {"item_id": "i", "content_index": 0, "audio_end_ms": 0}),
    ],
)
def test_there_is_nothing_to_answer(kind: str, fields: dict[str, Any]) -> None:
    served = transcribing()
    told = served.send(kind, event_id="mine", **fields)
    assert error(told) == ("invalid_value", "type") and told[0]["error"]["event_id"] == "mine"
    assert served.orders == [] and types(served.hear(TURN)) == TURN_EVENTS


def test_items_can_be_asked_for_and_deleted() -> None:
    served = transcribing()
    item_id = served.hear(TURN)[0]["item_id"]
    [retrieved] = served.send("conversation.item.retrieve", item_id=item_id)
    assert retrieved["item"]["content"][0]["audio"]
    assert types(served.send("conversation.item.delete", item_id=item_id)) == ["conversation.item.deleted"]


def test_a_conversation_cannot_become_one() -> None:
    served = Served()
    assert error(served.send("session.update", session={"type": "transcription", "audio": {"input": {}}})) == (
        "invalid_parameter",
        "session.type",
    )
    assert types(served.send("response.create")) == ["response.created"]
