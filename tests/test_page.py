"""The page in a real Chromium, with a WAV as its microphone: conversations with the local engine, and with a scripted one."""

import asyncio
import re
from pathlib import Path

import numpy as np
import pytest

from tests.support.needs import FliteWav, missing, needs
from tests.support.wire import fake_engine
from voice.audio.pcm import Samples
from voice.devices.wavfile import read_wav
from voice.engines.local import local_engine

pytestmark = [pytest.mark.slow, needs("chromium", "playwright")]
if not missing("playwright"):
    from playwright.async_api import expect

    from tests.support.browser import chromium, microphone
    from tests.support.fakes import FakeResponder, FakeSynthesizer
    from tests.support.page_server import page_server

WITHIN_S = 150
LONG = " ".join(f"word{n}" for n in range(60))
"""Twelve seconds of the fake voice."""


def samples_of(path: Path) -> Samples:
    return np.concatenate(list(read_wav(str(path))))


def answering(text: str) -> FakeResponder:
    return FakeResponder(answer=lambda prompt: [text])


@needs("flite", "pocketsphinx", "espeakng-loader")
@pytest.mark.parametrize("cleaning", ["off", "on"])
async def test_a_spoken_conversation_with_the_local_engine(flite_wav: FliteWav, tmp_path: Path, cleaning: str) -> None:
    first, second = samples_of(flite_wav("what is seven times eight", "rms")), samples_of(flite_wav("what day is it", "slt"))
    sound = microphone(tmp_path / "microphone.wav", first, 8000, second)
    prepare = f'localStorage.setItem("voice.cleaning", "{cleaning}");'
    async with asyncio.timeout(WITHIN_S), local_engine() as engine, page_server(engine) as server:
        async with chromium(server.url, sound, prepare=prepare) as visit:
            page = visit.page
            await expect(page.locator("#state")).to_have_text("Ready")
            await page.click("#talk")
            for state in ("listening", "hearing", "speaking"):
                await visit.until_seen(state)
            await visit.until_heard()
            # One by one: where all is slow the next question has begun before they are looked at.
            for row, text in enumerate(("what is seven times eight", "7 times 8 is 56.")):
                await expect(page.locator("#captions li").nth(row).locator("p")).to_have_text(text)
            latency = page.locator("#latency")
            await expect(latency).to_have_text(re.compile(r"answered \d\.\d s after you stopped"))
            assert int(str(await latency.get_attribute("data-ms"))) > 500
            # How soon is the affair of bench/page.py: a busy machine may take a while.
            assert float(str(await latency.get_attribute("data-delay-ms"))) >= 0
            await expect(page.locator("#captions li").nth(2).locator("p")).to_have_text("what day is it")
            await expect(page.locator("#captions li").nth(3).locator("p")).to_contain_text("day")
            await expect(page.locator("#state")).to_have_text("Listening")
            assert [role for role, _ in await visit.captions()] == ["user", "assistant"] * 2
        assert visit.complaints == []


async def test_typed_messages_wait_for_each_other_and_are_spoken() -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url) as visit:
        page = visit.page
        for nothing in ("", "   ", "\n"):
            await page.fill("#text", nothing)
            await page.press("#text", "Enter")
        await page.fill("#text", "one")
        await page.press("#text", "Shift+Enter")
        await page.locator("#text").press_sequentially("more")
        await page.press("#text", "Enter")
        await expect(page.locator("#text")).to_have_value("")
        await page.fill("#text", "two")
        await page.click("#send")
        await expect(page.locator("#captions li")).to_have_count(4)
        await visit.until_seen("speaking")
        await expect(page.locator("#captions li").last).to_contain_text("3 lines.")
        await visit.until_captions(
            ("user", "one\nmore"),
            ("assistant", "one\nmore. 1 lines."),
            ("user", "two"),
            ("assistant", "two. 3 lines."),
        )
        await expect(page.locator("#latency")).to_have_text(re.compile(r"answered in \d\.\d s"))
        await expect(page.locator("#state")).to_have_text("Ready")
        assert "input_audio_buffer.append" not in await visit.kinds()
    assert visit.complaints == []


@needs("flite")
async def test_muting_and_stopping_the_microphone_keep_the_session(flite_wav: FliteWav, tmp_path: Path) -> None:
    question = samples_of(flite_wav("what is seven times eight", "rms"))
    sound = microphone(tmp_path / "microphone.wav", question, 200, question, 200, question)
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url, sound) as visit:
        page = visit.page
        await page.click("#talk")
        await visit.until_seen("hearing")
        await page.click("#mute")
        # What had been begun is heard to its end, and answered.
        await expect(page.locator("#captions li")).to_have_count(2)
        await expect(page.locator("#mute")).to_have_text("Unmute")
        await expect(page.locator("#state")).to_have_text("Muted")
        assert await page.get_attribute("#talk", "data-input") == "0.0000"
        await page.click("#mute")
        await page.click("#talk")
        await expect(page.locator("#state")).to_have_text("Ready")
        await expect(page.locator("#mute")).to_be_disabled()
        count = len(await visit.of("input_audio_buffer.append"))
        await page.fill("#text", "still there")
        await page.press("#text", "Enter")
        await expect(page.locator("#captions li").last).to_contain_text("lines.")
        assert len(await visit.of("input_audio_buffer.append")) == count
        assert (await visit.kinds()).count("session.update") == 1
        await page.click("#talk")
        await expect(page.locator("#state")).to_have_text("Listening")
    assert visit.complaints == []


@needs("flite")
async def test_speaking_interrupts_and_tells_how_much_was_heard(flite_wav: FliteWav, tmp_path: Path) -> None:
    question = samples_of(flite_wav("what is seven times eight", "rms"))
    # The answer must have begun before the second question, on a slow machine too.
    sound = microphone(tmp_path / "microphone.wav", question, 6000, question)
    answers = iter([LONG, "done"])
    engine = fake_engine(responder=FakeResponder(answer=lambda prompt: [next(answers)]))
    async with asyncio.timeout(WITHIN_S), page_server(engine) as server, chromium(server.url, sound) as visit:
        page = visit.page
        await page.click("#talk")
        await visit.until_seen("speaking")
        await expect(page.locator("#captions li[data-mark=interrupted]")).to_have_count(1)
        await expect(page.locator("#captions li").last.locator("p")).to_have_text("done")
        (truncate,) = await visit.of("conversation.item.truncate")
        heard_ms = truncate["audio_end_ms"]
        shown = await page.locator("#captions li[data-mark=interrupted] p").inner_text()
        assert 500 < heard_ms < 7000
        # The fake voice needs 200 ms for a word.
        assert LONG.startswith(shown) and abs(len(shown.split()) * 200 - heard_ms) <= 400
    assert visit.complaints == []


@pytest.mark.parametrize("how", ["button", "escape"])
async def test_an_answer_is_stopped_by_button_and_key(how: str) -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine(responder=answering(LONG))) as server, chromium(server.url) as visit:
        page = visit.page
        await page.fill("#text", "go on")
        await page.press("#text", "Enter")
        await visit.until_seen("speaking")
        # Longer than the loudspeaker is behind what is played: else nothing of it has been heard.
        await visit.until_heard(500)
        await (page.click("#stop") if how == "button" else page.keyboard.press("Escape"))
        await expect(page.locator("#state")).to_have_text("Ready")
        await expect(page.locator("#stop")).to_be_disabled()
        mark = page.locator("#captions li[data-mark=interrupted]")
        await expect(mark).to_contain_text("interrupted")
        assert LONG.startswith(await mark.locator("p").inner_text())
        assert (await visit.kinds()).count("conversation.item.truncate") == 1
        assert await page.get_attribute("#talk", "data-output") == "0.0000"
    assert visit.complaints == []


async def test_an_answer_that_is_stopped_within_its_first_word_is_shown_without_words() -> None:
    engine = fake_engine(synthesizer=FakeSynthesizer(word_ms=10_000), responder=answering("Antidisestablishmentarianism is long."))
    async with asyncio.timeout(WITHIN_S), page_server(engine) as server, chromium(server.url) as visit:
        page = visit.page
        await page.fill("#text", "go on")
        await page.press("#text", "Enter")
        await visit.until_heard()
        await page.keyboard.press("Escape")
        await expect(page.locator("#state")).to_have_text("Ready")
        await expect(page.locator("#captions li[data-mark=interrupted] .mark")).to_have_text("interrupted")
        assert await visit.captions() == [("user", "go on"), ("assistant", "")]
    assert visit.complaints == []


async def test_a_link_that_breaks_comes_back_and_nothing_that_was_said_is_lost() -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url) as visit:
        page = visit.page
        await page.fill("#text", "one")
        await page.press("#text", "Enter")
        await expect(page.locator("#captions li").last).to_contain_text("1 lines.")
        await expect(page.locator("#state")).to_have_text("Ready")
        await server.hang_up(1012, "restart")
        await expect(page.locator("#state")).to_have_text("Ready")
        await page.fill("#text", "two")
        await page.press("#text", "Enter")
        await expect(page.locator("#captions li").last).to_contain_text("3 lines.")
        assert (await visit.kinds()).count("session.update") == 2
        seen = await visit.seen()
        assert "reconnecting" in seen["states"] and "linkBroken" in seen["notices"]
        await expect(page.locator("#notice")).to_be_hidden()
    assert visit.complaints == []


async def test_a_server_that_is_gone_is_said_and_found_again() -> None:
    async with asyncio.timeout(WITHIN_S):
        async with page_server(fake_engine()) as server:
            port = server.port
            cleanup = chromium(server.url)
            visit = await cleanup.__aenter__()
            await visit.page.fill("#text", "one")
            await visit.page.press("#text", "Enter")
            await expect(visit.page.locator("#captions li").last).to_contain_text("1 lines.")
        try:
            page = visit.page
            await expect(page.locator("#state")).to_have_text("Reconnecting")
            # Which of the two depends on how soon the first try comes, which is chance.
            await expect(page.locator("#notice")).to_contain_text(re.compile("nothing that was said is lost|cannot be reached"))
            await page.fill("#text", "two")
            await page.press("#text", "Enter")
            async with page_server(fake_engine(), port=port):
                await expect(page.locator("#captions li").last).to_contain_text("3 lines.")
                await expect(page.locator("#notice")).to_be_hidden()
        finally:
            await cleanup.__aexit__(None, None, None)


@needs("flite")
async def test_what_is_said_while_the_link_breaks_is_heard_by_the_next_one(flite_wav: FliteWav, tmp_path: Path) -> None:
    question = samples_of(flite_wav("what is seven times eight", "rms"))
    sound = microphone(tmp_path / "microphone.wav", question)
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url, sound) as visit:
        page = visit.page
        await page.click("#talk")
        await visit.until_seen("hearing")
        await server.hang_up(1011, "broken")
        await expect(page.locator("#captions li").last).to_contain_text("1 lines.")
        (user, _) = await visit.captions()
        # The fake recogniser tells how long it was spoken to: the whole question, and the padding and silence round it.
        heard_ms = int(re.findall(r"\d+", user[1])[0])
        assert abs(heard_ms - (len(question) / 16 + 800)) < 350
        assert (await visit.kinds()).count("session.update") == 2
    assert visit.complaints == []


async def test_a_session_that_expires_is_followed_by_another_without_a_complaint() -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine(life_s=1.5)) as server, chromium(server.url) as visit:
        page = visit.page
        for count, word in enumerate(("one", "two", "three")):
            await page.fill("#text", word)
            await page.press("#text", "Enter")
            await expect(page.locator("#captions li").last).to_contain_text(f"{2 * count + 1} lines.")
            await visit.until_seen("reconnecting")
            await expect(page.locator("#state")).to_have_text(re.compile("Ready|Speaking"))
        seen = await visit.seen()
        assert set(seen["notices"]) == {"linkBroken"}
    assert visit.complaints == []


async def test_an_end_that_is_final_is_said_with_a_way_out() -> None:
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url) as visit:
        page = visit.page
        await page.fill("#text", "one")
        await page.press("#text", "Enter")
        await expect(page.locator("#captions li").last).to_contain_text("1 lines.")
        await server.hang_up(4001, "not with this key")
        await expect(page.locator("#state")).to_have_text("Not connected")
        await expect(page.locator("#notice")).to_contain_text("does not want another one")
        await page.click("#remedy")
        await expect(page.locator("#state")).to_have_text("Ready")


async def test_an_answer_that_comes_before_the_player_is_loaded_is_heard_too() -> None:
    late = """
    const add = AudioWorklet.prototype.addModule;
    const loaded = new Promise((resolve) => { window.load = resolve; });
    AudioWorklet.prototype.addModule = async function (...wishes) { await loaded; return add.apply(this, wishes); };
    """
    async with asyncio.timeout(WITHIN_S), page_server(fake_engine()) as server, chromium(server.url, prepare=late) as visit:
        page = visit.page
        await page.fill("#text", "one")
        await page.press("#text", "Enter")
        await expect(page.locator("#captions li").last).to_have_attribute("aria-busy", "false")
        await visit.until_seen("speaking")
        assert await page.get_attribute("#talk", "data-output") is None
        await page.evaluate("window.load()")
        await visit.until_heard()
        await expect(page.locator("#state")).to_have_text("Ready")
    assert visit.complaints == []


HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202eevil\u2066 {message} &lt;b&gt; " + "z" * 300


async def test_hostile_text_is_shown_and_never_run() -> None:
    dialogs: list[str] = []
    engine = fake_engine(responder=answering(HOSTILE))
    async with asyncio.timeout(WITHIN_S), page_server(engine) as server, chromium(server.url) as visit:
        page = visit.page
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        await page.fill("#text", HOSTILE)
        await page.press("#text", "Enter")
        await visit.until_captions(("user", HOSTILE), ("assistant", HOSTILE))
        await expect(page.locator("#captions li").last).to_have_attribute("aria-busy", "false")
        assert await page.locator("#captions").locator("img, script, b").count() == 0
        width = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width == 0
        await page.click("#info")
        await expect(page.locator("#found")).to_contain_text("<b>none</b>")
    assert dialogs == [] and visit.complaints == []
