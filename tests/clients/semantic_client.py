"""semantic-kernel holds the four turns. It cannot say "no turn detection": its turn that the client ends is committed while the server listens."""

import asyncio
import base64
import json
from importlib.metadata import version

from mic import Loudspeaker, Microphone, orders
from openai import AsyncOpenAI
from semantic_kernel.connectors.ai.open_ai import OpenAIRealtimeExecutionSettings, OpenAIRealtimeWebsocket, TurnDetection
from semantic_kernel.connectors.ai.open_ai.services._open_ai_realtime import ListenEvents, SendEvents
from semantic_kernel.contents import AudioContent, RealtimeAudioEvent, RealtimeEvent, RealtimeTextEvent, TextContent


class Talk:
    """A session, and what came of it."""

    def __init__(self, client):
        self.client = client
        self.events = client.receive()
        self.speaker = Loudspeaker()
        self.errors, self.heard = [], []

    async def until(self, kind):
        """The service's event of this kind."""
        async for event in self.events:
            about = event.service_event
            if event.service_type == ListenEvents.ERROR:
                self.errors.append(str(about.error))
            elif isinstance(event, RealtimeAudioEvent):
                self.speaker.play(about.item_id, len(base64.b64decode(about.delta)))
            elif event.service_type == ListenEvents.CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_COMPLETED:
                self.heard.append(about.transcript)
            if event.service_type == kind:
                return about
        raise AssertionError(f"the session ended before {kind}")

    async def listen(self, **detection):
        settings = OpenAIRealtimeExecutionSettings(
            instructions="Be brief.",
            turn_detection=TurnDetection(type="server_vad", **detection),
            input_audio_transcription={"model": "whisper-1"},
        )
        await self.client.update_session(settings=settings)
        await self.until(ListenEvents.SESSION_UPDATED)

    async def tell(self, kind, **event):
        await self.client.send(RealtimeEvent(service_type=kind, service_event=event))

    async def push(self, chunk):
        audio = AudioContent(data=base64.b64encode(chunk).decode(), data_format="base64")
        await self.client.send(RealtimeAudioEvent(audio=audio))

    async def type(self, text):
        await self.client.send(RealtimeTextEvent(text=TextContent(text=text)))
        await self.tell(SendEvents.RESPONSE_CREATE)

    async def answer(self):
        self.heard.clear()
        done = await self.until(ListenEvents.RESPONSE_DONE)
        await self.until(ListenEvents.RATE_LIMITS_UPDATED)
        words = " ".join(part.transcript or "" for item in done.response.output for part in item.content)
        return {"answer": words, "heard": " ".join(self.heard), "audio_ms": self.speaker.received_ms}


async def main(wanted):
    turns = {}
    base = wanted["url"].removesuffix("/realtime").replace("ws", "http", 1)
    async with OpenAIRealtimeWebsocket(ai_model_id="gpt-realtime", client=AsyncOpenAI(base_url=base, api_key="x")) as client:
        one = Talk(client)
        await one.listen()
        await one.type(wanted["texts"]["text"])
        turns["text"] = await one.answer()
        async with Microphone(one.push, wanted["chunk_ms"]) as microphone, asyncio.TaskGroup() as group:
            group.create_task(microphone.say(wanted["wavs"]["voice"]))
            turns["voice"] = await one.answer()
            await one.type(wanted["texts"]["long"])
            await one.until(ListenEvents.RESPONSE_AUDIO_DELTA)
            group.create_task(one.speaker.then(wanted["over_ms"], microphone.say(wanted["wavs"]["barge"])))
            await one.until(ListenEvents.INPUT_AUDIO_BUFFER_SPEECH_STARTED)
            cut = {"item_id": one.speaker.item_id, "content_index": 0, "audio_end_ms": one.speaker.heard_ms}
            await one.tell(SendEvents.CONVERSATION_ITEM_TRUNCATE, **cut)
            await one.answer()
            turns["barge"] = await one.answer()
        await one.listen(create_response=False, silence_duration_ms=2000)
        async with Microphone(one.push, wanted["chunk_ms"]) as microphone:
            await microphone.say(wanted["wavs"]["manual"])
        await one.tell(SendEvents.INPUT_AUDIO_BUFFER_COMMIT)
        await one.tell(SendEvents.RESPONSE_CREATE)
        turns["manual"] = await one.answer()
    print(json.dumps({"client": "semantic-kernel", "version": version("semantic-kernel"), "turns": turns, "errors": one.errors}))


asyncio.run(main(orders()))
