"""What a test double does to a connection, and a server never does.

Frames that are no text, any close code or none, a reset, silence below the pings. Here what it is, and a pair in memory that can do it;
`roughweb.py` has a WebSocket that can.
"""

from typing import Protocol

from voice.links.base import MemoryLink
from voice.policy.deeds import Close, Reset

NOT_UTF8 = 1007


class Rough(Protocol):
    """What a connection can do that a link does not offer."""

    async def send_raw(self, data: bytes, text: bool) -> None:
        """A frame with these bytes: as text, UTF-8 or not, or as binary. Raises: LinkClosed."""

    async def end(self, how: Close | Reset) -> None:
        """Close it with any code, or reset it."""

    def freeze(self, lasting: bool) -> None:
        """Read and answer nothing more. `lasting`: what comes need not be kept."""

    def thaw(self) -> None:
        """Go on, with what has come since."""


class MemoryRough:
    """`Rough` for a pair in memory, where nothing is below the texts: what frames would bring about at the other end happens to it."""

    def __init__(self, link: MemoryLink) -> None:
        self._link = link

    async def send_raw(self, data: bytes, text: bool) -> None:
        """See `Rough`. A client ends a connection over a text that is not UTF-8 (RFC 6455, 8.1)."""
        if not text:
            await self._link.send_bytes(data)
            return
        try:
            await self._link.send(data.decode())
        except UnicodeDecodeError:
            await self._link.close(NOT_UTF8, "not UTF-8")

    async def end(self, how: Close | Reset) -> None:
        """See `Rough`."""
        if isinstance(how, Reset):
            self._link.cut()
        else:
            await self._link.close(how.code, how.reason)

    def freeze(self, lasting: bool) -> None:
        """See `Rough`: a pair has no pings; `FaultyLink` hands nothing on."""

    def thaw(self) -> None:
        """See `Rough`."""
