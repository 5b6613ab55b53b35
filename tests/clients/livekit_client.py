"""livekit-agents holds the four turns by its AgentSession, with a microphone and a loudspeaker of ours in the places of a room's."""

import asyncio
import json
import time
from importlib.metadata import version

from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice.io import AudioInput, AudioOutput, AudioOutputCapabilities
from livekit.plugins import openai
from mic import RATE_HZ, Microphone, orders


class Ear(AudioInput):
    """What the microphone gives."""

    def __init__(self):
        super().__init__(label="microphone")
        self._frames = asyncio.Queue()

    async def put(self, chunk):
        self._frames.put_nowait(rtc.AudioFrame(chunk, RATE_HZ, 1, len(chunk) // 2))

    async def __anext__(self):
        return await self._frames.get()


class Mouth(AudioOutput):
    """A loudspeaker: plays at the pace of a real one, and says how far it came."""

    def __init__(self):
        super().__init__(label="loudspeaker", capabilities=AudioOutputCapabilities(pause=False), sample_rate=RATE_HZ)
        self.received_ms, self._since_s, self._end = 0.0, 0.0, None
        self.begun = asyncio.Event()

    @property
    def heard_ms(self):
        return min(self.received_ms, 1000 * (time.monotonic() - self._since_s))

    async def capture_frame(self, frame):
        await super().capture_frame(frame)
        if not self.begun.is_set():
            self.received_ms, self._since_s = 0.0, time.monotonic()
            self.begun.set()
            self.on_playback_started(created_at=time.time())
        self.received_ms += frame.duration * 1000

    def flush(self):
        super().flush()
        if self.begun.is_set() and self._end is None:
            left_s = self.received_ms / 1000 - (time.monotonic() - self._since_s)
            self._end = asyncio.get_running_loop().call_later(max(0.0, left_s), self._finish, False)

    def clear_buffer(self):
        if self.begun.is_set():
            self._finish(True)

    def _finish(self, interrupted):
        if self._end is not None:
            self._end.cancel()
        position_s = self.heard_ms / 1000
        self._end = None
        self.begun.clear()
        self.on_playback_finished(playback_position=position_s, interrupted=interrupted)


class Talk:
    """A session, and what came of it."""

    def __init__(self, session):
        self.session, self.mouth, self.ear = session, Mouth(), Ear()
        self.errors, self.heard = [], []
        self._said = asyncio.Queue()
        session.on("error", lambda event: self.errors.append(str(event.error)))
        session.on("user_input_transcribed", lambda event: self.heard.append(event.transcript) if event.is_final else None)
        session.on("conversation_item_added", self._added)
        session.input.audio, session.output.audio = self.ear, self.mouth

    def _added(self, event):
        if event.item.type == "message" and event.item.role == "assistant":
            self._said.put_nowait(event.item)

    async def answer(self):
        """The next line of the assistant's, when it was played or cut."""
        item = await self._said.get()
        heard, self.heard = " ".join(self.heard), []
        return {"answer": item.text_content, "heard": heard, "audio_ms": self.mouth.received_ms, "interrupted": item.interrupted}


def model(url, **settings):
    base = url.removesuffix("/realtime").replace("ws", "http", 1)
    return openai.realtime.RealtimeModel(base_url=base, api_key="x", model="gpt-realtime", **settings)


async def main(wanted):
    turns, errors, agent = {}, [], Agent(instructions="Be brief.")
    async with AgentSession(llm=model(wanted["url"])) as session:
        one = Talk(session)
        await session.start(agent)
        session.generate_reply(user_input=wanted["texts"]["text"])
        turns["text"] = await one.answer()
        async with Microphone(one.ear.put, wanted["chunk_ms"]) as microphone, asyncio.TaskGroup() as group:
            group.create_task(microphone.say(wanted["wavs"]["voice"]))
            turns["voice"] = await one.answer()
            session.generate_reply(user_input=wanted["texts"]["long"])
            await one.mouth.begun.wait()
            await asyncio.sleep(wanted["over_ms"] / 1000)
            group.create_task(microphone.say(wanted["wavs"]["barge"]))
            assert (await one.answer())["interrupted"]
            turns["barge"] = await one.answer()
        errors += one.errors
    async with AgentSession(llm=model(wanted["url"], turn_detection=None), turn_detection="manual") as session:
        one = Talk(session)
        await session.start(Agent(instructions="Be brief."))
        async with Microphone(one.ear.put, wanted["chunk_ms"]) as microphone:
            await microphone.say(wanted["wavs"]["manual"])
            # What is still on its way from the microphone to the session.
            await asyncio.sleep(0.2)
            session.commit_user_turn()
            turns["manual"] = await one.answer()
        errors += one.errors
    print(json.dumps({"client": "livekit-agents", "version": version("livekit-agents"), "turns": turns, "errors": errors}))


asyncio.run(main(orders()))
