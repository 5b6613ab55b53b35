"""openai-agents (Python) talks to a twin: a typed turn, a spoken one, one whose answer needs a function, one that is spoken over an answer."""

import asyncio
import json
from importlib.metadata import version

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner
from mic import Loudspeaker, Microphone, orders

asked = []


@function_tool
async def lookup_order(order_id: int) -> str:
    """Where an order is."""
    asked.append(order_id)
    return "on its way"


AGENT = RealtimeAgent(name="shop", instructions="Be brief.", tools=[lookup_order])
SETTINGS = {"modalities": ["audio"], "input_audio_transcription": {"model": "whisper-1"}, "turn_detection": {"type": "server_vad"}}


class Talk:
    """A session, and what came of it."""

    def __init__(self, session):
        self.session = session
        self.events = aiter(session)
        self.speaker = Loudspeaker()
        self.errors, self.kinds = [], []
        self.lines = {}

    async def until(self, kind):
        async for event in self.events:
            self.kinds.append(event.type)
            if event.type == "audio":
                self.speaker.play(event.item_id, len(event.audio.data))
            elif event.type == "error":
                self.errors.append(str(event.error))
            elif event.type == "history_updated":
                self.lines = {item.item_id: item for item in event.history}
            elif event.type == "history_added":
                self.lines[event.item.item_id] = event.item
            if event.type == kind:
                return event
        raise AssertionError(f"the session ended before {kind}")

    def said(self, role):
        """What was said last, once it is known."""
        found = ""
        for item in self.lines.values():
            if getattr(item, "role", "") == role:
                parts = (getattr(part, "transcript", None) or getattr(part, "text", None) for part in item.content)
                found = " ".join(part for part in parts if part) or found
        return found

    async def answer(self, words):
        """Until an answer has ended and these words were said."""
        await self.until("agent_end")
        while words not in self.said("assistant"):
            await self.until("history_updated")
        return {"answer": self.said("assistant"), "audio_ms": self.speaker.received_ms}


async def main(wanted):
    turns = {}
    config = {"model_settings": {"model_name": "gpt-realtime", **SETTINGS}}
    async with await RealtimeRunner(AGENT, config=config).run(
        model_config={"url": wanted["url"], "api_key": wanted.get("key", "any")}
    ) as session:
        one = Talk(session)
        await session.send_message("hello")
        turns["text"] = await one.answer(wanted["answers"]["text"])
        async with Microphone(session.send_audio, wanted["chunk_ms"]) as microphone, asyncio.TaskGroup() as group:
            group.create_task(microphone.say(wanted["wav"]))
            turns["voice"] = await one.answer(wanted["answers"]["voice"])
            turns["voice"]["heard"] = one.said("user")
            await session.send_message("where is my order")
            turns["tool"] = await one.answer(wanted["answers"]["tool"])
            await session.send_message("tell me a story")
            await one.until("audio")
            group.create_task(one.speaker.then(wanted["over_ms"], microphone.say(wanted["wav"])))
            await one.until("audio_interrupted")
            turns["barge"] = await one.answer(wanted["answers"]["barge"])
    told = {"client": "openai-agents", "version": version("openai-agents"), "turns": turns, "errors": one.errors}
    print(json.dumps({**told, "asked": asked, "kinds": one.kinds}))


asyncio.run(main(orders()))
