"""The relay: every session of ours is one with an upstream, whose key stays here.

One task a direction, message by message: it takes the next only when the last has been handed on, so a slow client slows the upstream's sending, and
the other way round; nothing is kept but what the two sockets hold. Where both sides speak the same dialect audio is not parsed; where they do not,
what passes is translated on the upstream's link (`links/spoken.py`).

An end is passed on, with its code and reason, once all that came before it has been. What an upstream says comes without the key, should it
repeat it: its link sees to that (`links/dial.py`).
"""

import asyncio
import itertools
import json
import logging
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlencode, urlsplit

import msgspec

from voice.engines.destination import ASKED, checked
from voice.engines.local import random_id
from voice.errors import ConfigError, LinkClosed, Silent
from voice.links.base import Link
from voice.links.dial import DialedLink, dial, realtime_url
from voice.links.spoken import SpokenLink, before_server
from voice.protocol.accents import AUTO, GA, Exchange, known
from voice.protocol.dialect import Dialect
from voice.protocol.peek import PEEKED, peeked

log = logging.getLogger(__name__)

MODEL = "gpt-realtime"
"""Asked for where neither the client nor the options name one."""
LONGEST_MODEL = 200
REACH_S = 7.0
"""For an upstream to take a session: less than the 10 s that clients wait for us, so that they are told what is wrong."""
PONG_S = 2.0
"""An upstream is a server on a good line: with ping interval and close timeout a dead one is noticed 3 s after the ping it owed."""
LIFE_S = 3600.0
ANY = frozenset({"0.0.0.0", "::"})
EXPIRED = "Your session hit its maximum duration."
TELL_S = 1.0
CLOCK_OFF_S = 5.0
"""Clocks that differ by less are taken for equal: `Date` has whole seconds, and a handshake takes its time."""
_SETTINGS = re.compile(r'\s*\{.{0,120}?"type"\s*:\s*"(?:transcription_)?session\.(?:created|updated)"', re.DOTALL)
_EXPIRES_AT = re.compile(r'("expires_at"\s*:\s*)(\d{1,15})(?![\d.eE])')
"""Not in the words of a session: there the quotation marks are escaped."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the sessions of a relay go."""

    url: str
    """ws(s):// or http(s)://; a bare host gets `/v1/realtime`."""
    api_key: str | None = field(default=None, repr=False)
    auth: str = "bearer"
    """How the key is sent (see `Provider.auth`)."""
    model: str | None = None
    """Asked for where the client names none; "": none is."""
    life_s: float = LIFE_S
    """A session is ended after so many seconds; the upstream may end it before."""
    dialect: str = AUTO
    """What it speaks (see `Provider.dialect`)."""

    @property
    def host(self) -> str:
        """Host, and port if there is one: what people are told."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def address(self, model: str | None = None, intent: str | None = None) -> str:
        """The complete address of a session. One with an intent (transcription) names no model unless it is asked to. Raises: UsageError."""
        wanted = model or (None if intent else MODEL if self.model is None else self.model)
        url = realtime_url(self.url, wanted and wanted[:LONGEST_MODEL])
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode({'intent': intent})}" if intent else url


TRANSCRIPTION = "transcription"
"""The intent of a session that only writes down."""


@dataclass(slots=True)
class Traffic:
    """What has passed in one direction."""

    messages: int = 0
    characters: int = 0


class By(Enum):
    """Who or what ends a session."""

    CLIENT = "the client"
    UPSTREAM = "the upstream"
    TIME = "its maximum duration"
    US = "the relay"


class Reached:
    """An upstream that has taken a session, and its dialect (None: to be heard). `carry` it, or `close` it."""

    def __init__(self, link: DialedLink, life_s: float, number: int, dialect: Dialect | None = GA) -> None:
        self._link = link
        self._dialect = dialect
        self._life_s = life_s
        self._number = number
        now_s = time.time()
        self._ends_at_s = now_s + life_s
        self._ahead_s = 0.0 if link.server_s is None else now_s - link.server_s
        self.up, self.down = Traffic(), Traffic()

    async def carry(self, client: Link, dialect: Dialect | None = GA) -> LinkClosed:
        """Carry messages until either side ends, then end the other; returns how it ended. Cancel it to stop: both are closed then.

        `dialect`: what the client speaks; None: to be heard.
        """
        ended, by = LinkClosed(1001, "the relay is stopping"), By.US
        upstream = before_server(self._link, Exchange(dialect, self._dialect, random_id))
        try:
            ended, by = await self._until_the_end(client, upstream)
            if by is By.TIME:
                await self._tell_expiry(client)
        finally:
            code, reason = passed_on(ended, by)
            # Each waits at most for its own close timeout.
            async with asyncio.TaskGroup() as group:
                group.create_task(upstream.close(code, reason), name="close the upstream")
                group.create_task(client.close(code, reason), name="close the client")
            log.info("session %d was ended by %s: %s; up %s, down %s", self._number, by.value, ended, self.up, self.down)
        return ended

    async def close(self) -> None:
        """Let the upstream go without a session."""
        await self._link.close()

    async def _until_the_end(self, client: Link, upstream: SpokenLink) -> tuple[LinkClosed, By]:
        end: asyncio.Future[tuple[LinkClosed, By]] = asyncio.get_running_loop().create_future()

        def over(closed: LinkClosed, by: By) -> None:
            if not end.done():
                end.set_result((closed, by))

        async with asyncio.TaskGroup() as group:
            tasks = (
                group.create_task(self._carry_up(client, upstream, over), name="relay up"),
                group.create_task(self._carry_down(client, upstream, over), name="relay down"),
                group.create_task(upstream.answer(), name="relay answers"),
            )
            try:
                async with asyncio.timeout(self._life_s):
                    return await end
            except TimeoutError:
                return LinkClosed(1001, EXPIRED), By.TIME
            finally:
                for task in tasks:
                    task.cancel()

    async def _carry_up(self, client: Link, upstream: Link, over: Callable[[LinkClosed, By], None]) -> None:
        while True:
            try:
                message = await client.receive()
                text = message if isinstance(message, str) else message.decode()
            except LinkClosed as closed:
                return over(closed, By.CLIENT)
            except UnicodeDecodeError:
                return over(LinkClosed(1007, "a binary message is not UTF-8"), By.CLIENT)
            self._count(self.up, "up", text)
            try:
                await upstream.send(text)
            except LinkClosed:
                # The other task meets this end too, behind what the upstream said before it.
                return

    async def _carry_down(self, client: Link, upstream: Link, over: Callable[[LinkClosed, By], None]) -> None:
        while True:
            try:
                message = await upstream.receive()
            except LinkClosed as closed:
                return over(closed, By.UPSTREAM)
            text = message if isinstance(message, str) else message.decode(errors="replace")
            if "session." in text[:PEEKED] and _SETTINGS.match(text):
                text = self._with_our_end(text)
            self._count(self.down, "down", text)
            try:
                await client.send(text)
            except LinkClosed:
                # As above: what the client said before it left still goes up.
                return

    def _with_our_end(self, text: str) -> str:
        """An event that tells when the session expires, by our clock, which is the one that our `Date` tells."""

        def ours(found: re.Match[str]) -> str:
            theirs_s = int(found[2]) + (self._ahead_s if abs(self._ahead_s) > CLOCK_OFF_S else 0)
            return found[1] + str(int(min(theirs_s, self._ends_at_s) if theirs_s > 0 else self._ends_at_s))

        return _EXPIRES_AT.sub(ours, text)

    def _count(self, traffic: Traffic, way: str, text: str) -> None:
        traffic.messages += 1
        traffic.characters += len(text)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("session %d %s: %s, %d characters", self._number, way, event_type(text), len(text))

    async def _tell_expiry(self, client: Link) -> None:
        error = {"type": "invalid_request_error", "code": "session_expired", "message": EXPIRED, "param": None, "event_id": None}
        event = {"type": "error", "event_id": random_id("event"), "error": error}
        try:
            async with asyncio.timeout(TELL_S):
                await client.send(json.dumps(event))
        except (LinkClosed, TimeoutError):
            # It has gone, or does not read: the close code says the same.
            pass


class RelayEngine:
    """See the top of the file."""

    name = "relay"

    def __init__(self, upstream: Upstream) -> None:
        """Raises: UsageError for a dialect that there is not."""
        checked(upstream.dialect)
        self.upstream = upstream
        self.sessions = 0
        self._numbers = itertools.count(1)

    async def reach(self, model: str | None = None, intent: str | None = None) -> Reached:
        """Dial the upstream for one session. Raises: Refused (with its HTTP status), Silent, MissingError; none holds the key."""
        upstream = self.upstream
        number, began = next(self._numbers), time.monotonic()
        try:
            async with asyncio.timeout(REACH_S):
                headers = ASKED.get(upstream.dialect)
                link = await dial(upstream.address(model, intent), upstream.api_key, auth=upstream.auth, pong_s=PONG_S, headers=headers)
        except TimeoutError as exc:
            raise Silent(f"{upstream.host} did not answer within {REACH_S:g} s") from exc
        log.debug("session %d: %s answered after %.0f ms", number, upstream.host, (time.monotonic() - began) * 1000)
        return Reached(link, upstream.life_s, number, known(upstream.dialect))

    async def serve(self, link: Link, model: str | None = None) -> LinkClosed:
        """Dial and carry one client's session. Raises: as `reach`."""
        return await self.carry(await self.reach(model), link)

    async def transcribe(self, link: Link) -> LinkClosed:
        """The same for a session that only writes down. Raises: as `reach`."""
        return await self.carry(await self.reach(None, TRANSCRIPTION), link)

    async def carry(self, reached: Reached, link: Link, dialect: Dialect | None = GA) -> LinkClosed:
        """Carry a session that was reached; see `Reached.carry`."""
        self.sessions += 1
        try:
            return await reached.carry(link, dialect)
        finally:
            self.sessions -= 1


class _Typed(msgspec.Struct):
    type: str


def event_type(text: str) -> str:
    """The type of an event, for a log: peeked where everybody writes it, else read; the rest is not looked at."""
    name = peeked(text)
    try:
        name = name if name is not None else msgspec.json.decode(text, type=_Typed).type
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return "no event"
    return "".join(letter for letter in name if letter.isprintable())[:80]


def refuse_ourselves(upstream: Upstream, host: str, port: int) -> None:
    """Raises: ConfigError if the upstream is the server at `host` and `port`: each session would open another one for ever. May ask the DNS."""
    parts = urlsplit(realtime_url(upstream.url))
    if (parts.port or (443 if parts.scheme == "wss" else 80)) != port or port == 0:
        return
    ours, theirs = _addresses(host), _addresses(parts.hostname or "")
    # To connect to "any address" is to connect to this machine.
    if ours & theirs or theirs & ANY or (ours & ANY and any(_is_here(address) for address in theirs)):
        raise ConfigError(f"the upstream '{upstream.host}' is this server: give the address of another one")


def _addresses(host: str) -> set[str]:
    """Of a name; none if nobody knows it."""
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return set()


def _is_here(address: str) -> bool:
    """Whether an address is one of this machine's: only those can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def passed_on(ended: LinkClosed, by: By) -> tuple[int, str]:
    """Code and reason for the other side. Some codes say that there was none, and must not be sent (RFC 6455, section 7.4)."""
    code = ended.close_code
    if (1000 <= code <= 1014 and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999:
        return code, ended.reason
    if code == 1005:
        return 1000, ended.reason
    return (1001, "the client is gone") if by is By.CLIENT else (1011, "the upstream is gone")
