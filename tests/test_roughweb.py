"""A WebSocket that is treated roughly, byte by byte at the other end; and faults over real sockets."""

import asyncio
import json
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.certificate import self_signed
from tests.support.joined import CLOSE, PING, TEXT, Visitors, frame, raw_client, read_frame, serving
from tests.support.until import until
from voice.engines.script import default_script, read_script
from voice.engines.twin import TwinEngine, TwinOptions
from voice.errors import LinkClosed
from voice.links import web as answering
from voice.links.roughweb import MAX_KEPT_BYTES, WebRough, reset
from voice.links.web import WebLink
from voice.policy.deeds import Close, Reset
from voice.policy.faults import read_faults
from voice.server.app import ServeOptions, served

WAIT_S = 30
PONG = 0x8A


class Rough:
    """One connection: our end as a link and as what can be done to it, the client's end as raw streams."""

    def __init__(self, link: WebLink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = link._socket._req.transport  # type: ignore[union-attr]
        assert transport is not None
        self.link, self.reader, self.writer = link, reader, writer
        self.rough = WebRough(link, link._socket, transport)  # type: ignore[arg-type]
        self.transport = transport

    async def frames(self) -> list[tuple[int, bytes]]:
        """All frames until the end of the connection. Raises: ConnectionResetError."""
        frames = []
        try:
            while True:
                frames.append(await read_frame(self.reader))
        except asyncio.IncompleteReadError as end:
            assert end.partial == b""
        return frames


@asynccontextmanager
async def connected() -> AsyncIterator[Rough]:
    visitors = Visitors()
    async with asyncio.timeout(WAIT_S), serving(visitors) as port, raw_client(port) as (reader, writer):
        try:
            yield Rough(await visitors.next(), reader, writer)
        finally:
            visitors.let_go()


async def read_on(link: WebLink) -> int:
    """Read as a session does; returns the code of the end."""
    try:
        while True:
            await link.receive()
    except LinkClosed as ended:
        return ended.close_code


CODES = [
    (Close(1000), struct.pack(">H", 1000)),
    (Close(1011, "\ud55c"), struct.pack(">H", 1011) + "\ud55c".encode()),
    (Close(1004), struct.pack(">H", 1004)),
    (Close(1015), struct.pack(">H", 1015)),
    (Close(4999, "own"), struct.pack(">H", 4999) + b"own"),
    (Close(0), struct.pack(">H", 0)),
    (Close(65_535), struct.pack(">H", 65_535)),
    (Close(1005), b""),
]


@pytest.mark.parametrize(("how", "payload"), CODES, ids=[str(how.code) for how, _ in CODES])
async def test_a_close_frame_with_any_code_or_none(how: Close, payload: bytes) -> None:
    async with connected() as one, asyncio.TaskGroup() as group:
        group.create_task(read_on(one.link))
        await one.link.send("before")
        ending = group.create_task(one.rough.end(how))
        assert [await read_frame(one.reader), await read_frame(one.reader)] == [(TEXT, b"before"), (CLOSE, payload)]
        one.writer.write(frame(CLOSE, payload[:2]))
        assert await one.reader.read() == b""
        one.writer.close()
        await ending


@pytest.mark.parametrize("sending", [False, True])
async def test_1006_is_an_end_without_a_close_frame_behind_all_that_was_sent(sending: bool) -> None:
    async with connected() as one, asyncio.TaskGroup() as group:
        reading = group.create_task(read_on(one.link))
        for n in range(200):
            await one.link.send(str(n) * 1000)
        if sending:
            one.writer.write(frame(TEXT, b"x" * 60_000) * 50)
        await one.rough.end(Close(1006))
        assert [payload[:1] for _, payload in await one.frames()] == [str(n)[:1].encode() for n in range(200)]
        assert await reading == 1006


async def test_a_reset_is_one() -> None:
    async with connected() as one, asyncio.TaskGroup() as group:
        reading = group.create_task(read_on(one.link))
        await one.rough.end(Reset())
        with pytest.raises(ConnectionResetError):
            await one.frames()
        assert await reading == 1006


@pytest.mark.parametrize(("text", "first"), [(True, TEXT), (False, 0x82)])
async def test_frames_with_any_bytes(text: bool, first: int) -> None:
    async with connected() as one:
        await one.rough.send_raw(b"\xff\x00", text)
        assert await read_frame(one.reader) == (first, b"\xff\x00")
        one.transport.abort()
        with pytest.raises(LinkClosed):
            while True:
                await one.rough.send_raw(b"x", text)
                await asyncio.sleep(0)


async def nothing_comes(one: Rough, for_s: float = 0.3) -> None:
    """No byte, and no end. (How long can only be too short to catch it, never too long.)"""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(for_s):
            await one.reader.readexactly(1)


@pytest.mark.parametrize("lasting", [True, False])
async def test_a_frozen_connection_is_dead_to_pings_and_pings_nobody(lasting: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "HEARTBEAT_S", 0.1)
    async with connected() as one, asyncio.TaskGroup() as group:
        reading = group.create_task(read_on(one.link))
        one.rough.freeze(lasting)
        one.rough.freeze(lasting)
        one.writer.write(frame(PING, b"there?") + frame(TEXT, b"hello"))
        await nothing_comes(one, for_s=0.5)
        assert not reading.done() and not one.transport.is_closing()
        one.writer.close()
        assert await reading == 1006


async def test_a_connection_that_thaws_answers_and_reads_what_came() -> None:
    async with connected() as one, asyncio.TaskGroup() as group:
        one.rough.freeze(False)
        one.writer.write(frame(TEXT, b"one") + frame(PING, b"there?"))
        await nothing_comes(one)
        one.rough.thaw()
        one.rough.thaw()
        assert await one.link.receive() == "one"
        hearing = group.create_task(one.link.receive())
        assert await read_frame(one.reader) == (PONG, b"there?")
        one.writer.write(frame(TEXT, b"two"))
        assert await hearing == "two"


async def test_what_comes_to_a_frozen_connection_takes_no_memory() -> None:
    async with connected() as one, asyncio.TaskGroup() as group:
        one.rough.freeze(False)
        big = frame(TEXT, b"x" * (1 << 20)) * 24
        sending = group.create_task(send(one.writer, big))
        await until(lambda: not one.transport.is_reading())
        assert not sending.done()
        deaf = one.transport.get_protocol()
        assert len(deaf.kept) < 2 * MAX_KEPT_BYTES  # type: ignore[union-attr]
        one.rough.thaw()
        for _ in range(24):
            assert len(await one.link.receive()) == 1 << 20
        await sending


async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def test_a_frozen_connection_that_the_server_gives_up_is_cut_at_once() -> None:
    async with connected() as one, asyncio.TaskGroup() as group:
        reading = group.create_task(read_on(one.link))
        one.rough.freeze(True)
        await one.link.close(1001, "the server is stopping")
        assert await one.reader.read() == b""
        assert await reading == 1001


@pytest.mark.parametrize("how", [Close(1011), Close(1005), Close(1006), Reset()], ids=["1011", "1005", "1006", "rst"])
async def test_a_frozen_connection_and_one_that_has_gone_can_be_ended(how: Close | Reset) -> None:
    async with connected() as one, asyncio.TaskGroup() as group:
        reading = group.create_task(read_on(one.link))
        one.rough.freeze(True)
        ending = group.create_task(one.rough.end(how))
        try:
            frames = await one.frames()
        except ConnectionResetError:
            frames = []
        if isinstance(how, Reset) or how.code == 1006:
            assert frames == []
        else:
            assert [first for first, _ in frames] == [CLOSE]
        await ending
        await reading
        for again in (Close(1011), Close(1005), Close(1006), Reset()):
            await one.rough.end(again)
        one.rough.freeze(True)


async def test_a_client_that_answers_no_close_is_cut_off() -> None:
    async with connected() as one, asyncio.TaskGroup() as group:
        group.create_task(read_on(one.link))
        await one.rough.end(Close(1005))
        assert (await one.frames())[0] == (CLOSE, b"")


def test_a_reset_needs_no_socket() -> None:
    class Transport(asyncio.Transport):
        aborted = False

        def abort(self) -> None:
            self.aborted = True

    transport = Transport()
    reset(transport)
    assert transport.aborted


async def test_json_passes_a_thawed_connection_in_pieces() -> None:
    """A frame that was cut in two by the frost is whole again."""
    async with connected() as one:
        whole = frame(TEXT, json.dumps({"type": "x", "y": "z" * 500}).encode())
        one.writer.write(whole[:200])
        await one.writer.drain()
        await asyncio.sleep(0)
        one.rough.freeze(False)
        one.writer.write(whole[200:])
        await nothing_comes(one, for_s=0.05)
        one.rough.thaw()
        assert json.loads(await one.link.receive())["type"] == "x"


TLS_ENDS = [
    ('do = "rst"', None),
    ('do = "close"\ncode = 1006', None),
    ('do = "close"\ncode = 1005', 1005),
    ('do = "close"\ncode = 4001', 4001),
    ('do = "half_open"\nms = 100', 0),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(("lines", "code"), TLS_ENDS, ids=[lines.replace("\n", " ") for lines, _ in TLS_ENDS])
async def test_what_happens_to_a_connection_happens_to_an_encrypted_one(
    lines: str, code: int | None, certificate: tuple[Path, Path]
) -> None:
    """`code`: of the close frame; None: there is none; 0: the connection is there."""
    engine = TwinEngine(
        default_script(), None, TwinOptions(faults=read_faults(f'[[fault]]\n{lines}\non = {{event = "response.created"}}', "f"))
    )
    trust = ssl.create_default_context(cafile=certificate[0])
    async with asyncio.timeout(WAIT_S), served(engine, ServeOptions(port=0, cert=certificate[0], key=certificate[1]), {}) as (_, address):
        async with connect(f"{address.replace('http', 'ws', 1)}/v1/realtime", ssl=trust, proxy=None) as socket:
            assert json.loads(await socket.recv())["type"] == "session.created"
            await socket.send('{"type":"response.create"}')
            if code == 0:
                assert json.loads(await socket.recv())["type"] == "response.created"
                return
            with pytest.raises(ConnectionClosed) as ended:
                await socket.recv()
    assert (ended.value.rcvd.code if ended.value.rcvd is not None else None) == code
    if lines == 'do = "rst"':
        assert isinstance(ended.value.__cause__, ConnectionResetError)


async def test_a_client_that_reads_nothing_is_reset_in_time() -> None:
    """Though the session's sender is in the middle of a frame that nobody takes."""
    script = read_script('voice = "tones"\npace = inf\n[[reply]]\ntone_ms = 600000', "s")
    faults = read_faults('[[fault]]\ndo = "rst"\nat_s = 0.5\n[[fault]]\ndo = "garbage"\nat_s = 0.5', "f")
    engine = TwinEngine(script, None, TwinOptions(faults=faults))
    async with asyncio.timeout(WAIT_S), served(engine, ServeOptions(port=0), {}) as (_, address):
        port = int(address.rpartition(":")[2])
        async with raw_client(port, frame(TEXT, b'{"type":"response.create"}')) as (reader, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await until(lambda: engine.sessions == 1)
            await until(lambda: engine.sessions == 0)
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            with pytest.raises(ConnectionResetError):
                while await reader.read(1 << 20):
                    pass
