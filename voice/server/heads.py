"""Connections that never finish their request's head (slowloris) are cut: aiohttp has no timeout for it.

A sweep looks at all connections now and then; the middleware marks those from which a request has come. What comes after a first request is under the
keep-alive timeout.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

HEAD_TIMEOUT_S = 10.0
"""As long as a browser on a bad line may take; a connection is cut after once to twice that."""
HEARD: web.AppKey[set[web.RequestHandler]] = web.AppKey("heard", set[web.RequestHandler])
"""Connections from which a request has come."""


@contextmanager
def impatient(runner: web.AppRunner) -> Iterator[None]:
    """While the block runs the connections of this runner are swept."""
    sweep = _Sweep(runner)
    sweep.arm()
    try:
        yield
    finally:
        sweep.disarm()


class _Sweep:
    """A timer that comes again."""

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        self._waiting: set[web.RequestHandler] = set()
        self._timer: asyncio.TimerHandle | None = None

    def arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(HEAD_TIMEOUT_S, self._again)

    def _again(self) -> None:
        self.look()
        self.arm()

    def disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> None:
        """Cut the connections that were waiting at the last look, and still are."""
        server, heard = self._runner.server, self._runner.app[HEARD]
        there = set(server.connections) if server is not None else set()
        heard &= there
        for connection in self._waiting & there - heard:
            if connection.transport is not None:
                connection.transport.abort()
        self._waiting = there - heard
