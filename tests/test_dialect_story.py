"""What is retold as a whole: items that were given, names, and input that nobody would expect."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.dialects import before_client, before_server, counted
from tests.support.order import check
from voice.protocol.codec import _CLIENT as CLIENT_TYPES
from voice.protocol.codec import _SERVER as SERVER_TYPES
from voice.protocol.dialect import DIALECTS, OLD_NAMES
from voice.protocol.dialect_parts import Telling
from voice.protocol.dialect_sound import USUAL, Way
from voice.protocol.dialect_story import Story, whole
from voice.protocol.dialect_told import KEPT_ITEMS

ADDED, DONE = "conversation.item.added", "conversation.item.done"
FIELDS = [
    "item_id",
    "response_id",
    "item",
    "response",
    "session",
    "delta",
    "transcript",
    "usage",
    "content_index",
    "part",
    "arguments",
    "call_id",
]
FIELDS += [
    "id",
    "type",
    "status",
    "role",
    "content",
    "output",
    "audio",
    "error",
    "previous_item_id",
    "event_id",
    "status_details",
    "input",
    "format",
]
FIELDS += [
    "turn_detection",
    "voice",
    "tools",
    "modalities",
    "input_audio_format",
    "rate_limits",
    "name",
    "metadata",
    "conversation",
    "param",
]
TYPES = [*SERVER_TYPES, *CLIENT_TYPES, *OLD_NAMES.values(), "transcription_session.update", "transcription_session.created", "x"]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2),
    st.sampled_from(["", "a", "b", "AAAA", "completed", "in_progress", "message", "audio/pcm"]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3), max_leaves=6
)
EVENTS = st.builds(
    lambda kind, fields: {**fields, "type": kind}, st.sampled_from(TYPES), st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
)


def story(**telling: Any) -> Story:
    return Story(counted("x"), lambda: Way(USUAL, USUAL), Telling(**telling))


def given_item(item_id: str, **fields: Any) -> dict[str, Any]:
    return {"id": item_id, "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}], **fields}


@pytest.mark.parametrize("told", [[ADDED], [ADDED, DONE], [DONE], [ADDED, ADDED, DONE, DONE]])
def test_an_item_that_was_given_is_told_once(told: list[str]) -> None:
    one = story()
    events = one.tell({"type": "session.created", "session": {"type": "realtime"}})
    events += [event for kind in told for event in one.tell({"type": kind, "item": given_item("a")})]
    check(events)
    assert [event["type"] for event in events[1:]] == [ADDED, DONE]
    assert events[-1]["item"]["status"] == "completed"


def test_an_answer_that_was_given_is_no_response() -> None:
    one = story()
    one.tell({"type": "response.created", "response": {"id": "r"}})
    events = one.tell({"type": ADDED, "item": given_item("a", role="assistant", status="completed")})
    assert [event["type"] for event in events] == [ADDED, DONE]


def test_the_status_of_what_was_given() -> None:
    assert whole(given_item("a", status="in_progress"))["status"] == "completed"
    assert whole(given_item("a", status="incomplete"))["status"] == "incomplete"
    assert "status" not in whole({"id": "a", "type": "mcp_call"})


def test_what_is_no_item_is_not_told() -> None:
    assert story().tell({"type": ADDED, "item": None}) == story().tell({"type": DONE, "item": {"id": "a"}}) == []


def test_an_item_that_was_deleted_may_come_back() -> None:
    one = story()
    for _ in range(2):
        assert len(one.tell({"type": ADDED, "item": given_item("a")})) == 2
        assert len(one.tell({"type": "conversation.item.deleted", "item_id": "a"})) == 1


def sizes(value: object) -> list[int]:
    """Of all that an object holds."""
    if isinstance(value, dict):
        return [len(value), *(size for inner in value.values() for size in sizes(inner))]
    if isinstance(value, list | tuple | set | frozenset):
        return [len(value), *(size for inner in value for size in sizes(inner))]
    return sizes(vars(value)) if type(value).__module__.startswith("voice.protocol.dialect_") and hasattr(value, "__dict__") else []


def test_a_long_session_does_not_grow() -> None:
    one = Story(counted("x"), lambda: Way(USUAL, USUAL), Telling())
    for turn in range(3_000):
        heard, theirs, said, response = f"heard_{turn}", f"theirs_{turn}", f"said_{turn}", f"response_{turn}"
        events: list[dict[str, Any]] = [
            {"type": "input_audio_buffer.speech_started"},
            {"type": "input_audio_buffer.speech_stopped"},
            {"type": "input_audio_buffer.committed", "item_id": theirs},
            {"type": "conversation.item.input_audio_transcription.delta", "item_id": theirs, "content_index": 1, "delta": "never ends"},
            {"type": "conversation.item.input_audio_transcription.completed", "item_id": theirs, "transcript": "Hi"},
            {"type": ADDED, "item": given_item(heard)},
            {"type": "response.created", "response": {"id": response}},
            {"type": "response.output_audio.delta", "response_id": response, "item_id": said, "delta": "AAAA"},
            {"type": "response.done", "response": {"id": response, "status": "completed", "output": []}},
            {"type": "conversation.item.truncated", "item_id": f"who_{turn}", "audio_end_ms": 1},
            {"type": "response.created", "response": {"id": f"beside_{turn}", "conversation_id": None}},
        ]
        for event in events:
            one.tell(event)
    assert max(sizes(one)) == KEPT_ITEMS
    assert one.told.place("one more") == "said_2999"


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from([name for name, row in DIALECTS.items() if not row.plain]),
    events=st.lists(EVENTS, max_size=8),
    client=st.booleans(),
)
def test_nothing_that_comes_raises(name: str, events: list[dict[str, Any]], client: bool) -> None:
    """Whatever a peer sends: the session behind complains, not the interpreter. What is told has an id and a type."""
    party = before_client(name) if client else before_server(name)
    for event in events:
        for translate in (party.up, party.down):
            passage = translate(json.dumps(event))
            for text in (*passage.on, *passage.back):
                assert isinstance(json.loads(text)["type"], str)
