"""The application as the page's tests want it: with its own engine, and links that can be cut."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from voice.links.web import WebLink
from voice.server.app import ServeOptions, make_app
from voice.server.realtime import LINKS, Engine


@dataclass(frozen=True, slots=True)
class PageServer:
    """A running application."""

    app: web.Application
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def hang_up(self, code: int, reason: str = "") -> None:
        """End every session."""
        links: set[WebLink] = self.app[LINKS]
        for link in tuple(links):
            await link.close(code, reason)


@asynccontextmanager
async def page_server(engine: Engine, host: str = "127.0.0.1", port: int = 0, server_key: str | None = None) -> AsyncIterator[PageServer]:
    """The application around an engine. `host`: what it takes itself to be bound to; it listens on loopback always."""
    app = make_app(engine, ServeOptions(host=host, port=port, server_key=server_key), {"engine": "for tests", "key": "<b>none</b>"})
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield PageServer(app, runner.addresses[0][1])
    finally:
        await runner.cleanup()
