"""Who is served: what a session's beginning tells about a client, and the hook that knows more.

The owner of a server gives a function, `about(visitor)`, which is asked once for each session and gives facts (recent orders, a basket): they
are put behind the session's instructions as quoted data (`protocol/untrusted.py`), and nobody but the model reads them. They are never logged.
Who the visitor is stands in the secret that the owner's own backend has asked for (`voice_user`, signed); headers and queries can say
anything, and only those that the owner has listed are looked at.
"""

import asyncio
import inspect
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from voice.policy.secrets import Grant
from voice.protocol.untrusted import Quotation, quoted
from voice.workers.threads import Threads

log = logging.getLogger(__name__)

ASK_S = 3.0
"""For the hook; a session does not wait longer, and begins without its facts."""
LONGEST_VALUE = 500
"""Letters of a header or a query that are looked at."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """What is known of a client."""

    user: str = field(default="", repr=False)
    """As `voice_user` of the secret says; "" if the client came without one."""
    scope: str = "realtime"
    """The kind of session: "realtime" or "transcription"."""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of the address, as far as the owner has listed it. Whoever comes can write anything there."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The same of the headers; names in lower case."""


Facts = Mapping[str, Any]
About = Callable[[Visitor], Facts | None | Awaitable[Facts | None]]
"""The hook. A plain function runs in a thread; a coroutine must not block the loop."""


def visitor_of(request: web.Request, grant: Grant | None, query: Collection[str], headers: Collection[str]) -> Visitor:
    """What of a request may be seen: who the secret is for, and what of the address and the headers is listed (`query`, `headers`)."""
    return Visitor(
        grant.user if grant is not None else "",
        grant.scope if grant is not None else "realtime",
        {name: request.query[name][:LONGEST_VALUE] for name in query if name in request.query},
        {name: request.headers[name][:LONGEST_VALUE] for name in headers if name in request.headers},
    )


async def facts_about(visitor: Visitor, about: About | None, threads: Threads) -> Quotation:
    """What the hook says, quoted. `threads`: where a plain function runs. A hook that fails or takes too long is logged, and the session begins without it."""
    if about is None:
        return Quotation()
    try:
        async with asyncio.timeout(ASK_S):
            told = about(visitor) if inspect.iscoroutinefunction(about) else await threads.run(lambda: about(visitor))
            told = await told if inspect.isawaitable(told) else told
        return quoted(told or {}, secrets.token_hex(8))
    except TimeoutError:
        log.warning("the context hook did not answer within %g s: a session begins without it", ASK_S)
    except Exception as exc:
        # A bug of the hook's, or one of ours that it has met. The message may hold what nobody is to read: the kind is logged, and the session
        # begins without it.
        log.warning("the context hook failed: %s", type(exc).__name__)
    return Quotation()
