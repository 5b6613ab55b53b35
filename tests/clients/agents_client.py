"""openai-agents (Python) holds the four turns. It has a clock of its own for what was heard, and cuts by that."""

import asyncio
import json
from importlib.metadata import version

from agents.realtime import RealtimeAgent, RealtimeModelSendRawMessage, RealtimeRunner
from mic import Loudspeaker, Microphone, orders

AGENT = RealtimeAgent(name="voice", instructions="Be brief.")


class Talk:
    """A session, and what came of it."""

    def __init__(self, session):
        self.session = session
        self.events = aiter(session)
        self.speaker = Loudspeaker()
        self.errors = []
        self.lines = {}

    async def until(self, kind):
        """The next event of this kind."""
        async for event in self.events:
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

    async def answer(self):
        await self.until("agent_end")
        said = {"user": "", "assistant": ""}
        for item in self.lines.values():
            if getattr(item, "role", "") in said:
                parts = (getattr(part, "transcript", None) or getattr(part, "text", None) for part in item.content)
                said[item.role] = " ".join(part for part in parts if part)
        return {"answer": said["assistant"], "heard": said["user"], "audio_ms": self.speaker.received_ms}


def settings(detection):
    audio = {"input_audio_transcription": {"model": "whisper-1"}, "turn_detection": detection}
    return {"model_settings": {"model_name": "gpt-realtime", "modalities": ["audio"], **audio}}


async def main(wanted):
    turns, errors = {}, []
    model = {"url": wanted["url"], "api_key": "x"}
    detection = {"type": "server_vad", "interrupt_response": True}
    async with await RealtimeRunner(AGENT, config=settings(detection)).run(model_config=model) as session:
        one = Talk(session)
        await session.send_message(wanted["texts"]["text"])
        turns["text"] = await one.answer()
        async with Microphone(session.send_audio, wanted["chunk_ms"]) as microphone, asyncio.TaskGroup() as group:
            group.create_task(microphone.say(wanted["wavs"]["voice"]))
            turns["voice"] = await one.answer()
            await session.send_message(wanted["texts"]["long"])
            await one.until("audio")
            group.create_task(one.speaker.then(wanted["over_ms"], microphone.say(wanted["wavs"]["barge"])))
            await one.until("audio_interrupted")
            await one.until("agent_end")
            turns["barge"] = await one.answer()
        errors += one.errors
    async with await RealtimeRunner(AGENT, config=settings(None)).run(model_config=model) as session:
        one = Talk(session)
        async with Microphone(session.send_audio, wanted["chunk_ms"]) as microphone:
            await microphone.say(wanted["wavs"]["manual"])
        await session.send_audio(bytes(4800), commit=True)
        await session.model.send_event(RealtimeModelSendRawMessage(message={"type": "response.create"}))
        turns["manual"] = await one.answer()
        errors += one.errors
    print(json.dumps({"client": "openai-agents", "version": version("openai-agents"), "turns": turns, "errors": errors}))


asyncio.run(main(orders()))
