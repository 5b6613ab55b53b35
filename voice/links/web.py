"""A link from a client to our server, over an aiohttp WebSocket."""

import asyncio
from collections.abc import Callable

from aiohttp import WebSocketError, WSMessage, WSMsgType, web

from voice.errors import LinkClosed
from voice.links.base import close_reason

CLOSE_TIMEOUT_S = 2.0
MAX_MESSAGE_BYTES = 21 << 20
"""15 MiB of audio in one append, which is 20 MiB of base64."""
HEARTBEAT_S = 20.0
"""A ping after so much silence; a client that says nothing within half of it is gone. A shorter time would cut those that read slowly: behind seconds of
sound that they have not taken yet they find a ping late."""


class WebLink:
    """A WebSocket that a client opened; `socket` is prepared. `abort` cuts the connection (that of its transport)."""

    def __init__(self, socket: web.WebSocketResponse, abort: Callable[[], None] | None = None) -> None:
        self._socket = socket
        self._abort = abort
        self._ended: LinkClosed | None = None

    async def send(self, text: str) -> None:
        """See `Link`."""
        try:
            await self._socket.send_str(text)
        except ConnectionError as exc:
            raise self._end(self._socket.close_code or 1006) from exc

    async def receive(self) -> str | bytes:
        """See `Link`."""
        if self._ended is not None:
            raise self._end(self._ended.close_code)
        message = await self._socket.receive()
        if message.type is WSMsgType.TEXT:
            return str(message.data)
        if message.type is WSMsgType.BINARY:
            return bytes(message.data)
        raise self._ending(message)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Link`. A client that does not answer is cut off."""
        if self._socket.closed:
            return
        self._end(code, close_reason(reason))
        try:
            async with asyncio.timeout(2 * CLOSE_TIMEOUT_S):
                await self._socket.close(code=code, message=close_reason(reason).encode())
        except TimeoutError:
            self._cut()

    def _ending(self, message: WSMessage) -> LinkClosed:
        """How it ended, by the message that is none."""
        if message.type is WSMsgType.CLOSE:
            # 0: a close frame without a code, which is 1005 to those who look at it.
            return self._end(int(message.data or 1005), str(message.extra or ""))
        if message.type is WSMsgType.ERROR and isinstance(message.data, WebSocketError):
            return self._end(int(message.data.code), str(message.data))
        if message.type is WSMsgType.CLOSING:
            return self._end(int(self._socket.close_code or 1000))
        # The connection is gone without a word, or no pong came: what is still to be sent must not be kept for it.
        self._cut()
        return self._end(1006)

    def _end(self, code: int, reason: str = "") -> LinkClosed:
        """Remember the first end; returns it as a new exception."""
        if self._ended is None:
            self._ended = LinkClosed(code, reason)
        return LinkClosed(self._ended.close_code, self._ended.reason)

    def _cut(self) -> None:
        if self._abort is not None:
            self._abort()


def accept(protocols: tuple[str, ...] = ("realtime",)) -> web.WebSocketResponse:
    """A socket to prepare: answers the subprotocol `realtime` if it is offered, never one that carries a key; no compression."""
    return web.WebSocketResponse(
        protocols=protocols, max_msg_size=MAX_MESSAGE_BYTES, heartbeat=HEARTBEAT_S, compress=False, timeout=CLOSE_TIMEOUT_S
    )
