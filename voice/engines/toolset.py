"""The functions that run on our own server: which there are, and each call kept within its limits.

Only what the server's owner has listed is here, and no client adds to it. Whatever a tool does (it raises, hangs, returns a megabyte, is
given arguments that do not fit) comes back as an `Outcome` that tells the model in a sentence what went wrong.

    async with Toolset([function_tool(order_state)]) as tools:
        outcome = await tools.run("order_state", '{"number": 1003}', ToolContext({"user": "7"}))
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, Self, TypeVar

from voice.errors import ToolError, UsageError
from voice.protocol.tools import Tool

log = logging.getLogger(__name__)

TIMEOUT_S = 20.0
MAX_OUTPUT_BYTES = 8_192
"""About 2,000 tokens: a third of what a language model is shown of a conversation."""
AT_ONCE = 4
CLOSE_S = 10.0
"""How long everything may take to end: a tool server is given some seconds to do so by itself."""


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """What one tool may take. Raises: UsageError for what is no limit."""

    timeout_s: float = TIMEOUT_S
    """For a call, the wait for a place included."""
    max_output_bytes: int = MAX_OUTPUT_BYTES
    """Of the output, in UTF-8; the rest is cut off, and said to be."""
    at_once: int = AT_ONCE
    """Calls at the same time, of all sessions; more wait."""

    def __post_init__(self) -> None:
        if not (_is_number(self.timeout_s, int, float) and 0 < self.timeout_s < math.inf):
            raise UsageError(f"timeout_s of a tool is a number of seconds above 0, not {self.timeout_s!r}")
        for name in ("max_output_bytes", "at_once"):
            value = getattr(self, name)
            if not (_is_number(value, int) and value > 0):
                raise UsageError(f"{name} of a tool is a whole number above 0, not {value!r}")


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What the server knows of the one who is served. A function that has a parameter of this type is given it; no model sees it or sets it."""

    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)


NOBODY = ToolContext()
_WRAPPED = (StopIteration, StopAsyncIteration)
UNSURE = "What it was to do may be done or not."
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call."""

    output: str = field(repr=False)
    """What the model is told."""
    failed: bool = False
    """It went wrong; the output says how, in a sentence."""


class ServerTool(Protocol):
    """One tool. Its name never changes; its declaration may come later, and change."""

    name: str
    limits: ToolLimits

    @property
    def tool(self) -> Tool | None:
        """Its declaration, under `name`; None while it is not known (a tool server that has not come up)."""

    async def call(self, arguments: str, context: ToolContext) -> str:
        """The output. Raises: ToolError, whose message the model is told; anything else is a failure without words."""


class Beside(Protocol):
    """What runs as long as the tools are there: a tool server."""

    async def run(self) -> None:
        """Until it is cancelled. Never raises."""

    async def ready(self) -> None:
        """Returns once its tools are known, or known not to be there for now."""


class Toolset:
    """See the top of the file. It is an async context manager: calls are possible inside only, and end with it."""

    def __init__(self, tools: Iterable[ServerTool] = (), beside: Sequence[Beside] = (), start_s: float = 5.0) -> None:
        """`start_s`: how long the beginning waits for what runs beside; what is not ready by then comes later.

        Raises: UsageError for two tools of one name.
        """
        self._tools: dict[str, ServerTool] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise UsageError(f"two tools have the name '{tool.name}'")
            self._tools[tool.name] = tool
        self._beside = tuple(beside)
        self._start_s = start_s
        self._group: asyncio.TaskGroup | None = None
        self._running: set[asyncio.Task[Any]] = set()

    def put(self, tool: ServerTool) -> None:
        """One more from now on, or another of that name."""
        self._tools[tool.name] = tool

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        for one in self._beside:
            self._keep(self._group.create_task(one.run(), name="tools: beside"))
        waits = [self._keep(self._group.create_task(one.ready(), name="tools: ready")) for one in self._beside]
        try:
            if waits:
                await asyncio.wait(waits, timeout=self._start_s)
        except asyncio.CancelledError:
            await self._close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._close()

    async def _close(self) -> None:
        """End all that runs. A tool that will not end is left to the end of the program."""
        group, self._group = self._group, None
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=CLOSE_S)
        if self._running:
            log.warning("%s will not end", ", ".join(sorted(task.get_name() for task in self._running)))
        elif group is not None:
            await group.__aexit__(None, None, None)

    @property
    def names(self) -> frozenset[str]:
        """Of all tools, also of those whose declarations are not known yet: no client may declare one of them."""
        return frozenset(self._tools)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """What a model may be offered now."""
        return tuple(tool.tool for tool in self._tools.values() if tool.tool is not None)

    async def run(self, name: str, arguments: str, context: ToolContext = NOBODY) -> Outcome:
        """Call a tool and wait for what comes of it. Never raises for what a tool does. Cancelled, it returns at once; so is the tool,
        but a function in a thread goes on, and what it does may be done."""
        task = self.start(name, arguments, context)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
        return _broken(name) if task.cancelled() else task.result()

    def start(self, name: str, arguments: str, context: ToolContext = NOBODY) -> asyncio.Task[Outcome]:
        """The same without waiting: a task that has the outcome as its result, and may be cancelled."""
        if self._group is None:
            raise UsageError("tools are called inside of 'async with toolset'")
        return self._keep(self._group.create_task(self._outcome(name, arguments, context), name=f"tool {name[:64]}"))

    def _keep(self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _outcome(self, name: str, arguments: str, context: ToolContext) -> Outcome:
        tool = self._tools.get(name)
        if tool is None:
            log.debug("a tool was called that there is not")
            return Outcome(f"There is no tool '{name[:64]}'.", failed=True)
        began_s = time.monotonic()
        outcome = await self._within(tool, arguments, context)
        log.debug("tool %s %s in %.3f s", name, "failed" if outcome.failed else "answered", time.monotonic() - began_s)
        return outcome

    async def _within(self, tool: ServerTool, arguments: str, context: ToolContext) -> Outcome:
        """A call within its time. A coroutine that will not be cancelled is left behind: nobody waits for it."""
        assert self._group is not None
        task = self._keep(self._group.create_task(_called(tool, arguments, context), name=f"call {tool.name}"))
        try:
            await asyncio.wait([task], timeout=tool.limits.timeout_s)
        finally:
            task.cancel()
        if not task.done():
            return Outcome(
                f"The tool '{tool.name}' took longer than {tool.limits.timeout_s:g} seconds and was stopped. {UNSURE}", failed=True
            )
        with contextlib.suppress(asyncio.CancelledError):
            return task.result()
        return _broken(tool.name)


async def _called(tool: ServerTool, arguments: str, context: ToolContext) -> Outcome:
    """A call and what came of it; it never raises, lest one tool's failure ends the task group of all."""
    try:
        return Outcome(cut(await tool.call(arguments, context), tool.limits.max_output_bytes))
    except ToolError as exc:
        return Outcome(cut(str(exc), tool.limits.max_output_bytes), failed=True)
    except asyncio.CancelledError:
        raise
    except BaseException as exc:
        # A bug of the tool's, even one that would end the program. The message may hold what nobody is to read: only where it was is logged.
        log.warning("tool %s failed: %s", tool.name, _where(exc))
        return _broken(tool.name)


def _is_number(value: object, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def cut(text: str, most_bytes: int) -> str:
    """A text of at most so many bytes of UTF-8, cut at a character; one that was cut says so at its end, within them."""
    raw = text.encode(errors="replace")
    if len(raw) <= most_bytes:
        return raw.decode()
    note = f" ... (cut off: {len(raw)} bytes in all)"
    return raw[: max(0, most_bytes - len(note))].decode(errors="ignore") + note


def _broken(name: str) -> Outcome:
    return Outcome(f"The tool '{name}' failed. {UNSURE}", failed=True)


def _where(exc: BaseException) -> str:
    """The kind of an exception and the place it was raised at."""
    # What no coroutine and no thread may raise comes as a RuntimeError of Python's or ours: it is about what is behind it.
    cause = exc.__cause__
    if type(exc) is RuntimeError and cause is not None and (isinstance(cause, _WRAPPED) or not isinstance(cause, Exception)):
        exc = cause
    place = exc.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    code = "" if place is None else f" at {place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
    return f"{type(exc).__name__}{code}"
