"""MCP servers whose tools the model may call: processes that we start, or servers on the network. By the official SDK (extra `mcp`).

    supervisor:  connect -> list the tools -> wait: ended, in doubt, list changed, or a minute -> (ended) back off, connect again

One task owns a connection from its first to its last moment, as the SDK wants it; calls come from the tasks of the toolset. A server that is
not there costs nobody more than a sentence: its tools keep their names and their last declarations, and a call says that it is not there.
"""

import asyncio
import importlib
import itertools
import json
import logging
import os
import random
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from voice.engines.toolset import ToolContext, ToolLimits
from voice.errors import MissingError, MissingExtra, ToolError
from voice.policy.retry import Backoff, RetrySettings
from voice.protocol.tools import Tool

if TYPE_CHECKING:
    from mcp import Client

log = logging.getLogger(__name__)

CONNECT_S = 30.0
"""For a server to start and to say what it has."""
CHECK_S = 60.0
"""How often a server is asked for its tools, if nothing gives cause to ask sooner: on the network nothing else tells that one has ended."""
MOST_PAGES = 100
"""Of a list of tools."""
LONGEST_LINE = 500
"""Letters of a line of a server's stderr that are logged."""
PATIENCE = RetrySettings(first_s=0.5, cap_s=30.0, tries=1 << 30, stable_s=30.0)
"""A server is never given up: whoever repairs it need not restart us."""
_GONE = "The tool server '{name}' is not there at the moment. Try again later."
_NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(frozen=True, slots=True)
class McpOptions:
    """One server, and what of it may be used."""

    name: str
    allow: tuple[str, ...]
    """The tools that a model may call; no others are offered, whatever the server has."""
    command: tuple[str, ...] = ()
    """The program that is started, with its arguments; it speaks on stdin and stdout."""
    url: str = ""
    """Instead of a program: where the server is found (streamable HTTP)."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables for the program, besides the few that every program needs (PATH, HOME, ...)."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent to the `url` with every request."""
    limits: ToolLimits = ToolLimits()


def safe_name(name: str) -> str:
    """An MCP tool's name as models may write it."""
    return _NOT_A_NAME.sub("_", name)[:64]


def need_sdk() -> None:
    """Raises: MissingExtra, MissingError if what is installed is too old."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        installed = version("mcp")
    except PackageNotFoundError as exc:
        raise MissingExtra("mcp", "mcp") from exc
    if int(installed.partition(".")[0]) < 2:
        raise MissingError(f'mcp {installed} is too old: pip install "voice[mcp]"')


class McpServer:
    """See the top of the file; what `Toolset` runs beside its tools. `names`: under which its allowed tools are known here, in their order."""

    def __init__(self, options: McpOptions, names: Sequence[str], chance: Callable[[], float] = random.random) -> None:
        self.options = options
        self.tools = tuple(McpTool(self, own, name) for own, name in zip(options.allow, names, strict=True))
        self._chance = chance
        self._client: Client | None = None
        self._running = 0
        self._places = asyncio.Semaphore(options.limits.at_once)
        self._known = asyncio.Event()
        self._news = asyncio.Event()
        self._ended = False
        self._worked = False
        self._missed: set[str] = set()

    async def run(self) -> None:
        """Keep the connection until cancelled: the server ends with it."""
        backoff = Backoff(self._chance, PATIENCE)
        # The newer protocol begins with a question that some older servers take for the end: they are tried in turn until one works.
        modes = itertools.cycle(("auto", "legacy"))
        mode = next(modes)
        warned = False
        while True:
            began_s = time.monotonic()
            try:
                await self._live(mode)
                log.warning("the tool server '%s' has ended", self.options.name)
            except Exception as exc:
                # Whatever keeps it from working: its tools are not there for now, and it is tried again.
                # It may never work: that is said once, and again when it has worked meanwhile.
                level = logging.DEBUG if warned and not self._worked else logging.WARNING
                log.log(level, "the tool server '%s' does not work: %s", self.options.name, _reason(exc))
                warned = True
                mode = mode if self._worked else next(modes)
            finally:
                self._client = None
            self._known.set()
            await asyncio.sleep(backoff.next_delay_s(time.monotonic() - began_s) or 0.0)

    async def ready(self) -> None:
        """Returns once its tools are known, or known not to be there for now."""
        await self._known.wait()

    async def call(self, tool: str, arguments: str) -> str:
        """What one of its tools says. Raises: ToolError."""
        try:
            given = json.loads(arguments or "{}")
        except (ValueError, RecursionError) as exc:
            raise ToolError("The arguments are no JSON.") from exc
        if not isinstance(given, dict):
            raise ToolError("The arguments are no JSON object.")
        async with self._places:
            client = self._client
            if client is None:
                raise ToolError(_GONE.format(name=self.options.name))
            self._running += 1
            try:
                return await self._called(client, tool, given)
            finally:
                self._running -= 1

    async def _called(self, client: "Client", tool: str, given: dict[str, Any]) -> str:
        from mcp import MCPError
        from mcp_types import CONNECTION_CLOSED

        try:
            result = await client.call_tool(tool, given)
        except MCPError as exc:
            # It may be the connection that failed, and not the tool.
            self._news.set()
            if client is not self._client or exc.error.code == CONNECTION_CLOSED:
                raise ToolError(f"The tool server '{self.options.name}' ended meanwhile. What it was to do may be done or not.") from exc
            raise ToolError(f"The tool server '{self.options.name}' refused the call: {exc.error.message}") from exc
        except Exception:
            # What it is, is the toolset's affair; here it is a reason to look after the connection.
            self._news.set()
            raise
        text = _told(result)
        if result.is_error:
            raise ToolError(text or "The tool failed and did not say why.")
        return text

    async def _live(self, mode: str) -> None:
        """One connection, from its first to its last moment."""
        self._ended = self._worked = False
        self._news.clear()
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.to_thread(_load)
                client = await stack.enter_async_context(self._client_of(stack, mode))
                await self._list(client)
            self._worked = True
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self._listen(client), name=f"listen to the tool server {self.options.name}")
                try:
                    await self._serve(client)
                finally:
                    listening.cancel()

    async def _serve(self, client: "Client") -> None:
        """Let calls through until the connection has ended, and keep to what the server has."""
        if not self._ended:
            self._client = client
        self._known.set()
        while not self._ended:
            try:
                async with asyncio.timeout(CHECK_S):
                    await self._news.wait()
            except TimeoutError:
                pass  # nothing gave cause: it is asked all the same
            self._news.clear()
            if not self._ended:
                await self._look(client)

    async def _look(self, client: "Client") -> None:
        """Ask what the server has. Raises: TimeoutError if it does not say, though it has nothing else to do."""
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._list(client)
        except TimeoutError:
            # One that does one thing at a time may be in the middle of a call.
            if not self._running:
                raise

    async def _listen(self, client: "Client") -> None:
        """Servers of the newer protocol tell of changes only to who asks; the older ones do so by themselves (`_hear`)."""
        from mcp.client.subscriptions import ListenNotSupportedError

        try:
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    self._news.set()
        except ListenNotSupportedError:
            return  # an older one
        except Exception as exc:
            # Not every server does; its list is asked for every minute.
            log.debug("the tool server '%s' tells of no changes: %s", self.options.name, _reason(exc))
        # On the network this may be the first sign that it is gone.
        self._news.set()

    def _client_of(self, stack: AsyncExitStack, mode: str) -> "Client":
        from mcp import Client, StdioServerParameters, stdio_client
        from mcp.client.streamable_http import streamable_http_client

        options = self.options
        transport: AbstractAsyncContextManager[Any]
        if options.command:
            program = StdioServerParameters(command=options.command[0], args=list(options.command[1:]), env=dict(options.env))
            transport = stdio_client(program, stack.enter_context(_stderr(options.name)))
        else:
            import httpx2

            # A response may be as long in coming as a tool is allowed to take; the toolset watches over that.
            patience = httpx2.Timeout(CONNECT_S, read=None)
            http = httpx2.AsyncClient(headers=dict(options.headers), timeout=patience)
            stack.push_async_exit(http)
            transport = streamable_http_client(options.url, http_client=http)
        return Client(_watched(transport, self._end), message_handler=self._hear, mode=mode)

    def _end(self) -> None:
        self._ended = True
        self._client = None
        self._news.set()

    async def _hear(self, message: object) -> None:
        """What a server tells unasked: that its list of tools has changed, is all that matters here."""
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self._news.set()

    async def _list(self, client: "Client") -> None:
        """What the server has now."""
        found: dict[str, Any] = {}
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await client.list_tools(cursor=cursor, cache_mode="refresh")
            found |= {tool.name: tool for tool in page.tools}
            cursor = page.next_cursor
            if cursor is None:
                break
        for tool in self.tools:
            tool.tool = _declaration(tool.name, found.get(tool.own))
            if tool.tool is None and tool.own not in self._missed:
                log.warning("the tool server '%s' has no tool '%s'", self.options.name, tool.own)
        self._missed = {tool.own for tool in self.tools if tool.tool is None}


class McpTool:
    """One tool of a server: see `ServerTool`. `own`: its name there."""

    def __init__(self, server: McpServer, own: str, name: str) -> None:
        self._server = server
        self.own = own
        self.name = name
        self.limits = server.options.limits
        self.tool: Tool | None = None

    async def call(self, arguments: str, context: ToolContext) -> str:
        """The server is told nothing of the context: it is another program."""
        return await self._server.call(self.own, arguments)


def _load() -> None:
    """Import the SDK: half a second, not on the loop."""
    importlib.import_module("mcp")

    # They log requests with their arguments, and what a server says that is no MCP. Our own log has what somebody should know.
    for name in ("mcp", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _declaration(name: str, tool: Any) -> Tool | None:
    if tool is None:
        return None
    return Tool(name, tool.description or tool.title or "", dict(tool.input_schema))


def _told(result: Any) -> str:
    """What a tool has said, as text."""
    parts = [_part(block) for block in result.content]
    if not parts and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    return "\n".join(parts)


def _part(block: Any) -> str:
    if block.type == "text":
        return str(block.text)
    if block.type == "resource" and isinstance(text := getattr(block.resource, "text", None), str):
        return text
    if block.type == "resource_link":
        return str(block.uri)
    return f"({block.type}: not shown)"


def _reason(exc: BaseException) -> str:
    """Why, without what the server said: that may be anything."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    if isinstance(exc, TimeoutError):
        return "it does not answer in time"
    if isinstance(exc, OSError):
        return exc.strerror or type(exc).__name__
    return type(exc).__name__


@asynccontextmanager
async def _watched(transport: AbstractAsyncContextManager[Any], end: Callable[[], None]) -> AsyncIterator[tuple[Any, Any]]:
    """A transport that says when the other side is gone; the SDK tells it only to those who are waiting for an answer."""
    async with transport as (read, write):
        yield _Watched(read, end), write


class _Watched:
    """The reading side of a transport."""

    def __init__(self, stream: Any, end: Callable[[], None]) -> None:
        self._stream = stream
        self._end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def __aenter__(self) -> "_Watched":
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> Any:
        return await self._stream.__aexit__(*raised)

    def __aiter__(self) -> "_Watched":
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            self._end()
            raise


@contextmanager
def _stderr(name: str) -> Iterator[TextIO]:
    """A file whose lines go to our log, at debug: nobody knows what a server writes there. A thread reads it, until the last who writes is gone."""
    reading, writing = os.pipe()

    def read() -> None:
        with os.fdopen(reading, errors="replace") as lines:
            while line := lines.readline(LONGEST_LINE):
                log.debug("%s: %s", name, "".join(letter if letter.isprintable() else " " for letter in line).strip())

    threading.Thread(target=read, name=f"stderr of {name}", daemon=True).start()
    with os.fdopen(writing, "w") as file:
        yield file
