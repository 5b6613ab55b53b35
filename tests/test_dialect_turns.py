"""A user's turns and words, in the orders in which services tell them."""

from typing import Any

import pytest

from tests.support.dialects import Event, counted
from voice.protocol.dialect_parts import Telling
from voice.protocol.dialect_sound import USUAL, Way
from voice.protocol.dialect_story import Story

STARTED, STOPPED, COMMITTED = (f"input_audio_buffer.{kind}" for kind in ("speech_started", "speech_stopped", "committed"))
ADDED, DONE = "conversation.item.added", "conversation.item.done"
WORDS = "conversation.item.input_audio_transcription."
TURN = [STARTED, STOPPED, COMMITTED, ADDED, DONE]


def story(**telling: Any) -> Story:
    return Story(counted("x"), lambda: Way(USUAL, USUAL), Telling(**telling))


def tell(one: Story, *events: tuple[str, dict[str, Any]]) -> list[Event]:
    return [told for kind, fields in events for told in one.tell({"type": kind, **fields})]


def spoken(item_id: str, status: str = "completed") -> dict[str, Any]:
    content = [{"type": "input_audio", "transcript": ""}]
    return {"item": {"id": item_id, "type": "message", "role": "user", "status": status, "content": content}}


def types(events: list[Event]) -> list[str]:
    return [event["type"] for event in events]


ON = {"item_id": "u", "audio_start_ms": 100}
OFF = {"item_id": "u", "audio_end_ms": 900}


@pytest.mark.parametrize(
    "events",
    [
        [(STARTED, ON), (STOPPED, OFF), (COMMITTED, {"item_id": "u"}), (ADDED, spoken("u")), (DONE, spoken("u"))],
        [(STARTED, ON), (STOPPED, OFF), (COMMITTED, {"item_id": "u"})],
        [(STARTED, ON), (ADDED, spoken("u", "in_progress")), (STOPPED, OFF), (COMMITTED, {"item_id": "u"})],
        [(STARTED, ON), (STOPPED, OFF), (ADDED, spoken("u"))],
        [(STARTED, ON), (STARTED, ON), (STOPPED, OFF), (COMMITTED, {"item_id": "u"}), (COMMITTED, {"item_id": "u"}), (STOPPED, OFF)],
        [(STARTED, {}), (STOPPED, {}), (COMMITTED, {"item_id": "u"}), (ADDED, spoken("u"))],
        [(STARTED, ON), (COMMITTED, {"item_id": "u"})],
        [(STOPPED, OFF), (COMMITTED, {"item_id": "u"})],
    ],
    ids=["today", "no item", "item before the end", "no commit", "everything twice", "no names", "no end", "no beginning"],
)
def test_a_turn_is_told_once_and_in_order(events: list[tuple[str, dict[str, Any]]]) -> None:
    told = tell(story(), *events)
    assert types(told) == TURN
    assert len({event.get("item_id") or event["item"]["id"] for event in told}) == 1
    assert told[-1]["item"]["content"] == [{"type": "input_audio", "transcript": None}]


def test_a_turn_that_nobody_commits_is_told_when_it_is_answered() -> None:
    told = tell(story(), (STARTED, ON), (STOPPED, OFF), ("response.created", {"response": {"id": "r"}}))
    assert types(told) == [*TURN, "response.created"]


def test_a_turn_that_nobody_commits_is_told_when_the_next_begins() -> None:
    told = tell(story(), (STARTED, ON), (STOPPED, OFF), (STARTED, {"item_id": "v", "audio_start_ms": 2_000}))
    assert types(told) == [*TURN, STARTED]


def test_times_do_not_run_backwards() -> None:
    told = tell(story(), (STARTED, ON), (STOPPED, {"item_id": "u"}), (COMMITTED, {"item_id": "u"}), (STARTED, {"item_id": "v"}))
    assert [event.get("audio_start_ms", event.get("audio_end_ms")) for event in told if "speech" in event["type"]] == [100, 100, 100]


def test_a_nameless_turn_keeps_the_name_that_it_was_told_under() -> None:
    one = story()
    told = tell(one, (STARTED, {}), (STOPPED, {}), (COMMITTED, {"item_id": "theirs"}))
    later = tell(
        one, (f"{WORDS}completed", {"item_id": "theirs", "transcript": "Hi"}), ("conversation.item.deleted", {"item_id": "theirs"})
    )
    assert {event["item_id"] for event in later} == {told[0]["item_id"]}
    assert one.told.names == {"theirs": told[0]["item_id"]}


def test_words_of_a_nameless_turn_wait_for_its_name() -> None:
    words = (f"{WORDS}completed", {"item_id": "theirs", "transcript": "Hi"})
    told = tell(story(), (STARTED, {}), (STOPPED, {}), words, (COMMITTED, {"item_id": "theirs"}))
    assert types(told) == [*TURN, f"{WORDS}completed"] and told[-1]["item_id"] == told[0]["item_id"]


def test_a_turn_that_is_cleared_is_over() -> None:
    told = tell(story(), (STARTED, ON), ("input_audio_buffer.cleared", {}), (STARTED, {"item_id": "v", "audio_start_ms": 500}))
    assert types(told) == [STARTED, "input_audio_buffer.cleared", STARTED]


def test_all_words_again_and_again_become_what_is_new_of_them() -> None:
    told = tell(
        story(),
        (STARTED, ON),
        (f"{WORDS}updated", {"item_id": "u", "transcript": "Hello, my"}),
        (f"{WORDS}completed", {"item_id": "u", "transcript": "Hello, my", "status": "in_progress"}),
        (f"{WORDS}completed", {"item_id": "u", "transcript": "Hello, my name", "status": "in_progress"}),
        (f"{WORDS}updated", {"item_id": "u", "transcript": "Hullo"}),
        (STOPPED, OFF),
        (COMMITTED, {"item_id": "u"}),
        (f"{WORDS}completed", {"item_id": "u", "transcript": "Hello, my name is", "status": "completed"}),
        (f"{WORDS}completed", {"item_id": "u", "transcript": "Again", "status": "completed"}),
    )
    words = [event for event in told if event["type"].startswith(WORDS)]
    assert [event.get("delta", event.get("transcript")) for event in words] == ["Hello, my", " name", "Hello, my name is"]
    assert words[-1]["usage"] == {"type": "duration", "seconds": 0.0} and "status" not in words[-1]


def test_final_words_wait_for_their_item() -> None:
    told = tell(
        story(), (STARTED, ON), (f"{WORDS}completed", {"item_id": "u", "transcript": "Hi"}), (STOPPED, OFF), (COMMITTED, {"item_id": "u"})
    )
    assert types(told) == [*TURN, f"{WORDS}completed"]


def test_final_words_say_that_the_turn_is_over() -> None:
    told = tell(
        story(), (STARTED, ON), (STOPPED, OFF), (f"{WORDS}completed", {"item_id": "u", "transcript": "Hi"}), (COMMITTED, {"item_id": "u"})
    )
    assert types(told) == [*TURN, f"{WORDS}completed"]


def test_a_failure_is_told_with_its_error() -> None:
    told = tell(story(), (COMMITTED, {"item_id": "u"}), (f"{WORDS}failed", {"item_id": "u", "error": None}))
    assert told[-1]["error"] == {} and told[-1]["content_index"] == 0


def test_what_is_known_of_an_item_is_what_was_said_in_it() -> None:
    one = story()
    tell(one, (COMMITTED, {"item_id": "u"}), (f"{WORDS}completed", {"item_id": "u", "transcript": "Hi", "usage": {"type": "tokens"}}))
    assert one.told.items["u"]["content"] == [{"type": "input_audio", "transcript": "Hi"}]
