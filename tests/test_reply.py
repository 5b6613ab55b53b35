"""One response: what it announces, what it closes, and that nothing comes after its end."""

import msgspec
import numpy as np
import pytest

from tests.support.signals import tone
from voice.audio.encoding import PCM, PCMA, PCMU, Encoding
from voice.protocol.conversation import Conversation, SpokenWord, text_of
from voice.protocol.events import AudioDelta, ResponseCreated, ResponseDone, ServerEvent, TranscriptDelta
from voice.protocol.objects import StatusDetails
from voice.protocol.reply import DELTA_MS, Reply, ReplyPlan, State

OPEN = ["response.output_item.added", "conversation.item.added", "response.content_part.added"]
CLOSE = ["response.content_part.done", "conversation.item.done", "response.output_item.done", "response.done"]


USUAL = Encoding(PCM, 24_000)


def begin(modality: str = "audio", in_band: bool = True, encoding: Encoding = USUAL) -> tuple[Reply, Conversation]:
    conversation = Conversation()
    plan = ReplyPlan("resp_1", "item_1", modality, encoding, "conv_1" if in_band else None, metadata={"a": "b"})
    reply = Reply(plan, conversation)
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
    assert reply.state is State.SPEAKING and reply.sent_ms == 100
    events = reply.end(text_in="abcdefgh", heard_ms=1000)
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
    assert conversation.lines() == [("assistant", "Hello there.")] and conversation.get("item_1").audio_ms == 100


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
    assert conversation.lines() == [("assistant", "one")]


def test_an_item_that_was_deleted_meanwhile_does_no_harm() -> None:
    reply, conversation = begin()
    reply.say("one")
    reply.sound(tone(200), 16_000)
    conversation.delete("item_1")
    assert any(isinstance(event, TranscriptDelta) for event in reply.say(" two"))
    assert kinds(reply.end())[-1] == "response.done" and len(conversation) == 0
