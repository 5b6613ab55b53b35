"""The order checker catches what it is for: every neighbouring swap, every loss and every doubling in recorded-like sessions."""

import copy
import json

import pytest

from tests.support.order import Event, OrderBroken, check
from tests.support.served import Served

FREE = {"session.updated", "error", "input_audio_buffer.cleared", "conversation.item.retrieved"}
"""They may come at any time."""


def voice_turn() -> list[Event]:
    """Two voice turns, the second interrupting the first's answer; a text turn out of band; a cleared buffer."""
    served = Served()
    served.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    served.hear("." * 25 + "#" * 20 + "." * 30)
    served.session.transcribed(served.wanted()[-1].heard_item or "", "What time is it?", 900)
    served.say("It is ", *[])
    served.say("ten.")
    served.hear("." * 25 + "#" * 20 + "." * 30)
    served.reply("What now?")
    served.send("response.create", response={"conversation": "none", "output_modalities": ["text"]})
    served.reply("Aside.")
    served.send("conversation.item.delete", item_id="nobody")
    return served.sent


SESSION = voice_turn()


def test_a_session_in_order_passes() -> None:
    check(SESSION)
    check(json.loads(json.dumps(SESSION)))
    assert {"error", "rate_limits.updated", "response.done", "input_audio_buffer.speech_stopped"} <= {event["type"] for event in SESSION}


def without(place: int) -> list[Event]:
    return SESSION[:place] + SESSION[place + 1 :]


def swapped(place: int) -> list[Event]:
    return [*SESSION[:place], SESSION[place + 1], SESSION[place], *SESSION[place + 2 :]]


def doubled(place: int) -> list[Event]:
    again = {**SESSION[place], "event_id": "event_again"}
    return [*SESSION[: place + 1], again, *SESSION[place + 1 :]]


MAY_BE_MISSED = {
    "response.output_audio.delta",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
    *FREE,
}
"""A server that writes nothing down is in order, and who counts the sound?"""
MAY_REPEAT = {"response.output_audio.delta", "conversation.item.input_audio_transcription.delta", *FREE}
HARMLESS_SWAPS = {
    ("input_audio_buffer.speech_started", "response.output_audio.done"),
    ("response.created", "conversation.item.input_audio_transcription.delta"),
    ("conversation.item.input_audio_transcription.completed", "response.output_item.added"),
    ("rate_limits.updated", "input_audio_buffer.speech_stopped"),
    ("conversation.item.done", "response.created"),
    ("response.output_audio_transcript.delta", "input_audio_buffer.speech_started"),
    ("response.output_audio_transcript.delta", "response.output_audio.delta"),
    ("response.output_audio.delta", "response.output_audio.delta"),
}
"""Events of two stories that know nothing of each other."""


def places(free: set[str]) -> list[int]:
    return [place for place, event in enumerate(SESSION) if event["type"] not in free]


@pytest.mark.parametrize("place", places(MAY_BE_MISSED))
def test_a_missing_event_is_missed(place: int) -> None:
    with pytest.raises(AssertionError):
        check(without(place))


@pytest.mark.parametrize("place", places(MAY_REPEAT))
def test_an_event_that_comes_twice_is_noticed(place: int) -> None:
    with pytest.raises(AssertionError):
        check(doubled(place))


@pytest.mark.parametrize("place", range(len(SESSION) - 1))
def test_neighbours_that_change_places_are_noticed(place: int) -> None:
    pair = (SESSION[place]["type"], SESSION[place + 1]["type"])
    if pair in HARMLESS_SWAPS or FREE.intersection(pair):
        return
    with pytest.raises(AssertionError):
        check(swapped(place))


# (what is changed: type of the event, path, new value)
LIES = [
    ("response.created", "response.status", "completed"),
    ("response.done", "response.status", "in_progress"),
    ("response.done", "response.output", []),
    ("response.done", "response.status", "completed"),
    ("response.done", "response.status_details", None),
    ("response.output_audio_transcript.done", "transcript", "Something else."),
    ("response.output_text.done", "text", "Something else."),
    ("response.output_audio.delta", "item_id", "item_other"),
    ("response.output_audio_transcript.delta", "response_id", "resp_other"),
    ("conversation.item.done", "previous_item_id", "item_other"),
    ("conversation.item.done", "item.id", "item_other"),
    ("input_audio_buffer.committed", "item_id", "item_other"),
    ("input_audio_buffer.speech_stopped", "item_id", "item_other"),
    ("conversation.item.input_audio_transcription.completed", "item_id", "item_other"),
    ("response.output_item.done", "item.status", "in_progress"),
    ("session.updated", "event_id", "event_s1"),
    ("session.updated", "event_id", ""),
    ("session.updated", "type", "session.created"),
]


@pytest.mark.parametrize(("kind", "path", "value"), LIES)
def test_a_lie_is_noticed(kind: str, path: str, value: object) -> None:
    events = copy.deepcopy(SESSION)
    inner = next(event for event in events if event["type"] == kind)
    *steps, last = path.split(".")
    for step in steps:
        inner = inner[step]
    assert inner[last] != value
    inner[last] = value
    with pytest.raises(AssertionError):
        check(events)


def test_the_message_shows_the_rule_and_the_event() -> None:
    place = next(place for place, event in enumerate(SESSION) if event["type"] == "response.content_part.added")
    with pytest.raises(OrderBroken, match=r"^after conversation\.item\.added comes response\.content_part\.added: .*transcript\.delta"):
        check(without(place))


def test_two_responses_at_once_are_noticed() -> None:
    first = next(event for event in SESSION if event["type"] == "response.created")
    other = copy.deepcopy(first)
    other["event_id"], other["response"]["id"] = "event_other", "resp_other"
    with pytest.raises(OrderBroken, match="one response at a time"):
        check([SESSION[0], first, other], complete=False)
    other["response"]["conversation_id"] = None
    check([SESSION[0], first, other], complete=False)
    with pytest.raises(AssertionError, match="responses without an end"):
        check([SESSION[0], first, other])


def test_a_session_without_its_beginning_is_noticed() -> None:
    with pytest.raises(OrderBroken, match=r"session\.created is the first event"):
        check(SESSION[1:])
