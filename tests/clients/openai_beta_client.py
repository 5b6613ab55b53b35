"""openai (Python) holds the four turns in the beta of the protocol, and calls a function; it has neither microphone nor loudspeaker, so ours play them."""

import asyncio
import base64
import json
from importlib.metadata import version

from mic import Loudspeaker, Microphone, orders
from openai import AsyncOpenAI

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
FORMATS = {"input_audio_format": "pcm16", "output_audio_format": "pcm16"}


class Talk:
    """A connection, and what came over it."""

    def __init__(self, connection):
        self.connection = connection
        self.speaker = Loudspeaker()
        self.errors = []
        self.heard = {}

    async def until(self, kind):
        """The next event of this kind."""
        async for event in self.connection:
            if event.type == "error":
                self.errors.append(event.error.message)
            elif event.type == "response.audio.delta":
                self.speaker.play(event.item_id, len(base64.b64decode(event.delta)))
            elif event.type == "conversation.item.input_audio_transcription.completed":
                self.heard[event.item_id] = event.transcript
            if event.type == kind:
                return event
        raise EOFError(kind)

    async def listen(self, detection):
        await self.connection.session.update(
            session={
                "modalities": ["text", "audio"],
                "instructions": "Be brief.",
                "input_audio_transcription": {"model": "whisper-1"},
                "turn_detection": detection,
                "tools": [TOOL],
                "temperature": 0.8,
                **FORMATS,
            }
        )
        updated = (await self.until("session.updated")).session
        assert (updated.instructions, updated.input_audio_format, updated.tools[0].name) == ("Be brief.", "pcm16", "get_weather")
        assert (updated.turn_detection is None) == (detection is None) and set(updated.modalities) == {"text", "audio"}

    async def type(self, text):
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await self.connection.response.create()

    async def answer(self):
        self.heard.clear()
        done = await self.until("response.done")
        words = " ".join(part.transcript or "" for item in done.response.output for part in item.content)
        return {
            "answer": words,
            "heard": " ".join(self.heard.values()),
            "audio_ms": self.speaker.received_ms,
            "status": done.response.status,
        }

    async def call(self, text):
        """A function is called; its output is answered."""
        await self.type(text)
        arguments = await self.until("response.function_call_arguments.done")
        done = await self.until("response.done")
        (call,) = done.response.output
        assert (call.type, call.name, call.call_id, call.arguments) == (
            "function_call",
            "get_weather",
            arguments.call_id,
            arguments.arguments,
        )
        output = {"type": "function_call_output", "call_id": call.call_id, "output": json.dumps({"weather": "rain"})}
        await self.connection.conversation.item.create(item=output)
        await self.connection.response.create()
        return {**await self.answer(), "arguments": json.loads(call.arguments)}


async def talk(client, wanted):
    turns = {}
    async with client.beta.realtime.connect(model="gpt-4o-realtime-preview") as connection:
        one = Talk(connection)
        created = (await one.until("session.created")).session
        assert created.input_audio_format == "pcm16", "the beta, from the first event on"
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
                await one.until("response.audio.delta")
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
        turns["call"] = await one.call("call get weather for Oslo")
    return {"turns": turns, "errors": one.errors}


async def main(wanted):
    base = wanted["url"].removesuffix("/realtime")
    async with AsyncOpenAI(base_url=base.replace("ws", "http", 1), websocket_base_url=base, api_key="x", max_retries=0) as client:
        result = await talk(client, wanted)
    print(json.dumps({"client": "openai (beta)", "version": version("openai"), **result}))


asyncio.run(main(orders()))
