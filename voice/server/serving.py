"""`voice.serve()`: a server in a program's own process, with the program's functions as tools.

async with voice.serve(tools=[order_state], port=8765) as server:
    print(server.address)
    await asyncio.Event().wait()
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from voice.engines.functions import function_tool
from voice.engines.local import LocalEngine, LocalOptions, local_engine
from voice.engines.toolset import Toolset
from voice.errors import ConfigError
from voice.server.additions import Additions
from voice.server.app import ServeOptions, served
from voice.server.found import findings
from voice.server.guard import is_loopback
from voice.server.realtime import Engine
from voice.server.visitor import About


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens."""

    address: str
    """`http://HOST:PORT`: the page."""
    engine: Engine

    @property
    def url(self) -> str:
        """Of its WebSocket."""
        return f"{self.address.replace('http', 'ws', 1)}/v1/realtime"


@asynccontextmanager
async def serve(
    engine: Engine | None = None,
    *,
    tools: Toolset | Iterable[Callable[..., Any]] = (),
    about: About | None = None,
    instructions: str = "",
    host: str = "127.0.0.1",
    port: int = 0,
    server_key: str | None = None,
    options: ServeOptions | None = None,
) -> AsyncIterator[Server]:
    """Serve the Realtime protocol and the page until the block ends. `engine`: what answers; None: an embedded engine.

    `tools`: functions that run here, or a toolset that has been entered. `about`, `instructions`: see `Additions`. `server_key`: what clients have
    to show; without one only this machine may come in. `options`: what else can be said of listening; the three before it go first.
    Raises: ConfigError (others could come in without a key), UsageError (a function that no model can be told of), MissingError (port taken),
    MissingExtra (no embedded engine installed).
    """
    listen = replace(options or ServeOptions(), host=host, port=port, server_key=server_key)
    if server_key is None and not is_loopback(host):
        raise ConfigError(f"host {host} would let others in without a credential: give a server_key")
    async with AsyncExitStack() as stack:
        toolset = tools if isinstance(tools, Toolset) else await stack.enter_async_context(Toolset(map(function_tool, tools)))
        if engine is None:
            # Inside of it they can be talked over; before any other engine stands a stage.
            engine = await stack.enter_async_context(local_engine(LocalOptions(tools=toolset)))
            additions = Additions(about=about, instructions=instructions)
        else:
            additions = Additions(toolset, about, instructions)
        found = findings(engine) if isinstance(engine, LocalEngine) else {"engine": engine.name}
        _, address = await stack.enter_async_context(served(engine, listen, found, additions))
        yield Server(address, engine)
