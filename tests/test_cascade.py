"""The cascade: one session of the local engine, its three places played by fakes, seen from the wire."""

import asyncio
import base64
import logging
import time
from collections.abc import AsyncGenerator, Sequence

import pytest

from tests.support.fakes import FakeResponder, FakeSynthesizer, FakeTranscriber
from tests.support.signals import padded, speech_like
from tests.support.until import until
from tests.support.wire import Wire, fake_engine, talking, transcript
from voice.audio.pcm import silence, to_bytes
from voice.engines.base import BrokenOff, Called, Prompt, Said, Saying
from voice.engines.cascade import APOLOGY_DEAF
from voice.errors import LinkClosed

REPLY = "response.done"


async def spoken_turn(wire: Wire, length_ms: int = 1000) -> None:
    """A turn that the client ends, and a wish for an answer."""
    await wire.push(speech_like(length_ms))
    await wire.send("input_audio_buffer.commit")
    await wire.send("response.create")


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
        assert 0 <= time.monotonic() - due_s < 30


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
        await wire.type("x")
        await wire.until(REPLY)
        await wire.push(padded(speech_like(600), 400, 0))
        await wire.until("input_audio_buffer.speech_started")
        responder.due = time.monotonic() + 0.05
        await wire.settle()
        await asyncio.sleep(0.2)
        await wire.settle()
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
        await until(lambda: "a bug" in caplog.text)
        await wire.type("y")
        assert (await wire.until(REPLY))["response"]["status"] == "completed"


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


class Calling(FakeResponder):
    """Calls a function, then says what came of it."""

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:  # type: ignore[override]
        self.prompts.append(prompt)
        if prompt.lines[-1].role == "tool":
            yield Said(f"It says {prompt.lines[-1].text}.")
            return
        yield Said("One moment.")
        for piece in ("", '{"city": ', '"Oslo"}'):
            yield Called("call_1", "get_weather", piece)
        yield Called("call_2", "clock", "{}")


async def test_functions_are_called_and_their_outputs_answered() -> None:
    responder = Calling()
    async with talking(fake_engine(responder=responder)) as wire:
        tools = [{"type": "function", "name": "get_weather"}, {"type": "function", "name": "clock"}]
        await wire.send("session.update", session={"type": "realtime", "tools": tools})
        await wire.type("weather?")
        done = await wire.until(REPLY)
        first, *calls = done["response"]["output"]
        assert first["content"][0]["transcript"] == "One moment." and wire.sound_ms == pytest.approx(400, abs=2)
        assert [(call["call_id"], call["name"], call["arguments"]) for call in calls] == [
            ("call_1", "get_weather", '{"city": "Oslo"}'),
            ("call_2", "clock", "{}"),
        ]
        assert [event["delta"] for event in wire.of("response.function_call_arguments.delta")] == ['{"city": ', '"Oslo"}', "{}"]
        for call, output in (("call_1", "rain"), ("call_2", "noon")):
            await wire.send("conversation.item.create", item={"type": "function_call_output", "call_id": call, "output": output})
        await wire.send("response.create")
        assert transcript(await wire.until(REPLY)) == "It says noon."
    assert [tool.name for tool in responder.prompts[0].toolbox.usable] == ["get_weather", "clock"]
    assert [line.role for line in responder.prompts[1].lines] == ["user", "assistant", "assistant", "assistant", "tool", "tool"]


async def test_an_answer_that_comes_to_its_limit_is_stopped_and_the_next_one_is_given() -> None:
    stopped = asyncio.Event()

    class Endless(FakeResponder):
        async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Said, None]:
            try:
                while prompt.lines[-1].text == "talk":
                    yield Said("word word word")
            finally:
                stopped.set()
            yield Said("fine.")

    async with talking(fake_engine(responder=Endless())) as wire:
        content = [{"type": "input_text", "text": "talk"}]
        await wire.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await wire.send("response.create", response={"max_output_tokens": 40})
        body = (await wire.until(REPLY))["response"]
        assert (body["status"], body["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
        words = body["output"][0]["content"][0]["transcript"]
        # A word is 4 tokens of sound and one of letters, more or less: 5 letters with the blank.
        assert words == " ".join(["word"] * 7) and wire.sound_ms == 1400
        assert body["usage"]["output_tokens"] == 9 + 28 <= 40
        await asyncio.wait_for(stopped.wait(), 2)
        await wire.type("and now")
        assert transcript(await wire.until(REPLY)) == "fine."


async def test_sound_in_the_input_of_a_response_is_heard() -> None:
    responder = FakeResponder()
    async with talking(fake_engine(responder=responder)) as wire:
        await wire.settle(turn_detection=None, transcription={"model": "any"})
        audio = base64.b64encode(to_bytes(speech_like(500))).decode()
        item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
        await wire.send("response.create", response={"conversation": "none", "input": [item], "metadata": {"n": "1"}})
        done = await wire.until(REPLY)
        assert transcript(done) == "heard 500 ms. 1 lines." and done["response"]["metadata"] == {"n": "1"}
        assert done["response"]["usage"]["input_token_details"]["audio_tokens"] == 5
        assert not any(kind.startswith("conversation.item.") for kind in wire.kinds())
        await wire.type("hello")
        assert transcript(await wire.until(REPLY)) == "hello. 1 lines."
    assert responder.prompts[0].heard is not None and responder.prompts[1].heard is None


async def test_an_input_that_cannot_be_heard_is_said_to_be() -> None:
    transcriber = FakeTranscriber()
    transcriber.deaf = True
    async with talking(fake_engine(transcriber)) as wire:
        audio = base64.b64encode(to_bytes(speech_like(500))).decode()
        item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
        await wire.send("response.create", response={"input": [item]})
        assert transcript(await wire.until(REPLY)) == APOLOGY_DEAF


@pytest.mark.parametrize(("broken", "status"), [(BrokenOff("max_output_tokens"), "incomplete"), (BrokenOff(failure="no JSON"), "failed")])
async def test_an_answer_that_breaks_off(broken: BrokenOff, status: str) -> None:
    class Breaking(FakeResponder):
        async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:  # type: ignore[override]
            yield Called("call_1", "f", '{"x"')
            yield broken

    async with talking(fake_engine(responder=Breaking())) as wire:
        await wire.type("hello")
        body = (await wire.until(REPLY))["response"]
        [item] = body["output"]
        assert (body["status"], item["status"], item["arguments"]) == (status, "incomplete", '{"x"')
        assert (body["status_details"].get("error") or {}).get("message") == (broken.failure or None)
