"""The only place that joins a session to a link: one task reads and never sends, another sends and never reads.

    read:   link.receive -> session.receive -> on_output(what it gave) -> kick
    write:  session.outgoing -> link.send, until there is none; then wait for a kick, or for the session's deadline -> tick

A reader that also sent deadlocked at every queue size in a trial: two peers, each waiting for the other to read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from voice.errors import LinkClosed, first_of
from voice.links.base import Link

T = TypeVar("T")


class Session(Protocol[T]):
    """What the driver needs of a session: four of its five verbs."""

    def receive(self, text: str | bytes, now: float) -> list[T]:
        """A message came."""

    def tick(self, now: float) -> list[T]:
        """The deadline has come."""

    def deadline(self) -> float | None:
        """When `tick` wants to be called."""

    def outgoing(self) -> list[str]:
        """What is to be sent."""


class Driver(Generic[T]):
    """See the top of the file. `on_output` may wait: then nothing more is read from the link, and the peer waits too.

    `congested`: too much waits to be sent. While it says so nothing is read either, so that a peer that writes and does not read costs
    no memory. For one of two peers only: if both did so they could wait for each other.
    """

    def __init__(
        self,
        session: Session[T],
        link: Link,
        on_output: Callable[[T], Awaitable[None]],
        clock: Callable[[], float],
        congested: Callable[[], bool] = lambda: False,
    ) -> None:
        self._session = session
        self._link = link
        self._on_output = on_output
        self._clock = clock
        self._kicked = asyncio.Event()
        self._drained = asyncio.Event()
        self._taken = asyncio.Event()
        self._congested = congested
        self._hangup: LinkClosed | None = None
        self._ended = False

    async def run(self) -> LinkClosed:
        """Drive until the link ends; returns how it ended. Cancel it to stop; closing the link is the caller's."""
        ended = LinkClosed()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(), name="link reader")
                group.create_task(self._write(), name="link writer")
        except* LinkClosed as closed:
            # Both tasks usually meet the same end.
            first = first_of(closed)
            assert isinstance(first, LinkClosed)
            ended = first
        finally:
            self._ended = True
            self._drained.set()
        return ended

    def kick(self) -> None:
        """There may be something to send."""
        if not self._ended:
            self._drained.clear()
            self._kicked.set()

    def hang_up(self, code: int, reason: str) -> None:
        """Close the link as soon as everything queued has been sent."""
        self._hangup = LinkClosed(code, reason)
        self.kick()

    async def room(self) -> None:
        """Wait until everything queued has been handed to the link, or the link has ended: back-pressure for a source that can wait."""
        self.kick()
        await self._drained.wait()

    async def _read(self) -> None:
        while True:
            while self._congested():
                self._taken.clear()
                await self._taken.wait()
            text = await self._link.receive()
            await self._hand_on(self._session.receive(text, self._clock()))

    async def _write(self) -> None:
        while True:
            self._kicked.clear()
            texts = self._session.outgoing()
            self._taken.set()
            for text in texts:
                await self._link.send(text)
            if self._kicked.is_set():
                continue
            if self._hangup is not None:
                await self._link.close(self._hangup.close_code, self._hangup.reason)
                raise self._hangup
            self._drained.set()
            await self._wait()

    async def _wait(self) -> None:
        """Until a kick, or the session's deadline."""
        deadline = self._session.deadline()
        timeout_s = None if deadline is None else max(0.0, deadline - self._clock())
        try:
            async with asyncio.timeout(timeout_s):
                await self._kicked.wait()
        except TimeoutError:
            await self._hand_on(self._session.tick(self._clock()))

    async def _hand_on(self, outputs: list[T]) -> None:
        for output in outputs:
            await self._on_output(output)
        self.kick()
