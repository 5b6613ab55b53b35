"""`voice devices` and `voice doctor` with sound cards that PortAudio really finds."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.needs import needs
from tests.support.virtual_audio import Cards, virtual_audio

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
@needs("libportaudio2", "pulseaudio")
async def test_real_cards_are_listed_and_found_usable(tmp_path: Path) -> None:
    async with asyncio.timeout(90), virtual_audio(tmp_path) as cards:
        found = await told(cards, "devices", "--json")
        default = [card for card in found if card["default_input"] and card["default_output"]]
        assert len(default) == 1 and default[0]["host_api"] == "ALSA" and default[0]["inputs"] and default[0]["outputs"]
        findings = {line["name"]: line for line in await told(cards, "doctor", "--json") if line["event"] == "finding"}
        assert findings["sound library"]["said"].startswith("PortAudio V")
        for name in ("microphone", "loudspeaker"):
            assert findings[name]["state"] == "ok" and findings[name]["said"].startswith(default[0]["name"])


async def told(cards: Cards, *line: str) -> list[dict[str, Any]]:
    """What a command says, in the sound of `cards`."""
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "voice", *line]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=cards.environment, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    assert process.returncode in (0, 1), err.decode()
    return [json.loads(row) for row in out.splitlines()]
