"""Clients of other makers, unmodified, each in an environment of its own: a text turn and a voice turn with our server.

Their packages are installed once, under `.venv-clients`; `tests/clients/` has a script for each.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import app_running
from tests.support.needs import needs
from tests.support.oracle import judge
from tests.support.signals import padded, speech_like
from tests.support.wire import fake_engine
from voice.audio.pcm import to_bytes
from voice.audio.resample import resample
from voice.links.web import WebLink

pytestmark = [needs("openai"), pytest.mark.slow, pytest.mark.conformance]
ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "agents": ["openai-agents~=0.24"],
    "livekit": ["livekit-agents~=1.8", "livekit-plugins-openai~=1.8"],
    "pipecat": ["pipecat-ai[openai,websockets-base]~=1.14"],
}
INSTALL_S, TALK_S = 300, 90


def environment(name: str) -> Path:
    """The Python of a client's environment, made if there is none with these packages."""
    folder = ROOT / ".venv-clients" / name
    python, stamp = folder / "bin" / "python", folder / "packages.json"
    wanted = json.dumps(PACKAGES[name])
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=INSTALL_S)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES[name]]
    done = subprocess.run(install, capture_output=True, text=True, timeout=INSTALL_S)
    if done.returncode:
        pytest.skip(f"cannot install {PACKAGES[name]} (is there a network?): {done.stderr.strip()[-300:]}")
    stamp.write_text(wanted)
    return python


@pytest.fixture
def question(tmp_path: Path) -> Path:
    path = tmp_path / "question.wav"
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(24_000)
        wav.writeframes(to_bytes(resample(padded(speech_like(1200), 300, 300), 16_000, 24_000)))
    return path


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that the server sends."""
    texts: list[str] = []
    send = WebLink.send

    async def noting(link: WebLink, text: str) -> None:
        texts.append(text)
        await send(link, text)

    monkeypatch.setattr(WebLink, "send", noting)
    return texts


async def hold(name: str, port: int, question: Path) -> dict[str, Any]:
    """Run a client's script; returns what it says."""
    script = ROOT / "tests" / "clients" / f"{name}_client.py"
    url = f"ws://127.0.0.1:{port}/v1/realtime"
    command = (str(environment(name)), str(script), url, str(question))
    place = {"PATH": os.environ["PATH"], "HOME": str(question.parent), "NO_PROXY": "127.0.0.1"}
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*command, env=place, **pipes)
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()[-3000:]
    result: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return result


@pytest.mark.parametrize("name", PACKAGES)
async def test_a_text_turn_and_a_voice_turn(name: str, question: Path, sent: list[str]) -> None:
    environment(name)
    async with asyncio.timeout(TALK_S), app_running(fake_engine()) as port:
        told = await hold(name, port, question)
    assert told["text"]["answer"].strip() == "what is two plus two. 1 lines."
    assert told["text"]["audio_ms"] == pytest.approx(1400, abs=2)
    heard = told["voice"]["heard"].strip()
    # openai-agents cuts the first answer, which it takes to be still playing: that line is then empty.
    assert heard.startswith("heard ") and re.fullmatch(rf"{heard}\. [23] lines\.", told["voice"]["answer"].strip())
    assert told["voice"]["audio_ms"] == pytest.approx(1000, abs=2)
    assert told["text"]["errors"] == told["voice"]["errors"] == []
    assert not [text for text in sent if json.loads(text)["type"] == "error"]
    for text in sent:
        judge("server", text)
