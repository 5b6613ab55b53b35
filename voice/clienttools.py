"""The functions of a program that a model may call in its session: they run beside it, and cannot hold it up.

A coroutine runs as a task, anything else in a thread of its own, within its limits (`engines/toolset.py`). Whatever comes of a call, in time or
not, becomes an output for the model; when its output goes and what is asked for behind it is the session's affair (`protocol/errands.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, TypeVar, overload

from voice.engines.functions import function_tool
from voice.engines.toolset import UNSURE, Outcome, ToolLimits, Toolset
from voice.protocol.client import ClientSession
from voice.protocol.errands import MAX_RUNNING
from voice.protocol.notices import Notice, SessionEnded, ToolEnded, ToolStarted
from voice.protocol.tools import Tool, declared

F = TypeVar("F", bound=Callable[..., Any])

TIMEOUT_S = 20.0
"""Nobody on the telephone waits longer."""
MAX_OUTPUT_BYTES = 64 * 1024
"""Of an output: some 16,000 tokens of a model's memory, told again with every answer."""

Function = Callable[..., Any]


class ClientTools:
    """See the top of the file. `tell` gives a notice to the program. Calls run in `toolset`, and whoever waits for them in `group`: both
    are entered before anything is called."""

    def __init__(
        self,
        core: ClientSession,
        toolset: Toolset,
        group: asyncio.TaskGroup,
        tell: Callable[[Notice], Awaitable[None]],
        functions: Iterable[Function] = (),
    ) -> None:
        self.kick: Callable[[], None] = lambda: None
        """Says that there may be something to send."""
        self._core = core
        self._toolset = toolset
        self._group = group
        self._tell = tell
        self._declared: dict[str, Tool] = {}
        self._calls: dict[str, asyncio.Task[Outcome]] = {}
        self._waiting: set[asyncio.Task[None]] = set()
        for function in functions:
            self.add(function)

    def add(self, function: Function, name: str | None = None, description: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """From now on the model may call it; one of the same name is replaced. Raises: UsageError if it cannot be described."""
        tool = function_tool(function, name=name, description=description, limits=ToolLimits(timeout_s, MAX_OUTPUT_BYTES, MAX_RUNNING))
        self._toolset.put(tool)
        self._declared[tool.name] = tool.tool or Tool(tool.name)
        asked = self._core.offer.settings.tools
        others = [other for other in asked if other.get("name") not in self._declared] if isinstance(asked, list) else []
        self._core.errands.on = True
        self._core.offer.tools([*others, *map(declared, self._declared.values())])
        self.kick()

    async def tell(self, notice: Notice) -> None:
        """Something that the program is to know; what it calls runs now."""
        match notice:
            case ToolStarted():
                call = self._calls[notice.call_id] = self._toolset.start(notice.name, notice.arguments)
                waiting = self._group.create_task(self._finish(notice, call), name=f"tool {notice.name}")
                self._waiting.add(waiting)
                waiting.add_done_callback(self._waiting.discard)
            case SessionEnded():
                self.close()
            case _:
                pass
        await self._tell(notice)

    def stop(self) -> int:
        """Stop what runs; the model is told so. Returns how many did."""
        return sum(call.cancel() for call in self._calls.values() if not call.cancelling())

    def close(self) -> None:
        """The session is over: nobody waits for anything any more."""
        for waiting in self._waiting:
            waiting.cancel()

    async def _finish(self, started: ToolStarted, call: asyncio.Task[Outcome]) -> None:
        """Wait for what comes of a call, and tell it."""
        try:
            await asyncio.wait([call])
        finally:
            call.cancel()
            del self._calls[started.call_id]
        stopped = Outcome(f"The tool '{started.name[:64]}' was stopped. {UNSURE}", failed=True)
        outcome = stopped if call.cancelled() else call.result()
        if self._core.errands.ended(started.call_id, outcome.output):
            self.kick()
            await self._tell(ToolEnded(started.call_id, started.name, outcome.output, outcome.failed))


class Declare:
    """What `Session.tool` is: gives the model a function."""

    def __init__(self, tools: ClientTools) -> None:
        self._tools = tools

    @overload
    def __call__(self, function: F, *, name: str | None = None, description: str | None = None, timeout_s: float = TIMEOUT_S) -> F: ...

    @overload
    def __call__(self, *, name: str | None = None, description: str | None = None, timeout_s: float = TIMEOUT_S) -> Callable[[F], F]: ...

    def __call__(
        self, function: F | None = None, *, name: str | None = None, description: str | None = None, timeout_s: float = TIMEOUT_S
    ) -> Any:
        """A function that the model may call from now on; also as a decorator, with or without arguments. Returns the function.

        What the model is told of it is in its signature and its docstring (`voice/protocol/signature.py`). It runs beside the session: a
        coroutine as a task, anything else in a thread of its own, for `timeout_s` at most.
        Raises: UsageError if it cannot be described, or `timeout_s` is no time.
        """
        if function is None:
            return partial(self, name=name, description=description, timeout_s=timeout_s)
        self._tools.add(function, name, description, timeout_s)
        return function
