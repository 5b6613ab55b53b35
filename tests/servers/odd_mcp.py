"""An MCP server that misbehaves on command, made with the official SDK: a program of its own, on stdio or (given a port) on HTTP.

It lies in a folder of its own: Python looks there first, and beside it some names are those of Python's own modules.
"""

import os
import sys
from typing import Any

import anyio
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("odd")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def secret() -> str:
    """Tell the variable that the configuration gives."""
    return f"{os.environ.get('ODD_SECRET', 'none')} {os.environ.get('ODD_UNTOLD', 'none')}"


@server.tool()
def who() -> int:
    """Tell the number of this process."""
    return os.getpid()


@server.tool()
def die() -> str:
    """End in the middle of a call."""
    os._exit(3)


@server.tool()
async def hang() -> str:
    """Never answer."""
    await anyio.sleep(3600)
    return ""


@server.tool()
def much() -> str:
    """Answer with a megabyte."""
    return "x" * 1_000_000


@server.tool()
def fail() -> str:
    """Raise."""
    raise ValueError("why")


@server.tool()
def shout() -> str:
    """Write to stderr, and answer."""
    print("a \x1b[1mline\x1b[0m on stderr", file=sys.stderr, flush=True)
    return "all the same"


@server.tool()
async def change(ctx: Context[Any, Any]) -> str:
    """Take one tool away, and bring another."""

    def late(x: int) -> int:
        """Come later."""
        return x

    server.add_tool(late)
    server.remove_tool("fail")
    await ctx.notify_tools_changed()
    return "changed"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run()
