"""A server on a free port of loopback that does what a test says, byte by byte."""

import asyncio
import base64
import hashlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve every connection with `handler`, then hang up; gives the port. Ends with no connection left."""
    writers: set[asyncio.StreamWriter] = set()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        if (task := asyncio.current_task()) is not None:
            serving.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        if serving:
            await asyncio.wait(serving, timeout=2)
        await server.wait_closed()


def says(answer: bytes, heads: list[str] | None = None) -> Handler:
    """Answer every request with these bytes; `heads` takes the requests."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if heads is not None:
            heads.append(head)
        writer.write(answer)
        await writer.drain()

    return handler


def http(status: int, body: str = "", *headers: str, kind: str = "application/json") -> bytes:
    """An HTTP answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body.encode())}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def upgrades(*frames: bytes, heads: list[str] | None = None, then_hang: bool = False) -> Handler:
    """Open a WebSocket, send these frames, and wait for what the client says (or for ever)."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if heads is not None:
            heads.append(head)
        key = re.search(r"(?i)^sec-websocket-key: (.*)\r$", head, re.M)
        assert key
        accept = base64.b64encode(hashlib.sha1(f"{key[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
        writer.write(f"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        writer.write(b"".join(frames))
        await writer.drain()
        if frames or then_hang:
            await reader.read()

    return handler


def frame(payload: str | bytes, opcode: int = 1, final: bool = True) -> bytes:
    """One frame as servers send it."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big") if size < 65_536 else b"\x7f" + size.to_bytes(8, "big")
    return bytes([opcode | (128 if final else 0)]) + length + data


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take all, say nothing."""
    while await reader.read(1024):
        pass


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept and leave."""
