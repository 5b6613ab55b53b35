"""The nested objects have exactly the fields of the published models: a typing error here would be `unknown_parameter` there."""

from typing import Any

import msgspec
import pytest

from tests.support.needs import needs
from voice.protocol import objects

PAIRS = [
    ("ResponseParams", "RealtimeResponseCreateParams"),
    ("Response", "RealtimeResponse"),
    ("AudioInput", "RealtimeAudioConfigInput"),
    ("AudioOutput", "RealtimeAudioConfigOutput"),
    ("Usage", "RealtimeResponseUsage"),
    ("ErrorDetail", "RealtimeError"),
    ("InputTokens", "RealtimeResponseUsageInputTokenDetails"),
    ("OutputTokens", "RealtimeResponseUsageOutputTokenDetails"),
    ("Transcription", "AudioTranscription"),
    ("StatusDetails", "RealtimeResponseStatus"),
]
OF_THE_SERVER = {"id", "object", "expires_at"}
"""Clients send a session back as they got it."""


@needs("openai")
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_fields_are_those_of_the_service(ours: str, theirs: str) -> None:
    from openai.types import realtime

    assert set(getattr(objects, ours).__struct_fields__) == set(getattr(realtime, theirs).model_fields)


@needs("openai")
def test_a_session_has_what_a_server_adds_too() -> None:
    from openai.types.realtime import RealtimeSessionCreateRequest

    assert set(objects.Session.__struct_fields__) - OF_THE_SERVER == set(RealtimeSessionCreateRequest.model_fields)


@needs("openai")
@pytest.mark.parametrize("name", ["Item", "Content"])
def test_items_have_the_fields_of_messages_and_calls(name: str) -> None:
    from openai.types import realtime

    messages = ("System", "User", "Assistant")
    theirs = {"phase"} if name == "Item" else set()  # recorded, not in the models
    for role in messages:
        item: Any = getattr(realtime, f"RealtimeConversationItem{role}Message")
        if name == "Content":
            item = item.model_fields["content"].annotation.__args__[0]
        theirs |= set(item.model_fields)
    if name == "Item":
        for call in ("FunctionCall", "FunctionCallOutput"):
            theirs |= set(getattr(realtime, f"RealtimeConversationItem{call}").model_fields)
    assert set(getattr(objects, name).__struct_fields__) == theirs


def test_absent_null_and_a_value_are_three_things() -> None:
    absent, null, some = (
        msgspec.json.decode(text, type=objects.AudioInput) for text in ("{}", '{"turn_detection":null}', '{"turn_detection":{}}')
    )
    assert absent.turn_detection is msgspec.UNSET and null.turn_detection is None
    assert some.turn_detection == objects.TurnDetection("server_vad")
    assert [msgspec.json.encode(one) for one in (absent, null)] == [b"{}", b'{"turn_detection":null}']
