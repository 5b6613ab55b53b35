"""A link to a Realtime server, over the `websockets` client. Foreign exceptions end here."""

import asyncio
import logging
import re
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.http11 import Response

from voice.errors import LinkClosed, MissingError, Refused, Silent, UsageError
from voice.links.base import close_reason
from voice.links.redact import Redactor
from voice.links.verdict import unix_time

_quiet = logging.getLogger(f"{__name__}.handshake")
_quiet.setLevel(logging.INFO)
"""At debug level `websockets` writes down every header, the key among them, and every frame."""

OPEN_TIMEOUT_S = 10.0
PING_INTERVAL_S, PING_TIMEOUT_S, CLOSE_TIMEOUT_S = 10.0, 5.0, 1.0
"""A dead peer is noticed after interval + timeout. The last one is for a close that is not answered."""
MOST_STALLS = 5
"""Pings in a row that a server does not even take; then it is given up (after about a minute)."""
MAX_MESSAGE_BYTES = 16 << 20
"""The service takes 15 MiB of audio in one append; one event of a server that minds its clients is under 1 MiB."""
SHOWN_CHARACTERS = 200
"""Of what a server says about a refusal."""


class DialedLink:
    """A WebSocket that we opened. What comes over it has no key in it, should the server repeat ours (see `Redactor` for short ones).

    A server that is silent while we wait for it is pinged. Not the library's own pings: while a slow reader of ours takes nothing, a pong waits
    unread behind what came before it, and the library would take the server for dead.
    """

    def __init__(self, connection: ClientConnection, redactor: Redactor | None = None, pong_s: float | None = None) -> None:
        self._connection = connection
        self._redactor = redactor or Redactor(None)
        self._pong_s = PING_TIMEOUT_S if pong_s is None else pong_s
        self.server_s = None if connection.response is None else unix_time(connection.response.headers.get("Date", ""))
        """The server's Unix time at the handshake; None if its answer has no `Date`."""

    async def send(self, text: str) -> None:
        """See `Link`."""
        try:
            await self._connection.send(text)
        except ConnectionClosed as exc:
            raise self._ended(exc) from exc

    async def receive(self) -> str | bytes:
        """See `Link`."""
        try:
            message = await self._next()
        except ConnectionClosed as exc:
            raise self._ended(exc) from exc
        return self._redactor.clean_event(message) if isinstance(message, str) else self._redactor.clean_bytes(message)

    async def _next(self) -> str | bytes:
        """Raises: ConnectionClosed; LinkClosed if nothing comes, and no pong either."""
        stalled = 0
        while True:
            try:
                async with asyncio.timeout(PING_INTERVAL_S):
                    return await self._connection.recv()
            except TimeoutError:
                pass
            pong: asyncio.Future[float] | None = None
            try:
                async with asyncio.timeout(self._pong_s):
                    pong = cast("asyncio.Future[float]", await self._connection.ping())
                    return await self._connection.recv()
            except TimeoutError:
                # None: it takes nothing just now, a ping neither. A server may be slow to read what we send.
                stalled = stalled + 1 if pong is None else 0
                if stalled > MOST_STALLS or (pong is not None and not pong.done()):
                    self._connection.transport.abort()
                    raise LinkClosed(1011, "keepalive ping timeout") from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Link`. A peer that does not answer is cut off, at once if nobody waits for it any more."""
        try:
            async with asyncio.timeout(2 * CLOSE_TIMEOUT_S):
                await self._connection.close(code, close_reason(reason))
        except TimeoutError:
            self._connection.transport.abort()
        except asyncio.CancelledError:
            self._connection.transport.abort()
            raise

    def _ended(self, exc: ConnectionClosed) -> LinkClosed:
        """How it ended, by whoever said so first (we do: too big a message, no pong); 1006 if it went without a word."""
        frame = exc.rcvd if exc.rcvd_then_sent else exc.sent or exc.rcvd
        return LinkClosed(frame.code, self._redactor.clean(frame.reason)) if frame is not None else LinkClosed()


class _Connection(ClientConnection):
    """One whose reader is told of an end also by a server that does not hang up: behind a close of its own, or behind what we close for."""

    def data_received(self, data: bytes) -> None:
        before = self._closes()
        super().data_received(data)
        if self._closes() != before:
            self.loop.call_later(CLOSE_TIMEOUT_S, self.transport.abort)

    def _closes(self) -> tuple[bool, bool]:
        return self.protocol.close_rcvd is not None, self.protocol.close_sent is not None


class _Dialing(connect):
    """`connect` that follows no redirect: the key goes to the host that it was given for."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def realtime_url(url: str, model: str | None = None) -> str:
    """The WebSocket address behind what a person gives: http(s) or ws(s), a bare host gets `/v1/realtime`, a base ends in `/v1`.

    Raises: UsageError.
    """
    schemes = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and parts.hostname and parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:
        good = False
    if not good:
        shown = re.sub(r"//[^/]*@", "//", url)
        raise UsageError(f"'{shown}' is not an address of a Realtime server: give ws://HOST:PORT, wss://..., http://... or https://...")
    path = parts.path.rstrip("/")
    path = path if path.endswith("/realtime") else f"{path}/realtime" if path.endswith("/v1") else path or "/v1/realtime"
    query = parts.query
    if model and "model" not in parse_qs(query, keep_blank_values=True):
        query = "&".join(part for part in (query, urlencode({"model": model})) if part)
    return urlunsplit((schemes[parts.scheme], parts.netloc, path, query, ""))


async def dial(
    url: str,
    api_key: str | None = None,
    cafile: str | None = None,
    *,
    auth: str = "bearer",
    pong_s: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> DialedLink:
    """Open a link to a complete `ws(s)://` address. Proxies are taken from the environment (HTTPS_PROXY, NO_PROXY), but for this machine.

    `auth`: how the key is sent, "bearer" or "api-key" (see `Provider.auth`); `pong_s`: how long a pong may take (PING_TIMEOUT_S); `headers`:
    more of them.
    Raises: Refused (an HTTP answer), Silent, MissingError, UsageError (key, cafile), `LinkClosed` never. None of them holds the key.
    """
    host, redactor = urlsplit(url).netloc.rpartition("@")[2], Redactor(api_key)
    opening = _Dialing(
        url,
        additional_headers={**(headers or {}), **_authorization(api_key, auth)},
        ssl=_trust(cafile) if url.startswith("wss:") else None,
        create_connection=_Connection,
        compression=None,
        max_size=MAX_MESSAGE_BYTES,
        open_timeout=OPEN_TIMEOUT_S,
        ping_interval=None,
        close_timeout=CLOSE_TIMEOUT_S,
        logger=_quiet,
        proxy=None if urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1") else True,
    )
    try:
        return DialedLink(await opening, redactor, pong_s)
    except InvalidStatus as exc:
        error = _error(exc.response)
        said = _shown(redactor.clean(error.message))
        sentence = f"{_why(host, exc)}: {said}" if said else _why(host, exc)
        raise Refused(sentence, exc.response.status_code, _wait_s(exc.response), _shown(redactor.clean(str(error.code or "")))) from exc
    except TimeoutError as exc:
        raise Silent(_why(host, exc)) from exc
    except (OSError, ImportError, WebSocketException) as exc:
        # ImportError: a SOCKS proxy is set, and the package that speaks to it is not installed.
        raise MissingError(_printable(redactor.clean(_why(host, exc)))) from exc


def _authorization(api_key: str | None, auth: str) -> dict[str, str]:
    """Raises: UsageError for a key that would break the header, such as one read from a file with its line end."""
    if not api_key:
        return {}
    if not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
        raise UsageError(
            "the API key has spaces, line ends or other characters that no key has: is it copied completely, and nothing else?"
        )
    return {"api-key": api_key} if auth == "api-key" else {"Authorization": f"Bearer {api_key}"}


def _trust(cafile: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ssl.SSLError) as exc:
        raise UsageError(f"cannot read the certificates in '{cafile}': {exc.strerror or exc}") from exc


def _why(host: str, exc: Exception) -> str:
    """What happened, in a sentence that says what to do. The order matters: most of these are OSErrors too."""
    match exc:
        case InvalidStatus(response=response):
            return f"{host} answered HTTP {response.status_code} instead of a WebSocket{_hint(response.status_code)}"
        case InvalidHandshake():
            return f"{host} did not answer as a WebSocket server: {exc}"
        case TimeoutError():
            return f"{host} did not answer within {OPEN_TIMEOUT_S:g} s: is the server running, is the network there?"
        case ssl.SSLCertVerificationError():
            return f"the certificate of {host} is not trusted: {exc.verify_message}"
        case ssl.SSLError():
            return f"no TLS with {host} ({exc.reason or exc}): does it speak TLS? ws:// and http:// do without"
        case ImportError():
            return f"cannot reach {host} through the proxy that is set: {exc}"
        case _:
            return f"cannot reach {host}: {exc}. Is the server running? `voice serve` starts one."


def _hint(status: int) -> str:
    """What to do about an HTTP status."""
    if 300 <= status < 400:
        return " (it points to another address: give that one)"
    hints = {
        200: "that is a page, not a Realtime server: check the path",
        401: "the key was refused",
        403: "not allowed",
        404: "nothing is served there: check the path",
        429: "too many requests: wait",
    }
    if status >= 500:
        return " (the server failed: try again later)"
    return f" ({hints[status]})" if status in hints else ""


def _wait_s(response: Response) -> float | None:
    """What `Retry-After` asks for in seconds; None for none, and for a date, which nobody sends with a WebSocket."""
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


class _Error(msgspec.Struct):
    message: str = ""
    code: str | int | None = None


class _Refusal(msgspec.Struct):
    error: _Error


def _error(response: Response) -> _Error:
    """The server's own words, where its answer has the form of the service."""
    try:
        return msgspec.json.decode(response.body or b"", type=_Refusal).error
    except (msgspec.MsgspecError, RecursionError):
        return _Error()


def _shown(text: str) -> str:
    """The beginning of a server's words, fit for a terminal."""
    return _printable(text[:SHOWN_CHARACTERS])


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
