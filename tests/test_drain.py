"""What still comes is read off before a connection is closed, within bounds."""

import asyncio
from typing import cast

import pytest

from voice.links import drain
from voice.links.drain import departed, drained


class Own(asyncio.Protocol):
    """The protocol that a connection had."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.made, self.ended = asyncio.Event(), asyncio.Event()
        self.told: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.made.set()

    def data_received(self, data: bytes) -> None:
        self.told.append(f"data {len(data)}")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")
        self.ended.set()


async def joined(own: Own) -> tuple[asyncio.Transport, asyncio.StreamReader, asyncio.StreamWriter, asyncio.Server]:
    server = await asyncio.get_running_loop().create_server(lambda: own, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await own.made.wait()
    assert own.transport is not None
    return own.transport, reader, writer, server


async def test_all_of_it_is_read_and_the_goodbye_arrives() -> None:
    own = Own()
    async with asyncio.timeout(30):
        transport, reader, writer, server = await joined(own)
        transport.write(b"goodbye")
        writer.write(bytes(3 << 20))
        assert await drained(transport) == 3 << 20
        assert transport.get_protocol() is own
        transport.close()
        assert await reader.read() == b"goodbye"
        await own.ended.wait()
        writer.close()
        server.close()
    assert own.told == ["lost"]


async def test_reading_goes_on_if_it_was_held_up() -> None:
    own = Own()
    async with asyncio.timeout(30):
        transport, _, writer, server = await joined(own)
        transport.pause_reading()
        writer.write(bytes(100_000))
        assert await drained(transport) == 100_000
        transport.close()
        writer.close()
        server.close()


@pytest.mark.parametrize(("name", "value", "least"), [("MAX_BYTES", 1 << 20, 1 << 20), ("MAX_S", 0.1, 1)])
async def test_it_has_an_end(monkeypatch: pytest.MonkeyPatch, name: str, value: float, least: int) -> None:
    monkeypatch.setattr(drain, name, value)
    own = Own()
    async with asyncio.timeout(30):
        transport, _, writer, server = await joined(own)

        async def flood() -> None:
            try:
                while True:
                    writer.write(bytes(1 << 16))
                    await writer.drain()
                    await asyncio.sleep(0)
            except ConnectionError:
                pass

        async with asyncio.TaskGroup() as group:
            flooding = group.create_task(flood())
            assert least <= await drained(transport) < 1 << 30
            transport.abort()
            flooding.cancel()
        server.close()


async def test_a_peer_that_leaves_is_not_waited_for() -> None:
    own = Own()
    async with asyncio.timeout(30):
        transport, _, writer, server = await joined(own)
        writer.write(b"x")
        writer.close()
        assert await drained(transport) in (0, 1)
        await own.ended.wait()
        assert await drained(transport) == 0
        server.close()
    assert own.told[-1] == "lost"


async def test_a_peer_is_heard_out_until_it_leaves_however_long_that_takes() -> None:
    own = Own()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        transport, _, writer, server = await joined(own)
        waiting = group.create_task(departed(transport))
        for _ in range(3):
            writer.write(bytes(1 << 16))
            await writer.drain()
            await asyncio.sleep(0.01)
        assert not waiting.done()
        writer.close()
        await waiting
        await own.ended.wait()
        await departed(transport)
        server.close()
    assert own.told[-1] == "lost"
