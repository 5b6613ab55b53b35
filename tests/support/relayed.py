"""A relay in front of an upstream, both on free ports of loopback."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.http import app_running, get
from tests.support.wire import left_over
from voice.engines.relay import RelayEngine, Upstream

KEY = f"sk-{secrets.token_hex(12)}"


def relay_to(port: int, **options: object) -> RelayEngine:
    """Most upstreams of the tests are no servers and begin with other words than one: their dialect is said, not waited for."""
    return RelayEngine(Upstream(**{"url": f"ws://127.0.0.1:{port}/v1/realtime", "api_key": KEY, "dialect": "ga", **options}))  # type: ignore[arg-type]


@asynccontextmanager
async def relayed(port: int, front: str | None = None, **options: object) -> AsyncIterator[int]:
    """A relay in front of an upstream; nothing may be left running. `front`: the one dialect that it speaks to clients."""
    async with asyncio.timeout(30):
        async with app_running(relay_to(port, **options), dialect=front) as listening:
            yield listening
        assert not {name for name in left_over() if name.startswith(("relay", "close"))}


async def quiet(port: int) -> None:
    """Until a server of ours has no session."""
    while (await get(port, "/healthz")).json["sessions"]:
        pass
