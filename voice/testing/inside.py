"""The thread that a twin stands in: its loop, its server, and the engine that answers from now on."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass

from voice.engines.script import Script
from voice.engines.twin import MODEL, TwinEngine, TwinOptions, twin_engine
from voice.errors import LinkClosed
from voice.links.base import Link
from voice.links.faulty import Faults
from voice.links.sights import Witness
from voice.links.web import WebLink
from voice.policy.faults import FaultPlan
from voice.server.app import ServeOptions, served
from voice.server.found import twin_findings
from voice.server.realtime import LINKS

START_S = 30.0
"""For a twin to stand, to learn something else, and to go: a synthesiser may have to start."""


class Changing:
    """The engine of the server: the twin that answers from now on. Sessions that run keep theirs."""

    name = "twin"

    def __init__(self, engine: TwinEngine, faults: Faults) -> None:
        self.engine = engine
        self.faults = faults
        self._used = [engine]

    @property
    def sessions(self) -> int:
        """How many it serves now."""
        return sum(engine.sessions for engine in self._used)

    def change(self, engine: TwinEngine) -> None:
        """Another one answers."""
        self.engine = engine
        self._used.append(engine)

    async def serve(self, link: Link, model: str = MODEL) -> LinkClosed:
        """See `Engine`."""
        return await self.engine.serve(link, model)

    async def transcribe(self, link: Link) -> LinkClosed:
        """See `Engine`."""
        return await self.engine.transcribe(link)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What only the thread touches, but for the address."""

    loop: asyncio.AbstractEventLoop
    orders: "asyncio.Queue[Callable[[], Awaitable[None]] | None]"
    """What is to be done there; None: the end. Whoever orders waits for it, so that there are never many."""
    stack: AsyncExitStack
    engine: Changing
    address: str


class TwinThread:
    """See the top of the file. `start` it and `stop` it once; its methods are for other threads, and wait."""

    def __init__(self, options: TwinOptions, listens: ServeOptions, witness: Witness) -> None:
        self._options = options
        self._listens = listens
        self._witness = witness
        self._standing: Future[_Standing] = Future()
        self._thread: threading.Thread | None = None

    def start(self, script: Script, faults: FaultPlan) -> None:
        """Raises: what kept the twin from standing."""
        self._thread = threading.Thread(target=self._run, args=(script, faults), name="voice twin", daemon=True)
        self._thread.start()
        self._standing.result(START_S)

    def stop(self) -> None:
        """End it; clients that are there are cut off."""
        standing = self._standing.result(START_S)
        standing.loop.call_soon_threadsafe(standing.orders.put_nowait, None)
        if self._thread is not None:
            self._thread.join(START_S)

    @property
    def address(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self._standing.result(START_S).address

    @property
    def engine(self) -> TwinEngine:
        """What answers from now on; to be looked at only."""
        return self._standing.result(START_S).engine.engine

    def play(self, script: Script) -> None:
        """Answer so from the next session on. Raises: what kept it from doing so."""

        async def play(standing: _Standing) -> None:
            standing.engine.change(await standing.stack.enter_async_context(twin_engine(script, self._options)))

        self._order(play)

    def misbehave(self, faults: FaultPlan) -> None:
        """Misbehave so from the next session on."""

        async def misbehave(standing: _Standing) -> None:
            standing.engine.faults.misbehave(faults)

        self._order(misbehave)

    def _order(self, what: Callable[[_Standing], Awaitable[None]]) -> None:
        standing, done = self._standing.result(START_S), Future[None]()

        async def ordered() -> None:
            try:
                await what(standing)
            except Exception as exc:
                # It is raised where the order came from; the twin stands as before.
                done.set_exception(exc)
            else:
                done.set_result(None)

        standing.loop.call_soon_threadsafe(standing.orders.put_nowait, ordered)
        done.result(START_S)

    def _run(self, script: Script, faults: FaultPlan) -> None:
        try:
            asyncio.run(self._stand(script, faults))
        except BaseException as exc:
            # Whoever waits for the twin to stand is told: nobody else would be.
            if self._standing.done():
                raise
            self._standing.set_exception(exc)

    async def _stand(self, script: Script, faults: FaultPlan) -> None:
        async with AsyncExitStack() as stack:
            twin = await stack.enter_async_context(twin_engine(script, self._options))
            engine = Changing(twin, Faults(faults, self._witness))
            app, address = await stack.enter_async_context(served(engine, self._listens, twin_findings(twin)))
            orders: asyncio.Queue[Callable[[], Awaitable[None]] | None] = asyncio.Queue()
            self._standing.set_result(_Standing(asyncio.get_running_loop(), orders, stack, engine, address))
            while (order := await orders.get()) is not None:
                await order()
            links: set[WebLink] = app[LINKS]
            for link in tuple(links):
                # A client of a test that is over answers no close any more.
                link.cut()
