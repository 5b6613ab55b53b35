"""What can go wrong for the page in a real Chromium, in which words it says so; both languages; small and dark screens."""

import asyncio
import itertools
import json
from pathlib import Path

import pytest

from tests.support.fakes import FakeResponder
from tests.support.needs import missing, needs
from tests.support.wire import fake_engine

pytestmark = [pytest.mark.slow, needs("chromium", "playwright")]
if not missing("playwright"):
    from playwright.async_api import Route, WebSocketRoute, expect

    from tests.support.browser import chromium, microphone
    from tests.support.page_server import page_server

WITHIN_S = 150
ENDLESS = "word " * 600
"""Two minutes of the fake voice: it is still speaking whenever somebody looks."""


def refusing(name: str) -> str:
    """A browser whose microphone fails so, until `window.heal` is set."""
    return f"""
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wishes) =>
      window.heal ? ask(wishes) : Promise.reject(new DOMException("no", "{name}"));
    """


async def test_a_microphone_that_the_user_refuses(tmp_path: Path) -> None:
    sound = microphone(tmp_path / "microphone.wav", 1000)
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url, sound, grant=False) as visit:
        page = visit.page
        await page.click("#talk")
        await expect(page.locator("#notice p")).to_contain_text("blocked for this page")
        await expect(page.locator("#talk")).to_have_attribute("data-on", "false")
        await page.fill("#text", "typing works")
        await page.press("#text", "Enter")
        await expect(page.locator("#captions li").last).to_contain_text("1 lines.")
    assert visit.complaints == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotFoundError", "There is no microphone"),
        ("NotReadableError", "another program may be using it"),
        ("OverconstrainedError", "cannot record speech"),
        ("TypeError", "did not give the page a microphone"),
    ],
)
async def test_a_microphone_that_fails_has_its_own_words_and_another_try(tmp_path: Path, name: str, words: str) -> None:
    sound = microphone(tmp_path / "microphone.wav", 1000)
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server:
        async with chromium(server.url, sound, prepare=refusing(name)) as visit:
            page = visit.page
            await page.click("#talk")
            await expect(page.locator("#notice p")).to_contain_text(words)
            assert await visit.kinds() == []
            await page.evaluate("() => { window.heal = true; }")
            await page.click("#remedy")
            await expect(page.locator("#state")).to_have_text("Listening")
            await expect(page.locator("#notice")).to_be_hidden()
        assert visit.complaints == []


async def test_a_page_whose_policy_forbids_the_microphone(tmp_path: Path) -> None:
    async def forbid(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, headers={**answer.headers, "permissions-policy": "microphone=()"})

    sound = microphone(tmp_path / "microphone.wav", 1000)
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url, sound) as visit:
        await visit.page.route(server.url, forbid)
        await visit.page.reload()
        await visit.page.click("#talk")
        await expect(visit.page.locator("#notice p")).to_contain_text("does not let it use the microphone")


async def test_plain_http_off_this_machine_offers_no_microphone_and_still_answers() -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine(), host="0.0.0.0") as server:
        flags = ("--host-resolver-rules=MAP plain.test 127.0.0.1",)
        async with chromium(f"http://plain.test:{server.port}/", flags=flags) as visit:
            page = visit.page
            assert await page.evaluate("navigator.mediaDevices === undefined")
            await page.click("#talk")
            await expect(page.locator("#notice p")).to_contain_text("only over https or on this computer")
            await page.fill("#text", "hello")
            await page.press("#text", "Enter")
            await expect(page.locator("#captions li").last).to_contain_text("1 lines.")
            await expect(page.locator("#notice p")).to_contain_text("cannot play sound here")
            await page.click("#dismiss")
            await page.fill("#text", "again")
            await page.press("#text", "Enter")
            await expect(page.locator("#captions li").last).to_contain_text("3 lines.")
            await expect(page.locator("#notice")).to_be_hidden()
            (settings,) = await visit.of("session.update")
            assert settings["session"]["output_modalities"] == ["text"]
            await expect(page.locator("#state")).to_have_text("Ready")
        assert visit.complaints == []


async def test_a_microphone_that_is_pulled_out_ends_the_turn_and_not_the_conversation(tmp_path: Path) -> None:
    keep = """
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wishes) => (window.stream = await ask(wishes));
    """
    sound = microphone(tmp_path / "microphone.wav", 1000)
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url, sound, prepare=keep) as visit:
        page = visit.page
        await page.click("#talk")
        await expect(page.locator("#state")).to_have_text("Listening")
        await page.evaluate("window.stream.getAudioTracks()[0].dispatchEvent(new Event('ended'))")
        await expect(page.locator("#notice p")).to_contain_text("The microphone is gone")
        await expect(page.locator("#talk")).to_have_attribute("data-on", "false")
        await page.click("#remedy")
        await expect(page.locator("#state")).to_have_text("Listening")
        assert (await visit.kinds()).count("session.update") == 1
    assert visit.complaints == []


async def test_sound_that_the_browser_pauses_is_resumed_with_a_tap() -> None:
    keep = "window.AudioContext = class extends AudioContext { constructor(...wishes) { super(...wishes); window.context = this; } };"
    engine = fake_engine(responder=FakeResponder(answer=lambda prompt: ["word " * 30]))
    async with asyncio.timeout(WITHIN_S), page_server(engine) as server, chromium(server.url, prepare=keep) as visit:
        page = visit.page
        await page.fill("#text", "one")
        await page.press("#text", "Enter")
        await visit.until_heard()
        await page.evaluate("window.context.suspend()")
        await expect(page.locator("#notice p")).to_contain_text("has paused the sound")
        await page.click("#remedy")
        await expect(page.locator("#notice")).to_be_hidden()
        assert await page.evaluate("window.context.state") == "running"
        await expect(page.locator("#state")).to_have_text("Ready")
    assert visit.complaints == []


async def test_a_computer_that_was_offline_connects_as_soon_as_it_is_back() -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url) as visit:
        page = visit.page
        await page.fill("#text", "one")
        await page.press("#text", "Enter")
        await expect(page.locator("#captions li").last).to_contain_text("1 lines.")
        await page.context.set_offline(True)
        await server.hang_up(1001)
        await expect(page.locator("#notice p")).to_contain_text("This computer is offline")
        await page.fill("#text", "two")
        await page.press("#text", "Enter")
        await page.context.set_offline(False)
        await expect(page.locator("#captions li").last).to_contain_text("3 lines.")
        await expect(page.locator("#notice")).to_be_hidden()


async def test_what_the_server_says_of_an_error_is_text_too() -> None:
    message = "<img src=x onerror=alert(1)>"

    def complain(socket: WebSocketRoute) -> None:
        def answer(text: str | bytes) -> None:
            socket.send(json.dumps({"type": "error", "error": {"type": "x", "code": "y", "message": message}}))
            socket.send("not JSON")

        socket.on_message(answer)

    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url) as visit:
        page = visit.page
        await page.route_web_socket("**/v1/realtime", complain)
        await page.fill("#text", "one")
        await page.press("#text", "Enter")
        await expect(page.locator("#notice p")).to_contain_text("The server says: ")
        assert await page.locator("#notice img").count() == 0
        await page.click("#dismiss")
        await expect(page.locator("#notice")).to_be_hidden()
    assert visit.complaints == []


async def test_a_turn_that_the_server_clears_is_not_heard_any_more(tmp_path: Path) -> None:
    sockets: list[WebSocketRoute] = []

    def serve(socket: WebSocketRoute) -> None:
        def answer(text: str | bytes) -> None:
            event = json.loads(text)
            if event["type"] == "session.update":
                socket.send(json.dumps({"type": "session.updated", "session": event["session"]}))
            elif not sockets:
                sockets.append(socket)
                socket.send(json.dumps({"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": "u1"}))

        socket.on_message(answer)

    sound = microphone(tmp_path / "microphone.wav", 1000)
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url, sound) as visit:
        page = visit.page
        await page.route_web_socket("**/v1/realtime", serve)
        await page.click("#talk")
        await expect(page.locator("#state")).to_have_text("Hearing you")
        await expect(page.locator("#captions li")).to_have_count(1)
        sockets[0].send(json.dumps({"type": "input_audio_buffer.cleared"}))
        await expect(page.locator("#state")).to_have_text("Listening")
        await expect(page.locator("#captions li")).to_have_count(0)
    assert visit.complaints == []


@pytest.mark.parametrize(
    ("locale", "ready", "answer"), [("ko-KR", "준비됨", "말하는 중"), ("en-GB", "Ready", "Speaking"), ("fr-FR", "Ready", "Speaking")]
)
async def test_the_language_is_the_browsers(locale: str, ready: str, answer: str) -> None:
    engine = fake_engine(responder=FakeResponder(answer=lambda prompt: [ENDLESS]))
    async with asyncio.timeout(WITHIN_S), page_server(engine) as server, chromium(server.url, locale=locale) as visit:
        page = visit.page
        await expect(page.locator("#state")).to_have_text(ready)
        assert await page.get_attribute("html", "lang") == locale[:2].replace("fr", "en")
        await page.fill("#text", "지금 몇 시야?")
        await page.press("#text", "Enter")
        await visit.until_seen("speaking")
        await expect(page.locator("#state")).to_have_text(answer)
        await expect(page.locator("#captions li p").first).to_have_text("지금 몇 시야?")
    assert visit.complaints == []


async def test_the_language_is_changed_everywhere_at_once_and_remembered(tmp_path: Path) -> None:
    sound = microphone(tmp_path / "microphone.wav", 1000)
    engine = fake_engine(responder=FakeResponder(answer=lambda prompt: [ENDLESS]))
    async with asyncio.timeout(WITHIN_S), page_server(engine) as server, chromium(server.url, sound, grant=False) as visit:
        page = visit.page
        await page.fill("#text", "one")
        await page.press("#text", "Enter")
        await visit.until_heard()
        await page.click("#stop")
        await page.click("#talk")
        await expect(page.locator("#notice p")).to_contain_text("blocked")
        await page.select_option("#language", "ko")
        await expect(page.locator("#notice p")).to_contain_text("차단되어")
        await expect(page.locator("#state")).to_have_text("준비됨")
        await expect(page.locator("#captions .mark").last).to_have_text("중단됨")
        await expect(page.locator("#latency")).to_contain_text("만에 답했어요")
        assert await page.get_attribute("#text", "placeholder") == "메시지 입력"
        await page.reload()
        await expect(page.locator("#state")).to_have_text("준비됨")
        left = await page.evaluate(
            """() => [...document.querySelectorAll("[data-word]")].map((place) => place.textContent).filter((text) => !/[가-힣]/.test(text))"""
        )
        assert left == []
    assert visit.complaints == []


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
async def test_nothing_is_cut_off_on_any_screen(tmp_path: Path, locale: str) -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url, grant=False, locale=locale) as visit:
        page = visit.page
        await expect(page.locator("#running")).to_contain_text("local")
        for picture in ("welcome", "talking"):
            for width, scheme in itertools.product((320, 360, 1280), ("light", "dark")):
                await page.set_viewport_size({"width": width, "height": 640 if width < 500 else 800})
                await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                outside = await page.evaluate(
                    """() => [...document.querySelectorAll("button, p, h1, h2, select, textarea")].filter((place) => {
                      const box = place.getBoundingClientRect();
                      return box.width && (box.left < 0 || box.right > innerWidth + 0.5 || place.scrollWidth > place.clientWidth + 1);
                    }).map((place) => place.id + place.textContent)"""
                )
                assert outside == [], (picture, width, scheme)
                await page.screenshot(path=tmp_path / f"{picture}-{width}-{scheme}.png")
            await page.fill("#text", "지금 몇 시야? What time is it?")
            await page.press("#text", "Enter")
            await expect(page.locator("#captions li").last).to_contain_text("lines.")
            await page.click("#talk")
            await expect(page.locator("#notice")).to_be_visible()
    assert visit.complaints == []


async def test_the_keyboard_reaches_everything_in_order_and_the_focus_is_seen() -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url) as visit:
        page = visit.page
        reached = []
        for _ in range(8):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("document.activeElement.id || document.activeElement.textContent"))
            assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        assert reached == ["info", "language", "What time is it?", "What is seven times eight?", "What can you do?", "talk", "text", "send"]
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.type("by keyboard")
        await page.keyboard.press("Enter")
        await expect(page.locator("#captions li").last).to_contain_text("1 lines.")
        assert await page.evaluate("document.activeElement.id") == "text"
        assert await page.get_attribute("[role=log]", "aria-live") == "polite"
        await expect(page.locator("#captions li").last).to_have_attribute("aria-busy", "false")
    assert visit.complaints == []
