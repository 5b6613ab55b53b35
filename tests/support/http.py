"""The application on a free port of loopback, and requests to it as they are on the wire."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from voice.server.additions import Additions
from voice.server.app import ServeOptions, make_app
from voice.server.realtime import Engine


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["content-type"].startswith("application/json"), self.headers
        return json.loads(self.body)


@asynccontextmanager
async def app_running(
    engine: Engine, max_sessions: int = 100, found: dict[str, str] | None = None, additions: Additions | None = None, **options: Any
) -> AsyncIterator[int]:
    """Our application around an engine; gives the port. `options`: more of `ServeOptions`."""
    app = make_app(engine, ServeOptions(port=0, max_sessions=max_sessions, **options), found or {"engine": "fake"}, additions)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def ask(port: int, request: bytes) -> Answer:
    """Send raw bytes, read the one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(head[0].split()[1]), headers, body)
    finally:
        writer.transport.abort()


async def get(port: int, path: str, method: str = "GET", **headers: str) -> Answer:
    """A plain request; `headers` with _ for -; Host may be given."""
    chosen = {"Host": f"127.0.0.1:{port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in chosen.items()), "", ""]
    return await ask(port, "\r\n".join(lines).encode())


async def post(port: int, path: str, body: object, **headers: str) -> Answer:
    """The same with a body: bytes as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    chosen = {
        "Host": f"127.0.0.1:{port}",
        "Content-Length": str(len(data)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in chosen.items()), "", ""]
    return await ask(port, "\r\n".join(lines).encode() + data)
