"""What a server adds to its sessions behind its clients' backs: tools that run here, and facts about the one who is served.

The same in front of every engine: a stage (`links/staged.py`) between the client and whatever answers. The local engine can also have tools
inside (`LocalOptions.tools`), where it talks while they are at work; it is told of the visitor all the same.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace

from voice.engines.local import random_id
from voice.engines.toolset import ToolContext, Toolset
from voice.errors import LinkClosed
from voice.links.base import Link
from voice.links.staged import staged
from voice.protocol.backstage import Backstage
from voice.protocol.shownresponse import HiddenCall
from voice.protocol.veil import Veil
from voice.server.visitor import About, Visitor, facts_about
from voice.workers.threads import Threads

HOOKS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Additions:
    """See the top of the file."""

    tools: Toolset | None = None
    """Open for as long as the server runs."""
    about: About | None = None
    """What is known of a visitor: asked once for each session, quoted behind its instructions, shown to no client and in no log."""
    instructions: str = field(default="", repr=False)
    """Behind the client's own, and in front of what is known."""
    query: Collection[str] = ()
    """Names in the address that tools and hook may see."""
    headers: Collection[str] = ()
    """The same of headers; lower case."""
    threads: Threads = field(default_factory=lambda: Threads(HOOKS_AT_ONCE, "context hook"), repr=False)
    """Where a hook that is a plain function runs; one that hangs keeps its place."""


async def with_additions(link: Link, additions: Additions, visitor: Visitor, talk: Callable[[Link], Awaitable[LinkClosed]]) -> LinkClosed:
    """Let somebody talk over a client's link, with the additions; returns how the session ended."""
    tools, about = additions.tools, await facts_about(visitor, additions.about, additions.threads)
    about = replace(about, words="\n\n".join(part for part in (additions.instructions, about.words) if part))
    veil = Veil(tools.tools, tools.names, about) if tools is not None else Veil(about=about)
    if not veil.names and not about.words:
        return await talk(link)
    context = context_of(visitor)

    async def run(call: HiddenCall) -> str:
        assert tools is not None
        return (await tools.run(call.name, call.arguments, context)).output

    async with staged(link, Backstage(veil, random_id), run) as inner:
        return await talk(inner)


def context_of(visitor: Visitor) -> ToolContext:
    """What a tool may know of a visitor: "user" ("" for nobody), and what of "query" and "headers" is listed."""
    return ToolContext({"user": visitor.user, "query": visitor.query, "headers": visitor.headers})
