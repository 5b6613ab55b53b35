"""The `openai` client, unmodified, against our server: every event that comes is one of its typed models."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import pytest

from tests.support.http import app_running
from tests.support.needs import needs
from tests.support.oracle import judge
from tests.support.signals import padded, speech_like
from tests.support.wire import fake_engine
from voice.audio.pcm import Samples, to_bytes
from voice.audio.resample import resample
from voice.engines.responder import SkillsResponder

pytestmark = [needs("openai"), pytest.mark.conformance]
PCM = {"type": "audio/pcm", "rate": 24_000}


@asynccontextmanager
async def connected(**engine: Any) -> AsyncIterator[Any]:
    from openai import AsyncOpenAI

    async with asyncio.timeout(30), app_running(fake_engine(**engine)) as port:
        async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="x", max_retries=0) as client:
            async with client.realtime.connect(model="gpt-realtime") as connection:
                assert (await connection.recv()).type == "session.created"
                yield connection


async def until(connection: Any, kind: str) -> list[Any]:
    """Every event up to one of this kind; each is what the models allow and nothing else."""
    seen: list[Any] = []
    while not seen or seen[-1].type != kind:
        data = await connection.recv_bytes()
        judge("server", data.decode() if isinstance(data, bytes) else data)
        event = connection.parse_event(data)
        assert type(event).__name__ != "dict" and event.type != "error", event
        seen.append(event)
    return seen


async def push(connection: Any, samples: Samples) -> None:
    data = to_bytes(resample(samples, 16_000, 24_000))
    for at in range(0, len(data), 4800):
        await connection.input_audio_buffer.append(audio=base64.b64encode(data[at : at + 4800]).decode())


async def type_text(connection: Any, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
    await connection.response.create()


def sound_ms(seen: list[Any]) -> float:
    return sum(len(base64.b64decode(event.delta)) for event in seen if event.type == "response.output_audio.delta") / 48


def answer(seen: list[Any]) -> str:
    return str(seen[-1].response.output[0].content[0].transcript)


async def test_a_text_turn() -> None:
    async with connected() as connection:
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"], "instructions": "be brief"})
        (updated,) = (await until(connection, "session.updated"))[-1:]
        assert updated.session.instructions == "be brief"
        await type_text(connection, "hello")
        seen = await until(connection, "response.done")
        assert "".join(event.delta for event in seen if event.type == "response.output_text.delta") == "hello. 1 lines."
        assert seen[-1].response.output[0].content[0].text == "hello. 1 lines."
        await until(connection, "rate_limits.updated")


async def test_a_voice_turn_that_the_server_ends() -> None:
    async with connected() as connection:
        audio = {"input": {"format": PCM, "transcription": {"model": "whisper-1"}, "turn_detection": {"type": "server_vad"}}}
        await connection.session.update(session={"type": "realtime", "audio": audio})
        await until(connection, "session.updated")
        await push(connection, padded(speech_like(1200), 500, 1000))
        seen = await until(connection, "response.done")
        kinds = [event.type for event in seen]
        assert (
            kinds.index("input_audio_buffer.speech_started") < kinds.index("input_audio_buffer.committed") < kinds.index("response.created")
        )
        (heard,) = [event.transcript for event in seen if event.type == "conversation.item.input_audio_transcription.completed"]
        assert answer(seen) == f"{heard}. 1 lines." and sound_ms(seen) == pytest.approx(1000, abs=2)


async def test_a_voice_turn_that_the_client_ends() -> None:
    async with connected() as connection:
        await connection.session.update(session={"type": "realtime", "audio": {"input": {"format": PCM, "turn_detection": None}}})
        await until(connection, "session.updated")
        await push(connection, speech_like(800))
        await connection.input_audio_buffer.commit()
        await connection.response.create()
        seen = await until(connection, "response.done")
        assert answer(seen).startswith("heard 8")


async def test_cancelling_and_going_on() -> None:
    from tests.support.fakes import FakeSynthesizer

    synthesizer = FakeSynthesizer(gate=asyncio.Event())
    async with connected(synthesizer=synthesizer) as connection:
        await type_text(connection, "hello")
        await until(connection, "response.output_audio.delta")
        await connection.response.cancel()
        done = (await until(connection, "response.done"))[-1].response
        assert (done.status, done.status_details.reason) == ("cancelled", "client_cancelled")
        item_id = done.output[0].id
        await connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=100)
        await until(connection, "conversation.item.truncated")
        await connection.conversation.item.retrieve(item_id=item_id)
        item = (await until(connection, "conversation.item.retrieved"))[-1].item
        assert item.id == item_id and len(base64.b64decode(item.content[0].audio)) == 4800
        await connection.conversation.item.delete(item_id=item_id)
        await until(connection, "conversation.item.deleted")
        synthesizer.gate.set()
        await type_text(connection, "again")
        assert answer(await until(connection, "response.done")).startswith("again")


async def test_a_session_that_only_writes_down() -> None:
    from openai import AsyncOpenAI

    heard = {"transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": None, "format": PCM}
    settings: Any = {"type": "transcription", "audio": {"input": heard}}
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="x", max_retries=0) as client:
            secret = await client.realtime.client_secrets.create(session=settings)
            assert secret.session.type == "transcription" and secret.session.object == "realtime.transcription_session"
            async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
                assert (await until(connection, "session.created"))[0].session.type == "transcription"
                await connection.session.update(session=settings)
                await until(connection, "session.updated")
                await push(connection, speech_like(800))
                await connection.input_audio_buffer.commit()
                seen = await until(connection, "conversation.item.input_audio_transcription.completed")
                assert seen[-1].transcript and not [event for event in seen if event.type.startswith("response.")]


async def test_a_function_is_called_and_its_output_answered() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"type": "function", "name": "get_weather", "description": "The weather of a city.", "parameters": schema}
    async with connected(responder=SkillsResponder(UTC)) as connection:
        await connection.session.update(session={"type": "realtime", "tools": [tool], "tool_choice": "auto"})
        await until(connection, "session.updated")
        await type_text(connection, "Please call get weather for New York.")
        seen = await until(connection, "response.done")
        [call] = seen[-1].response.output
        assert (call.type, call.name, call.arguments, call.status) == ("function_call", "get_weather", '{"city": "New York"}', "completed")
        assert "".join(event.delta for event in seen if event.type == "response.function_call_arguments.delta") == call.arguments
        output = {"type": "function_call_output", "call_id": call.call_id, "output": '{"temperature": 21, "sky": "clear"}'}
        await connection.conversation.item.create(item=output)
        await connection.response.create()
        seen = await until(connection, "response.done")
        assert answer(seen) == "temperature: 21, sky: clear." and sound_ms(seen) > 0
        assert seen[-1].response.usage.input_token_details.text_tokens > 0


async def test_an_answer_ends_at_its_limit() -> None:
    async with connected(responder=SkillsResponder(UTC)) as connection:
        await connection.response.create(response={"max_output_tokens": 10, "conversation": "none", "metadata": {"topic": "help"}})
        seen = await until(connection, "response.done")
        response = seen[-1].response
        assert (response.status, response.status_details.reason, response.max_output_tokens) == ("incomplete", "max_output_tokens", 10)
        assert response.usage.output_tokens <= 10 and response.metadata == {"topic": "help"} and response.conversation_id is None
        words = len(answer(seen).split())
        assert words > 0 and sound_ms(seen) == pytest.approx(200 * words, abs=2), "the words that were kept are those that sound"
