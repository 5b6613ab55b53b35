"""The cascade: one session of the local engine, its three places played by fakes, seen from the wire."""

import asyncio
import base64
import logging
import time
import tracemalloc
from collections.abc import AsyncGenerator, Sequence

import pytest

from tests.support.fakes import FakeResponder, FakeSynthesizer, FakeTranscriber
from tests.support.signals import padded, speech_like
from tests.support.wire import Wire, fake_engine, talking
from voice.audio.pcm import silence
from voice.engines.base import Prompt, Said
from voice.engines.cascade import APOLOGY_DEAF, APOLOGY_MUTE, LEAD_MS, PIECE_MS
from voice.errors import LinkClosed

REPLY = "response.done"


async def spoken_turn(wire: Wire, length_ms: int = 1000) -> None:
    """A turn that the client ends, and a wish for an answer."""
    await wire.push(speech_like(length_ms))
    await wire.send("input_audio_buffer.commit")
    await wire.send("response.create")


def transcript(done: dict[str, object]) -> str:
    response: dict[str, object] = done["response"]  # type: ignore[assignment]
    return " ".join(part["transcript"] for item in response["output"] for part in item["content"])  # type: ignore[attr-defined]


async def test_a_turn_that_the_server_ends_is_heard_and_answered() -> None:
    transcriber, responder = FakeTranscriber(), FakeResponder()
    async with talking(fake_engine(transcriber, responder=responder)) as wire:
        await wire.settle(transcription={"model": "any"})
        await wire.push(padded(speech_like(1000), 400, 1000))
        done = await wire.until(REPLY)
        (hearing,) = transcriber.hearings
        words = wire.of("conversation.item.input_audio_transcription.completed")[0]["transcript"]
        assert words == f"heard {hearing.samples // 16} ms" and hearing.dropped
        assert done["response"]["status"] == "completed"
        assert transcript(done) == f"{words}. 1 lines."
        assert wire.sound_ms == pytest.approx(200 * len(transcript(done).split()), abs=2)
        kinds = wire.kinds()
        for earlier, later in (
            ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"),
            ("input_audio_buffer.committed", "response.created"),
            ("response.output_audio_transcript.delta", "response.output_audio.delta"),
        ):
            assert kinds.index(earlier) < kinds.index(later)
    assert responder.prompts[0].heard is not None and responder.prompts[0].heard.text == words


async def test_a_typed_turn_is_answered_and_is_not_taken_for_a_heard_one() -> None:
    responder = FakeResponder()
    async with talking(fake_engine(responder=responder)) as wire:
        await wire.type("hello")
        assert transcript(await wire.until(REPLY)) == "hello. 1 lines."
        await wire.settle(turn_detection=None)
        await spoken_turn(wire)
        await wire.until(REPLY)
        await wire.type("again")
        assert transcript(await wire.until(REPLY)) == "again. 5 lines."
    assert [prompt.heard is None for prompt in responder.prompts] == [True, False, True]


async def test_an_answer_in_text_has_no_sound_and_needs_no_synthesiser() -> None:
    synthesizer = FakeSynthesizer(deaths=9)
    async with talking(fake_engine(synthesizer=synthesizer)) as wire:
        await wire.send("session.update", session={"type": "realtime", "output_modalities": ["text"]})
        await wire.type("hello")
        done = await wire.until(REPLY)
        assert done["response"]["output"][0]["content"][0] == {"type": "output_text", "text": "hello. 1 lines."}
        assert not wire.of("response.output_audio.delta")
    assert synthesizer.deaths == 9


async def test_the_answer_waits_for_the_words_of_a_slow_recogniser() -> None:
    transcriber = FakeTranscriber()
    transcriber.gate = asyncio.Event()
    async with talking(fake_engine(transcriber)) as wire:
        await wire.settle(turn_detection=None)
        await spoken_turn(wire)
        await wire.until("response.created")
        transcriber.gate.set()
        done = await wire.until(REPLY)
        assert transcript(done).startswith("heard 1000 ms")


async def test_a_turn_without_words_is_an_empty_line_and_not_the_question_before_it() -> None:
    responder = FakeResponder(answer=lambda prompt: [f"<{prompt.lines[-1].text}>"])

    class Silent(FakeTranscriber):
        def listen(self):  # type: ignore[no-untyped-def]
            hearing = super().listen()
            finish = hearing.finish

            async def nothing():  # type: ignore[no-untyped-def]
                from voice.engines.base import Heard

                await finish()
                return Heard("", confidence=0.0)

            hearing.finish = nothing  # type: ignore[method-assign]
            return hearing

    async with talking(fake_engine(Silent(), responder=responder)) as wire:
        await wire.type("first")
        assert transcript(await wire.until(REPLY)) == "<first>"
        await wire.settle(turn_detection=None)
        await spoken_turn(wire)
        assert transcript(await wire.until(REPLY)) == "<>"


async def test_words_given_for_one_answer_are_not_mixed_with_what_was_heard() -> None:
    transcriber, responder = FakeTranscriber(), FakeResponder()
    transcriber.deaf = True
    async with talking(fake_engine(transcriber, responder=responder)) as wire:
        await wire.settle(turn_detection=None)
        await wire.push(speech_like(500))
        await wire.send("input_audio_buffer.commit")
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "beside"}]}
        await wire.send("response.create", response={"conversation": "none", "input": [item]})
        assert transcript(await wire.until(REPLY)) == "beside. 1 lines."
    assert responder.prompts[0].heard is None


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


async def test_speech_interrupts_the_answer_and_is_answered_itself() -> None:
    synthesizer = FakeSynthesizer(gate=asyncio.Event())
    async with talking(fake_engine(synthesizer=synthesizer)) as wire:
        await wire.settle()
        await wire.type("hello there")
        await wire.until("response.output_audio.delta")
        await wire.push(padded(speech_like(800), 400, 0))
        done = await wire.until(REPLY)
        assert (done["response"]["status"], done["response"]["status_details"]["reason"]) == ("cancelled", "turn_detected")
        assert "input_audio_buffer.speech_started" in wire.kinds()
        synthesizer.gate.set()
        await wire.push(silence(1000))
        assert transcript(await wire.until(REPLY)).startswith("heard ")


async def test_a_recogniser_that_dies_costs_an_apology_and_not_the_session() -> None:
    transcriber, responder = FakeTranscriber(), FakeResponder()
    transcriber.deaf = True
    async with talking(fake_engine(transcriber, responder=responder)) as wire:
        await wire.settle(turn_detection=None, transcription={"model": "any"})
        await spoken_turn(wire)
        done = await wire.until(REPLY)
        assert (done["response"]["status"], transcript(done)) == ("completed", APOLOGY_DEAF)
        (failed,) = wire.of("conversation.item.input_audio_transcription.failed")
        assert failed["error"]["message"] == "the recogniser died"
        assert not responder.prompts
        transcriber.deaf = False
        await spoken_turn(wire)
        assert transcript(await wire.until(REPLY)).startswith("heard 1000 ms")


async def test_a_recogniser_with_a_bug_is_logged_and_apologised_for(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeTranscriber):
        def listen(self):  # type: ignore[no-untyped-def]
            hearing = super().listen()
            hearing.finish = lambda: 1 / 0  # type: ignore[assignment,method-assign,return-value]
            return hearing

    transcriber = Broken()
    async with talking(fake_engine(transcriber)) as wire:
        await wire.settle(turn_detection=None)
        await spoken_turn(wire)
        assert transcript(await wire.until(REPLY)) == APOLOGY_DEAF
    assert "ZeroDivisionError" in caplog.text and transcriber.hearings[0].dropped


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


async def test_a_responder_that_raises_fails_its_response_only(caplog: pytest.LogCaptureFixture) -> None:
    def answer(prompt: Prompt) -> Sequence[str]:
        if prompt.lines[-1].text == "bad":
            raise ZeroDivisionError("a bug")
        return ["Good."]

    async with talking(fake_engine(responder=FakeResponder(answer=answer))) as wire:
        await wire.type("bad")
        done = await wire.until(REPLY)
        assert done["response"]["status"] == "failed" and "bug" not in done["response"]["status_details"]["error"]["message"]
        await wire.type("good")
        assert transcript(await wire.until(REPLY)) == "Good."
    assert "a bug" in caplog.text


async def test_a_timer_is_told_when_it_is_due() -> None:
    responder = FakeResponder(answer=lambda prompt: ["Set."])
    async with talking(fake_engine(responder=responder)) as wire:
        await wire.settle()
        await wire.type("timer")
        responder.due = due_s = time.monotonic() + 0.2
        await wire.until(REPLY)
        assert transcript(await wire.until(REPLY)) == "Time is up."
        assert 0 <= time.monotonic() - due_s < 1


async def test_a_timer_that_is_set_by_an_answer_cut_short_is_told_too() -> None:
    class Setting(FakeResponder):
        async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Said, None]:
            self.due = now + 0.2
            yield Said("Set.")

    synthesizer = FakeSynthesizer(gate=asyncio.Event())
    async with talking(fake_engine(synthesizer=synthesizer, responder=Setting())) as wire:
        await wire.type("timer")
        await wire.until("response.output_audio.delta")
        await wire.send("response.cancel")
        assert (await wire.until(REPLY))["response"]["status"] == "cancelled"
        synthesizer.gate = None
        assert transcript(await wire.until(REPLY)) == "Time is up."


async def test_a_timer_waits_until_nobody_speaks() -> None:
    responder = FakeResponder()
    async with talking(fake_engine(responder=responder)) as wire:
        await wire.settle()
        responder.due = time.monotonic() + 0.05
        await wire.type("x")
        await wire.until(REPLY)
        await wire.push(padded(speech_like(600), 400, 0))
        await wire.until("input_audio_buffer.speech_started")
        await asyncio.sleep(0.4)
        assert responder.due is not None
        await wire.push(silence(1000))
        await wire.until(REPLY)
        assert transcript(await wire.until(REPLY)) == "Time is up."
        assert len(wire.of("response.created")) == 3


async def test_a_timer_is_not_told_to_a_client_that_asks_for_every_answer() -> None:
    responder = FakeResponder()
    async with talking(fake_engine(responder=responder)) as wire:
        await wire.settle(turn_detection=None)
        responder.due = time.monotonic() + 0.02
        await wire.type("x")
        await wire.until(REPLY)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await wire.until("response.created")
        await wire.settle(turn_detection={"type": "server_vad"})
        assert transcript(await wire.until(REPLY)) == "Time is up."


async def test_an_announcement_with_a_bug_is_logged_and_the_session_lives(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeResponder):
        def announce(self, now: float) -> Sequence[Said]:
            self.due = None
            raise ZeroDivisionError("a bug")

    responder = Broken()
    async with talking(fake_engine(responder=responder)) as wire:
        responder.due = time.monotonic() + 0.02
        await wire.type("x")
        await wire.until(REPLY)
        await asyncio.sleep(0.1)
        await wire.type("y")
        assert (await wire.until(REPLY))["response"]["status"] == "completed"
    assert "a bug" in caplog.text


@pytest.mark.parametrize("pace", [3.0, 20.0])
async def test_sound_is_sent_no_faster_than_the_pace_after_the_lead(pace: float) -> None:
    words = 8 if pace == 3.0 else 40
    responder = FakeResponder(answer=lambda prompt: [" ".join(["word"] * words)])
    async with talking(fake_engine(responder=responder, pace=pace)) as wire:
        await asyncio.sleep(0.1)
        await wire.type("talk")
        await wire.until(REPLY)
        deltas = [at for at, event in zip(wire.at_s, wire.events, strict=True) if event["type"] == "response.output_audio.delta"]
        assert len(deltas) >= words
        for n, at_s in enumerate(deltas):
            sent_ms = n * PIECE_MS
            assert sent_ms <= LEAD_MS + PIECE_MS + (at_s - deltas[0]) * 1000 * pace * 1.05 + 50
        least_s = (words * 200 - LEAD_MS - PIECE_MS) / 1000 / pace
        assert least_s * 0.9 <= deltas[-1] - deltas[0] < least_s + 2


async def test_a_pause_of_the_responder_earns_no_credit() -> None:
    class Pausing(FakeResponder):
        async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Said, None]:
            yield Said("one")
            await asyncio.sleep(0.3)
            yield Said("word " * 20)

    async with talking(fake_engine(responder=Pausing(), pace=10.0)) as wire:
        await wire.type("talk")
        await wire.until(REPLY)
        at_s = [at for at, event in zip(wire.at_s, wire.events, strict=True) if event["type"] == "response.output_audio.delta"]
        assert at_s[-1] - at_s[1] >= (19 * 200 - LEAD_MS - PIECE_MS) / 1000 / 10 * 0.9


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
        await asyncio.sleep(0.1)
        before = spoken
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


async def test_a_client_that_goes_in_mid_reply_leaves_nothing_running() -> None:
    transcriber, synthesizer = FakeTranscriber(), FakeSynthesizer(gate=asyncio.Event())
    async with talking(fake_engine(transcriber, synthesizer)) as wire:
        await wire.settle(turn_detection=None)
        await wire.type("hello")
        await wire.until("response.output_audio.delta")
        await wire.push(speech_like(300))
        await wire.link.close(1001)
    assert synthesizer.closed == 1
    assert [hearing.dropped for hearing in transcriber.hearings] == [True]


async def test_a_client_that_goes_before_its_words_are_known_leaves_nothing_running() -> None:
    transcriber = FakeTranscriber()
    transcriber.gate = asyncio.Event()
    async with talking(fake_engine(transcriber)) as wire:
        await wire.settle(turn_detection=None)
        await spoken_turn(wire)
    assert [hearing.dropped for hearing in transcriber.hearings] == [True]


async def test_many_turns_of_a_stuck_recogniser_are_all_dropped_at_the_end() -> None:
    transcriber = FakeTranscriber()
    transcriber.gate = asyncio.Event()
    async with talking(fake_engine(transcriber)) as wire:
        await wire.settle(turn_detection=None)
        for _ in range(80):
            await wire.push(speech_like(100))
            await wire.send("input_audio_buffer.commit")
            await wire.until("input_audio_buffer.committed")
    assert len(transcriber.hearings) == 80 and all(hearing.dropped for hearing in transcriber.hearings)


async def test_a_session_ends_at_its_time_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with talking(fake_engine(life_s=0.2)) as wire:
        event = await wire.until("error")
        assert event["error"]["code"] == "session_expired"
        with pytest.raises(LinkClosed) as told:
            await wire.next()
        assert told.value.close_code == 1001
