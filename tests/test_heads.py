"""Connections that never finish their request's head are cut; all others live."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
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
    async with asyncio.timeout(30), swept() as port, raw_client(port) as (talking, says):
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


def _until(true: Callable[[], bool]) -> None:
    """Blocks until it is true; in a thread, so that the loop goes on."""
    while not true():
        time.sleep(0.001)


async def test_a_connection_that_takes_its_time_and_then_asks_is_kept() -> None:
    """Sweeps by hand: it is seen waiting by the first, has asked before the second, and is quiet until the third."""
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    runner = web.AppRunner(make_app(fake_engine(), ServeOptions(port=0), {}), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sweep = heads._Sweep(runner)
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
            writer.write(request[:20])
            server = runner.server
            assert server is not None
            await asyncio.to_thread(_until, lambda: bool(server.connections))
            sweep.look()
            for part in (request[20:], request):
                writer.write(part)
                await reader.readuntil(b"}")
                sweep.look()
                sweep.look()
            writer.close()
    finally:
        await runner.cleanup()
