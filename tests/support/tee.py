"""A wire-tap between a client and a server: every byte goes through as it came, and what the frames say is noted on the way.

It changes nothing, so client and server meet as they would without it: handshake, fragments, pings and the end. It reads plain WebSockets
without compression, which is what our server agrees to.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
CONTINUED, TEXT, BINARY, CLOSE = 0, 1, 2, 8


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, as it ended."""

    status: str
    item_id: str | None
    words: str
    audio_ms: float
    """Of the sound that was sent, at 24 kHz."""


@dataclass(slots=True)
class Call:
    """One connection."""

    asked: str = ""
    """The head of the client's request, as it was."""
    answered: str = ""
    """The head of the server's answer."""
    events: list[tuple[str, Event]] = field(default_factory=list)
    """("up" | "down", event) in the order in which they passed."""
    texts: list[str] = field(default_factory=list)
    """What the server sent, as it was."""
    closes: list[tuple[str, int]] = field(default_factory=list)
    """("up" | "down", code): the close frames; 1005 for one without a code."""

    def down(self, kind: str) -> list[Event]:
        """What the server sent of this kind."""
        return [event for way, event in self.events if way == "down" and event["type"] == kind]

    def up(self, kind: str) -> list[Event]:
        """What the client sent of this kind."""
        return [event for way, event in self.events if way == "up" and event["type"] == kind]

    def replies(self) -> list[Reply]:
        """The responses that ended, in order."""
        return [self._reply(event["response"]) for event in self.down("response.done")]

    def _reply(self, response: Event) -> Reply:
        deltas = (event["delta"] for event in self.down("response.output_audio.delta") if event["response_id"] == response["id"])
        parts = (part for item in response["output"] for part in item.get("content", ()))
        return Reply(
            response["status"],
            response["output"][0]["id"] if response["output"] else None,
            " ".join(part.get("transcript") or part.get("text") or "" for part in parts),
            sum(len(base64.b64decode(delta)) for delta in deltas) / 48,
        )

    def headers(self) -> dict[str, str]:
        """Of the client's request; names in lower case."""
        lines = (line.partition(":") for line in self.asked.split("\r\n")[1:])
        return {name.strip().lower(): value.strip() for name, _, value in lines if name}


class Frames:
    """One direction of a connection: bytes in; the head, then whole messages, out."""

    def __init__(self, head: Callable[[str], None], message: Callable[[int, bytes], None]) -> None:
        self._head: Callable[[str], None] | None = head
        self._message = message
        self._data = bytearray()
        self._kind = CONTINUED
        self._parts = bytearray()

    def feed(self, data: bytes) -> None:
        """The next bytes, cut anywhere."""
        self._data += data
        if self._head is not None:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            self._head(self._data[:end].decode("latin-1"))
            self._head = None
            del self._data[: end + 4]
        while (length := self._frame()) is not None:
            del self._data[:length]

    def _frame(self) -> int | None:
        """Reads a frame; returns its length, None while it is not complete."""
        if len(self._data) < 2:
            return None
        first, second = self._data[0], self._data[1]
        size, at = second & 0x7F, 2
        if size > 125:
            at = 4 if size == 126 else 10
            if len(self._data) < at:
                return None
            size = int.from_bytes(self._data[2:at])
        mask, at = (self._data[at : at + 4], at + 4) if second & 0x80 else (b"", at)
        if len(self._data) < at + size:
            return None
        assert not first & 0x70, "no extension was agreed on"
        body = bytes(self._data[at : at + size])
        self._take(first & 0x0F, bool(first & 0x80), _unmasked(body, bytes(mask)) if mask else body)
        return at + size

    def _take(self, kind: int, last: bool, body: bytes) -> None:
        if kind >= CLOSE:
            self._message(kind, body)
            return
        self._kind = kind or self._kind
        self._parts += body
        if last:
            self._message(self._kind, bytes(self._parts))
            self._parts.clear()


def _unmasked(body: bytes, mask: bytes) -> bytes:
    long = int.from_bytes((mask * (len(body) // 4 + 1))[: len(body)])
    return (int.from_bytes(body) ^ long).to_bytes(len(body))


class _Tap:
    def __init__(self, call: Call, way: str) -> None:
        self._call, self._way = call, way
        self.frames = Frames(self._head, self._message)

    def _head(self, head: str) -> None:
        if self._way == "up":
            self._call.asked = head
        else:
            self._call.answered = head

    def _message(self, kind: int, body: bytes) -> None:
        if kind == TEXT:
            if self._way == "down":
                self._call.texts.append(body.decode())
            self._call.events.append((self._way, json.loads(body)))
        elif kind == CLOSE:
            self._call.closes.append((self._way, int.from_bytes(body[:2]) if body else 1005))
        else:
            assert kind != BINARY, "nobody sends binary messages"


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tap: _Tap) -> None:
    try:
        while data := await reader.read(1 << 16):
            tap.frames.feed(data)
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def tapped(port: int) -> AsyncIterator[tuple[int, list[Call]]]:
    """A port of loopback that leads to `port`; and the connections that were made by it."""
    calls: list[Call] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        calls.append(call := Call())
        async with asyncio.TaskGroup() as group:
            group.create_task(_carry(reader, far_writer, _Tap(call, "up")), name="tap up")
            group.create_task(_carry(far_reader, writer, _Tap(call, "down")), name="tap down")

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], calls
