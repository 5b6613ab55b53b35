"""A link that misbehaves on purpose, between a connection and the session behind it. What goes wrong is decided in `policy/faulting.py`.

    the session -- send ---> down ---> [ flow ] ---> the connection           whoever sends also does what is due
                                         ^ time: one task that waits for it
    the session <- receive <--- up <--- the connection                        the reader never sends: it wakes that task

The session's sender waits while events are kept from going out, so nothing piles up behind a stall. Where a fault waits for the client, nothing
of the client's acts before the session has begun, and each message behind the answers to those before it, however soon they come.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

from voice.errors import LinkClosed
from voice.links.base import Link, MemoryLink
from voice.links.pauses import Pauses
from voice.links.rough import MemoryRough, Rough
from voice.links.sights import Began, Ended, Received, Refused, Sent, Sight, Witness
from voice.policy.deeds import Close, Reset
from voice.policy.faulting import Act, Freeze, SessionFaults, Thaw
from voice.policy.faults import FaultPlan
from voice.policy.garbage import Raw, Send

REST_S = 1.0
"""For what is held back at the end of a session."""


class Faults:
    """The faults of a twin, for every connection that comes. `witness` is told what really passes, be there faults or none."""

    def __init__(
        self,
        plan: FaultPlan | None = None,
        witness: Witness | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan or FaultPlan()
        self._witness = witness or (lambda number, sight: None)
        self._clock = clock
        self._count = 0
        self._before = 0

    def misbehave(self, plan: FaultPlan) -> None:
        """Another plan from the next session on, which is the first for it."""
        self._plan, self._before = plan, self._count

    def arrive(self) -> "Arrival":
        """A client wants in."""
        self._count += 1
        arrival = Arrival(self._count, self._plan, self._count - self._before, self._witness, self._clock)
        if arrival.refuse is not None:
            self._witness(arrival.number, Refused(arrival.refuse))
        return arrival

    async def between(self, link: MemoryLink, serve: Callable[[Link], Awaitable[LinkClosed]]) -> LinkClosed:
        """A session in this process: `serve` answers over a link that misbehaves. A refused one is cut at once."""
        arrival = self.arrive()
        if arrival.refuse is not None:
            link.cut()
            return LinkClosed()
        async with arrival.line(link, MemoryRough(link)) as faulty:
            return await serve(faulty)


class Arrival:
    """A client that wants in: the `number` of its session, from 1; how it is refused (None: it is let in), or what its session talks over.

    `nth`: its number for the plan.
    """

    def __init__(self, number: int, plan: FaultPlan, nth: int, witness: Witness, clock: Callable[[], float]) -> None:
        self.number = number
        self.refuse = plan.refusal(nth)
        self._plan = plan
        self._nth = nth
        self._witness = witness
        self._clock = clock

    @asynccontextmanager
    async def line(self, link: Link, rough: Rough) -> "AsyncIterator[FaultyLink]":
        """What the session is to talk over; `link` and `rough` are the same connection."""
        faults = self._plan.session(self._nth)
        faulty = FaultyLink(link, rough, faults, partial(self._witness, self.number), self._clock)
        failure: BaseException | None = None
        self._witness(self.number, Began())
        async with asyncio.TaskGroup() as group:
            timing = group.create_task(faulty.keep_time(), name="faults by time")
            try:
                yield faulty
            except BaseException as exc:
                # Raised again below: the task group would wrap it.
                failure = exc
            if not faulty.over():
                # Else it ends the connection, within the time that a close may take.
                timing.cancel()
        if failure is not None:
            raise failure


class FaultyLink:
    """See the top of the file; made by `Arrival.line`."""

    def __init__(
        self, link: Link, rough: Rough, faults: SessionFaults, witness: Callable[[Sight], None], clock: Callable[[], float]
    ) -> None:
        self._link = link
        self._rough = rough
        self._faults = faults
        self._witness = witness
        self._clock = clock
        self._turn = asyncio.Lock()
        self._stirred = asyncio.Event()
        self._pauses = Pauses()
        self._came: str | bytes | None = None
        self._heard: deque[str | bytes] = deque()
        self._ended: LinkClosed | None = None
        self._last: Close | Reset | None = None

    @property
    def ending(self) -> bool:
        """Whether a fault has ended it; `keep_time` does so, and returns."""
        return self._last is not None

    async def send(self, text: str) -> None:
        """See `Link`."""
        await self._until_there_is_room()
        with self._pauses.speaking():
            self._faults.down(text, self._clock())
            await self._do_what_is_due()
        self._stirred.set()
        self._raise_if_ended()

    async def receive(self) -> str | bytes:
        """See `Link`."""
        while not self._heard:
            if self.ending:
                self._raise_if_ended()
            message = await self._next()
            if self._faults.deaf_until == math.inf:
                self._came = None
                continue
            if (left_s := self._faults.deaf_until - self._clock()) > 0:
                await asyncio.sleep(left_s)
            if self._faults.awaits_client:
                await self._pauses.settled()
                if self.ending:
                    continue
            self._came = None
            self._witness(Received(message))
            self._heard.extend(self._faults.up(message, self._clock()))
            self._stirred.set()
        return self._heard.popleft()

    async def _next(self) -> str | bytes:
        """The client's next message, which stays in `_came` until it has acted: a reader may be interrupted while it waits for that."""
        if self._came is None:
            try:
                self._came = await self._link.receive()
            except LinkClosed as ended:
                self._end(ended)
                self._raise_if_ended()
                raise
        return self._came

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Link`. What is held back goes out before, when it may."""
        await self._until_there_is_room()
        if self.ending:
            return
        if rest := self._faults.rest():
            # A client that reads nothing is not waited for: whoever sends to it now is woken by the close.
            with suppress(LinkClosed, TimeoutError):
                async with asyncio.timeout(REST_S), self._turn:
                    for act in rest:
                        await self._do(act)
        self._end(LinkClosed(code, reason))
        await self._link.close(code, reason)

    def over(self) -> bool:
        """The session has ended; returns whether a fault still has to end the connection."""
        self._end(LinkClosed())
        return self.ending

    async def keep_time(self) -> None:
        """Do what becomes due, until a fault has ended the connection; for a task of its own, to be cancelled.

        Only here is it ended: the session's own tasks are cancelled as soon as one of them learns of it.
        """
        while True:
            self._stirred.clear()
            with suppress(LinkClosed):
                await self._do_what_is_due()
            if self._last is not None:
                await self._rough.end(self._last)
                return
            deadline = self._faults.deadline()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if deadline is None else max(0.0, deadline - self._clock())):
                    await self._stirred.wait()

    async def _do_what_is_due(self) -> None:
        """Raises: LinkClosed."""
        acts = self._faults.take(self._clock())
        if acts and isinstance(acts[-1], Reset):
            # At once: what is under way is lost with it, and a client that does not read may hold up the sender, whose turn it is.
            await self._do(acts[-1])
            return
        async with self._turn:
            for act in acts:
                await self._do(act)
        if not self._faults.crowded:
            self._pauses.room.set()

    async def _do(self, act: Act) -> None:
        match act:
            case Send(text=text):
                # Before it is: the client may answer sooner than we come back.
                self._witness(Sent(text))
                await self._link.send(text)
            case Raw(data=data, text=as_text):
                self._witness(Sent(data))
                await self._rough.send_raw(data, as_text)
            case Close() | Reset():
                self._last = act
                self._end(LinkClosed(act.code, act.reason) if isinstance(act, Close) else LinkClosed(1006, "reset"))
                self._stirred.set()
            case Freeze(lasting=lasting):
                self._rough.freeze(lasting)
            case Thaw():
                self._rough.thaw()

    def _end(self, ended: LinkClosed) -> None:
        if self._ended is None:
            self._ended = ended
            self._witness(Ended(ended.close_code, ended.reason))
            self._pauses.end()

    def _raise_if_ended(self) -> None:
        """Raises: LinkClosed, a new one each time."""
        if self._ended is not None:
            raise LinkClosed(self._ended.close_code, self._ended.reason)

    async def _until_there_is_room(self) -> None:
        while self._faults.crowded and self._ended is None:
            self._pauses.room.clear()
            await self._pauses.room.wait()
