"""`voice.connect()`: dials first, and loads the session (numpy, the detectors, the protocol) while the handshake is under way.

This module imports next to nothing, so the server sees the connection before the rest of the program is there. What a session is and
does is in `session.py`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from voice.errors import VoiceError, first_of

if TYPE_CHECKING:
    from voice.engines.destination import Destination
    from voice.links.dial import DialedLink
    from voice.session import Session

SESSION = "voice.session"


@asynccontextmanager
async def connect(
    url: "str | Destination | None" = None,
    *,
    api_key: str | None = None,
    model: str | None = None,
    provider: str | None = None,
    dialect: str | None = None,
    **options: Any,
) -> "AsyncIterator[Session]":
    """A session with the server at `url` (ws, wss, http, https; a bare host gets `/v1/realtime`), with a service by its name (`provider`), with
    an `engine` in this process, or, without any of these, with the embedded engine. `options` are those of `voice.session.hold`, which
    docs/api.md lists.

    Raises: UsageError, ConfigError (no key for the service), MissingError (no server there), MissingExtra (no embedded engine installed).
    """
    server, first = None, None
    if url is not None or provider is not None:
        from voice.engines.destination import destination

        server = destination(url, provider, dialect, api_key)
        first = None if server is None else await _dial_while_loading(server, model)
    from voice.session import hold

    try:
        async with hold(server, model=model, first=first, **options) as session:
            yield session
    finally:
        if first is not None:
            await first.close()


async def _dial_while_loading(server: "Destination", model: str | None) -> "DialedLink":
    """The link; the session's modules are there when it is."""
    from voice.links.dial import dial, realtime_url

    try:
        async with asyncio.TaskGroup() as group:
            address = realtime_url(server.url, model or server.model)
            asked = dial(address, server.api_key, auth=server.auth, headers=server.headers)
            dialling = group.create_task(asked, name="dial")
            # The dial goes first; imports hold the interpreter for tens of milliseconds at a time.
            await asyncio.wait([dialling], timeout=0.005)
            group.create_task(asyncio.to_thread(import_module, SESSION), name="load the session")
    except* VoiceError as refused:
        failure = first_of(refused)
        raise failure from failure.__cause__
    return dialling.result()
