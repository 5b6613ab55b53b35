"""`voice twin`: what it refuses, what it prints, how it ends, what it leaves in its trace."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.certificate import self_signed
from tests.support.needs import FliteWav
from voice import __version__
from voice.cli import main
from voice.opening import connect
from voice.protocol.notices import ReplyEnded, ReplyText
from voice.server import app

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = 'voice = "tones"\npace = inf\n[[reply]]\nsay = "Hello, {heard}."\n'


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--script", "nowhere.toml"], 78, "cannot read the script 'nowhere.toml': No such file or directory"),
        (["--script", "bad.toml"], 78, "bad.toml:2: no key 'sya' here: did you mean 'say'?"),
        (["--host", "0.0.0.0"], 78, "--host 0.0.0.0 would let others in without a credential"),
        (["--key", "k.pem"], 2, "--key needs --cert"),
        (["--trace", "bad.toml/inside"], 2, "cannot write to 'bad.toml/inside': Not a directory; give another --trace"),
    ],
)
def test_what_cannot_be_is_said(
    options: list[str], code: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text("[[reply]]\nsya = 'x'\n")
    assert main(["twin", "--port", "0", *options]) == code
    out, err = capsys.readouterr()
    assert not out and says in err and err.count("\n") == 1


def test_ctrl_c_before_it_listens_is_its_ordinary_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*rest: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "serve", interrupted)
    assert main(["twin", "--port", "0"]) == 0


@contextmanager
def standing(*options: str, command: str = "twin") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The real command in a process of its own, once it listens; its address."""
    line = [sys.executable, "-m", "voice", command, "--port", "0", *options]
    with subprocess.Popen(line, cwd=ROOT, env=os.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            found = re.fullmatch(r"listening on (https?://127\.0\.0\.1:\d+)\n", first)
            assert found, first + (process.stderr.read() if process.stderr and process.poll() is not None else "")
            yield process, found[1]
        finally:
            if process.poll() is None:
                process.kill()


async def said(address: str, text: str) -> str:
    answer = ""
    async with asyncio.timeout(30), connect(address) as session:
        await session.say(text)
        async for event in session:
            if isinstance(event, ReplyText) and event.final:
                answer = event.text
            if isinstance(event, ReplyEnded):
                break
    return answer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_real_twin_answers_writes_down_and_ends_with_0(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SCRIPT)
    with standing("--script", str(tmp_path / "s.toml"), "--trace", str(tmp_path / "traces")) as (process, address):
        with urllib.request.urlopen(f"{address}/healthz", timeout=30) as answer:
            assert json.load(answer) == {"status": "ok", "version": __version__, "engine": "twin", "sessions": 0}
        assert asyncio.run(said(address, "you")) == "Hello, you."
        assert asyncio.run(said(address, "others")) == "Hello, others."
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "")
    assert [line.partition(":")[0] for line in err.splitlines()] == ["engine", "script", "voice"], err
    assert f"script: {tmp_path / 's.toml'}: 1 reply" in err
    assert sorted(path.name for path in (tmp_path / "traces").iterdir()) == ["session-001.jsonl", "session-002.jsonl"]
    lines = [json.loads(line) for line in (tmp_path / "traces" / "session-002.jsonl").read_text().splitlines()]
    assert all(set(line) == {"t", "dir", "link", "event"} for line in lines)
    ups, downs = ([line["event"] for line in lines if line["dir"] == way] for way in ("up", "down"))
    assert "others" in json.dumps(ups) and ups[0]["type"] == "session.update"
    assert downs[0]["type"] == "session.created" and [event["type"] for event in downs[-2:]] == ["response.done", "rate_limits.updated"]


def test_a_replay_over_the_wire_meets_a_twin(tmp_path: Path, flite_wav: FliteWav, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.toml").write_text(SPOKEN)
    for turns in ("server", "client"):
        with standing("--script", str(tmp_path / "s.toml")) as (_, address):
            assert main(["replay", "--url", address, "--turns", turns, "--json", str(flite_wav("hello there"))]) == 0
        turn, summary = lines(capsys)
        assert (turn["user_text"], turn["assistant_text"], turn["reply_ms"]) == ("what time is it", "It is late.", 600)
        assert (turn["status"], summary["turns"], summary["errors"]) == ("completed", 1, [])


def test_a_twin_speaks_tls(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path)
    with standing("--cert", str(cert), "--key", str(key)) as (_, address):
        assert address.startswith("https://")


SPOKEN = 'voice = "tones"\n[[reply]]\nheard = "what time is it"\nsay = "It is late."\ndelay_ms = 40\n'


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    out, err = capsys.readouterr()
    assert not err, err
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("options", [["--at", "2026-11-20T10:00"], ["--turns", "client"], ["--realtime"]], ids=lambda options: options[0])
def test_a_replay_is_answered_by_a_twin(
    options: list[str], tmp_path: Path, flite_wav: FliteWav, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.toml").write_text(SPOKEN)
    command = ["replay", "--engine", "twin", "--script", str(tmp_path / "s.toml"), "--json", *options]
    for out in ("a", "b"):
        assert main([*command, "--out", str(tmp_path / out), str(flite_wav("hello there"))]) == 0
        turn, summary = lines(capsys)
        assert (turn["user_text"], turn["assistant_text"], turn["reply_ms"]) == ("what time is it", "It is late.", 600)
        assert (turn["status"], summary["turns"], summary["errors"]) == ("completed", 1, [])
    if "--at" in options:
        assert (tmp_path / "a" / "trace.jsonl").read_bytes() == (tmp_path / "b" / "trace.jsonl").read_bytes()
    assert (tmp_path / "a" / "reply.wav").read_bytes() == (tmp_path / "b" / "reply.wav").read_bytes()


def test_a_twin_is_talked_to(tmp_path: Path, flite_wav: FliteWav, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.toml").write_text(SPOKEN)
    devices = ["--input", str(flite_wav("hello there")), "--output", "null"]
    assert main(["talk", "--engine", "twin", "--script", str(tmp_path / "s.toml"), "--json", *devices]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (turn,) = (line for line in told if line["event"] == "turn")
    assert (turn["user_text"], turn["assistant_text"], turn["heard_ms"]) == ("what time is it", "It is late.", 600)


async def test_serving_with_the_engine_twin_is_a_twin(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SCRIPT)
    with standing("--engine", "twin", "--script", str(tmp_path / "s.toml"), command="serve") as (_, address):
        assert await said(address, "you") == "Hello, you."


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["replay", "x.wav"], ["talk"]], ids=lambda command: command[0])
def test_a_script_without_a_twin_is_a_mistake(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--script", "s.toml"]) == 2
    assert capsys.readouterr().err == "voice: --script is for the twin: give --engine twin too\n"


def test_a_twin_relays_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "0", "--engine", "twin", "--upstream", "wss://a.example"]) == 2
    assert "--upstream is for the relay, and the engine is to be 'twin'" in capsys.readouterr().err
