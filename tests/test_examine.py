"""The whole examination: its order, and that nothing leaves the machine unless an upstream is named."""

import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.scripted import frame, listening, upgrades
from voice.doctor import examine as examining
from voice.doctor import models as models_of
from voice.doctor.examine import Wanted, examine
from voice.doctor.finding import BAD, OK, Finding
from voice.errors import UsageError


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What the models were asked for; none is started."""
    calls: list[tuple[str, bool]] = []

    async def models(speech: str, needed: bool) -> AsyncGenerator[Finding, None]:
        calls.append((speech, needed))
        yield Finding("models", OK, "")

    monkeypatch.setattr(models_of, "models", models)
    return calls


async def names(wanted: Wanted, environ: dict[str, str] | None = None) -> list[str]:
    return [finding.name async for finding in examine(wanted, environ or {})]


LOCAL = ["python", "packages", "extras", "clock", "configuration", "sound library"]


async def test_this_machine_and_nothing_else(monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, bool]]) -> None:
    def refuse(*rest: object, **more: object) -> None:
        raise AssertionError("it asks for a name")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    found = await names(
        Wanted(),
        {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": "https://gateway.example/v1", "VOICE_PROVIDER": "openai", "VOICE_SPEECH": "flite"},
    )
    assert found[:6] == LOCAL and found[-2:] == ["port", "models"]
    assert asked == [("flite", True)]


async def test_an_upstream_comes_last_and_the_models_are_no_longer_needed(tmp_path: Path, asked: list[tuple[str, bool]]) -> None:
    file = tmp_path / "x.toml"
    file.write_text("speech = 'piper'")
    async with listening(upgrades(frame('{"type":"session.created"}'))) as port:
        found = await names(Wanted(url=f"http://127.0.0.1:{port}", file=file))
    assert found[-6:] == ["models", "key", "name", "connection", "HTTP", "WebSocket"]
    assert asked == [("piper", False)]
    found = await names(Wanted(provider="openai"))
    assert found[-3:] == ["models", "provider", "key"]


@pytest.mark.parametrize("wanted", [Wanted(provider="nobody"), Wanted(url="ftp://host"), Wanted(provider="azure")])
async def test_a_slip_in_the_command_is_told_before_the_work(wanted: Wanted, asked: list[tuple[str, bool]]) -> None:
    with pytest.raises(UsageError):
        await names(wanted)
    assert not asked


async def test_a_broken_package_ends_it_with_a_finding(monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, bool]]) -> None:
    monkeypatch.setattr(examining, "imports", lambda: Finding("imports", BAD, "why", "what to do"))
    assert await names(Wanted()) == ["python", "packages", "extras", "clock", "imports"]
    assert not asked


def test_nothing_that_may_be_missing_is_imported_before_it_is_looked_for() -> None:
    import subprocess

    code = "import sys, voice.commands.doctor, voice.doctor.examine; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30).stdout.split())
    assert "voice" in loaded and not loaded & {
        "aiohttp",
        "msgspec",
        "numpy",
        "platformdirs",
        "soundfile",
        "soxr",
        "webrtcvad",
        "websockets",
    }
