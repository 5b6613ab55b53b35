"""livekit-agents holds a text turn and a voice turn: URL WAV (24 kHz, mono, 16-bit) -> one JSON object."""

import asyncio
import json
import sys
import wave
from importlib.metadata import version

from livekit import rtc
from livekit.agents import llm
from livekit.plugins import openai

CHUNK_MS = 100


async def spoken(generation):
    """The words and the length of an answer."""
    words, sound_ms = "", 0.0
    async for message in generation.message_stream:

        async def listen(message=message):
            return sum([frame.duration * 1000 async for frame in message.audio_stream])

        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(listen())
            async for text in message.text_stream:
                words += str(text)
        sound_ms += hearing.result()
    return {"answer": words, "audio_ms": round(sound_ms)}


async def main(url, path):
    model = openai.realtime.RealtimeModel(
        base_url=url.removesuffix("/realtime").replace("ws", "http", 1), api_key="x", model="gpt-realtime"
    )
    session = model.session()
    errors, heard = [], []
    generations = asyncio.Queue()
    session.on("error", lambda event: errors.append(str(event)))
    session.on("generation_created", generations.put_nowait)
    session.on("input_audio_transcription_completed", lambda event: heard.append(event.transcript) if event.is_final else None)
    async with asyncio.timeout(60):
        context = llm.ChatContext.empty()
        context.add_message(role="user", content="what is two plus two")
        await session.update_instructions("Be brief.")
        await session.update_chat_ctx(context)
        text = await spoken(await session.generate_reply())
        while not generations.empty():
            generations.get_nowait()
        with wave.open(path) as wav:
            rate_hz, size = wav.getframerate(), wav.getframerate() * CHUNK_MS // 1000
            sound = bytes(size) + wav.readframes(wav.getnframes()) + bytes(2 * size * 20)
        for at in range(0, len(sound) - 2 * size, 2 * size):
            session.push_audio(rtc.AudioFrame(sound[at : at + 2 * size], rate_hz, 1, size))
            await asyncio.sleep(CHUNK_MS / 1000 / 5)
        voice = await spoken(await generations.get())
        voice["heard"] = " ".join(heard)
    text["errors"] = voice["errors"] = errors
    await session.aclose()
    print(json.dumps({"client": "livekit-agents", "version": version("livekit-agents"), "text": text, "voice": voice}))


asyncio.run(main(*sys.argv[1:]))
