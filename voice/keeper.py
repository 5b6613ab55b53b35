"""Keeps a session linked: dials again when a link breaks, and moves to a new link before the server ends the old one.

    LINKED --- the link ends, another may do better ---> WAITING (backoff, full jitter) ---> DIALLING ---> LINKED
    LINKED --- the machine has slept, and the link leads to another one ---> DIALLING
    LINKED --- the server will end the session soon, and it is quiet ---> a second link is dialled ---> it takes over, the old one is closed
    LINKED, DIALLING --- an end that must not be retried, or no tries left ---> ENDED

What the new link must be told is the session's own affair (`ClientSession.connected`). The microphone is not part of a link: it goes on.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from voice.devices.clocks import always_s, waking_s
from voice.errors import LinkClosed, MissingError, Refused
from voice.links.base import Link, MemoryLink
from voice.links.driver import Driver
from voice.policy.retry import Backoff, RetrySettings, status_worth_retrying, worth_retrying
from voice.policy.sleep import SleepWatch
from voice.protocol.client import ClientSession
from voice.protocol.notices import ErrorReported, LinkLost, LinkRestored, MoveDue, Notice, Other, SessionEnded

log = logging.getLogger(__name__)

EXPIRED = "session_expired"
CLOSE_TIMEOUT_S = 5.0
DEAD_TIMEOUT_S = 0.2
"""A link that is taken for dead is not waited for."""
LOOK_S = 1.0
"""How often it is looked whether the machine has slept."""
SLEPT = LinkClosed(1006, "the machine has slept")


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """A link, and the server's Unix time at its handshake (None: it did not tell)."""

    link: Link
    server_s: float | None
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None
    """What has to run while the link is used."""


OpenLink = Callable[[], Awaitable[OpenedLink]]


class Keeper:
    """See the top of the file. `link` is the first; `tell` gives a notice to the program; `retry` None: the first link is the only one."""

    def __init__(
        self,
        core: ClientSession,
        link: Link,
        open_link: OpenLink,
        traced: Callable[[Link, int], Link],
        tell: Callable[[Notice], Awaitable[None]],
        clock: Callable[[], float],
        retry: RetrySettings | None,
    ) -> None:
        self._core = core
        self._open_link = open_link
        self._traced = traced
        self._tell = tell
        self._clock = clock
        self._retry = retry
        self._driver: Driver[Notice] | None = None
        self._link = link
        self._number = 0
        self._error_code: str | None = None
        self._closed = asyncio.Event()
        self._move = asyncio.Event()

    def kick(self) -> None:
        """There may be something to send."""
        if self._driver is not None:
            self._driver.kick()

    async def room(self) -> None:
        """Wait until everything queued has been handed to the link that is there; at once if there is none."""
        if self._driver is not None:
            await self._driver.room()

    async def close(self) -> None:
        """End the session."""
        self._closed.set()
        await self._link.close()

    async def run(self, first: OpenedLink) -> None:
        """Keep the session linked until it ends; the last notice is `SessionEnded`."""
        backoff = Backoff(random.random, self._retry)
        opened: OpenedLink | None = first
        planned = False
        while opened is not None:
            began = self._clock()
            opened, ended = await self._live(opened, planned)
            planned = opened is not None
            if opened is None and self._may_retry(ended):
                opened, ended = await self._dial_again(backoff, ended, self._clock() - began)
        await self._tell(SessionEnded(ended.close_code, ended.reason, worth_retrying(ended.close_code, self._error_code)))

    async def _live(self, opened: OpenedLink, planned: bool) -> tuple[OpenedLink | None, LinkClosed]:
        """One link's life: how it ended, and the link that has taken over already, if the session moved."""
        self._number += 1
        self._link = opened.link
        self._error_code = None
        self._move.clear()
        lost = self._core.connected(self._clock(), opened.server_s)
        self._driver = Driver(self._core, self._traced(opened.link, self._number), self._take, self._clock)
        for notice in lost:
            await self._tell(notice)
        if self._number > 1:
            await self._tell(LinkRestored(self._number, planned))
        async with asyncio.TaskGroup() as group:
            living = group.create_task(self._driver.run(), name="link")
            moving = group.create_task(self._next_link(), name="next link")
            leaving = group.create_task(_slept(opened.link), name="sleep")
            beside = [group.create_task(opened.beside(), name="beside the link")] if opened.beside is not None else []
            await asyncio.wait([living, moving, leaving], return_when=asyncio.FIRST_COMPLETED)
            following = moving.result() if moving.done() else None
            left = leaving.done() and not living.done()
            for task in (living, moving, leaving, *beside):
                task.cancel()
        ended = (SLEPT if left else LinkClosed(1000, "moved")) if living.cancelled() else living.result()
        await self._close_quietly(opened.link, DEAD_TIMEOUT_S if left else CLOSE_TIMEOUT_S)
        return following, ended

    async def _next_link(self) -> OpenedLink:
        """Wait until it is time to move, then dial until there is a link to move to."""
        await self._move.wait()
        backoff = Backoff(random.random, self._retry)
        while True:
            try:
                return await self._open_link()
            except MissingError as exc:
                log.info("no new link to move to yet: %s", exc)
                await asyncio.sleep(backoff.next_delay_s() or 1.0)

    async def _dial_again(self, backoff: Backoff, ended: LinkClosed, lived_s: float) -> tuple[OpenedLink | None, LinkClosed]:
        """Back off and dial until there is a link, an end that is final, or no tries left."""
        retry_after_s = None
        while (delay_s := backoff.next_delay_s(lived_s, retry_after_s)) is not None:
            await self._tell(LinkLost(ended.close_code, ended.reason, delay_s))
            with suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await self._closed.wait()
            if self._closed.is_set():
                return None, LinkClosed(1000)
            try:
                return await self._open_link(), ended
            except Refused as exc:
                ended, retry_after_s = LinkClosed(1006, str(exc)), exc.retry_after_s
                if not status_worth_retrying(exc.status):
                    self._error_code = "invalid_api_key"
                    return None, ended
            except MissingError as exc:
                ended, retry_after_s = LinkClosed(1006, str(exc)), None
            lived_s = 0.0
        return None, ended

    def _may_retry(self, ended: LinkClosed) -> bool:
        return self._retry is not None and not self._closed.is_set() and worth_retrying(ended.close_code, self._error_code)

    async def _take(self, notice: Notice) -> None:
        """A notice of the session: some concern the link itself."""
        match notice:
            case MoveDue():
                if self._retry is not None:
                    self._move.set()
                return
            case ErrorReported(code=code):
                self._error_code = code
            case Other(event=event) if getattr(event, "type", "") == "session.expired":
                self._error_code = EXPIRED
            case _:
                pass
        await self._tell(notice)
        if self._error_code == EXPIRED and self._retry is not None and self._driver is not None:
            # Some servers leave the socket of a dead session open.
            self._driver.hang_up(1000, "expired")

    async def _close_quietly(self, link: Link, limit_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await link.close()


async def _slept(link: Link) -> None:
    """Until the machine has slept: whoever is at the other end has given it up. One that is in this process has slept too, and is there."""
    if isinstance(link, MemoryLink):
        await asyncio.Event().wait()
    watch = SleepWatch()
    while not watch.look(waking_s(), always_s()):  # noqa: ASYNC110 - nothing tells it but a look at the clocks
        await asyncio.sleep(LOOK_S)
