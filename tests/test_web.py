"""The server's end of a link: what it answers to a handshake. How it carries texts is in test_links_contract.py."""

import asyncio
import subprocess
import sys

import pytest

from tests.support.joined import Visitors, handshake, serving

KEY = "openai-insecure-api-key.sk-canary"


async def head_of(**headers: str) -> dict[str, str]:
    """The headers, in lower case, of the answer to a request with these."""
    visitors = Visitors()
    async with asyncio.timeout(30), serving(visitors) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(handshake(port, **headers))
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        writer.transport.abort()
        visitors.let_go()
    assert lines[0].startswith("HTTP/1.1 101")
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}


@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        ("realtime", "realtime"),
        (f"realtime, {KEY}", "realtime"),
        (f"{KEY}, realtime, openai-agents-sdk.0.1", "realtime"),
        (f"realtime,{KEY},openai-beta.realtime-v1", "realtime"),
        (KEY, None),
        (f"openai-agents-sdk.0.1.2-x,{KEY}", "openai-agents-sdk.0.1.2-x"),
        (f"{KEY}, openai-beta.realtime-v1", "openai-beta.realtime-v1"),
        ("bearer.canary, openai-agents-sdk.a b", None),
        ("realtime2", None),
    ],
)
async def test_the_subprotocol_realtime_is_answered_and_never_one_with_a_key(offered: str, answered: str | None) -> None:
    head = await head_of(Sec_WebSocket_Protocol=offered)
    assert head.get("sec-websocket-protocol") == answered
    assert "canary" not in str(head)


async def test_an_offer_with_a_key_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert "sec-websocket-protocol" not in await head_of(Sec_WebSocket_Protocol=f"x, {KEY}")
    assert "canary" not in caplog.text


def test_to_import_the_server_leaves_the_logs_of_others_alone() -> None:
    look = "import logging, voice.server.app; print(len(logging.getLogger('aiohttp.websocket').filters))"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60).stdout == "0\n"


async def test_without_an_offer_no_subprotocol_is_answered() -> None:
    assert "sec-websocket-protocol" not in await head_of()


async def test_compression_is_declined() -> None:
    """A deflate bomb cannot be sent to who never inflates."""
    assert "sec-websocket-extensions" not in await head_of(Sec_WebSocket_Extensions="permessage-deflate")
