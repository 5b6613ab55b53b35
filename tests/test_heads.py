"""Connections that never finish their request's head are cut; all others live."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.support.joined import TEXT, frame, raw_client, read_frame
from tests.support.wire import fake_engine, left_over
from voice.server import heads
from voice.server.app import ServeOptions, make_app


@asynccontextmanager
async def swept() -> AsyncIterator[int]:
    runner = web.AppRunner(make_app(fake_engine(), ServeOptions(port=0), {}), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        with heads.impatient(runner):
            yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nX-A: b\r\n", b"G"])
async def test_who_does_not_finish_a_head_is_cut_and_who_did_is_not(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_TIMEOUT_S", 0.1)
    async with asyncio.timeout(10), swept() as port, raw_client(port) as (talking, says):
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        for _, writer in slow:
            writer.write(head)
        for reader, writer in slow:
            with pytest.raises(ConnectionError):
                if await reader.read() == b"":
                    raise ConnectionResetError
            writer.close()
        says.write(frame(TEXT, b'{"type":"conversation.item.retrieve","item_id":"x"}'))
        while b'"error"' not in (await read_frame(talking))[1]:
            pass
    assert not {name for name in left_over() if "sweep" in name}


async def test_a_connection_that_has_asked_may_be_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_TIMEOUT_S", 0.05)
    async with asyncio.timeout(10), swept() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        idle, other = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        for _ in range(2):
            writer.write(request)
            await reader.readuntil(b"}")
            # The one that asks nothing is cut after at least one whole sweep.
            try:
                await idle.read()
            except ConnectionError:
                pass
        writer.close()
        other.close()
