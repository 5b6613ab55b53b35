"""The command `voice talk`: who answers, what is opened, what is said when it cannot be."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.support.wav import write_wav
from tests.support.wire import fake_engine
from voice.cli import main
from voice.commands import talk
from voice.config import load
from voice.devices import open as opening
from voice.engines import local
from voice.engines.local import LocalEngine, LocalOptions
from voice.errors import ConfigError, UsageError
from voice.talk import TalkOptions


@pytest.fixture(autouse=True)
def fake_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """No child processes."""

    @asynccontextmanager
    async def engine(options: LocalOptions | None = None) -> AsyncIterator[LocalEngine]:
        yield fake_engine()

    monkeypatch.setattr(local, "local_engine", engine)


@pytest.fixture
def quiet(tmp_path: Path) -> str:
    """A tenth of a second in which nobody speaks."""
    path = tmp_path / "quiet.wav"
    write_wav(path, np.zeros(1_600, np.int16), 16_000)
    return str(path)


def test_a_file_in_which_nobody_speaks(quiet: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["talk", "--json", "--input", quiet, "--output", str(tmp_path / "out.wav")]) == 0
    out, err = capfd.readouterr()
    state, summary = (json.loads(line) for line in out.splitlines())
    assert state == {"event": "state", "state": "listening"}
    assert summary["turns"] == 0 and summary["audio_in_ms"] == 100 and summary["frames_lost"] == 0
    assert summary["frames_captured"] == sum(summary["frames_discarded"].values())
    assert "quiet.wav" in err and "the microphone is shut" not in err, "a file cannot hear the loudspeaker"
    samples, rate_hz = soundfile.read(tmp_path / "out.wav", dtype="int16")
    assert rate_hz == 24_000 and not samples.any()


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ([], 69, "no microphone found: plug one in, give --input FILE.wav, or run `voice serve`"),
        (["--output", "null"], 69, "no microphone found"),
        (["--input", "none.wav", "--output", "null"], 2, "none.wav does not exist"),
        (["--url", "ftp://x"], 2, "ftp"),
        (["--provider", "nobody"], 2, "no provider 'nobody'"),
    ],
)
def test_what_is_not_there(
    line: list[str], code: int, says: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "devices", lambda fresh=False: ())
    assert main(["talk", *line]) == code
    out, err = capfd.readouterr()
    assert says in err and out == ""


def test_files_do_not_help_where_there_is_no_server(quiet: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["talk", "--url", "http://127.0.0.1:9", "--input", quiet, "--output", "null"]) == 69
    assert "127.0.0.1:9" in capfd.readouterr().err


@pytest.mark.parametrize("line", [["--turns", "both"], ["--url", "ws://x", "--engine", "local"], ["extra"]])
def test_a_line_that_is_not_understood(line: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as told:
        main(["talk", *line])
    assert told.value.code == 2


KEYS = {
    "OPENAI_API_KEY": "key-1",
    "HOLYSHEEP_API_KEY": "key-2",
    "AZURE_OPENAI_ENDPOINT": "https://mine.example",
    "AZURE_OPENAI_API_KEY": "k",
}


@pytest.mark.parametrize(
    ("flags", "want"),
    [
        ({}, (None, None, None)),
        ({"engine": "local", "provider": "openai"}, (None, None, None)),
        ({"url": "http://127.0.0.1:8765", "model": "m"}, ("http://127.0.0.1:8765", "key-1", "m")),
        ({"provider": "holysheep", "model": "m"}, ("wss://api.holysheep.ai/v1/realtime", "key-2", "m")),
        ({"provider": "openai"}, ("wss://api.openai.com/v1/realtime", "key-1", None)),
    ],
)
def test_who_answers(flags: dict[str, Any], want: tuple[str | None, ...]) -> None:
    assert talk._server(load(flags, KEYS)) == want


@pytest.mark.parametrize(
    ("flags", "environ", "error", "says"),
    [
        ({"provider": "azure"}, KEYS, UsageError, "voice serve --provider azure"),
        ({"provider": "groq"}, KEYS, UsageError, "'groq' has no Realtime service"),
        ({"provider": "openai"}, {}, ConfigError, "OPENAI_API_KEY"),
        ({}, {"VOICE_ENGINE": "relay"}, ConfigError, "one of `voice serve`"),
    ],
)
def test_who_cannot_answer(flags: dict[str, Any], environ: dict[str, str], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        talk._server(load(flags, environ))


@pytest.mark.parametrize(
    ("chosen", "half_duplex", "says", "not_said"),
    [
        (TalkOptions(), True, "with --headphones you can interrupt by speaking", "Enter opens"),
        (TalkOptions(), False, "Enter stops an answer", "--headphones"),
        (TalkOptions(push_to_talk=True), False, "Enter opens the microphone", "--headphones"),
    ],
)
def test_what_to_do_is_said_once(chosen: TalkOptions, half_duplex: bool, says: str, not_said: str) -> None:
    greeting = talk._greeting("Mic", "Speaker \x1b[2J", chosen, half_duplex)
    assert says in greeting and not_said not in greeting and "\x1b" not in greeting
