"""`voice devices` and `voice doctor` with sound cards that PortAudio really finds, and a stream that stumbles."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.needs import needs
from tests.support.until import until
from tests.support.virtual_audio import Cards, virtual_audio

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "00_11_22_33_44_55"
LATENESS = """
import asyncio
from voice.devices.open import open_devices

async def main():
    async with open_devices(None, None, print) as opened:
        while True:
            await asyncio.sleep(0.1)
            print(opened.microphone.latency_s, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
@needs("libportaudio2", "pulseaudio")
async def test_real_cards_are_listed_and_found_usable(tmp_path: Path) -> None:
    async with asyncio.timeout(90), virtual_audio(tmp_path) as cards:
        found = await told(cards, "devices", "--json")
        default = [card for card in found if card["default_input"] and card["default_output"]]
        assert len(default) == 1 and default[0]["host_api"] == "ALSA" and default[0]["inputs"] and default[0]["outputs"]
        await bluetooth(cards)
        findings = {line["name"]: line for line in await told(cards, "doctor", "--json") if line["event"] == "finding"}
        assert findings["sound library"]["said"].startswith("PortAudio V")
        for name in ("microphone", "loudspeaker"):
            assert findings[name]["state"] == "ok" and findings[name]["said"].startswith(default[0]["name"])
        assert findings["headset"]["state"] == "note" and f"bluez_input.{ADDRESS}" in findings["headset"]["said"]


@pytest.mark.slow
@needs("libportaudio2", "pulseaudio")
async def test_a_program_that_was_held_up_is_not_late_ever_after(tmp_path: Path) -> None:
    """Without a new start PortAudio would keep what has piled up in front of the microphone, and spin."""
    late_s: list[float] = []
    async with asyncio.timeout(120), virtual_audio(tmp_path) as cards:
        line, pipe = (sys.executable, "-c", LATENESS), asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*line, cwd=ROOT, env=cards.environment, stdout=pipe)

        async def read() -> None:
            assert process.stdout is not None
            async for row in process.stdout:
                late_s.append(float(row))

        async with asyncio.TaskGroup() as group:
            group.create_task(read(), name="lateness")
            try:
                await until(lambda: late_s and late_s[-1] < 0.1)
                process.send_signal(signal.SIGSTOP)
                await asyncio.sleep(0.5)
                process.send_signal(signal.SIGCONT)
                await until(lambda: late_s[-1] > 0.2)
                await until(lambda: max(late_s[-5:]) < 0.15)
            finally:
                process.kill()
                await process.wait()


async def bluetooth(cards: Cards) -> None:
    """A headset that is connected by Bluetooth, as far as names tell, becomes the default."""
    await cards.control("load-module", "module-null-sink", f"sink_name=bluez_output.{ADDRESS}.1")
    await cards.control("load-module", "module-remap-source", "master=micfeed.monitor", f"source_name=bluez_input.{ADDRESS}.0")
    await cards.control("set-default-sink", f"bluez_output.{ADDRESS}.1")
    await cards.control("set-default-source", f"bluez_input.{ADDRESS}.0")


async def told(cards: Cards, *line: str) -> list[dict[str, Any]]:
    """What a command says, in the sound of `cards`."""
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "voice", *line]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=cards.environment, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    assert process.returncode in (0, 1), err.decode()
    return [json.loads(row) for row in out.splitlines()]
