"""Which doors the page finds open, in a real Chromium: a server key, a relay to an upstream, an upstream that refuses; and the key of the
upstream, which reaches no page."""

import asyncio
import json
import secrets
import urllib.request

import pytest

from tests.support.joined import raw_server
from tests.support.needs import missing, needs
from tests.support.relayed import KEY, relay_to
from tests.support.until import until
from tests.support.wire import fake_engine

pytestmark = [pytest.mark.slow, needs("chromium", "playwright")]
if not missing("playwright"):
    from playwright.async_api import Route, WebSocket, expect

    from tests.support.browser import Visit, chromium
    from tests.support.page_server import PageServer, page_server

WITHIN_S = 150
SERVER_KEY = f"sk-{secrets.token_hex(16)}"


async def say(visit: "Visit", text: str) -> None:
    await visit.page.fill("#text", text)
    await visit.page.press("#text", "Enter")


async def secret_of(server: "PageServer", seconds: int = 600) -> str:
    """What an operator's own backend does for a page."""
    body = json.dumps({"session": {"type": "realtime"}, "expires_after": {"anchor": "created_at", "seconds": seconds}}).encode()
    headers = {"Authorization": f"Bearer {SERVER_KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}v1/realtime/client_secrets", body, headers)
    with await asyncio.to_thread(urllib.request.urlopen, request) as answer:
        return str(json.load(answer)["value"])


async def test_a_server_with_a_key_is_not_tried_again_without_one() -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine(), server_key=SERVER_KEY) as server, chromium(server.url) as visit:
        await say(visit, "hello")
        await expect(visit.page.locator("#state")).to_have_text("Not connected")
        await expect(visit.page.locator("#notice p")).to_contain_text("asks for a credential")


async def test_a_secret_in_the_address_opens_the_door_and_is_taken_out_of_sight() -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine(), server_key=SERVER_KEY) as server:
        secret = await secret_of(server)
        async with chromium(f"{server.url}#secret={secret}") as visit:
            page = visit.page
            assert "secret" not in await page.evaluate("location.href")
            await say(visit, "hello")
            await expect(page.locator("#captions li").last).to_contain_text("1 lines.")
            await server.hang_up(1012)
            await say(visit, "again")
            await expect(page.locator("#captions li").last).to_contain_text("3 lines.")
            assert secret not in await page.content()
        assert visit.complaints == []


async def test_a_conversation_through_a_relay_keeps_its_key_to_itself() -> None:
    seen: list[str] = []

    async def keep(route: Route) -> None:
        if route.request.resource_type == "document":
            # One that a test hands over is not from this machine to the browser, which then keeps its sockets from it.
            await route.continue_()
            return
        answer = await route.fetch()
        seen.extend([json.dumps(answer.headers), (await answer.body()).decode()])
        await route.fulfill(response=answer)

    def frames(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: seen.append(str(frame)))

    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as upstream, page_server(relay_to(upstream.port)) as server:
        async with chromium(server.url) as visit:
            page = visit.page
            await page.route("**", keep)
            page.on("websocket", frames)
            await page.reload()
            await expect(page.locator("#running")).to_contain_text("relay")
            await say(visit, "hello")
            await expect(page.locator("#captions li").last).to_contain_text("1 lines.")
            await visit.until_heard()
            await until(lambda: any("response.output_audio.delta" in text for text in seen))
            assert len(seen) > 20
            assert any("class ClientSession" in text for text in seen)
            assert not any(KEY in text for text in [*seen, await page.content(), *visit.complaints])
        assert visit.complaints == []


async def test_an_upstream_that_refuses_is_told_from_a_server_that_is_away() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with asyncio.timeout(WITHIN_S), raw_server(refuse) as port, page_server(relay_to(port)) as server:
        async with chromium(server.url) as visit:
            await say(visit, "hello")
            await expect(visit.page.locator("#state")).to_have_text("Connecting")
            await expect(visit.page.locator("#notice p")).to_contain_text("answers, but opens no conversation")
