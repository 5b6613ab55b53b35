"""One response: what it announces, what it closes, and that nothing comes after its end."""

import msgspec
import numpy as np
import pytest
from msgspec import UNSET

from tests.support.served import counted
from tests.support.signals import tone
from voice.audio.encoding import PCM, PCMA, PCMU, Encoding
from voice.errors import ProtocolError
from voice.policy.usage import Tokens
from voice.protocol.conversation import Conversation, Entry, SpokenWord, text_of
from voice.protocol.events import AudioDelta, OutputItemAdded, OutputItemDone, ResponseCreated, ResponseDone, ServerEvent
from voice.protocol.lines import Line, lines_of
from voice.protocol.objects import Item, StatusDetails
from voice.protocol.outputs import DELTA_MS
from voice.protocol.reply import Reply, ReplyPlan, State

OPEN = ["response.output_item.added", "conversation.item.added", "response.content_part.added"]
CLOSE = ["response.content_part.done", "conversation.item.done", "response.output_item.done", "response.done"]


USUAL = Encoding(PCM, 24_000)


def begin(
    modality: str = "audio", in_band: bool = True, encoding: Encoding = USUAL, limit: int | str = "inf"
) -> tuple[Reply, Conversation]:
    conversation = Conversation()
    conversation_id = "conv_1" if in_band else None
    plan = ReplyPlan("resp_1", modality, encoding, conversation_id, max_output_tokens=limit, metadata={"a": "b"}, tokens_in=Tokens(2, 10))
    reply = Reply(plan, conversation, counted(""))
    [created] = reply.created()
    assert isinstance(created, ResponseCreated) and created.response.status == "in_progress" and created.response.metadata == {"a": "b"}
    return reply, conversation


def kinds(events: list[ServerEvent]) -> list[str]:
    return [str(event.__struct_config__.tag) for event in events]


def last(events: list[ServerEvent]) -> ResponseDone:
    done = events[-1]
    assert isinstance(done, ResponseDone)
    return done


def test_a_spoken_reply() -> None:
    reply, conversation = begin()
    assert kinds(reply.say("Hello")) == [*OPEN, "response.output_audio_transcript.delta"]
    assert kinds(reply.sound(tone(100, rate_hz=24_000), 24_000)) == ["response.output_audio.delta"]
    assert kinds(reply.say(" there.")) == ["response.output_audio_transcript.delta"]
    assert reply.state is State.SPEAKING
    events = reply.end()
    assert kinds(events) == ["response.output_audio.done", "response.output_audio_transcript.done", *CLOSE]
    response = last(events).response
    assert (response.status, response.status_details, response.conversation_id) == ("completed", None, "conv_1")
    assert isinstance(response.output, list) and [text_of(item) for item in response.output] == ["Hello there."]
    assert response.usage is not None
    assert msgspec.to_builtins(response.usage) == {
        "total_tokens": 17,
        "input_tokens": 12,
        "output_tokens": 5,
        "input_token_details": {"text_tokens": 2, "audio_tokens": 10, "image_tokens": 0, "cached_tokens": 0},
        "output_token_details": {"text_tokens": 3, "audio_tokens": 2},
    }
    assert lines_of(conversation.items()) == [Line("assistant", "Hello there.")] and conversation.get("item_1").audio_ms == 100


def test_a_written_reply_has_no_sound() -> None:
    reply, _ = begin("text")
    assert reply.sound(tone(100), 16_000) == []
    assert kinds(reply.say("Hello")) == [*OPEN, "response.output_text.delta"]
    assert reply.sound(tone(100), 16_000) == []
    assert kinds(reply.end()) == ["response.output_text.done", *CLOSE]


def test_out_of_band_the_conversation_sees_nothing() -> None:
    reply, conversation = begin(in_band=False)
    events = reply.say("Hello") + reply.sound(tone(100), 16_000) + reply.end()
    assert not any(kind.startswith("conversation.") for kind in kinds(events))
    assert last(events).response.conversation_id is None and len(conversation) == 0


@pytest.mark.parametrize(("status", "reason"), [("cancelled", "turn_detected"), ("failed", None), ("incomplete", "max_output_tokens")])
def test_an_end_before_its_time(status: str, reason: str | None) -> None:
    details = StatusDetails(status, reason=reason or msgspec.UNSET)
    reply, conversation = begin()
    reply.say("Hello there")
    reply.sound(tone(50), 16_000)
    response = last(reply.end(details)).response
    assert (response.status, response.status_details) == (status, details)
    assert isinstance(response.output, list) and [item.status for item in response.output] == ["incomplete"]
    assert conversation.get("item_1").item.status == "incomplete" and conversation.get("item_1").samples is not None
    silent, conversation = begin()
    events = silent.end(details)
    assert kinds(events) == ["response.done"] and last(events).response.output == [] and len(conversation) == 0


def test_after_the_end_nothing_comes() -> None:
    reply, _ = begin()
    reply.say("Hello")
    assert kinds(reply.end())[-1] == "response.done" and reply.state is State.DONE
    assert reply.say("more") == reply.sound(tone(20), 16_000) == reply.end() == reply.end(StatusDetails("failed")) == []


def test_saying_nothing_announces_nothing() -> None:
    reply, _ = begin()
    assert reply.say("") == [] and reply.state is State.CREATED
    assert kinds(reply.end()) == ["response.done"]


@pytest.mark.parametrize(("from_hz", "to_hz"), [(22_050, 24_000), (24_000, 24_000), (22_050, 8_000), (16_000, 48_000)])
def test_every_sample_is_sent_at_the_rate_of_the_session(from_hz: int, to_hz: int) -> None:
    reply, conversation = begin(encoding=Encoding(PCM, to_hz))
    events = reply.say("Hello")
    samples = tone(1100, rate_hz=from_hz)
    for piece in np.array_split(samples, 7):
        events += reply.sound(piece, from_hz)
    events += reply.end()
    sent = b"".join(event.delta for event in events if isinstance(event, AudioDelta))
    assert len(sent) // 2 == (len(samples) * to_hz * 2 + from_hz) // (2 * from_hz)
    assert max(len(event.delta) for event in events if isinstance(event, AudioDelta)) <= to_hz * DELTA_MS // 1000 * 2
    kept = conversation.get("item_1")
    assert kept.samples is not None and kept.samples.tobytes() == sent and kept.audio_ms == 1100


@pytest.mark.parametrize("name", [PCMU, PCMA])
def test_a_telephone_gets_its_own_bytes(name: str) -> None:
    law = Encoding(name, 8_000)
    reply, conversation = begin(encoding=law)
    events = reply.say("Hello") + reply.sound(tone(500, rate_hz=22_050), 22_050) + reply.end()
    pieces = [event.delta for event in events if isinstance(event, AudioDelta)]
    kept = conversation.get("item_1")
    assert kept.samples is not None and len(kept.samples) == 4000 and law.encode(kept.samples) == b"".join(pieces)
    assert [len(piece) for piece in pieces] == [1600, 1600, len(pieces[2]), *map(len, pieces[3:])] and kept.audio_ms == 500


def test_a_voice_of_another_rate_takes_over() -> None:
    reply, _ = begin()
    events = reply.sound(tone(100, rate_hz=22_050), 22_050) + reply.sound(tone(100, rate_hz=16_000), 16_000) + reply.end()
    assert sum(len(event.delta) for event in events if isinstance(event, AudioDelta)) == 200 * 24 * 2


def test_words_and_their_times_are_kept_for_cutting() -> None:
    reply, conversation = begin()
    reply.say("one two")
    reply.sound(tone(200), 16_000, [SpokenWord(200, 3)])
    reply.sound(tone(200), 16_000, [SpokenWord(400, 7)])
    reply.end()
    conversation.truncate("item_1", 399)
    assert lines_of(conversation.items()) == [Line("assistant", "one")]


def test_its_item_cannot_be_deleted_before_it_is_done() -> None:
    reply, conversation = begin()
    reply.say("one")
    with pytest.raises(ProtocolError, match="cancel its response first"):
        conversation.delete("item_1")
    assert kinds(reply.end())[-1] == "response.done"
    conversation.delete("item_1")
    assert len(conversation) == 0


CALL = ["response.output_item.added", "conversation.item.added"]
CALLED = ["response.function_call_arguments.done", "conversation.item.done", "response.output_item.done"]
CLOSE_SPOKEN = ["response.output_audio.done", "response.output_audio_transcript.done", *CLOSE[:-1]]
DELTA = "response.function_call_arguments.delta"


def items(events: list[ServerEvent]) -> list[tuple[object, ...]]:
    """(type, status, what it says) of what a response has put out."""
    output = last(events).response.output
    assert isinstance(output, list)
    return [(item.type, item.status, item.arguments if item.type == "function_call" else text_of(item)) for item in output]


def test_a_call() -> None:
    reply, conversation = begin()
    assert kinds(reply.call("call_1", "get_weather", "")) == CALL
    assert kinds(reply.call("call_1", "get_weather", '{"city":')) == [DELTA]
    assert kinds(reply.call("call_1", "", '"Oslo"}')) == [DELTA]
    events = reply.end()
    assert kinds(events) == [*CALLED, "response.done"]
    assert msgspec.to_builtins(events[0]) == {
        "type": "response.function_call_arguments.done",
        "event_id": "",
        "response_id": "resp_1",
        "item_id": "item_1",
        "output_index": 0,
        "call_id": "call_1",
        "name": "get_weather",
        "arguments": '{"city":"Oslo"}',
    }
    assert items(events) == [("function_call", "completed", '{"city":"Oslo"}')]
    assert conversation.get("item_1").item == last(events).response.output[0]  # type: ignore[index]


def test_words_and_calls_take_turns() -> None:
    reply, conversation = begin()
    reply.say("Let me see.")
    reply.sound(tone(100), 16_000, [SpokenWord(50, 3), SpokenWord(100, 11)])
    events = reply.call("a", "one", "{}")
    # The resampler still held some of the sound.
    assert kinds(events) == ["response.output_audio.delta", *CLOSE_SPOKEN, *CALL, DELTA]
    assert kinds(reply.call("b", "two", "{}")) == [*CALLED, *CALL, DELTA]
    assert kinds(reply.say("Done it.")) == [*CALLED, *OPEN, "response.output_audio_transcript.delta"]
    reply.sound(tone(200), 16_000, [SpokenWord(200, 15), SpokenWord(300, 19)])
    events = reply.end()
    assert items(events) == [
        ("message", "completed", "Let me see."),
        ("function_call", "completed", "{}"),
        ("function_call", "completed", "{}"),
        ("message", "completed", "Done it."),
    ]
    places = {event.item.id: event.output_index for event in events if isinstance(event, OutputItemDone)}
    assert places == {"item_4": 3} and conversation.get("item_4").audio_ms == 200
    conversation.truncate("item_4", 150)
    assert lines_of(conversation.items())[-1] == Line("assistant", "Done"), "the words' times count from the item's own beginning"


def test_a_call_has_an_id_that_nobody_had() -> None:
    reply, conversation = begin()
    conversation.add(Entry(Item("function_call", id="old", call_id="call_0", name="f", arguments="{}", status="completed")))
    told = []
    for call_id in ("call_0", "call_1", "", "call_1"):
        events = reply.call(call_id, "f", "{}")
        told += [event.item.call_id for event in events if isinstance(event, OutputItemAdded)]
    assert told == ["call_1", "call_2", "call_3", "call_4"]


@pytest.mark.parametrize(
    ("details", "status"), [(None, "completed"), (StatusDetails("cancelled", reason="client_cancelled"), "incomplete")]
)
def test_the_item_at_work_ends_as_the_response_does(details: StatusDetails | None, status: str) -> None:
    reply, _ = begin(in_band=False)
    reply.say("So.")
    reply.call("a", "f", '{"x"')
    events = reply.end(details)
    assert items(events) == [("message", "completed", "So."), ("function_call", status, '{"x"')]
    assert kinds(events) == ["response.function_call_arguments.done", "response.output_item.done", "response.done"]
    assert reply.call("a", "f", ": 1}") == reply.call("b", "g", "") == []


def test_a_written_answer_ends_at_its_limit() -> None:
    reply, _ = begin("text", limit=4)
    assert kinds(reply.say("Hello there, ")) == [*OPEN, "response.output_text.delta"] and not reply.full
    reply.say("everybody here.")
    assert reply.full
    events = reply.end(StatusDetails("incomplete", reason="max_output_tokens"))
    assert items(events) == [("message", "incomplete", "Hello there,")]
    usage = last(events).response.usage
    assert usage is not None and usage.output_tokens == 3


def test_a_last_word_that_does_not_fit_makes_an_end_incomplete() -> None:
    reply, _ = begin("text", limit=3)
    reply.say("Hello there people")
    events = reply.end()
    done = last(events).response
    assert (done.status, done.status_details) == ("incomplete", StatusDetails("incomplete", reason="max_output_tokens"))
    assert items(events) == [("message", "incomplete", "Hello there")]
    fits, _ = begin("text", limit=3)
    fits.say("Hello there")
    assert last(fits.end()).response.status == "completed"


def test_a_spoken_answer_keeps_the_words_that_sound() -> None:
    """Ten words of 200 ms: four tokens of sound each, and the letters."""
    reply, conversation = begin(limit=20)
    words = " ".join(["word"] * 10)
    events = reply.say(words)
    for n in range(10):
        events += reply.sound(tone(200, rate_hz=24_000), 24_000, [SpokenWord(200 * (n + 1), 5 * (n + 1) - 1)])
        if reply.full:
            break
    events += reply.end(StatusDetails("incomplete", reason="max_output_tokens"))
    assert items(events) == [("message", "incomplete", "word word word")]
    assert conversation.get("item_1").audio_ms == 600
    usage = last(events).response.usage
    assert usage is not None and usage.output_token_details is not UNSET and usage.output_token_details is not None
    assert (usage.output_token_details.text_tokens, usage.output_token_details.audio_tokens) == (4, 12)


def test_a_call_that_does_not_fit() -> None:
    reply, conversation = begin("text", limit=5)
    reply.say("One moment.")
    assert kinds(reply.call("a", "a_very_long_name_of_a_function", "{}")) == ["response.output_text.delta"] and reply.full
    events = reply.end(StatusDetails("incomplete", reason="max_output_tokens"))
    assert items(events) == [("message", "incomplete", "One moment.")]
    reply, conversation = begin("text", limit=5)
    reply.call("a", "name", '{"city": "Reykjavik"}')
    assert reply.full
    events = reply.end(StatusDetails("incomplete", reason="max_output_tokens"))
    assert items(events) == [("function_call", "incomplete", '{"city": "Reykja')]
    usage = last(events).response.usage
    assert usage is not None and usage.output_tokens == 5


def test_words_without_sound_are_told_when_the_voice_fails() -> None:
    reply, _ = begin(limit=100)
    assert reply.say("Nobody says this.") == []
    events = reply.end(StatusDetails("failed", error={"message": "mute"}))
    assert items(events) == [("message", "incomplete", "Nobody says this.")]


def test_no_call_behind_words_that_did_not_fit() -> None:
    reply, _ = begin(limit=5)
    assert reply.say("Hello wonderful people") == []
    events = reply.call("a", "f", "")
    assert reply.full and kinds(events) == [*OPEN, "response.output_audio_transcript.delta"], "the name alone would fit"
    assert items(reply.end(StatusDetails("incomplete", reason="max_output_tokens"))) == [("message", "incomplete", "Hello wonderful")]
