"""The speaker: words and sound of one reply, paced, held back by a slow client, stopped when nobody wants it."""

import asyncio
import base64
import time
import tracemalloc
from collections.abc import AsyncGenerator

import pytest

from tests.support.fakes import FakeResponder, FakeSynthesizer, FakeTranscriber
from tests.support.until import still
from tests.support.wire import fake_engine, talking, transcript
from voice.engines.base import Manner, Prompt, Said, Speech
from voice.engines.local import LocalEngine, LocalOptions
from voice.engines.responder import SkillsResponder
from voice.engines.speaker import APOLOGY_MUTE, LEAD_MS, PIECE_MS, Clocks

REPLY = "response.done"
HELLO = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}


async def test_an_answer_in_text_has_no_sound_and_needs_no_synthesiser() -> None:
    synthesizer = FakeSynthesizer(deaths=9)
    async with talking(fake_engine(synthesizer=synthesizer)) as wire:
        await wire.send("session.update", session={"type": "realtime", "output_modalities": ["text"]})
        await wire.type("hello")
        done = await wire.until(REPLY)
        assert done["response"]["output"][0]["content"][0] == {"type": "output_text", "text": "hello. 1 lines."}
        assert not wire.of("response.output_audio.delta")
    assert synthesizer.deaths == 9


async def test_truncation_cuts_to_the_word_that_was_heard() -> None:
    responder = FakeResponder(answer=lambda prompt: ["one two three.", "four five six."])
    async with talking(fake_engine(responder=responder)) as wire:
        await wire.type("count")
        done = await wire.until(REPLY)
        item_id = done["response"]["output"][0]["id"]
        for heard_ms, left in ((1150, "one two three. four five"), (790, "one two three."), (399, "one"), (0, "")):
            await wire.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms)
            await wire.until("conversation.item.truncated")
            await wire.send("conversation.item.retrieve", item_id=item_id)
            item = (await wire.until("conversation.item.retrieved"))["item"]
            assert item["content"][0]["transcript"] == left


async def test_what_was_not_heard_is_not_said_again() -> None:
    engine = LocalEngine(
        FakeTranscriber(), FakeSynthesizer(), SkillsResponder, LocalOptions(clocks=Clocks(time.monotonic, time.time, None))
    )
    async with talking(engine) as wire:
        await wire.type("repeat after me the quick brown fox")
        done = await wire.until(REPLY)
        item_id, said = done["response"]["output"][0]["id"], transcript(done)
        for heard_words in (3, 1, 0):
            await wire.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_words * 200)
            assert (await wire.until("conversation.item.truncated"))["transcript"] == " ".join(said.split()[:heard_words])
            await wire.type("what did you just say")
            again = await wire.until(REPLY)
            assert ("quick" in transcript(again), "fox" in transcript(again)) == (heard_words == 3, False)
            await wire.send("conversation.item.delete", item_id=again["response"]["output"][0]["id"])
            await wire.until("conversation.item.deleted")


@pytest.mark.parametrize("cancels", [False, True])
async def test_a_reply_that_is_truncated_while_it_is_spoken_stays_cut(cancels: bool) -> None:
    """A client with `interrupt_response` false, or one that truncates before it cancels: no error, nothing grows back."""
    responder = FakeResponder(answer=lambda prompt: ["one two three four five six.", "seven eight nine ten."])
    async with talking(fake_engine(responder=responder, pace=20.0)) as wire:
        await wire.type("count")
        for _ in range(3):
            item_id = (await wire.until("response.output_audio.delta"))["item_id"]
        await wire.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=450)
        if cancels:
            await wire.send("response.cancel")
        cut = await wire.until("conversation.item.truncated")
        assert (cut["transcript"], cut["estimated"]) == ("one two", False)
        done = await wire.until(REPLY)
        assert transcript(done) == "one two"
        assert not [event for event in wire.events[wire.events.index(cut) :] if event["type"].endswith(".delta")]
        assert done["response"]["status"] in (("cancelled", "completed") if cancels else ("completed",))
        await wire.type("go on")
        await wire.until(REPLY)
        assert [line.text for line in responder.prompts[-1].lines] == ["count", "one two", "go on"]


class Mannerly(FakeSynthesizer):
    """Remembers in which manner it was to speak."""

    def __init__(self) -> None:
        super().__init__()
        self.manners: list[Manner] = []

    def speak_as(self, manner: Manner, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
        self.manners.append(manner)
        return self.speak(text, language)

    def voices(self) -> list[str]:
        return ["ann"]


async def test_voice_and_speed_reach_the_synthesiser_reply_by_reply() -> None:
    synthesizer = Mannerly()
    async with talking(fake_engine(synthesizer=synthesizer)) as wire:
        await wire.type("hello")
        await wire.until(REPLY)
    assert synthesizer.manners[0] == Manner("fake voice", 1.0)
    async with talking(fake_engine(synthesizer=synthesizer)) as wire:
        synthesizer.manners.clear()
        # A voice that was heard stays the session's: only the speed changes after the first answer.
        for output in ({"speed": 1.5, "voice": {"id": "ann"}}, {"speed": 0.25}):
            await wire.send("session.update", session={"type": "realtime", "audio": {"output": output}})
            await wire.type("hello")
            await wire.until(REPLY)
    assert synthesizer.manners[::2] == [Manner("ann", 1.5), Manner("ann", 0.25)]
    async with talking(fake_engine(synthesizer=synthesizer)) as wire:
        await wire.send("response.create", response={"audio": {"output": {"voice": "marin"}}, "input": [HELLO]})
        await wire.until(REPLY)
    assert synthesizer.manners[-1] == Manner("marin")


async def test_cancelling_stops_the_synthesiser_and_ends_the_response_once() -> None:
    synthesizer = FakeSynthesizer(gate=asyncio.Event())
    async with talking(fake_engine(synthesizer=synthesizer)) as wire:
        await wire.type("hello there")
        await wire.until("response.output_audio.delta")
        assert synthesizer.closed == 0
        await wire.send("response.cancel")
        done = await wire.until(REPLY)
        assert (done["response"]["status"], done["response"]["status_details"]["reason"]) == ("cancelled", "client_cancelled")
        synthesizer.gate = None
        await wire.type("next")
        assert (await wire.until(REPLY))["response"]["status"] == "completed"
        assert synthesizer.closed == 1 + 2
        ended = [event["response"]["id"] for event in wire.of(REPLY)]
        assert len(ended) == len(set(ended)) == 2


@pytest.mark.parametrize(("deaths", "status"), [(1, "completed"), (2, "failed")])
async def test_a_synthesiser_that_dies_is_tried_once_more(deaths: int, status: str) -> None:
    synthesizer = FakeSynthesizer(deaths)
    async with talking(fake_engine(synthesizer=synthesizer)) as wire:
        await wire.type("hello")
        done = await wire.until(REPLY)
        assert done["response"]["status"] == status
        if status == "failed":
            assert done["response"]["status_details"]["error"]["message"] == APOLOGY_MUTE
        await wire.type("and now")
        done = await wire.until(REPLY)
        assert (done["response"]["status"], synthesizer.deaths) == ("completed", 0)


@pytest.mark.parametrize("pace", [3.0, 20.0])
async def test_sound_is_sent_no_faster_than_the_pace_after_the_lead(pace: float) -> None:
    words = 8 if pace == 3.0 else 40
    responder = FakeResponder(answer=lambda prompt: [" ".join(["word"] * words)])
    async with talking(fake_engine(responder=responder, pace=pace)) as wire:
        await asyncio.sleep(0.1)
        began_s = time.monotonic()
        await wire.type("talk")
        await wire.until(REPLY)
        deltas = [at for at, event in zip(wire.at_s, wire.events, strict=True) if event["type"] == "response.output_audio.delta"]
        assert len(deltas) >= words
        for n, at_s in enumerate(deltas):
            sent_ms = n * PIECE_MS
            assert sent_ms <= LEAD_MS + PIECE_MS + (at_s - began_s) * 1000 * pace * 1.05 + 50
        least_s = (words * 200 - LEAD_MS - PIECE_MS) / 1000 / pace
        assert least_s * 0.9 <= deltas[-1] - began_s < least_s + 10


async def test_a_pause_of_the_responder_earns_no_credit() -> None:
    class Pausing(FakeResponder):
        async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Said, None]:
            yield Said("one")
            await asyncio.sleep(0.3)
            self.paused_s = time.monotonic()
            yield Said("word " * 20)

    responder = Pausing()
    async with talking(fake_engine(responder=responder, pace=10.0)) as wire:
        await wire.type("talk")
        await wire.until(REPLY)
        at_s = [at for at, event in zip(wire.at_s, wire.events, strict=True) if event["type"] == "response.output_audio.delta"]
        assert at_s[-1] - responder.paused_s >= (19 * 200 - LEAD_MS - PIECE_MS) / 1000 / 10 * 0.9


async def test_a_client_that_does_not_read_holds_the_synthesiser_and_memory_stays_flat() -> None:
    spoken = 0

    class Endless(FakeSynthesizer):
        async def speak(self, text: str, language: str = "en"):  # type: ignore[no-untyped-def]
            nonlocal spoken
            while True:
                async for speech in super().speak(text, language):
                    spoken += 1
                    yield speech

    async with talking(fake_engine(synthesizer=Endless())) as wire:
        await wire.type("hello")
        before = await still(lambda: spoken)
        tracemalloc.start()
        try:
            await asyncio.sleep(0.2)
            grown = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert spoken == before < 200
        assert grown < 200_000
        for _ in range(100):
            await wire.next()
        assert spoken > before


async def test_a_very_long_answer_comes_whole() -> None:
    text = " ".join(f"sentence number {n} is here." for n in range(400))
    assert len(text) > 10_000
    responder = FakeResponder(answer=lambda prompt: text.split(". "))
    async with talking(fake_engine(responder=responder)) as wire:
        await wire.type("talk")
        done = await wire.until(REPLY)
        assert transcript(done).split() == text.replace(". ", " ").split()
        assert wire.sound_ms == pytest.approx(200 * len(text.split()), abs=2)
        assert max(len(base64.b64decode(event["delta"])) for event in wire.of("response.output_audio.delta")) <= 48 * PIECE_MS
