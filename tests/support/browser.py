"""A real Chromium, headless, with a WAV as its microphone, and what a page did in it: console errors, policy reports, WebSocket frames."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.async_api import Page, async_playwright

from voice.audio.pcm import Samples, silence

MICROPHONE_HZ = 16_000
BEFORE_MS = 1500
"""Silence in front of a microphone's WAV: Chromium loses what comes before the graph runs."""
LOOK_MS = 30
UNTIL_LOOKS = 500
WATCH = """
window.policyReports = [];
document.addEventListener("securitypolicyviolation", (event) => window.policyReports.push(event.violatedDirective + " " + event.blockedURI));
window.seen = {states: [], notices: [], loudest: 0};
document.addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
  const {state, noticed} = document.body.dataset;
  const {states, notices} = window.seen;
  if (states.at(-1) !== state) states.push(state);
  if (noticed && notices.at(-1) !== noticed) notices.push(noticed);
  window.seen.loudest = Math.max(window.seen.loudest, Number(document.getElementById("talk").dataset.output ?? 0));
}).observe(document.body, {attributes: true, subtree: true}));
localStorage.getItem("voice.cleaning") ?? localStorage.setItem("voice.cleaning", "off");
"""
"""What passes too quickly to be met by looking now and then is remembered. Exact tests want the microphone's sound as it is; the one
of the cleaned sound says so itself."""


@dataclass
class Visit:
    """A page in the browser and what it did."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, exceptions that nobody caught."""
    sent: list[dict[str, Any]] = field(default_factory=list)
    """Events that the page sent."""

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.sent]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.sent if event["type"] == kind]

    async def seen(self) -> dict[str, Any]:
        """`states` and `notices` that were shown so far, in order; `loudest`: of what was played, 0..1."""
        seen: dict[str, Any] = await self.page.evaluate("window.seen")
        return seen

    async def until_seen(self, state: str) -> None:
        """Until a state has been shown; what was seen before is forgotten then."""
        while state not in (await self.seen())["states"]:
            await self.page.wait_for_timeout(LOOK_MS)
        await self.page.evaluate("window.seen.states = [document.body.dataset.state]")

    async def until_heard(self) -> None:
        """Until sound has been played."""
        while (await self.seen())["loudest"] < 0.05:
            await self.page.wait_for_timeout(LOOK_MS)

    async def captions(self) -> list[tuple[str, str]]:
        """(role, text) of the conversation as it is shown."""
        rows = await self.page.locator("#captions li").all()
        return [(str(await row.get_attribute("data-role")), await row.locator("p").inner_text()) for row in rows]

    async def until_captions(self, *wanted: tuple[str, str]) -> None:
        """Until exactly these are shown. A caption is there before its text is, and the user's before the answer. Raises: AssertionError."""
        for _ in range(UNTIL_LOOKS):
            if await self.captions() == list(wanted):
                return
            await self.page.wait_for_timeout(LOOK_MS)
        assert await self.captions() == list(wanted)


def microphone(path: Path, *pieces: Samples | int) -> Path:
    """Write what the microphone will hear: sound at 16 kHz, and pauses as ms; silence in front and behind."""
    parts = [silence(BEFORE_MS), *(silence(piece) if isinstance(piece, int) else piece for piece in pieces), silence(1500)]
    soundfile.write(path, np.concatenate(parts), MICROPHONE_HZ, subtype="PCM_16")
    return path


@asynccontextmanager
async def chromium(
    url: str, sound: Path | None = None, flags: tuple[str, ...] = (), prepare: str = "", grant: bool = True, **context: Any
) -> AsyncIterator[Visit]:
    """The page at `url`. `sound`: its microphone. `grant`: asking for it is granted. `prepare`: script that runs before the page's own."""
    args = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", *flags]
    if sound is not None:
        args += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={sound}%noloop"]
    args.append("--use-fake-ui-for-media-stream" if grant else "--deny-permission-prompts")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        try:
            page = await browser.new_page(**context)
            visit = Visit(page)
            page.on("console", lambda line: visit.complaints.append(line.text) if line.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: visit.complaints.append(str(error)))
            page.on("websocket", lambda socket: socket.on("framesent", lambda frame: visit.sent.append(json.loads(frame))))
            page.set_default_timeout(15_000)
            await page.add_init_script(WATCH + prepare)
            await page.goto(url)
            yield visit
            visit.complaints += await page.evaluate("window.policyReports")
        finally:
            await browser.close()
