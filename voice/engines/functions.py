"""A Python function or coroutine function as a tool of the server's.

Functions run in threads, so that one that blocks holds up nobody; coroutines run on the server's loop, and must not block it. So do those
that a plain function gives back: many a decorator is one around a coroutine function. A parameter of the type `ToolContext` is given what
the server knows of the user; models are not told of it.
"""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, get_args

import msgspec

from voice.engines.toolset import NOBODY, UNSURE, ServerTool, ToolContext, ToolLimits
from voice.errors import ProtocolError, ToolError
from voice.protocol.signature import described
from voice.protocol.tools import Tool
from voice.workers.threads import Threads


def function_tool(
    function: Callable[..., Any], *, name: str | None = None, description: str | None = None, limits: ToolLimits | None = None
) -> ServerTool:
    """`name`, `description`: instead of the function's own and its docstring's.

    What it returns is told as JSON, but text as it is. Raises: UsageError if a model cannot be told of it (see `described`).
    """
    return _FunctionTool(function, name, description, limits or ToolLimits())


class _FunctionTool:
    """See `function_tool`."""

    def __init__(self, function: Callable[..., Any], name: str | None, description: str | None, limits: ToolLimits) -> None:
        self._function = function
        self._asks = _asks_for_context(function)
        hidden = functools.partial(function, **dict.fromkeys(self._asks, NOBODY)) if self._asks else function
        self._described = described(hidden, name, description)
        self._threads = None if _is_async(function) else Threads(limits.at_once, f"tool {self.tool.name}")
        self._places = asyncio.Semaphore(limits.at_once)
        self.name = self.tool.name
        self.limits = limits

    @property
    def tool(self) -> Tool:
        """Its declaration."""
        return self._described.tool

    async def call(self, arguments: str, context: ToolContext) -> str:
        """See `ServerTool`."""
        try:
            given = self._described.decode(arguments)
        except ProtocolError as exc:
            raise ToolError(str(exc)) from exc
        given |= dict.fromkeys(self._asks, context)
        came: str | Awaitable[Any]
        if self._threads is None:
            came = self._function(**given)
        else:
            came = await self._threads.run(lambda: _told_or_later(self._function(**given), self.name))
        if isinstance(came, str):
            return came
        async with self._places:
            return told(await came, self.name)


def _told_or_later(result: Any, name: str) -> str | Awaitable[Any]:
    """What a plain function gives: told, or still to be awaited."""
    return result if inspect.isawaitable(result) else told(result, name)


def told(result: Any, name: str) -> str:
    """A result as a model is told it: text as it is, anything else as JSON. Raises: ToolError if it is neither."""
    if isinstance(result, str):
        return result
    try:
        return msgspec.json.encode(result).decode()
    except (TypeError, ValueError, RecursionError) as exc:
        if inspect.isawaitable(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
            # Nothing of it has run, or not to its end.
            if inspect.iscoroutine(result):
                result.close()
            raise ToolError(f"The tool '{name}' failed: it gave a {type(result).__name__} and no result. {UNSURE}") from exc
        raise ToolError(f"The tool '{name}' did its work, but its result is neither text nor JSON.") from exc


def _asks_for_context(function: Callable[..., Any]) -> tuple[str, ...]:
    """The parameters that are given the context."""
    try:
        parameters = inspect.signature(function, eval_str=True).parameters.values()
    except (NameError, AttributeError, SyntaxError, TypeError, ValueError):
        # `described` says what is wrong with it.
        return ()
    return tuple(
        parameter.name for parameter in parameters if parameter.annotation is ToolContext or ToolContext in get_args(parameter.annotation)
    )


def _is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine: of an object, its `__call__`."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
