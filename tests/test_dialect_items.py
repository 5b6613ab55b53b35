"""What is renamed, counted and taken out within events."""

from typing import Any

import pytest

from voice.protocol.dialect_items import (
    NEW_CONTENT,
    OLD_CONTENT,
    error_event,
    items_of,
    our_usage,
    readable,
    rename_contents,
    rename_error,
    strip,
    their_usage,
)


def said(*kinds: str, role: str = "assistant") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": kind} for kind in kinds]}


def test_an_assistants_words_change_their_kind_wherever_its_item_stands() -> None:
    event = {
        "item": said("text"),
        "response": {"output": [said("audio"), 3], "input": [said("text"), {"type": "item_reference", "id": "x"}]},
    }
    rename_contents(event, NEW_CONTENT)
    assert [part["type"] for item in items_of(event) for part in item.get("content", [])] == ["output_text", "output_audio", "output_text"]
    rename_contents(event, OLD_CONTENT)
    assert event["item"] == said("text")


def test_a_users_do_not() -> None:
    event = {"item": said("text", "input_text", role="user")}
    rename_contents(event, NEW_CONTENT)
    assert event == {"item": said("text", "input_text", role="user")}


def test_odd_items_are_left_alone() -> None:
    for odd in ({"item": 3}, {"item": {"role": "assistant", "content": "x"}}, {"response": []}, {"response": {"output": None}}):
        rename_contents(odd, NEW_CONTENT)
        strip(odd, frozenset({"x"}))


def test_what_says_nothing_is_taken_out() -> None:
    event = {"ts": 1, "item": {"type": "function_call", "role": "tool", "ts": 1, "content": [{"type": "text", "ts": 1}]}, "kept": {"ts": 1}}
    strip(event, frozenset({"ts"}))
    assert event == {"item": {"type": "function_call", "content": [{"type": "text"}]}, "kept": {"ts": 1}}


def test_a_name_is_text() -> None:
    event = {
        "event_id": 3,
        "item_id": "a",
        "response_id": None,
        "item": {"id": ["a"]},
        "response": {"id": {}},
        "content_index": [0],
        "output_index": 0,
    }
    readable(event)
    assert event == {"output_index": 0, "item_id": "a", "response_id": None, "item": {}, "response": {}}


@pytest.mark.parametrize(
    ("usage", "want"),
    [
        (None, None),
        ({}, None),
        ("none", None),
        ({"total_tokens": 3, "seconds": 1}, {"total_tokens": 3}),
        ({"input_token_details": {"text_tokens": 1, "seconds": 1}}, {"input_token_details": {"text_tokens": 1}}),
    ],
)
def test_a_usage_of_today(usage: Any, want: Any) -> None:
    assert our_usage(usage, frozenset({"seconds"})) == want


def test_the_counts_that_every_dialect_knows() -> None:
    usage = {"total_tokens": 3, "reasoning": 1, "input_token_details": {"text_tokens": 1, "image_tokens": 0}, "output_token_details": None}
    assert their_usage(usage) == {"total_tokens": 3, "input_token_details": {"text_tokens": 1}}
    assert their_usage(None) is None


def test_an_error_names_its_path_in_its_message_too() -> None:
    event = {"error": {"param": "session.voice", "message": "Invalid 'session.voice': 'session.voices' are others."}}
    rename_error(event, lambda param: param.replace("voice", "audio.output.voice"))
    assert event["error"] == {
        "param": "session.audio.output.voice",
        "message": "Invalid 'session.audio.output.voice': 'session.voices' are others.",
    }
    for odd in ({}, {"error": 3}, {"error": {"param": None}}, {"error": {"param": "a", "message": 3}}):
        rename_error(odd, lambda param: param)


def test_an_error_of_ours_names_its_cause() -> None:
    assert error_event("e", "No.", "invalid_value", "audio", "theirs")["error"]["event_id"] == "theirs"
    assert error_event("e", "No.", "invalid_value", None, 3)["error"]["event_id"] is None
