"""A real Chromium, headless, with a WAV as its microphone, and what a page did in it: console errors, policy reports, WebSocket frames."""

import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.async_api import Page, async_playwright, expect

from voice.audio.pcm import Samples, silence

MICROPHONE_HZ = 16_000
BEFORE_MS = 1500
"""Silence in front of a microphone's WAV: Chromium loses what comes before the graph runs."""
LOOK_MS = 30
CAPTIONS_S = 60.0
WAIT_MS = 30_000
"""For what is expected of a page: it costs nothing where it comes sooner, and a machine under load is ten times as slow."""
LOUD = 0.05
REPORT_MS = 20
"""The player tells its level so often (`web/player.worklet.js`)."""
WATCH = (
    f"const LOUD = {LOUD}, REPORT_MS = {REPORT_MS};"
    + """
window.policyReports = [];
document.addEventListener("securitypolicyviolation", (event) => window.policyReports.push(event.violatedDirective + " " + event.blockedURI));
window.seen = {states: [], from: 0, notices: [], loudMs: 0, sent: []};
document.addEventListener("DOMContentLoaded", () => new MutationObserver((changes) => {
  const {state, noticed} = document.body.dataset;
  const {states, notices} = window.seen;
  if (states.at(-1) !== state) states.push(state);
  if (noticed && notices.at(-1) !== noticed) notices.push(noticed);
  if (Number(document.getElementById("talk").dataset.output ?? 0) < LOUD) return;
  window.seen.loudMs += REPORT_MS * changes.filter((change) => change.attributeName === "data-output").length;
}).observe(document.body, {attributes: true, subtree: true}));
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) {
  const sound = text.startsWith('{"type":"input_audio_buffer.append"');
  window.seen.sent.push(sound ? {type: "input_audio_buffer.append"} : JSON.parse(text));
  return send.call(this, text);
};
localStorage.getItem("voice.cleaning") ?? localStorage.setItem("voice.cleaning", "off");
"""
)
"""What passes too quickly to be met by looking now and then is remembered. Exact tests want the microphone's sound as it is; the one
of the cleaned sound says so itself."""


expect.set_options(timeout=WAIT_MS)


@dataclass
class Visit:
    """A page in the browser and what it did."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, exceptions that nobody caught."""

    async def kinds(self) -> list[str]:
        """The types of the events that the page has sent."""
        return [event["type"] for event in (await self.seen())["sent"]]

    async def of(self, kind: str) -> list[dict[str, Any]]:
        """Those of one type; of sound the type only."""
        return [event for event in (await self.seen())["sent"] if event["type"] == kind]

    async def seen(self) -> dict[str, Any]:
        """`states` and `notices` that were shown so far, in order; `loudMs`: how long sound was played; `sent`: events.

        Noted in the page itself: what the browser tells from outside comes when it comes.
        """
        seen: dict[str, Any] = await self.page.evaluate("window.seen")
        return seen

    async def until_seen(self, state: str) -> None:
        """Until a state has been shown, behind the one that was waited for before."""
        look = "(state) => { const at = seen.states.indexOf(state, seen.from); if (at >= 0) seen.from = at + 1; return at >= 0; }"
        while not await self.page.evaluate(look, state):
            await self.page.wait_for_timeout(LOOK_MS)

    async def until_heard(self, loud_ms: int = REPORT_MS) -> None:
        """Until so much sound has been played."""
        while (await self.seen())["loudMs"] < loud_ms:
            await self.page.wait_for_timeout(LOOK_MS)

    async def captions(self) -> list[tuple[str, str]]:
        """(role, text) of the conversation as it is shown."""
        look = "[...document.querySelectorAll('#captions li')].map((row) => [row.dataset.role, row.querySelector('p')?.innerText ?? ''])"
        return [(role, text) for role, text in await self.page.evaluate(look)]

    async def until_captions(self, *wanted: tuple[str, str]) -> None:
        """Until exactly these are shown. A caption is there before its text is, and the user's before the answer. Raises: AssertionError."""
        give_up_s = time.monotonic() + CAPTIONS_S
        while (shown := await self.captions()) != list(wanted) and time.monotonic() < give_up_s:
            await self.page.wait_for_timeout(LOOK_MS)
        assert shown == list(wanted), shown


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
            page.set_default_timeout(WAIT_MS)
            await page.add_init_script(WATCH + prepare)
            await page.goto(url)
            yield visit
            visit.complaints += await page.evaluate("window.policyReports")
        finally:
            await browser.close()
