"""An idle timeout in the local engine: what is believed of a silence, and what is said in it."""

import time

import pytest

from tests.support.fakes import FakeResponder, FakeTranscriber
from tests.support.wire import fake_engine, talking, transcript
from voice.audio.pcm import silence
from voice.engines.base import Heard
from voice.engines.responder import SkillsResponder

REPLY = "response.done"


@pytest.mark.parametrize(
    ("heard", "want"), [(Heard("the of the", confidence=0.3), ""), (Heard("stop", confidence=0.8), "stop"), (Heard(""), "")]
)
async def test_after_a_long_silence_only_clear_words_are_believed(heard: Heard, want: str) -> None:
    transcriber, responder = FakeTranscriber(), FakeResponder()
    transcriber.heard = heard
    async with talking(fake_engine(transcriber, responder=responder)) as wire:
        await wire.settle(turn_detection={"type": "server_vad", "idle_timeout_ms": 500}, transcription={"model": "any"})
        began = time.monotonic()
        await wire.type("hello")
        first = await wire.until(REPLY)
        await wire.push(silence(300))
        fired = await wire.until("input_audio_buffer.timeout_triggered")
        # Three words of 200 ms were to be played first.
        assert transcript(first) == "hello. 1 lines." and time.monotonic() - began >= 1.0
        words = await wire.until("conversation.item.input_audio_transcription.completed")
        assert (words["item_id"], words["transcript"]) == (fired["item_id"], want)
        await wire.until(REPLY)
    prompt = responder.prompts[-1]
    assert prompt.heard is not None and (prompt.heard.text, prompt.heard.silent) == (want, not want)
    assert [line.role for line in prompt.lines] == ["user", "assistant", "system", "user"] and prompt.lines[-1].text == want


async def test_the_skills_ask_whether_anybody_is_there() -> None:
    transcriber = FakeTranscriber()
    transcriber.heard = Heard("", confidence=0.0)
    async with talking(fake_engine(transcriber, responder=SkillsResponder())) as wire:
        await wire.settle(turn_detection={"type": "server_vad", "idle_timeout_ms": 500})
        await wire.type("hello")
        await wire.until(REPLY)
        await wire.push(silence(300))
        await wire.until("input_audio_buffer.timeout_triggered")
        assert "still there" in transcript(await wire.until(REPLY))
