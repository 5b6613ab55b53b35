"""A twin that stands in a thread of its own, for programs of any kind: the loop of a test is the test's alone."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import TracebackType

from voice.engines.local import LIFE_S
from voice.engines.script import Script
from voice.engines.twin import MODEL, TwinEngine, TwinOptions, twin_engine
from voice.errors import LinkClosed
from voice.links.base import Link
from voice.links.faulty import Faults
from voice.links.web import WebLink
from voice.policy.faults import FaultPlan
from voice.server.app import ServeOptions, served
from voice.server.found import twin_findings
from voice.server.realtime import LINKS
from voice.server.twin import twin_listens
from voice.testing import given
from voice.testing.seen import Event, Log, TwinSession

WAIT_S = 10.0
"""For an event that a test waits for."""
START_S = 30.0
"""For a twin to stand, and to go: a synthesiser may have to start."""


class _Changing:
    """The engine of the server: the twin that answers from now on. Sessions that run keep theirs."""

    name = "twin"

    def __init__(self, engine: TwinEngine) -> None:
        self.engine = engine
        self.used: list[TwinEngine] = [engine]
        self.faults: Faults = engine.faults

    @property
    def sessions(self) -> int:
        """How many it serves now."""
        return sum(engine.sessions for engine in self.used)

    async def serve(self, link: Link, model: str = MODEL) -> LinkClosed:
        """See `Engine`."""
        return await self.engine.serve(link, model)

    async def transcribe(self, link: Link) -> LinkClosed:
        """See `Engine`."""
        return await self.engine.transcribe(link)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What only the thread of the twin touches."""

    loop: asyncio.AbstractEventLoop
    orders: "asyncio.Queue[Callable[[], Awaitable[None]] | None]"
    stack: AsyncExitStack
    engine: _Changing
    address: str


class VoiceTwin:
    """A double of the service at `url` (WebSocket) and `base_url` (what SDKs take). Made by `voice.testing.twin`, and by the fixture."""

    def __init__(self, script: Script, faults: FaultPlan, options: TwinOptions, dialect: str | None) -> None:
        self._options = options
        self._listens = twin_listens(ServeOptions(port=0), dialect)
        self._script = _spoken(script)
        self._faults = faults
        self._log = Log()
        self._standing: Future[_Standing] = Future()
        self._thread = threading.Thread(target=self._run, name="voice twin", daemon=True)

    def __enter__(self) -> "VoiceTwin":
        self._thread.start()
        self._standing.result(START_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        standing = self._standing.result(START_S)
        standing.loop.call_soon_threadsafe(standing.orders.put_nowait, None)
        self._thread.join(START_S)

    @property
    def address(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self._standing.result(START_S).address

    @property
    def url(self) -> str:
        """`ws://127.0.0.1:PORT/v1/realtime`."""
        return f"{self.address.replace('http', 'ws', 1)}/v1/realtime"

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT/v1`."""
        return f"{self.address}/v1"

    @property
    def sessions(self) -> list[TwinSession]:
        """Every connection so far."""
        return self._log.sessions()

    def script(self, script: given.Script) -> None:
        """Answer so from the next session on, from the first reply. Raises: ConfigError."""
        self._script = _spoken(given.script_of(script))
        self._order(self._play)

    def faults(self, faults: given.Faults) -> None:
        """Misbehave so from the next session on, which counts as the first. Raises: ConfigError."""
        self._faults = given.faults_of(faults)
        self._order(self._misbehave)

    def wait_for(self, kind: str, index: int = 0, timeout_s: float = WAIT_S, session: int | None = None) -> Event:
        """An event of either side by its type (a * stands for any letters) and index, from 0, of one session or of all.

        Raises: AssertionError that says what came instead; at once in a coroutine, whose loop must not stand still: see `wait_for_async`.
        """
        __tracebackhide__ = True
        return self._log.wait_for(kind, index, _patience_s(timeout_s), session)

    async def wait_for_async(self, kind: str, index: int = 0, timeout_s: float = WAIT_S, session: int | None = None) -> Event:
        """The same for coroutines."""
        return await asyncio.to_thread(self._log.wait_for, kind, index, timeout_s, session)

    def wait_ended(self, session: int = 1, timeout_s: float = WAIT_S) -> tuple[int, str]:
        """Close code and reason of a session that ends. Raises: AssertionError if it does not."""
        __tracebackhide__ = True
        return self._log.wait_ended(session, _patience_s(timeout_s))

    async def wait_ended_async(self, session: int = 1, timeout_s: float = WAIT_S) -> tuple[int, str]:
        """The same for coroutines."""
        return await asyncio.to_thread(self._log.wait_ended, session, timeout_s)

    def complain(self) -> None:
        """Raises: AssertionError if a scripted reply was not used, or a fault has not happened."""
        __tracebackhide__ = True
        engine = self._standing.result(START_S).engine.engine
        replies = [f"reply {reply.number} was not used" for reply in engine.script.replies if reply.number not in engine.taken]
        faults = [f"the fault at {fault.where} has not happened" for fault in self._faults.unused()]
        if replies or faults:
            raise AssertionError("; ".join((*replies, *faults)) + "".join(f"\n  {session}" for session in self.sessions))

    def _order(self, what: Callable[[_Standing], Awaitable[None]]) -> None:
        """Have something done in the twin's thread, and wait for it."""
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

    async def _play(self, standing: _Standing) -> None:
        engine = await standing.stack.enter_async_context(twin_engine(self._script, self._options))
        standing.engine.engine = engine
        standing.engine.used.append(engine)

    async def _misbehave(self, standing: _Standing) -> None:
        standing.engine.faults.misbehave(self._faults)

    def _run(self) -> None:
        try:
            asyncio.run(self._stand())
        except BaseException as exc:
            # Whoever wants the twin is told; there is nobody else in this thread.
            if self._standing.done():
                raise
            self._standing.set_exception(exc)

    async def _stand(self) -> None:
        async with AsyncExitStack() as stack:
            engine = _Changing(await stack.enter_async_context(twin_engine(self._script, self._options)))
            engine.faults = Faults(self._faults, self._log)
            app, address = await stack.enter_async_context(served(engine, self._listens, twin_findings(engine.engine)))
            orders: asyncio.Queue[Callable[[], Awaitable[None]] | None] = asyncio.Queue()
            self._standing.set_result(_Standing(asyncio.get_running_loop(), orders, stack, engine, address))
            while (order := await orders.get()) is not None:
                await order()
            links: set[WebLink] = app[LINKS]
            for link in tuple(links):
                # A client of a test that is over answers no close any more.
                link.cut()


def twin_of(
    script: given.Script = None,
    faults: given.Faults = None,
    *,
    life_s: float = LIFE_S,
    hurry: bool = False,
    dialect: str | None = None,
) -> VoiceTwin:
    """See `voice.testing.twin`; stands while it is entered. Raises: ConfigError, UsageError."""
    return VoiceTwin(given.script_of(script), given.faults_of(faults), TwinOptions(life_s, hurry=hurry), dialect)


def _spoken(script: Script) -> Script:
    """By tones, unless it names a voice: the same on every machine, and at once."""
    return replace(script, voice="tones") if script.voice == "auto" else script


def _patience_s(timeout_s: float) -> float:
    """How long this thread may stand still: not at all where a loop runs in it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return timeout_s
    return 0.0
