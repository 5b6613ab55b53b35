"""The first words with a server, read with care: HTTP, the upgrade to a WebSocket, the first event. Used by `links/probe.py`.

By hand, not by a client library: a library gives one exception for what a person has to tell apart.
"""

import asyncio
import base64
import hashlib
import os
import struct
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, unquote

import msgspec

LARGEST_HEAD_BYTES, LARGEST_BODY_BYTES, LARGEST_EVENT_BYTES = 1 << 16, 1 << 14, 1 << 20
BODY_WAIT_S = 1.0
SHOWN_CHARACTERS = 200
CLOCK_OFF_S = 60.0
"""Signed requests and short-lived secrets bear a few minutes at most."""
ACCEPT_SALT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a step has to tell; see `Step`."""

    ok: bool
    said: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an HTTP answer, and the beginning of its body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""


class _Problem(msgspec.Struct):
    message: str = ""
    code: str | int | None = None
    type: str | None = None


class _Said(msgspec.Struct):
    """An error, as a body or as an event; or an event's type."""

    error: _Problem | str | None = None
    type: str = ""


def one_line(text: str, secrets: Mapping[str, str] | None = None) -> str:
    """Text from outside as one short line that no terminal obeys, without what we keep secret, should the server repeat it."""
    for value in (secrets or {}).values():
        for secret in {value, value.rpartition(" ")[2]}:
            text = text.replace(secret, "********") if secret else text
    return " ".join("".join(character if character.isprintable() else " " for character in text[: 4 * SHOWN_CHARACTERS]).split())[
        :SHOWN_CHARACTERS
    ]


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
    told = _upgraded(answer, nonce, headers) if upgrade else _fetched(answer, headers)
    yield "HTTP", told
    if (clock := _clock(answer.headers.get("date", ""))) is not None:
        yield "clock", clock
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
        answer = _parsed(head) if len(head) <= LARGEST_HEAD_BYTES else None
    except (asyncio.IncompleteReadError, ConnectionError):
        return Told(
            False, "it hangs up without an answer", "is this the right port? without TLS on a TLS port (use wss://) looks like this too"
        )
    except (asyncio.LimitOverrunError, OSError):
        answer = None
    if answer is None:
        return Told(False, "its answer is broken HTTP", "is this the right port?")
    return Answer(answer.status, answer.headers, await _body(reader)) if body and answer.status != 101 else answer


def _parsed(head: bytes) -> Answer | None:
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if len(words) < 2 or not words[1].isdecimal() or len(words[1]) != 3:
        return None
    return Answer(
        int(words[1]), {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    )


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


def _upgraded(answer: Answer, nonce: str, headers: Mapping[str, str]) -> Told:
    if answer.status != 101:
        return _refused(answer, headers, "a Realtime server")
    want = base64.b64encode(hashlib.sha1((nonce + ACCEPT_SALT).encode(), usedforsecurity=False).digest()).decode()
    if answer.headers.get("sec-websocket-accept") != want:
        return Told(False, "it agrees to a WebSocket, but not to ours", "a proxy or a cache stands between: try another network")
    return Told(True, "101, a WebSocket")


def _fetched(answer: Answer, headers: Mapping[str, str]) -> Told:
    if answer.status != 200 or _is_page(answer):
        return _refused(answer, headers, "an API")
    return Told(True, "200")


def _refused(answer: Answer, headers: Mapping[str, str], wanted: str) -> Told:
    """What a status means, and what to do."""
    status = answer.status
    said = f"{status}{_words_of(answer, headers)}"
    if status == 401:
        return Told(
            False, said, "the key is refused: is it complete, and this provider's own?" if headers else "it wants a key, and none is set"
        )
    if status == 403:
        return Told(
            False, said, "the key is known but may not do this: check its rights, the account and the region; a firewall may say it too"
        )
    if status == 404:
        return Told(False, said, "nothing is served at this path: is the address complete, does the model exist?")
    if status == 429:
        after = one_line(answer.headers.get("retry-after", ""))
        return Told(
            False, said, "too many requests, or the quota is used up: " + (f"wait {after} s" if after else "wait, or check the account")
        )
    if status == 426:
        return Told(False, said, "it wants a newer protocol: is this the right path?")
    if 300 <= status < 400:
        return Told(
            False, f"{status}, it points to {one_line(answer.headers.get('location', '').partition('?')[0], headers)}", "give that address"
        )
    if status >= 500:
        return Told(False, said, "the server has failed: try again later; if it lasts, ask who runs it")
    if 200 <= status < 300:
        page = "a web page" if _is_page(answer) else "an answer"
        return Told(False, f"{status}, {page} instead of {wanted}", "is the path right? a log-in page of the network looks like this too")
    return Told(False, said, "the server does not take the request: is this the right address?")


def _is_page(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "") or answer.body.lstrip()[:1] == b"<"


def _words_of(answer: Answer, headers: Mapping[str, str]) -> str:
    """The server's own words, if its body has the form of the service."""
    begin, end = answer.body.find(b"{"), answer.body.rfind(b"}")
    if _is_page(answer):
        return ", a web page"
    try:
        error = msgspec.json.decode(answer.body[begin : end + 1], type=_Said).error
    except (msgspec.MsgspecError, RecursionError):
        return ""
    message = error if isinstance(error, str) else error.message if error else ""
    return f": {one_line(message, headers)}" if message else ""


def _clock(date: str) -> Told | None:
    """This machine's clock against the server's; None if it tells none."""
    try:
        off_s = time.time() - parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    if abs(off_s) <= CLOCK_OFF_S:
        return Told(True, "this machine's clock and the server's agree")
    return Told(
        False,
        f"this machine's clock is {abs(off_s):.0f} s {'ahead' if off_s > 0 else 'behind'}",
        "set it (NTP): certificates and secrets depend on it",
    )


async def _first_event(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: Mapping[str, str], timeout_s: float) -> Told:
    """The first event of the session."""
    try:
        async with asyncio.timeout(timeout_s):
            opcode, payload = await _message(reader)
    except TimeoutError:
        return Told(False, "it opens a WebSocket and says nothing", "a Realtime server speaks first: is this one?")
    except (asyncio.IncompleteReadError, ConnectionError):
        return Told(False, "it opens a WebSocket and hangs up", "its log may say why; does the model exist, may this key use it?")
    if opcode == 8:
        code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
        reason = one_line(payload[2:].decode("utf-8", "replace"), headers)
        return Told(False, f"it closes at once with {code}{f': {reason}' if reason else ''}", "does the model exist, may this key use it?")
    writer.write(_close_frame())
    try:
        event = msgspec.json.decode(payload, type=_Said) if opcode == 1 else _Said()
    except (msgspec.MsgspecError, RecursionError):
        event = _Said()
    if event.error:
        problem = event.error if isinstance(event.error, _Problem) else _Problem(event.error)
        return Told(
            False,
            one_line(f"error {problem.code or problem.type or ''}: {problem.message}", headers),
            "the session is refused: check key, model and account",
        )
    if not event.type:
        return Told(False, "what it says is not an event", "another service speaks there: is the path right?")
    return Told(True, f"the first event is {one_line(event.type, headers)}")


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
        if first & 15 in (9, 10):
            continue
        if first & 15 == 8:
            return 8, payload
        opcode, message = opcode or first & 15, message + payload
        if first & 128:
            return opcode, message


def _close_frame() -> bytes:
    """Code 1000, masked as a client's frames are; the mask is of no use to anybody here."""
    mask = os.urandom(4)
    return b"\x88\x82" + mask + bytes(byte ^ key for byte, key in zip(struct.pack(">H", 1000), mask, strict=False))
