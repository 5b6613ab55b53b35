"""openai-agents holds a text turn and a voice turn: URL WAV (24 kHz, mono, 16-bit) -> one JSON object."""

import asyncio
import json
import sys
import wave
from importlib.metadata import version

from agents.realtime import RealtimeAgent, RealtimeRunner

CHUNK_MS = 100


async def turn(events, deadline_s=30.0):
    """Read up to the end of an answer: its words, its sound, what the user was heard to say."""
    heard, words, sound, errors = "", "", 0, []
    async with asyncio.timeout(deadline_s):
        async for event in events:
            if event.type == "audio":
                sound += len(event.audio.data)
            elif event.type == "error":
                errors.append(str(event.error))
            elif event.type == "history_updated":
                for item in event.history:
                    if getattr(item, "role", "") == "user":
                        heard = next((part.transcript for part in item.content if part.type == "input_audio" and part.transcript), heard)
                    if getattr(item, "role", "") == "assistant":
                        words = next((part.transcript for part in item.content if part.type == "audio" and part.transcript), words)
            elif event.type == "agent_end":
                break
    return {"heard": heard, "answer": words, "audio_ms": sound // 48, "errors": errors}


async def main(url, path):
    runner = RealtimeRunner(
        RealtimeAgent(name="voice", instructions="Be brief."),
        config={
            "model_settings": {
                "model_name": "gpt-realtime",
                "modalities": ["audio"],
                "input_audio_transcription": {"model": "whisper-1"},
                "turn_detection": {"type": "server_vad", "interrupt_response": True},
            }
        },
    )
    session = await runner.run(model_config={"url": url, "api_key": "x"})
    async with session:
        events = aiter(session)
        await session.send_message("what is two plus two")
        text = await turn(events)
        with wave.open(path) as wav:
            size = wav.getframerate() * CHUNK_MS // 1000
            sound = bytes(size) + wav.readframes(wav.getnframes()) + bytes(2 * size * 15)
        for at in range(0, len(sound), 2 * size):
            await session.send_audio(sound[at : at + 2 * size])
            await asyncio.sleep(CHUNK_MS / 1000 / 5)
        voice = await turn(events)
    print(json.dumps({"client": "openai-agents", "version": version("openai-agents"), "text": text, "voice": voice}))


asyncio.run(main(*sys.argv[1:]))
