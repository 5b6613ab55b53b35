"""Which servers are taken for dead: one that is silent while we wait for it, and none that we keep waiting ourselves."""

import asyncio

import pytest

from tests.support.joined import TEXT, frame, raw_server, serving, upgrade
from voice.errors import LinkClosed
from voice.links import dial as dialing
from voice.links.dial import dial
from voice.links.web import WebLink

BIG = "x" * 1_000_000
COUNT = 24


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PING_INTERVAL_S", "PING_TIMEOUT_S", "CLOSE_TIMEOUT_S"):
        monkeypatch.setattr(dialing, name, 0.05)


async def test_a_server_is_not_dead_because_we_are_slow_to_read() -> None:
    """While nobody takes what came, a pong waits unread behind it: many intervals long."""

    async def flood(link: WebLink) -> None:
        for _ in range(COUNT):
            await link.send(BIG)
        with pytest.raises(LinkClosed):
            await link.receive()

    async with asyncio.timeout(30), serving(flood) as port:
        link = await dial(f"ws://127.0.0.1:{port}/v1/realtime")
        await asyncio.sleep(8 * (dialing.PING_INTERVAL_S + dialing.PING_TIMEOUT_S))
        assert [await link.receive() for _ in range(COUNT)] == [BIG] * COUNT
        await link.close()


async def test_a_silent_server_that_answers_pings_is_kept() -> None:
    pings = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal pings
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")))
        while pings < 4:
            first, size = await reader.readexactly(2)
            mask, payload = await reader.readexactly(4), await reader.readexactly(size & 127)
            assert first == 0x89
            writer.write(frame(0x8A, bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload)), masked=False))
            pings += 1
        writer.write(frame(TEXT, b"late", masked=False))
        await reader.read()

    async with asyncio.timeout(30), raw_server(talk) as port:
        link = await dial(f"ws://127.0.0.1:{port}/")
        assert await link.receive() == "late" and pings == 4
        await link.close()


@pytest.mark.parametrize("wrong_pong", [b"", frame(0x8A, b"other", masked=False)])
async def test_one_that_answers_none_is_not(wrong_pong: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")) + wrong_pong)
        await asyncio.sleep(30)

    async with asyncio.timeout(30), raw_server(talk) as port:
        link = await dial(f"ws://127.0.0.1:{port}/")
        for _ in range(2):
            with pytest.raises(LinkClosed) as told:
                await link.receive()
            assert told.value.close_code in (1006, 1011)
        await link.close()


async def test_one_that_is_slow_to_read_is_kept_for_a_while_and_one_that_never_reads_is_not() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")))
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(30)

    async def flood(send: "asyncio.Event", link: dialing.DialedLink) -> None:
        try:
            while True:
                await link.send(BIG)
        except LinkClosed:
            send.set()

    async with asyncio.timeout(30), raw_server(deaf) as port:
        link, freed = await dial(f"ws://127.0.0.1:{port}/"), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(flood(freed, link))
            began = asyncio.get_running_loop().time()
            with pytest.raises(LinkClosed) as told:
                await link.receive()
            assert asyncio.get_running_loop().time() - began > 3 * (dialing.PING_INTERVAL_S + dialing.PING_TIMEOUT_S)
            await freed.wait()
    assert told.value.close_code == 1011
