"""A link: texts in order, both ways, until it is closed; and the pair of links that joins two sessions in one process."""

import asyncio
from collections import deque
from typing import Protocol

from voice.errors import LinkClosed

PAIR_QUEUE = 64
"""Texts in each direction of a pair. When full, the sender waits."""


class Link(Protocol):
    """One end of a connection. One task receives, another sends; never one task both.

    What was sent before the peer closed is still received; after that `receive` and `send` raise LinkClosed, as often as they are asked.
    """

    async def send(self, text: str) -> None:
        """Give a text to the other end; waits while it cannot take more. Raises: LinkClosed."""

    async def receive(self) -> str | bytes:
        """The next text, or bytes if the peer sent a binary message. Raises: LinkClosed."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it; harmless when it is closed. `reason` is cut to the 123 bytes that a close frame holds."""


class _Channel:
    """One direction of a pair: texts, and how it ended."""

    def __init__(self) -> None:
        self._texts: deque[str | bytes] = deque()
        self._closed: LinkClosed | None = None
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()

    async def put(self, text: str | bytes) -> None:
        """Add a text; waits while there are too many. Raises: LinkClosed."""
        while self._closed is None and len(self._texts) >= PAIR_QUEUE:
            self._writable.clear()
            await self._writable.wait()
        if self._closed is not None:
            raise _again(self._closed)
        self._texts.append(text)
        self._readable.set()

    async def get(self) -> str | bytes:
        """The oldest text; waits for one. Raises: LinkClosed, once all texts are taken."""
        while not self._texts:
            if self._closed is not None:
                raise _again(self._closed)
            self._readable.clear()
            await self._readable.wait()
        self._writable.set()
        return self._texts.popleft()

    def close(self, ended: LinkClosed, forget: bool) -> None:
        """End it, waking all who wait. `forget`: what nobody has taken is lost."""
        if self._closed is None:
            self._closed = ended
        if forget:
            self._texts.clear()
        self._readable.set()
        self._writable.set()


class MemoryLink:
    """One end of `memory_pair`."""

    def __init__(self, incoming: _Channel, outgoing: _Channel) -> None:
        self._in = incoming
        self._out = outgoing

    async def send(self, text: str) -> None:
        """See `Link`."""
        await self._out.put(text)

    async def send_bytes(self, data: bytes) -> None:
        """As a binary message. Raises: LinkClosed."""
        await self._out.put(data)

    async def receive(self) -> str | bytes:
        """See `Link`. What was sent before the close is still received."""
        return await self._in.get()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Link`."""
        ended = LinkClosed(code, close_reason(reason))
        self._in.close(ended, forget=True)
        self._out.close(ended, forget=False)

    def cut(self) -> None:
        """Lose the connection: what the other end has not received yet is lost with it."""
        self._in.close(LinkClosed(), forget=True)
        self._out.close(LinkClosed(), forget=True)


def memory_pair() -> tuple[MemoryLink, MemoryLink]:
    """Two joined links: what one sends the other receives."""
    up, down = _Channel(), _Channel()
    return MemoryLink(down, up), MemoryLink(up, down)


def close_reason(reason: str) -> str:
    """A reason cut to the 123 bytes of a close frame, at a character."""
    return reason.encode(errors="replace")[:123].decode(errors="ignore")


def _again(ended: LinkClosed) -> LinkClosed:
    """A new exception that says the same: one that is raised twice drags its first traceback along."""
    return LinkClosed(ended.close_code, ended.reason)
