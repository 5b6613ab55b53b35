"""Parties that break the rules of their dialect: nothing that they say ends a session, and what is right goes on to be understood."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.joined import Visitors, serving
from tests.support.mutating import storm
from tests.support.order_corpus import SESSIONS
from tests.support.relayed import relayed
from voice.errors import LinkClosed
from voice.links import dial as dialing
from voice.links.base import Link
from voice.links.dial import dial
from voice.opening import connect
from voice.protocol.accents import BETA, GA, Exchange
from voice.protocol.dialect import DIALECTS, Dialect
from voice.protocol.notices import ReplyEnded

DOWN = [event for events in SESSIONS.values() for event in events]
UP: list[dict[str, Any]] = [
    {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "instructions": "x",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 16000},
                    "turn_detection": {"type": "server_vad", "threshold": 0.5},
                    "transcription": {"model": "m"},
                },
                "output": {"voice": "v", "speed": 1.0, "format": {"type": "audio/pcm", "rate": 24000}},
            },
            "tools": [{"type": "function", "name": "f", "parameters": {}}],
            "output_modalities": ["audio"],
            "max_output_tokens": 9,
        },
    },
    {"type": "session.update", "session": {"modalities": ["text"], "voice": "v", "input_audio_format": "pcm16", "turn_detection": None}},
    {"type": "transcription_session.update", "session": {"input_audio_format": "pcm16", "input_audio_transcription": {"model": "m"}}},
    {"type": "input_audio_buffer.append", "audio": "AAAAAAAAAAAA"},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
    },
    {
        "type": "conversation.item.create",
        "previous_item_id": "root",
        "item": {"type": "function_call_output", "call_id": "c", "output": "o"},
    },
    {"type": "conversation.item.truncate", "item_id": "said_1", "content_index": 0, "audio_end_ms": 10},
    {"type": "conversation.item.retrieve", "item_id": "said_1", "event_id": "e"},
    {"type": "conversation.item.delete", "item_id": "said_1"},
    {
        "type": "response.create",
        "response": {"instructions": "x", "output_modalities": ["text"], "audio": {"output": {"voice": "v"}}, "metadata": {"a": "b"}},
    },
    {"type": "response.cancel"},
]


def exchange(client: Dialect | None, server: Dialect | None) -> Exchange:
    count = iter(range(10**9))
    return Exchange(client, server, lambda kind: f"{kind}_of_ours_{next(count)}")


@pytest.mark.parametrize("name", DIALECTS)
def test_nothing_that_is_said_breaks_the_exchange(name: str) -> None:
    dialect = DIALECTS[name]
    telling = exchange(dialect, GA)
    theirs = [json.loads(text) for event in DOWN for text in telling.down(json.dumps(event)).on]
    pairs = [(GA, dialect, theirs), (BETA, dialect, theirs), (dialect, GA, DOWN), (GA, dialect, DOWN), (None, None, theirs)]
    for seed, (client, server, events) in enumerate(pairs):
        between = exchange(client, server)
        for up, down in zip(storm(UP, 300, seed), storm(events, 300, seed), strict=True):
            for passage in (between.up(up), between.down(down)):
                assert all(isinstance(text, str) for text in passage.on + passage.back)
        (told,) = between.down(json.dumps({"type": "error", "event_id": "e", "error": {"type": "t", "code": "c", "message": "m"}})).on
        assert json.loads(told)["error"]["code"] == "c", "it goes on"
        assert json.loads(between.up('{"type":"input_audio_buffer.clear"}').on[0])["type"] == "input_audio_buffer.clear"


@asynccontextmanager
async def upstream(**options: object) -> AsyncIterator[tuple[Link, Link]]:
    """A client of a relay, and the upstream behind it, which is the test."""
    visitors = Visitors()
    async with asyncio.timeout(30), serving(visitors) as port, relayed(port, **options) as front:
        near = await dial(f"ws://127.0.0.1:{front}/v1/realtime")
        try:
            yield near, await visitors.next()
        finally:
            visitors.let_go()
            await near.close()


def delta(name: str, size: int = 4) -> str:
    return json.dumps(
        {
            "type": f"response.{name}.delta",
            "event_id": "e",
            "response_id": "r",
            "item_id": "i",
            "output_index": 0,
            "content_index": 0,
            "delta": "A" * size,
        }
    )


async def until(link: Link, kind: str) -> dict[str, Any]:
    """The next event of this kind; one that is told for a service that leaves it out may come before it."""
    while (event := json.loads(await link.receive()))["type"] != kind:
        pass
    return dict(event)


DELTA = "response.output_audio.delta"
FLAT = json.dumps({"type": "session.created", "event_id": "e", "session": {"id": "s", "voice": "v", "modalities": ["audio", "text"]}})
NESTED = json.dumps({"type": "session.created", "event_id": "e", "session": {"type": "realtime", "audio": {}}})


async def test_an_upstream_that_changes_its_dialect_in_the_middle() -> None:
    async with upstream(dialect="auto") as (client, far):
        await far.send(FLAT)
        assert json.loads(await client.receive())["session"]["type"] == "realtime"
        for name in ("audio", "output_audio", "audio"):
            await far.send(delta(name))
            await until(client, DELTA)
        await far.send(NESTED)
        assert json.loads(await client.receive())["session"]["type"] == "realtime"
        await far.send(delta("output_audio"))
        await until(client, DELTA)


async def test_an_upstream_of_today_that_turns_old_is_passed_on_as_it_is() -> None:
    async with upstream(dialect="auto") as (client, far):
        for text in (NESTED, FLAT, delta("audio"), "no JSON"):
            await far.send(text)
            assert await client.receive() == text


@pytest.mark.parametrize("name", ["beta", "auto"])
async def test_binary_frames_and_garbage(name: str) -> None:
    async with upstream(dialect=name) as (client, far):
        socket = far._socket  # type: ignore[attr-defined]
        await socket.send_bytes(FLAT.encode())
        assert json.loads(await client.receive())["session"]["type"] == "realtime"
        await socket.send_bytes(b"\xff\xfe")
        assert await client.receive() == "\ufffd\ufffd", "as with an upstream of today"
        for text in ("no JSON", "[]", "null", '{"type":7}', "{" * 10_000):
            await far.send(text)
            assert await client.receive() == text
        await socket.send_bytes(delta("audio").encode())
        await until(client, DELTA)


async def test_huge_events() -> None:
    async with upstream(dialect="beta") as (client, far):
        await far.send(delta("audio", 12 << 20))
        assert len((await until(client, DELTA))["delta"]) == 12 << 20
        await client.send(json.dumps({"type": "input_audio_buffer.append", "audio": "A" * (12 << 20)}))
        assert len(json.loads(await far.receive())["audio"]) == 12 << 20


async def test_how_an_upstream_of_another_dialect_leaves_is_passed_on_behind_what_it_said() -> None:
    async with upstream(dialect="beta") as (client, far):
        for _ in range(50):
            await far.send(delta("audio"))
        await far.close(4321, "that was all")
        for _ in range(50):
            await until(client, DELTA)
        with pytest.raises(LinkClosed) as told:
            await client.receive()
        assert (told.value.close_code, told.value.reason) == (4321, "that was all")


async def test_when_it_expires_is_told_by_our_clock_in_any_dialect() -> None:
    created = json.loads(FLAT)
    created["session"]["expires_at"] = 2_000_000_000
    for front in ("ga", "beta"):
        async with upstream(dialect="beta", front=front, life_s=100.0) as (client, far):
            await far.send(json.dumps(created))
            told = json.loads(await client.receive())["session"]
            assert ("type" in told) == (front == "ga")
            assert abs(told["expires_at"] - time.time() - 100) < 30


@pytest.mark.parametrize("name", DIALECTS)
async def test_our_client_outlives_a_server_that_talks_nonsense(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody here answers a close.
    monkeypatch.setattr(dialing, "CLOSE_TIMEOUT_S", 0.05)
    visitors = Visitors()
    async with asyncio.timeout(30), serving(visitors) as port:
        async with connect(f"ws://127.0.0.1:{port}", dialect=name, reconnect=False) as session:
            far = await visitors.next()
            # Not what the client may take for the end of its session.
            events = [event for event in DOWN if event["type"] != "error"]
            spoken = exchange(DIALECTS[name], GA)
            for text in storm(events, 300, 7):
                # Else it is no text that a WebSocket could carry.
                for one in spoken.down(text.encode(errors="replace").decode()).on:
                    await far.send(one)
            last = {
                "type": "response.done",
                "event_id": "e",
                "response": {"id": "the last", "object": "realtime.response", "status": "completed", "output": []},
            }
            for one in spoken.down(json.dumps(last)).on:
                await far.send(one)
            async for notice in session:
                if isinstance(notice, ReplyEnded) and notice.response_id == "the last":
                    break
        visitors.let_go()
