"""The page in a real Chromium: from the first delta of a reply to its first sound, and from the end of speech to the first sound.

    python bench/page.py [TURNS]

A WAV is the microphone, spoken and typed turns alternate with the local engine in this process. The first figure is taken in the player's
worklet on the audio clock; the second in the page, output latency included. Deltas come faster than 1.5x real time, so nothing is held
back. Goal: 40 ms from the first delta to sound.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import numpy as np

from voice.devices.wavfile import read_wav
from voice.engines.local import local_engine

ROOT = Path(__file__).resolve().parent.parent

TURNS = 6
GOAL_MS = 40.0
PAUSE_MS = 5000
SILENCE_WINDOW_MS = 500


async def measure(turns: int) -> tuple[list[float], list[float], list[float]]:
    """(first delta -> sound, typed -> sound, last spoken sample -> sound), all in ms."""
    # The tests' browser is not installed with the package.
    sys.path.insert(0, str(ROOT))
    from tests.support.browser import chromium, microphone
    from tests.support.page_server import page_server

    question = np.concatenate(list(read_wav(str(ROOT / "fixtures" / "wav" / "time-slt.wav"))))
    delays: list[float] = []
    typed: list[float] = []
    spoken: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        pieces = [piece for _ in range(turns) for piece in (question, PAUSE_MS)]
        sound = microphone(Path(folder) / "microphone.wav", *pieces)
        async with local_engine() as engine, page_server(engine) as server, chromium(server.url, sound) as visit:
            page = visit.page

            async def answered(into: list[float]) -> None:
                await page.wait_for_selector("#latency[data-ms]", state="attached", timeout=30_000)
                into.append(float(str(await page.get_attribute("#latency", "data-ms"))))
                delays.append(float(str(await page.get_attribute("#latency", "data-delay-ms"))))
                await page.evaluate("delete document.getElementById('latency').dataset.ms")
                while await page.inner_text("#state") == "Speaking":
                    await page.wait_for_timeout(50)

            for _ in range(turns):
                await page.fill("#text", "what is seven times eight")
                await page.press("#text", "Enter")
                await answered(typed)
            await page.click("#talk")
            for _ in range(turns):
                await answered(spoken)
    return delays, typed, spoken


def row(name: str, values: list[float]) -> str:
    return f"{name:<44}{np.median(values):8.0f}{max(values):8.0f} ms"


def main() -> int:
    delays, typed, spoken = asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else TURNS))
    print(f"{'':<44}{'p50':>8}{'most':>8}")
    print(row("first delta -> first sound", delays) + f"   goal {GOAL_MS:.0f}")
    print(row("typed message -> first sound", typed))
    print(row("last spoken sample -> first sound", spoken))
    print(row("  of it the silence window", [SILENCE_WINDOW_MS]))
    return 0 if max(delays) <= GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())
