"""`voice serve`: what it refuses, what it prints, how it ends."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.support.needs import needs
from tests.support.wire import fake_engine
from voice import __version__
from voice.cli import main
from voice.engines import local
from voice.engines.local import LocalEngine, LocalOptions
from voice.opening import connect
from voice.protocol.notices import ReplyEnded, ReplyText
from voice.server import app
from voice.server.additions import Additions

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def fake_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """No child processes, but where a test starts the real command."""

    @asynccontextmanager
    async def engine(options: LocalOptions | None = None) -> AsyncIterator[LocalEngine]:
        yield fake_engine()

    monkeypatch.setattr(local, "local_engine", engine)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "voice.example"])
def test_serving_others_without_a_credential_is_78(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", host, "--port", "0"]) == 78
    out, err = capsys.readouterr()
    assert not out and err.startswith(f"voice: --host {host} would let others in without a credential: ") and err.count("\n") == 1


def test_a_key_without_a_certificate_and_a_certificate_that_is_none_are_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--key", "k.pem"]) == 2
    assert capsys.readouterr().err == "voice: --key needs --cert: give the certificate too\n"
    assert main(["serve", "--port", "0", "--cert", "nowhere.pem"]) == 2
    assert "voice: cannot use the certificate 'nowhere.pem'" in capsys.readouterr().err


def test_a_port_that_is_taken_is_69(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert main(["serve", "--port", str(other.getsockname()[1])]) == 69
    out, err = capsys.readouterr()
    assert not out and "Is another server there? `--port 0` takes a free one." in err


def test_ctrl_c_before_a_server_listens_is_its_ordinary_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*rest: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "serve", interrupted)
    assert main(["serve", "--port", "0"]) == 0


@pytest.mark.parametrize(
    ("options", "environ", "code", "says"),
    [
        (
            ["--upstream", "ws://127.0.0.1:{port}"],
            {},
            78,
            "the upstream '127.0.0.1:{port}' is this server: give the address of another one",
        ),
        (["--upstream", "http://localhost:{port}/v1"], {}, 78, "is this server"),
        (["--engine", "relay"], {}, 78, "relay to where? Give --provider NAME"),
        (["--provider", "openai"], {}, 78, "no key for 'openai': set OPENAI_API_KEY"),
        (["--provider", "nobody"], {}, 2, "no provider 'nobody'"),
        (["--require-key"], {}, 78, "--require-key: set VOICE_SERVER_KEY"),
        (["--allow-origin", "shop.example"], {}, 2, "--allow-origin 'shop.example' is no origin"),
        (
            ["--host", "0.0.0.0"],
            {"VOICE_SERVER_KEY_FILE": "/nowhere/key"},
            78,
            "VOICE_SERVER_KEY_FILE names '/nowhere/key', which is not there",
        ),
    ],
)
def test_what_a_relay_or_its_door_lacks_is_said(
    options: list[str], environ: dict[str, str], code: int, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
    assert main(["serve", "--port", port, *(option.format(port=port) for option in options)]) == code
    out, err = capsys.readouterr()
    assert not out and says.format(port=port) in err and err.count("\n") == 1


def test_with_a_server_key_others_may_be_served(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[app.ServeOptions] = []

    async def serve(engine: object, options: app.ServeOptions, found: dict[str, str], *rest: object) -> None:
        asked.append(options)
        assert "canary" not in str(found) and "VOICE_SERVER_KEY" in found["access"]

    monkeypatch.setattr(app, "serve", serve)
    monkeypatch.setenv("VOICE_SERVER_KEY", "canary-0123456789")
    assert main(["serve", "--host", "0.0.0.0", "--allow-origin", "https://a.example", "--allow-origin", "https://b.example"]) == 0
    assert (asked[0].server_key, asked[0].origins) == ("canary-0123456789", {"https://a.example", "https://b.example"})
    assert "canary" not in "".join(capsys.readouterr())


def test_a_key_that_the_local_engine_does_not_use_is_said_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def serve(*rest: object) -> None:
        pass

    monkeypatch.setattr(app, "serve", serve)
    file = tmp_path / "voice.toml"
    for text, said in (("", "none, and none is needed"), ("[keys]\ngroq = 'canary-1'", "a key is set; the local engine does not use it")):
        file.write_text(text)
        file.chmod(0o600)
        assert main(["serve", "--port", "0", "--config", str(file)]) == 0
        err = capsys.readouterr().err
        assert f"key: {said}\n" in err and "canary" not in err


@pytest.mark.parametrize("relayed", [True, False])
def test_tools_are_told_to_who_starts_it_and_not_to_the_page(
    relayed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pages: list[dict[str, str]] = []

    async def serve(engine: object, options: object, found: dict[str, str], listening: object, additions: Additions | None) -> None:
        pages.append(found)
        assert (additions is not None) == relayed
        if additions is not None:
            assert additions.tools is not None and (await additions.tools.run("count", '{"path": "a/b"}')).output == "b"

    monkeypatch.setattr(app, "serve", serve)
    file = tmp_path / "tools.toml"
    file.write_text("[tools.count]\nfunction = 'tests.test_serve:last_name'\n")
    upstream = ["--upstream", "ws://127.0.0.1:9/v1/realtime"] if relayed else []
    assert main(["serve", "--port", "0", "--config", str(file), *upstream]) == 0
    assert "tools: count\n" in capsys.readouterr().err and not any("count" in text for text in pages[0].values())


def last_name(path: str) -> str:
    """The last name of a path."""
    return path.rpartition("/")[2]


def test_a_tool_that_is_not_there_is_78(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text("[tools.count]\nfunction = 'no_such_module:count'\n")
    assert main(["serve", "--port", "0", "--config", str(file)]) == 78
    assert f"voice: {file}:2: the module 'no_such_module' cannot be imported" in capsys.readouterr().err


@contextmanager
def served(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The real command in a process of its own, once it listens; gives its first line."""
    command = [sys.executable, "-m", "voice", "serve", "--port", "0", *options]
    place = {name: value for name, value in os.environ.items() if not name.endswith(("API_KEY", "API_KEY_FILE"))}
    with subprocess.Popen(command, cwd=ROOT, env=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            if process.poll() is None:
                process.kill()


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@pytest.mark.slow
@needs("pocketsphinx", "espeakng-loader")
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc, to see that no process is left")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_real_server_says_where_it_is_answers_and_ends_with_0(number: signal.Signals) -> None:
    with served() as (process, first):
        address = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", first)
        assert address is not None
        with urllib.request.urlopen(f"{address[1]}/healthz", timeout=30) as answer:
            assert json.load(answer) == {"status": "ok", "version": __version__, "engine": "local", "sessions": 0}
        asyncio.run(_typed_turn(address[1]))
        workers = children(process.pid)
        assert workers
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "")
    said = err.splitlines()
    assert [line.partition(":")[0] for line in said] == [
        "engine",
        "language model",
        "recogniser",
        "synthesiser",
        "detector",
        "sound card",
        "key",
    ], err
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


async def _typed_turn(address: str) -> None:
    """So that the synthesiser's process is there too."""
    async with asyncio.timeout(30), connect(address) as session:
        await session.say("what is two plus two")
        async for notice in session:
            if isinstance(notice, ReplyEnded):
                assert notice.status == "completed"
                return


@pytest.mark.slow
@needs("pocketsphinx", "espeakng-loader")
def test_a_real_server_calls_what_its_configuration_lists(tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text("[tools.last_name]\nfunction = 'tests.test_serve:last_name'\n")
    with served("--config", str(file)) as (process, first):
        address = first.partition("listening on ")[2].strip()
        assert asyncio.run(_answer(address, "call last name with path green/red")) == "red"
        process.terminate()
        process.communicate(timeout=60)


async def _answer(address: str, text: str) -> str:
    async with asyncio.timeout(60), connect(address) as session:
        await session.say(text)
        async for event in session:
            match event:
                case ReplyText(final=True):
                    return event.text
    return ""
