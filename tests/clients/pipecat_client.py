"""pipecat holds the four turns: its service in a pipeline of its own, with a microphone and a loudspeaker of ours around it."""

import asyncio
import json
import sys
from importlib.metadata import version

from loguru import logger
from mic import RATE_HZ, Loudspeaker, Microphone, orders
from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    EndFrame,
    ErrorFrame,
    InputAudioRawFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService

logger.remove()
logger.add(sys.stderr, level="WARNING")


class Seen:
    """What came out of the service, on both sides of it."""

    def __init__(self):
        self.speaker = Loudspeaker()
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self.errors, self.number = [], 0
        self.words = self.heard = ""


class Ear(FrameProcessor):
    """Notes what passes, and tells the service when the loudspeaker has played all of an answer."""

    def __init__(self, seen):
        super().__init__()
        self._seen = seen

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        seen = self._seen
        if isinstance(frame, LLMFullResponseStartFrame):
            seen.number += 1
        elif isinstance(frame, TTSAudioRawFrame):
            seen.speaker.play(seen.number, len(frame.audio))
            seen.begun.set()
        elif isinstance(frame, TTSTextFrame):
            seen.words += frame.text
        elif isinstance(frame, TranscriptionFrame):
            seen.heard += frame.text
        elif isinstance(frame, ErrorFrame):
            seen.errors.append(str(frame.error))
        elif isinstance(frame, LLMFullResponseEndFrame):
            seen.ended.set()
        await self.push_frame(frame, direction)

    async def stopped(self):
        await self.push_frame(BotStoppedSpeakingFrame(), FrameDirection.UPSTREAM)


class Talk:
    """A pipeline, and what came of it."""

    def __init__(self, url, detection):
        self.seen = Seen()
        self.ear = Ear(self.seen)
        hearing = events.AudioInput(transcription=events.InputAudioTranscription(), turn_detection=detection)
        properties = events.SessionProperties(audio=events.AudioConfiguration(input=hearing))
        settings = OpenAIRealtimeLLMService.Settings(model="gpt-realtime", session_properties=properties)
        self.service = OpenAIRealtimeLLMService(api_key="x", base_url=url, settings=settings)
        rates = PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ)
        self.task = PipelineTask(Pipeline([Ear(self.seen), self.service, self.ear]), params=rates)

    async def push(self, chunk):
        await self.task.queue_frame(InputAudioRawFrame(audio=chunk, sample_rate=RATE_HZ, num_channels=1))

    async def type(self, text):
        content = [events.ItemContent(type="input_text", text=text)]
        item = events.ConversationItem(type="message", role="user", content=content)
        await self.service.send_client_event(events.ConversationItemCreateEvent(item=item))
        await self.service.send_client_event(events.ResponseCreateEvent())

    async def answer(self):
        seen = self.seen
        await seen.ended.wait()
        # Sound comes by a queue of its own, and may be a little behind.
        await asyncio.sleep(0.3)
        result = {"answer": seen.words, "heard": seen.heard, "audio_ms": seen.speaker.received_ms}
        seen.words = seen.heard = ""
        seen.begun.clear()
        seen.ended.clear()
        return result

    async def played(self):
        await self.seen.speaker.then(int(self.seen.speaker.received_ms), asyncio.sleep(0))
        await self.ear.stopped()


async def by_server(url, wanted):
    talk, turns = Talk(url, events.TurnDetection(type="server_vad")), {}

    async def turn():
        await talk.task.queue_frame(LLMContextFrame(LLMContext([{"role": "user", "content": wanted["texts"]["text"]}])))
        turns["text"] = await talk.answer()
        await talk.played()
        async with Microphone(talk.push, wanted["chunk_ms"]) as microphone, asyncio.TaskGroup() as group:
            group.create_task(microphone.say(wanted["wavs"]["voice"]))
            turns["voice"] = await talk.answer()
            await talk.played()
            await talk.type(wanted["texts"]["long"])
            await talk.seen.begun.wait()
            group.create_task(talk.seen.speaker.then(wanted["over_ms"], microphone.say(wanted["wavs"]["barge"])))
            await talk.answer()
            turns["barge"] = await talk.answer()
        await talk.task.queue_frame(EndFrame())

    await together(talk, turn())
    return turns, talk.seen.errors


async def by_client(url, wanted):
    talk, turns = Talk(url, False), {}

    async def turn():
        await talk.task.queue_frame(UserStartedSpeakingFrame())
        async with Microphone(talk.push, wanted["chunk_ms"]) as microphone:
            await microphone.say(wanted["wavs"]["manual"])
        await talk.task.queue_frame(UserStoppedSpeakingFrame())
        turns["manual"] = await talk.answer()
        await talk.task.queue_frame(EndFrame())

    await together(talk, turn())
    return turns, talk.seen.errors


async def together(talk, turn):
    async with asyncio.TaskGroup() as group:
        group.create_task(turn)
        group.create_task(PipelineRunner(handle_sigint=False).run(talk.task))


async def main(wanted):
    turns, errors = await by_server(wanted["url"], wanted)
    more, others = await by_client(wanted["url"], wanted)
    print(json.dumps({"client": "pipecat", "version": version("pipecat-ai"), "turns": turns | more, "errors": errors + others}))


asyncio.run(main(orders()))
