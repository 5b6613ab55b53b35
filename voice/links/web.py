"""A link from a client to our server, over an aiohttp WebSocket."""

import asyncio
import logging
import re
import struct
from collections.abc import Callable, Iterable

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web
from aiohttp.abc import AbstractStreamWriter

from voice.errors import LinkClosed
from voice.links.base import close_reason
from voice.links.drain import drained

CLOSE_TIMEOUT_S = 2.0
MAX_MESSAGE_BYTES = 21 << 20
"""15 MiB of audio in one append, which is 20 MiB of base64."""
HEARTBEAT_S = 20.0
"""A ping after so much silence; a client that says nothing within half of it is gone. A shorter time would cut those that read slowly: behind seconds of
sound that they have not taken yet they find a ping late."""

ANSWERED = (re.compile(r"realtime"), re.compile(r"openai-agents-sdk\.[0-9A-Za-z.-]{1,40}"), re.compile(r"openai-beta\.realtime-v1"))
"""Subprotocols that may be answered, the best first."""


class WebLink:
    """A WebSocket that a client opened; `socket` is prepared. `abort` cuts the connection (that of its transport)."""

    def __init__(self, socket: web.WebSocketResponse, abort: Callable[[], None] | None = None) -> None:
        self._socket = socket
        self._abort = abort
        self._ended: LinkClosed | None = None
        self.frozen = False
        """Whether nothing is to be said to the client any more, not even that it ends (see `roughweb.py`)."""

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
        if self.frozen:
            self.cut()
            return
        try:
            async with asyncio.timeout(2 * CLOSE_TIMEOUT_S):
                await self._socket.close(code=code, message=close_reason(reason).encode())
        except TimeoutError:
            self.cut()

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
        self.cut()
        return self._end(1006)

    def _end(self, code: int, reason: str = "") -> LinkClosed:
        """Remember the first end; returns it as a new exception."""
        if self._ended is None:
            self._ended = LinkClosed(code, reason)
        return LinkClosed(self._ended.close_code, self._ended.reason)

    def cut(self) -> None:
        """End the connection without a word."""
        if self._abort is not None:
            self._abort()


class Socket(web.WebSocketResponse):
    """aiohttp's, with a reason in each close frame that aiohttp sends by itself, and one that can be read behind a message that is too large."""

    _line: asyncio.Transport | None = None

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """See aiohttp."""
        self._line = request.transport
        return await super().prepare(request)

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        """See aiohttp, which calls it when a client breaks the protocol, and to answer a close."""
        if code == WSCloseCode.OK and self.close_code is not None:
            code = _answer(self.close_code)
        message = message or _REASONS.get(code, "").encode()
        if code != WSCloseCode.MESSAGE_TOO_BIG or self.closed or self._line is None:
            return await super().close(code=code, message=message, drain=drain)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.send_frame(struct.pack(">H", code) + message, WSMsgType.CLOSE)
        except (ConnectionError, TimeoutError):
            # It is gone, or does not read: then there is nobody to hear out.
            self._line.abort()
        await drained(self._line)
        self._line.close()
        return True

    def hush(self) -> None:
        """Ping no more, until something comes."""
        # aiohttp has no public name for it. Without, a client that is to hear nothing would hear a ping, and be cut off over the missing pong.
        self._cancel_heartbeat()


_REASONS: dict[int, str] = {
    WSCloseCode.PROTOCOL_ERROR: "this is not WebSocket",
    WSCloseCode.INVALID_TEXT: "a text message has to be UTF-8",
    WSCloseCode.MESSAGE_TOO_BIG: f"a message has at most {MAX_MESSAGE_BYTES} bytes",
}


def _answer(code: int) -> int:
    """What is sent back to who closes with this code: the same (RFC 6455, 5.5.1); 1002 if it must not be sent, which aiohttp passes over."""
    if code in (0, 1005):
        return WSCloseCode.OK
    return WSCloseCode.PROTOCOL_ERROR if code in (1004, 1006, 1015) else code


def accept(offered: Iterable[str] = ()) -> Socket:
    """A socket to prepare, without compression. `offered`: the lines of `Sec-WebSocket-Protocol`; one of them is answered (see `chosen`)."""
    # Here, and not when this file is imported: the logger is the program's, and stays as it was until it serves. A filter is added once.
    logging.getLogger("aiohttp.websocket").addFilter(_discreet)
    socket = Socket(max_msg_size=MAX_MESSAGE_BYTES, heartbeat=HEARTBEAT_S, compress=False, timeout=CLOSE_TIMEOUT_S)
    if name := chosen(offered):
        # Not by aiohttp, which looks at the first line only.
        socket.headers["Sec-WebSocket-Protocol"] = name
    return socket


def chosen(offered: Iterable[str]) -> str | None:
    """The subprotocol to answer: `realtime`, or else a known name that goes with it; None: none of them.

    A client as browsers have it ends a connection whose server selects none of those that it offered. Only names that we know are answered: any
    other one may carry a key, and an answer may be logged on its way.
    """
    names = [name.strip() for line in offered for name in line.split(",")]
    return next((name for known in ANSWERED for name in names if known.fullmatch(name)), None)


def _discreet(record: logging.LogRecord) -> bool:
    """aiohttp logs all subprotocols that were offered, as it answers none by itself: with the key among them."""
    return "overlap" not in str(record.msg)
