"""What holds for every kind of link, from either end; and what the two WebSocket ends bear from a raw socket."""

import asyncio
import struct
import tracemalloc

import pytest

from tests.support.joined import (
    BINARY,
    CLOSE,
    CONTINUED,
    KINDS,
    TEXT,
    TEXT_BEGUN,
    Pair,
    Visitors,
    frame,
    handshake,
    raw_client,
    raw_server,
    read_frame,
    serving,
    upgrade,
)
from tests.support.until import still
from voice.errors import LinkClosed
from voice.links import base
from voice.links import dial as dialing
from voice.links import web as answering
from voice.links.dial import dial

WAIT_S = 30


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def pair(request: pytest.FixtureRequest) -> Pair:
    chosen: Pair = request.param
    return chosen


async def end_of(link: base.Link) -> LinkClosed:
    """Read until it ends."""
    try:
        async with asyncio.timeout(WAIT_S):
            while True:
                await link.receive()
    except LinkClosed as ended:
        return ended


async def test_texts_arrive_whole_and_in_order(pair: Pair) -> None:
    texts = ["", "a", "\ud55c\uad6d\uc5b4 \U0001f600", "x" * 70_000, *(str(n) for n in range(500))]
    got = []
    async with asyncio.timeout(WAIT_S), pair() as (near, far):

        async def send() -> None:
            for text in texts:
                await near.send(text)

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            for _ in texts:
                got.append(await far.receive())
    assert got == texts


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "the server is stopping"), (1011, "\ud55c" * 10), (4001, "own")])
async def test_the_peer_hears_code_and_reason(pair: Pair, code: int, reason: str) -> None:
    async with asyncio.timeout(WAIT_S), pair() as (near, far), asyncio.TaskGroup() as group:
        group.create_task(near.close(code, reason))
        ended = await end_of(far)
    assert (ended.close_code, ended.reason) == (code, reason)


@pytest.mark.parametrize(
    ("reason", "cut"),
    [("x" * 200, "x" * 123), ("\ud55c" * 100, "\ud55c" * 41), ("a\ud800b", "a?b")],
    ids=["letters", "Hangul", "half a character"],
)
async def test_a_long_reason_is_cut_at_a_character(pair: Pair, reason: str, cut: str) -> None:
    async with asyncio.timeout(WAIT_S), pair() as (near, far), asyncio.TaskGroup() as group:
        group.create_task(near.close(1000, reason))
        ended = await end_of(far)
    assert ended.reason == cut


async def test_what_was_sent_before_the_close_is_received(pair: Pair) -> None:
    async with asyncio.timeout(WAIT_S), pair() as (near, far), asyncio.TaskGroup() as group:

        async def last_words() -> None:
            for n in range(30):
                await near.send(str(n))
            await near.close(1001)

        group.create_task(last_words())
        got = [await far.receive() for _ in range(30)]
        ended = await end_of(far)
    assert got == [str(n) for n in range(30)]
    assert ended.close_code == 1001


async def test_after_the_close_both_ends_are_told_at_every_try(pair: Pair) -> None:
    async with asyncio.timeout(WAIT_S), pair() as (near, far):
        async with asyncio.TaskGroup() as group:
            group.create_task(near.close(4002, "enough"))
            await end_of(far)
        for link in (near, far):
            for _ in range(12):
                with pytest.raises(LinkClosed):
                    await link.send("late")
                with pytest.raises(LinkClosed) as told:
                    await link.receive()
                assert told.value.close_code == 4002
            await link.close(1000, "again")


async def test_a_reader_that_waits_is_woken_by_its_own_close(pair: Pair) -> None:
    async with asyncio.timeout(WAIT_S), pair() as (near, far), asyncio.TaskGroup() as group:
        waiting = group.create_task(end_of(near))
        group.create_task(end_of(far))
        await asyncio.sleep(0)
        await near.close()
        assert isinstance(await waiting, LinkClosed)


async def test_a_sender_that_waits_is_woken_by_the_close(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "CLOSE_TIMEOUT_S", 0.1)
    monkeypatch.setattr(answering, "CLOSE_TIMEOUT_S", 0.1)
    async with asyncio.timeout(WAIT_S), pair() as (near, _):
        sent = 0

        async def flood() -> None:
            nonlocal sent
            while True:
                await near.send("x" * 50_000)
                sent += 1

        async with asyncio.TaskGroup() as group:
            flooding = group.create_task(_swallow(flood()))
            await still(lambda: sent)
            assert not flooding.done()
            await near.close()
        assert flooding.done() and sent < 1000


async def _swallow(work: object) -> None:
    try:
        await work  # type: ignore[misc]
    except LinkClosed:
        pass


async def test_a_cancelled_receive_loses_nothing(pair: Pair) -> None:
    async with asyncio.timeout(WAIT_S), pair() as (near, far):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await far.receive()
        await near.send("still here")
        assert await far.receive() == "still here"


async def test_frames_right_behind_the_request_are_not_lost() -> None:
    visitors = Visitors()
    first = frame(TEXT, b"one") + frame(BINARY, b"two") + frame(TEXT, b"three")
    async with asyncio.timeout(WAIT_S), serving(visitors) as port, raw_client(port, first):
        link = await visitors.next()
        assert [await link.receive() for _ in range(3)] == ["one", b"two", "three"]
        visitors.let_go()


async def test_frames_right_behind_the_answer_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "CLOSE_TIMEOUT_S", 0.05)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(upgrade(request) + frame(TEXT, b"one", masked=False) + frame(BINARY, b"two", masked=False))
        await reader.read()

    async with asyncio.timeout(WAIT_S), raw_server(talk) as port:
        link = await dial(f"ws://127.0.0.1:{port}/")
        assert [await link.receive(), await link.receive()] == ["one", b"two"]
        await link.close()


async def test_a_request_in_small_pieces_is_understood() -> None:
    visitors = Visitors()
    async with asyncio.timeout(WAIT_S), serving(visitors) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = handshake(port) + frame(TEXT, b"whole")
        for at in range(0, len(request), 7):
            writer.write(request[at : at + 7])
            await writer.drain()
            await asyncio.sleep(0)
        link = await visitors.next()
        assert await link.receive() == "whole"
        visitors.let_go()
        writer.close()
        await reader.read()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, b"\xff\xfe"), 1007),
        (frame(0x83, b"unknown kind"), 1002),
        (frame(CLOSE, struct.pack(">H", 4100) + b"bye"), 4100),
        (frame(CLOSE, b""), 1005),
    ],
    ids=["not UTF-8", "not a frame", "a close of its own", "a close without a code"],
)
async def test_what_a_client_does_wrong_ends_its_link(sent: bytes, code: int) -> None:
    visitors = Visitors()
    async with asyncio.timeout(WAIT_S), serving(visitors) as port, raw_client(port, sent):
        ended = await end_of(await visitors.next())
        visitors.let_go()
    assert ended.close_code == code


async def test_a_client_that_vanishes_is_1006() -> None:
    visitors = Visitors()
    async with asyncio.timeout(WAIT_S), serving(visitors) as port:
        async with raw_client(port):
            link = await visitors.next()
        assert (await end_of(link)).close_code == 1006
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(handshake(port))
        await reader.readuntil(b"\r\n\r\n")
        link = await visitors.next()
        writer.close()
        assert (await end_of(link)).close_code == 1006
        visitors.let_go()


async def test_a_server_that_vanishes_is_1006() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")) + frame(TEXT, b"hello", masked=False))
        await writer.drain()

    async with asyncio.timeout(WAIT_S), raw_server(talk) as port:
        link = await dial(f"ws://127.0.0.1:{port}/")
        assert (await end_of(link)).close_code == 1006


async def test_a_message_beyond_the_cap_is_refused_before_it_is_stored() -> None:
    visitors = Visitors()
    async with asyncio.timeout(WAIT_S), serving(visitors) as port, raw_client(port) as (reader, writer):
        link = await visitors.next()
        tracemalloc.start()
        try:
            writer.write(frame(TEXT, b"x" * 1000, announced=1 << 30))
            ended = await end_of(link)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        first, payload = await read_frame(reader)
        visitors.let_go()
    assert ended.close_code == 1009
    assert (first, payload[:2]) == (CLOSE, struct.pack(">H", 1009))
    assert peak < 1 << 20


async def test_a_message_in_pieces_is_held_to_the_same_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MAX_MESSAGE_BYTES", 1 << 20)
    visitors = Visitors()
    async with asyncio.timeout(WAIT_S), serving(visitors) as port, raw_client(port) as (_, writer):
        link = await visitors.next()
        writer.write(frame(TEXT_BEGUN, b"x" * 65_000))
        for _ in range(20):
            writer.write(frame(CONTINUED, b"x" * 65_000))
        ended = await end_of(link)
        visitors.let_go()
    assert ended.close_code == 1009


async def test_a_client_reads_why_a_message_was_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much of it is still on its way: a connection that is closed with unread bytes is reset, and the reason is lost."""
    monkeypatch.setattr(answering, "MAX_MESSAGE_BYTES", 1 << 20)
    visitors = Visitors()
    async with asyncio.timeout(WAIT_S), serving(visitors) as port, raw_client(port) as (reader, writer):
        link = await visitors.next()

        async def send() -> None:
            for text in (b"x" * (27 << 20), b"behind it"):
                writer.write(frame(TEXT, text))
                await writer.drain()

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            ended = group.create_task(end_of(link))
            first, payload = await read_frame(reader)
            assert (first, payload[:2]) == (CLOSE, struct.pack(">H", 1009)) and b"a message has at most" in payload
            writer.write(frame(CLOSE, payload[:2]))
            assert await reader.read() == b""
        assert ended.result().close_code == 1009
        visitors.let_go()


async def test_the_largest_append_of_the_service_passes() -> None:
    text = "x" * (20 << 20)
    async with asyncio.timeout(WAIT_S), KINDS["websocket, from the client"]() as (near, far), asyncio.TaskGroup() as group:
        group.create_task(near.send(text))
        assert len(await far.receive()) == len(text)


async def test_a_server_that_announces_too_much_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PING_INTERVAL_S", "CLOSE_TIMEOUT_S"):
        monkeypatch.setattr(dialing, name, 0.1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")) + frame(TEXT, b"x", masked=False, announced=1 << 30))
        await reader.read()

    async with asyncio.timeout(WAIT_S), raw_server(talk) as port:
        link = await dial(f"ws://127.0.0.1:{port}/")
        assert (await end_of(link)).close_code == 1009


async def test_a_client_that_answers_no_ping_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "HEARTBEAT_S", 0.1)
    visitors = Visitors()
    async with asyncio.timeout(WAIT_S), serving(visitors) as port, raw_client(port):
        link = await visitors.next()
        assert (await end_of(link)).close_code == 1006
        visitors.let_go()


async def test_a_client_that_reads_nothing_is_noticed_and_its_sender_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "HEARTBEAT_S", 0.1)
    visitors = Visitors()
    async with asyncio.timeout(WAIT_S), serving(visitors) as port, raw_client(port) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        link = await visitors.next()

        async def flood() -> None:
            while True:
                await link.send("x" * 100_000)

        async with asyncio.TaskGroup() as group:
            flooding = group.create_task(_swallow(flood()))
            assert (await end_of(link)).close_code == 1006
        assert flooding.done()
        visitors.let_go()


async def test_a_server_that_answers_no_ping_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PING_INTERVAL_S", "PING_TIMEOUT_S", "CLOSE_TIMEOUT_S"):
        monkeypatch.setattr(dialing, name, 0.05)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")))
        await reader.read()
        await asyncio.Event().wait()

    async with asyncio.timeout(WAIT_S), raw_server(talk) as port:
        link = await dial(f"ws://127.0.0.1:{port}/")
        assert (await end_of(link)).close_code == 1011
