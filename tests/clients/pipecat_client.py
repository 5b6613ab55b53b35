"""pipecat holds a text turn and a voice turn: URL WAV (24 kHz, mono, 16-bit) -> one JSON object."""

import asyncio
import json
import sys
import wave
from importlib.metadata import version

from loguru import logger
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    InputAudioRawFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.openai.realtime.events import (
    AudioConfiguration,
    AudioInput,
    InputAudioTranscription,
    SessionProperties,
    TurnDetection,
)
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService

CHUNK_MS = 100
logger.remove()
logger.add(sys.stderr, level="WARNING")


class Ear(FrameProcessor):
    """Collects what comes out of the service: downstream the answer, upstream what the user was heard to say."""

    def __init__(self, seen):
        super().__init__()
        self._seen = seen

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self._seen["sound_ms"] += 1000 * len(frame.audio) / 2 / frame.sample_rate
        elif isinstance(frame, TTSTextFrame):
            self._seen["words"] += frame.text
        elif isinstance(frame, TranscriptionFrame):
            self._seen["heard"] += frame.text
        elif isinstance(frame, ErrorFrame):
            self._seen["errors"].append(str(frame.error))
        elif isinstance(frame, LLMFullResponseEndFrame):
            self._seen["ended"].set()
        await self.push_frame(frame, direction)


async def answer(seen):
    async with asyncio.timeout(30):
        await seen["ended"].wait()
        # Sound comes by a queue of its own, and may be a little behind.
        await asyncio.sleep(0.5)
    result = {"heard": seen["heard"], "answer": seen["words"], "audio_ms": round(seen["sound_ms"]), "errors": list(seen["errors"])}
    seen.update(words="", heard="", sound_ms=0.0)
    seen["ended"].clear()
    return result


async def main(url, path):
    seen = {"words": "", "heard": "", "sound_ms": 0.0, "errors": [], "ended": asyncio.Event()}
    hearing = AudioInput(transcription=InputAudioTranscription(), turn_detection=TurnDetection(type="server_vad"))
    settings = OpenAIRealtimeLLMService.Settings(
        model="gpt-realtime", session_properties=SessionProperties(audio=AudioConfiguration(input=hearing))
    )
    service = OpenAIRealtimeLLMService(api_key="x", base_url=url, settings=settings)
    task = PipelineTask(
        Pipeline([Ear(seen), service, Ear(seen)]), params=PipelineParams(audio_in_sample_rate=24_000, audio_out_sample_rate=24_000)
    )

    async def talk():
        context = LLMContext([{"role": "user", "content": "what is two plus two"}])
        await task.queue_frame(LLMContextFrame(context))
        text = await answer(seen)
        with wave.open(path) as wav:
            rate_hz, size = wav.getframerate(), wav.getframerate() * CHUNK_MS // 1000
            sound = bytes(size) + wav.readframes(wav.getnframes()) + bytes(2 * size * 15)
        for at in range(0, len(sound), 2 * size):
            await task.queue_frame(InputAudioRawFrame(audio=sound[at : at + 2 * size], sample_rate=rate_hz, num_channels=1))
            await asyncio.sleep(CHUNK_MS / 1000 / 5)
        voice = await answer(seen)
        await task.queue_frame(EndFrame())
        return text, voice

    async with asyncio.TaskGroup() as group:
        talking = group.create_task(talk())
        group.create_task(PipelineRunner(handle_sigint=False).run(task))
    text, voice = talking.result()
    print(json.dumps({"client": "pipecat", "version": version("pipecat-ai"), "text": text, "voice": voice}))


asyncio.run(main(*sys.argv[1:]))
