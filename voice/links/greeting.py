"""The first words with a server: HTTP, the upgrade to a WebSocket, the first event. Used by `links/probe.py`.

By hand, not by a client library: a library gives one exception for what a person has to tell apart. What the words mean is in `verdict.py`.
"""

import asyncio
import base64
import os
import struct
import time
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import SplitResult, unquote

from voice.links.verdict import CLOSE, PING, PONG, Answer, Told, clock, fetched, first_event, parsed, upgraded

LARGEST_HEAD_BYTES, LARGEST_BODY_BYTES, LARGEST_EVENT_BYTES = 1 << 16, 1 << 14, 1 << 20
BODY_WAIT_S = 1.0


async def converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parts: SplitResult, headers: Mapping[str, str], timeout_s: float
) -> AsyncGenerator[tuple[str, Told], None]:
    """Name of each step and what it told: HTTP and clock; for ws and wss also WebSocket. The first failure is the last."""
    upgrade = parts.scheme in ("ws", "wss")
    nonce = base64.b64encode(os.urandom(16)).decode()
    try:
        async with asyncio.timeout(timeout_s):
            answer = await _ask(reader, writer, _request(parts, headers, nonce if upgrade else ""))
    except TimeoutError:
        yield "HTTP", Told(False, "it takes the request and says nothing", "the server hangs, or this is no HTTP port: is the port right?")
        return
    if isinstance(answer, Told):
        yield "HTTP", answer
        return
    told = upgraded(answer, nonce, headers) if upgrade else fetched(answer, headers)
    yield "HTTP", told
    if (agreed := clock(answer.headers.get("date", ""), time.time())) is not None:
        yield "clock", agreed
    if told.ok and upgrade:
        yield "WebSocket", await _first_event(reader, writer, headers, timeout_s)


async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parts: SplitResult, proxy: SplitResult) -> Told:
    """Ask a proxy for a way through."""
    target = f"{parts.hostname}:{parts.port or (443 if parts.scheme in ('wss', 'https') else 80)}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.username:
        lines.append(f"Proxy-Authorization: {basic(proxy)}")
    answer = await _ask(reader, writer, "\r\n".join([*lines, "", ""]), body=False)
    where = f"{proxy.hostname}:{proxy.port or 80}"
    if isinstance(answer, Told):
        return Told(False, f"{where}: {answer.said}", "is this the proxy's address? it is taken from HTTPS_PROXY")
    if 200 <= answer.status < 300:
        return Told(True, f"{where} lets us through")
    hint = (
        "the proxy wants a name and a password: http://NAME:PASSWORD@HOST:PORT"
        if answer.status == 407
        else "the proxy does not allow it: ask who runs it"
    )
    return Told(False, f"{where} answers {answer.status}", hint)


def basic(parts: SplitResult) -> str:
    """The header's value for the name and password in an address."""
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _request(parts: SplitResult, headers: Mapping[str, str], nonce: str) -> str:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}", "User-Agent: voice-doctor"]
    if nonce:
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {nonce}"]
    else:
        lines += ["Connection: close", "Accept: application/json"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""])


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: str, body: bool = True) -> Answer | Told:
    """Send a request and read the answer; what went wrong if there is none."""
    try:
        writer.write(request.encode())
        await writer.drain()
        first = await reader.readexactly(5)
        if first[:1] == b"\x15" or first[:2] == b"\x16\x03":
            return Told(False, "it speaks TLS here", "use wss:// or https://")
        if first != b"HTTP/":
            return Told(False, "it answers, but not in HTTP", "another service listens there: is the port right?")
        head = first + await reader.readuntil(b"\r\n\r\n")
        answer = parsed(head) if len(head) <= LARGEST_HEAD_BYTES else None
    except (asyncio.IncompleteReadError, ConnectionError):
        return Told(
            False, "it hangs up without an answer", "is this the right port? without TLS on a TLS port (use wss://) looks like this too"
        )
    except (asyncio.LimitOverrunError, OSError):
        answer = None
    if answer is None:
        return Told(False, "its answer is broken HTTP", "is this the right port?")
    return Answer(answer.status, answer.headers, await _body(reader)) if body and answer.status != 101 else answer


async def _body(reader: asyncio.StreamReader) -> bytes:
    """Its beginning, as far as it comes soon."""
    body = b""
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            while len(body) < LARGEST_BODY_BYTES and (piece := await reader.read(LARGEST_BODY_BYTES)):
                body += piece
                if body.rstrip().endswith((b"}", b"</html>", b"\r\n0")):
                    break
    except (TimeoutError, OSError):
        pass
    return body


async def _first_event(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: Mapping[str, str], timeout_s: float) -> Told:
    """The first event of the session."""
    try:
        async with asyncio.timeout(timeout_s):
            opcode, payload = await _message(reader)
    except TimeoutError:
        return Told(False, "it opens a WebSocket and says nothing", "a Realtime server speaks first: is this one?")
    except (asyncio.IncompleteReadError, ConnectionError):
        return Told(False, "it opens a WebSocket and hangs up", "its log may say why; does the model exist, may this key use it?")
    if opcode != CLOSE:
        writer.write(_close_frame())
    return first_event(opcode, payload, headers)


async def _message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Opcode and payload of the first message that is not a ping. Raises: IncompleteReadError."""
    opcode, message = 0, b""
    while True:
        first, second = await reader.readexactly(2)
        length = second & 127
        if length > 125:
            length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
        if second & 128 or len(message) + length > LARGEST_EVENT_BYTES:
            return 0, b""  # a server never masks; no first event is that long
        payload = await reader.readexactly(length)
        if first & 15 in (PING, PONG):
            continue
        if first & 15 == CLOSE:
            return CLOSE, payload
        opcode, message = opcode or first & 15, message + payload
        if first & 128:
            return opcode, message


def _close_frame() -> bytes:
    """Code 1000, masked as a client's frames are; the mask is of no use to anybody here."""
    mask = os.urandom(4)
    return b"\x88\x82" + mask + bytes(byte ^ key for byte, key in zip(struct.pack(">H", 1000), mask, strict=False))
