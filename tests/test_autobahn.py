"""Autobahn's cases: its fuzzing client against a socket of our server, its fuzzing server against a link of our client.

Each library has one case that it fails by itself, in every release that we work with; none of ours may be added.
"""

import asyncio
import socket
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.autobahn import RUN_S, failures, running
from voice.errors import LinkClosed, MissingError
from voice.links.dial import DialedLink, dial
from voice.links.web import WebLink, accept

pytestmark = pytest.mark.apart
KNOWN = {
    "server": set(),
    "client": {"7.1.5"},  # websockets answers a close amid a fragmented message with 1002
}
CASES = 300


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Gives back what comes, by the socket and the link of our server."""
    opened = accept()
    await opened.prepare(request)
    link = WebLink(opened, request.transport.abort if request.transport else None)
    try:
        while True:
            message = await link.receive()
            await (link.send(message) if isinstance(message, str) else opened.send_bytes(message))
    except LinkClosed:
        await link.close()
    return opened


async def test_the_server_end(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        servers = [{"agent": "voice", "url": f"ws://127.0.0.1:{runner.addresses[0][1]}"}]
        async with asyncio.timeout(RUN_S), running("fuzzingclient", tmp_path, servers=servers) as suite:
            assert await suite.wait() == 0, (tmp_path / "suite.log").read_text()[-2000:]
    finally:
        await runner.cleanup()
    count, failed = failures(tmp_path)
    assert count >= CASES and set(failed) <= KNOWN["server"], failed


async def test_the_client_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"ws://127.0.0.1:{free.getsockname()[1]}"
    async with asyncio.timeout(RUN_S), running("fuzzingserver", tmp_path, url=url) as suite:
        count = int(await (await first(f"{url}/getCaseCount", suite)).receive())
        for number in range(1, count + 1):
            await give_back(await dial(f"{url}/runCase?case={number}&agent=voice"))
        await give_back(await dial(f"{url}/updateReports?agent=voice"))
    count, failed = failures(tmp_path)
    assert count >= CASES and set(failed) <= KNOWN["client"], failed


async def first(url: str, suite: asyncio.subprocess.Process) -> DialedLink:
    """The first link, as soon as the suite listens."""
    while suite.returncode is None:
        try:
            return await dial(url)
        except MissingError:
            await asyncio.sleep(0.1)
    raise AssertionError("the suite has ended")


async def give_back(link: DialedLink) -> None:
    """Until the suite closes the link. Nobody but the suite sends binary messages, so our link cannot."""
    try:
        while True:
            message = await link.receive()
            await (link.send(message) if isinstance(message, str) else link._connection.send(message))
    except LinkClosed:
        await link.close()
