"""pydantic-ai holds the four turns. It cuts a reply by itself, by what was taken from its stream at the pace of a loudspeaker."""

import asyncio
import json
import time
from importlib.metadata import version

from mic import BYTES_MS, Microphone, orders
from pydantic_ai import Agent
from pydantic_ai.messages import PartEndEvent, RealtimeTurnCompleteEvent, SpeechPart
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.realtime.openai import OpenAIRealtimeModel

STEP_MS = 20


class Talk:
    """A session, and what came of it."""

    def __init__(self, session):
        self.session = session
        self.errors = []
        self.said = {"user": "", "assistant": ""}
        self.played_ms = 0.0
        self.begun, self.done = asyncio.Event(), asyncio.Queue()

    async def listen(self):
        async for event in self.session:
            if isinstance(event, PartEndEvent) and isinstance(event.part, SpeechPart):
                self.said[event.part.speaker] = event.part.transcript or ""
            elif type(event).__name__ == "RealtimeSessionErrorEvent":
                self.errors.append(str(event))
            elif isinstance(event, RealtimeTurnCompleteEvent):
                self.done.put_nowait(event)

    async def play(self):
        """A loudspeaker: takes the next sound when it has played the last."""
        due_s = 0.0
        async for chunk in self.session.stream_audio():
            if not self.begun.is_set():
                self.played_ms, due_s = 0.0, time.monotonic()
                self.begun.set()
            self.played_ms += len(chunk) / BYTES_MS
            due_s += len(chunk) / BYTES_MS / 1000
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def answer(self):
        """The answer, when all of it was played."""
        await self.done.get()
        await self.session.wait_for_playback()
        self.begun.clear()
        return {"answer": self.said["assistant"], "heard": self.said["user"], "audio_ms": self.played_ms}


async def hold(wanted, model, settings, turn):
    """A session with `turn` in it; returns the errors that it saw."""
    agent = Agent(instructions="Be brief.")
    async with agent.realtime(model, model_settings=settings).session(handle_barge_in=True) as session:
        talk = Talk(session)
        tasks = [asyncio.create_task(talk.listen()), asyncio.create_task(talk.play())]
        await turn(talk)
    await asyncio.gather(*tasks)
    return talk.errors


async def main(wanted):
    base = wanted["url"].removesuffix("/realtime").replace("ws", "http", 1)
    model = OpenAIRealtimeModel("gpt-realtime", provider=OpenAIProvider(base_url=base, api_key="x"))
    turns = {}

    async def by_server(talk):
        await talk.session.send(wanted["texts"]["text"])
        turns["text"] = await talk.answer()
        async with Microphone(talk.session.send_audio, wanted["chunk_ms"]) as microphone, asyncio.TaskGroup() as group:
            group.create_task(microphone.say(wanted["wavs"]["voice"]))
            turns["voice"] = await talk.answer()
            await talk.session.send(wanted["texts"]["long"])
            await talk.begun.wait()
            await asyncio.sleep(wanted["over_ms"] / 1000)
            group.create_task(microphone.say(wanted["wavs"]["barge"]))
            await talk.answer()
            turns["barge"] = await talk.answer()

    async def by_client(talk):
        async with Microphone(talk.session.send_audio, wanted["chunk_ms"]) as microphone:
            await microphone.say(wanted["wavs"]["manual"])
        await talk.session.commit_audio()
        await talk.session.create_response()
        turns["manual"] = await talk.answer()

    errors = await hold(wanted, model, {}, by_server)
    errors += await hold(wanted, model, {"turn_detection": False}, by_client)
    print(json.dumps({"client": "pydantic-ai", "version": version("pydantic-ai-slim"), "turns": turns, "errors": errors}))


asyncio.run(main(orders()))
