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
    from voice.links.dial import DialedLink
    from voice.session import Session

SESSION = "voice.session"


@asynccontextmanager
async def connect(
    url: str | None = None, *, api_key: str | None = None, model: str | None = None, **options: Any
) -> "AsyncIterator[Session]":
    """A session with the server at `url` (ws, wss, http, https; a bare host gets `/v1/realtime`), with an `engine` in this process, or,
    without either, with the embedded engine. `options` are those of `voice.session.hold`, which docs/api.md lists.

    Raises: UsageError, MissingError (no server there), MissingExtra (no embedded engine installed).
    """
    first = None if url is None else await _dial_while_loading(url, model, api_key)
    from voice.session import hold

    try:
        async with hold(url, api_key=api_key, model=model, first=first, **options) as session:
            yield session
    finally:
        if first is not None:
            await first.close()


async def _dial_while_loading(url: str, model: str | None, api_key: str | None) -> "DialedLink":
    """The link; the session's modules are there when it is."""
    from voice.links.dial import dial, realtime_url

    try:
        async with asyncio.TaskGroup() as group:
            dialling = group.create_task(dial(realtime_url(url, model), api_key), name="dial")
            # The dial goes first; imports hold the interpreter for tens of milliseconds at a time.
            await asyncio.wait([dialling], timeout=0.005)
            group.create_task(asyncio.to_thread(import_module, SESSION), name="load the session")
    except* VoiceError as refused:
        failure = first_of(refused)
        raise failure from failure.__cause__
    return dialling.result()
