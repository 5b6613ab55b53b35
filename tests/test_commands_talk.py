"""The command `voice talk`: who answers, what is opened, what is said when it cannot be."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.wav import write_wav
from tests.support.wire import fake_engine
from voice.cli import main
from voice.commands import talk
from voice.devices import open as opening
from voice.engines import local
from voice.engines.local import LocalEngine, LocalOptions
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
