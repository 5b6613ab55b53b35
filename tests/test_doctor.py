"""`voice doctor`: how findings are shown, the exit code, and that no key gets out."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.needs import needs
from tests.support.scripted import http, listening, says
from voice.cli import main
from voice.commands.doctor import NAME_COLUMNS, lines
from voice.doctor import examine as examining
from voice.doctor.finding import BAD, NOTE, OK, Finding

ROOT = Path(__file__).resolve().parent.parent


def finds(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> list[object]:
    asked: list[object] = []

    async def examine(wanted: object) -> AsyncGenerator[Finding, None]:
        asked.append(wanted)
        for finding in findings:
            yield finding

    monkeypatch.setattr(examining, "examine", examine)
    return asked


def test_findings_are_aligned_and_fixes_stand_below(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    finds(
        monkeypatch,
        Finding("python", OK, "3.11"),
        Finding("microphone", NOTE, "none", "plug one in"),
        Finding("realtime WebSocket", BAD, "it says\x1b]52;x", "ask", 12.4),
    )
    assert main(["doctor"]) == 1
    assert capsys.readouterr().out == (
        "python               ok   3.11\n"
        "microphone           -    none\n"
        "                      ->  plug one in\n"
        "realtime WebSocket   BAD  it says ]52;x  (12 ms)\n"
        "                      ->  ask\n"
        "not right: realtime WebSocket\n"
    )


def test_notes_alone_are_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    finds(monkeypatch, Finding("extras", NOTE, "none", "pip install"), Finding("clock", OK, "now"))
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "all that is needed is there"


def test_json_is_one_object_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    finds(monkeypatch, Finding("clock", OK, "\uc9c0\uae08"), Finding("port", BAD, "taken", "end it", 1.26))
    assert main(["doctor", "--json"]) == 1
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"event": "finding", "name": "clock", "state": "ok", "said": "\uc9c0\uae08", "fix": "", "took_ms": None},
        {"event": "finding", "name": "port", "state": "bad", "said": "taken", "fix": "end it", "took_ms": 1.3},
        {"event": "summary", "ok": False, "bad": ["port"]},
    ]


def test_the_flags_say_what_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = finds(monkeypatch)
    assert main(["doctor", "--provider", "openai", "--model", "m", "--timeout", "2", "--config", "f.toml"]) == 0
    assert main(["doctor", "--url", "ws://host"]) == 0
    assert asked == [examining.Wanted("openai", None, "m", Path("f.toml"), 2.0), examining.Wanted(url="ws://host")]


@pytest.mark.parametrize("line", [["--provider", "openai", "--url", "ws://x"], ["--timeout", "0"]])
def test_what_does_not_go_together_is_2(line: list[str]) -> None:
    with pytest.raises(SystemExit) as told:
        main(["doctor", *line])
    assert told.value.code == 2


def test_an_unknown_provider_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--provider", "nobody"]) == 2
    assert capsys.readouterr().err.startswith("voice: no provider 'nobody': choose one of holysheep, openai, ")


def test_every_name_fits_its_column() -> None:
    assert all(len(f"realtime {step}") <= NAME_COLUMNS for step in ("name", "connection", "proxy", "TLS", "HTTP", "clock", "WebSocket"))
    assert lines(Finding("x" * 30, OK, "y"))[0].endswith("  ok   y")


@pytest.mark.slow
@needs("pocketsphinx", "espeakng-loader")
async def test_no_key_is_in_a_byte_that_is_printed(tmp_path: Path) -> None:
    """Keys from a variable, a file and the configuration; a server that repeats what it is sent; every log line."""
    keys = {name: f"sk-{secrets.token_hex(16)}" for name in ("variable", "file", "config")}
    (tmp_path / "key").write_text(keys["file"])
    (tmp_path / "voice.toml").write_text(f"port = 0\n[keys]\nazure = '{keys['config']}'\n")
    place = {**os.environ, "OPENAI_API_KEY": keys["variable"], "HOLYSHEEP_API_KEY_FILE": str(tmp_path / "key")}
    place["VOICE_CONFIG"] = str(tmp_path / "voice.toml")
    heads: list[str] = []
    answer = http(401, json.dumps({"error": {"message": f"no such key: {keys['variable']}"}}), f"X-Echo: {keys['variable']}")
    async with asyncio.timeout(60), listening(says(answer, heads)) as port:
        for line in (["-v", "doctor", "--url", f"ws://127.0.0.1:{port}"], ["-v", "config", "show"], ["config", "show", "--json"]):
            command = [sys.executable, "-m", "voice", *line]
            process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            out = (await process.communicate())[0].decode()
            assert process.returncode == (1 if "doctor" in line else 0), out
            assert "OPENAI_API_KEY" in out and not any(key in out for key in keys.values())
    assert f"Authorization: Bearer {keys['variable']}" in heads[0]
