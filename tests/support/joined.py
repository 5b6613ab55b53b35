"""Two joined links of every kind, and raw sockets that speak just enough WebSocket to misbehave."""

import asyncio
import base64
import hashlib
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import web

from voice.links.base import Link, memory_pair
from voice.links.dial import dial
from voice.links.faulty import Faults
from voice.links.rough import MemoryRough
from voice.links.web import WebLink, accept

Pair = Callable[[], AbstractAsyncContextManager[tuple[Link, Link]]]
TEXT, BINARY, CLOSE, PING = 0x81, 0x82, 0x88, 0x89
CONTINUED, TEXT_BEGUN = 0x00, 0x01


@asynccontextmanager
async def memory() -> AsyncIterator[tuple[Link, Link]]:
    """A pair within the process."""
    yield memory_pair()


@asynccontextmanager
async def serving(use: Callable[[WebLink], Awaitable[None]]) -> AsyncIterator[int]:
    """An aiohttp server on a free port that hands every WebSocket to `use`; gives the port."""

    async def handler(request: web.Request) -> web.WebSocketResponse:
        socket = accept(request.headers.getall("Sec-WebSocket-Protocol", ()))
        await socket.prepare(request)
        assert request.transport is not None
        await use(WebLink(socket, request.transport.abort))
        return socket

    app = web.Application()
    app.router.add_get("/v1/realtime", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class Visitors:
    """For `serving`: hands over the link of each visitor and keeps it until the test is done."""

    def __init__(self) -> None:
        self._links: asyncio.Queue[WebLink] = asyncio.Queue()
        self._done = asyncio.Event()

    async def __call__(self, link: WebLink) -> None:
        await self._links.put(link)
        await self._done.wait()

    async def next(self) -> WebLink:
        return await self._links.get()

    def let_go(self) -> None:
        self._done.set()


@asynccontextmanager
async def websocket() -> AsyncIterator[tuple[Link, Link]]:
    """Our client and our server, over loopback."""
    visitors = Visitors()
    async with serving(visitors) as port:
        near = await dial(f"ws://127.0.0.1:{port}/v1/realtime")
        try:
            yield near, await visitors.next()
        finally:
            visitors.let_go()
            await near.close()


@asynccontextmanager
async def turned(pair: Pair) -> AsyncIterator[tuple[Link, Link]]:
    """The same pair, seen from the other end."""
    async with pair() as (near, far):
        yield far, near


@asynccontextmanager
async def misbehaving() -> AsyncIterator[tuple[Link, Link]]:
    """A pair within the process; one end is where a twin's faults would happen."""
    near, far = memory_pair()
    async with Faults().arrive().line(far, MemoryRough(far)) as line:
        yield near, line


KINDS: dict[str, Pair] = {
    "memory": memory,
    "memory, before faults": misbehaving,
    "memory, behind faults": lambda: turned(misbehaving),
    "websocket, from the client": websocket,
    "websocket, from the server": lambda: turned(websocket),
}

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def frame(first: int, payload: bytes, masked: bool = True, announced: int | None = None) -> bytes:
    """One frame; `announced`: the length that its head claims."""
    size = len(payload) if announced is None else announced
    mask = 0x80 if masked else 0
    head = bytes([first]) + (
        bytes([mask | size])
        if size < 126
        else bytes([mask | 126]) + struct.pack(">H", size)
        if size < 65536
        else bytes([mask | 127]) + struct.pack(">Q", size)
    )
    # A mask of zeros leaves the payload as it is.
    return head + (bytes(4) if masked else b"") + payload


def handshake(port: int, path: str = "/v1/realtime", **headers: str) -> bytes:
    """A client's request; `headers` with _ for -; Host may be given."""
    chosen = {"Host": f"127.0.0.1:{port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"{name}: {value}" for name, value in chosen.items()]
    key = base64.b64encode(os.urandom(16)).decode()
    fixed = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, *fixed, "", ""]).encode()


@asynccontextmanager
async def raw_client(port: int, behind: bytes = b"", path: str = "/v1/realtime", **headers: str) -> AsyncIterator[Stream]:
    """A client that sends its request and `behind` at once, and has read the answer's head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(handshake(port, path, **headers) + behind)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        yield reader, writer
    finally:
        writer.transport.abort()


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """A server's next frame that is no ping: its first byte and its payload."""
    while True:
        first, size = await reader.readexactly(2)
        if size == 126:
            size = struct.unpack(">H", await reader.readexactly(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", await reader.readexactly(8))[0]
        payload = await reader.readexactly(size)
        if first != PING:
            return first, payload


@asynccontextmanager
async def raw_server(talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:
    """Any TCP server on a free port; gives the port."""
    tasks: set[asyncio.Task[None] | None] = set()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await talk(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=1)


def upgrade(request: bytes) -> bytes:
    """A server's answer to a client's request."""
    key = next(line.split(b":")[1].strip() for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    proof = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {proof}", "", ""]
    return "\r\n".join(lines).encode()
