"""openai (Python) holds the four turns; it has neither microphone nor loudspeaker, so ours play them."""

import asyncio
import base64
import json
import ssl
from importlib.metadata import version

from mic import Loudspeaker, Microphone, orders
from openai import AsyncOpenAI

PCM = {"type": "audio/pcm", "rate": 24_000}


class Talk:
    """A connection, and what came over it."""

    def __init__(self, connection):
        self.connection = connection
        self.speaker = Loudspeaker()
        self.errors = []
        self.heard = {}
        self.passed = []

    async def until(self, kind):
        """The next event of this kind."""
        while True:
            data = await self.connection.recv_bytes()
            self.passed.append(["down", json.loads(data)])
            event = self.connection.parse_event(data)
            if event.type == "error":
                self.errors.append(event.error.message)
            elif event.type == "response.output_audio.delta":
                self.speaker.play(event.item_id, len(base64.b64decode(event.delta)))
            elif event.type == "conversation.item.input_audio_transcription.completed":
                self.heard[event.item_id] = event.transcript
            if event.type == kind:
                return event

    async def listen(self, detection):
        audio = {"input": {"format": PCM, "transcription": {"model": "whisper-1"}, "turn_detection": detection}, "output": {"format": PCM}}
        await self.connection.session.update(session={"type": "realtime", "instructions": "Be brief.", "audio": audio})
        await self.until("session.updated")

    async def type(self, text):
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await self.connection.response.create()

    async def answer(self):
        self.heard.clear()
        done = await self.until("response.done")
        await self.until("rate_limits.updated")
        words = " ".join(part.transcript or "" for item in done.response.output for part in item.content)
        return {
            "answer": words,
            "heard": " ".join(self.heard.values()),
            "audio_ms": self.speaker.received_ms,
            "status": done.response.status,
        }


async def talk(client, wanted):
    turns = {}
    async with client.realtime.connect(model="gpt-realtime") as connection:
        one = Talk(connection)
        await one.until("session.created")
        await one.listen({"type": "server_vad", "interrupt_response": True})
        await one.type(wanted["texts"]["text"])
        turns["text"] = await one.answer()

        async def send(chunk):
            await connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())

        async with Microphone(send, wanted["chunk_ms"]) as microphone:
            async with asyncio.TaskGroup() as group:
                group.create_task(microphone.say(wanted["wavs"]["voice"]))
                turns["voice"] = await one.answer()
            await one.type(wanted["texts"]["long"])
            async with asyncio.TaskGroup() as group:
                await one.until("response.output_audio.delta")
                cut_item = one.speaker.item_id
                group.create_task(one.speaker.then(wanted["over_ms"], microphone.say(wanted["wavs"]["barge"])))
                await one.until("input_audio_buffer.speech_started")
                assert one.speaker.item_id == cut_item
                heard_ms = one.speaker.heard_ms
                await connection.conversation.item.truncate(item_id=cut_item, content_index=0, audio_end_ms=heard_ms)
                await one.answer()
                turns["barge"] = await one.answer()
        await one.listen(None)
        await connection.input_audio_buffer.clear()
        async with Microphone(send, wanted["chunk_ms"]) as microphone:
            await microphone.say(wanted["wavs"]["manual"])
            await connection.input_audio_buffer.commit()
        await connection.response.create()
        turns["manual"] = await one.answer()
    return {"turns": turns, "errors": one.errors, "events": one.passed}


async def main(wanted):
    base = wanted["url"].removesuffix("/realtime")
    options = {"ssl": ssl.create_default_context(cafile=wanted["cafile"])} if wanted.get("cafile") else {}
    async with AsyncOpenAI(base_url=base.replace("ws", "http", 1), api_key="x", max_retries=0) as client:
        if options:
            connect = client.realtime.connect
            client.realtime.connect = lambda **rest: connect(**rest, websocket_connection_options=options)
        result = await talk(client, wanted)
    print(json.dumps({"client": "openai", "version": version("openai"), **result}))


asyncio.run(main(orders()))
