"""`Rough` for a WebSocket of our server: what is below aiohttp's frames, and what aiohttp sends by itself."""

import asyncio
import socket
import struct
import sys
from contextlib import suppress
from typing import cast

from aiohttp import WSMsgType

from voice.errors import LinkClosed
from voice.links.drain import drained
from voice.links.web import CLOSE_TIMEOUT_S, Socket, WebLink
from voice.policy.deeds import NO_CODE, NO_FRAME, Close, Reset

MAX_KEPT_BYTES = 1 << 20
"""Of what comes while a connection is frozen for a while; then the client has to wait."""


class _Deaf(asyncio.Protocol):
    """In the place of the connection's own protocol: takes what comes, and neither reads nor answers it."""

    def __init__(self, own: asyncio.Protocol, transport: asyncio.Transport, lasting: bool) -> None:
        self.own = own
        self.kept = bytearray()
        self._transport = transport
        self._lasting = lasting

    def data_received(self, data: bytes) -> None:
        if self._lasting:
            return
        self.kept += data
        if len(self.kept) > MAX_KEPT_BYTES:
            self._transport.pause_reading()

    def eof_received(self) -> bool | None:
        # The client has left. Nothing is answered to that either, but nothing of it is kept.
        self._transport.abort()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self.own.connection_lost(exc)

    def pause_writing(self) -> None:
        self.own.pause_writing()

    def resume_writing(self) -> None:
        self.own.resume_writing()


class WebRough:
    """`Rough` for a WebSocket of our server. `transport`: that of its connection."""

    def __init__(self, link: WebLink, web_socket: Socket, transport: asyncio.Transport) -> None:
        self._link = link
        self._socket = web_socket
        self._transport = transport
        self._deaf: _Deaf | None = None

    async def send_raw(self, data: bytes, text: bool) -> None:
        """See `Rough`."""
        try:
            await self._socket.send_frame(data, WSMsgType.TEXT if text else WSMsgType.BINARY)
        except ConnectionError as exc:
            raise LinkClosed(self._socket.close_code or NO_FRAME) from exc

    async def end(self, how: Close | Reset) -> None:
        """See `Rough`. Past aiohttp, which would send no other code than those that may be sent, and would not hear the client out."""
        self.thaw()
        if isinstance(how, Reset):
            reset(self._transport)
            return
        if self._transport.is_closing():
            return
        if how.code != NO_FRAME:
            payload = b"" if how.code == NO_CODE else struct.pack(">H", how.code) + how.reason.encode()
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._socket.send_frame(payload, WSMsgType.CLOSE)
            except (ConnectionError, TimeoutError):
                # It has gone, or reads nothing.
                self._transport.abort()
                return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        await drained(self._transport)
        self._transport.close()

    def freeze(self, lasting: bool) -> None:
        """See `Rough`."""
        if self._deaf is not None or self._transport.is_closing():
            return
        self._socket.hush()
        self._link.frozen = True
        self._deaf = _Deaf(cast(asyncio.Protocol, self._transport.get_protocol()), self._transport, lasting)
        self._transport.set_protocol(self._deaf)
        if not self._transport.is_reading():
            # A session that did not read had stopped it: then the end of the connection would not be noticed.
            self._transport.resume_reading()

    def thaw(self) -> None:
        """See `Rough`."""
        deaf, self._deaf = self._deaf, None
        if deaf is None:
            return
        self._link.frozen = False
        if self._transport.is_closing():
            return
        self._transport.set_protocol(deaf.own)
        if not self._transport.is_reading():
            self._transport.resume_reading()
        if deaf.kept:
            deaf.own.data_received(bytes(deaf.kept))


def reset(transport: asyncio.BaseTransport) -> None:
    """End a TCP connection with a reset: what is under way is lost in both directions."""
    line = transport.get_extra_info("socket")
    if line is not None:
        with suppress(OSError):  # it is closed already
            # A close that lingers for no time sends a reset (POSIX leaves it open, every system does it).
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0))
    cast(asyncio.Transport, transport).abort()
