"""The command `voice talk`: who answers, what is opened, what is said when it cannot be."""

import json
import subprocess
import sys
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.signals import speech_like
from tests.support.until import wait_until
from tests.support.wav import write_wav
from tests.support.wire import fake_engine
from voice.cli import main
from voice.commands import talk
from voice.devices import open as opening
from voice.engines import local
from voice.engines.local import LocalEngine, LocalOptions
from voice.protocol.aloud import FAREWELL, MUTING
from voice.talk import TalkOptions

TWIN = ["talk", "--json", "--engine", "twin", "--script"]


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
    ("chosen", "says", "not_said"),
    [
        (TalkOptions(), "Enter stops an answer", "Enter opens"),
        (TalkOptions(push_to_talk=True), "Enter opens the microphone", "Speak, or"),
    ],
)
def test_what_to_do_is_said_once(chosen: TalkOptions, says: str, not_said: str) -> None:
    greeting = talk._greeting("Mic", "Speaker \x1b[2J", chosen, drawn=False)
    assert says in greeting and not_said not in greeting and "\x1b" not in greeting


def test_a_recording_that_cannot_be_begun_is_said_before_anything_is_opened(
    quiet: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "captured.wav").write_text("mine")
    assert main(["talk", "--input", quiet, "--output", "null", "--record", str(tmp_path)]) == 2
    assert main(["talk", "--input", quiet, "--output", "null", "--record", quiet]) == 2
    err = capfd.readouterr().err
    assert "has a recording in it (captured.wav)" in err and "quiet.wav is not a directory" in err and "microphone" not in err
    assert (tmp_path / "captured.wav").read_text() == "mine"


def test_where_there_is_no_microphone_no_recording_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "devices", lambda fresh=False: ())
    assert main(["talk", "--record", str(tmp_path / "new")]) == 69
    assert not (tmp_path / "new").exists()


def test_a_recording_has_both_sides_where_they_were(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The answer is a tone of 900 ms: it lies where the turn says that it began, behind what was said."""
    script, said, folder = tmp_path / "tone.toml", tmp_path / "said.wav", tmp_path / "kept"
    script.write_text("[[reply]]\ntone_ms = 900\n")
    sound = np.concatenate((speech_like(1_000), np.zeros(4_800, np.int16)))
    write_wav(said, sound, 16_000)
    assert main([*TWIN, str(script), "--input", str(said), "--output", "null", "--record", str(folder)]) == 0
    out, err = capfd.readouterr()
    assert f"recording into {folder}" in err
    told = [json.loads(line) for line in out.splitlines() if '"state"' not in line]
    assert [json.loads(line) for line in (folder / "turns.jsonl").read_text().splitlines()] == told
    both, rate_hz = soundfile.read(folder / "conversation.wav", dtype="int16")
    captured, _ = soundfile.read(folder / "captured.wav", dtype="int16")
    assert rate_hz == 16_000 and np.array_equal(both[: len(sound), 0], sound) and np.array_equal(both[:, 0], captured)
    assert len(both) == told[-1]["frames_captured"] * 320
    loud = np.flatnonzero(both[:, 1])
    began_ms = told[0]["speech_stopped_ms"] + told[0]["first_audio_ms"]
    # The turn's figure is an estimate, late where the machine is; to the sample it is in test_airing.py.
    assert abs(loud[0] / 16 - began_ms) <= 100 and 890 <= (loud[-1] - loud[0]) / 16 <= 960
    trace = [json.loads(line) for line in (folder / "trace.jsonl").read_text().splitlines()]
    assert {(line["dir"], line["link"]) for line in trace} == {("up", 1), ("down", 1)}
    assert {"session.updated", "response.done"} <= {line["event"]["type"] for line in trace}


def test_killed_at_any_moment_a_recording_can_be_read(tmp_path: Path) -> None:
    said = tmp_path / "said.wav"
    sound = np.random.default_rng(3).integers(-2_000, 2_000, 16_000 * 60).astype(np.int16)
    write_wav(said, sound, 16_000)
    script = tmp_path / "tone.toml"
    script.write_text("[[reply]]\ntone_ms = 900\n")
    for index, delay_s in enumerate((0.0, 0.37)):
        folder = tmp_path / f"kept{index}"
        line = ["--engine", "twin", "--script", str(script), "--input", str(said), "--output", "null", "--record", str(folder)]
        talking = subprocess.Popen(
            [sys.executable, "-m", "voice", "talk", *line], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until(lambda folder=folder: (folder / "captured.wav").exists() and (folder / "captured.wav").stat().st_size > 20_000)
            time.sleep(delay_s)
        finally:
            talking.kill()
            talking.wait()
        both, _ = soundfile.read(folder / "conversation.wav", dtype="int16")
        captured, _ = soundfile.read(folder / "captured.wav", dtype="int16")
        with wave.open(str(folder / "conversation.wav")) as other:
            assert other.getnframes() == len(both) and other.readframes(len(both)) == both.astype("<i2").tobytes()
        assert min(len(both), len(captured)) > 8_000 and abs(len(both) - len(captured)) <= 16_000 * 2
        for side in (both[:, 0], captured):
            assert np.array_equal(side, sound[: len(side)]), "to the sample, as far as it goes"
        *whole, _ = (folder / "trace.jsonl").read_text().splitlines()
        assert all("event" in json.loads(line) for line in whole)


def test_a_conversation_in_which_nobody_speaks_is_muted_and_ends(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What is said aloud comes from the engine, word for word; nothing is sent of the silence behind."""
    said, script, folder = tmp_path / "quiet.wav", tmp_path / "any.toml", tmp_path / "kept"
    write_wav(said, np.zeros(16_000 * 60, np.int16), 16_000)
    script.write_text("[[reply]]\ntone_ms = 100\n")
    where = ["--input", str(said), "--output", "null", "--record", str(folder)]
    assert main([*TWIN, str(script), *where, "--gate", "--idle-mute", "0.4", "--max-length", "2.5"]) == 0
    out, err = capfd.readouterr()
    told = [json.loads(row) for row in out.splitlines()]
    assert [row["assistant_text"] for row in told if row["event"] == "turn"] == [MUTING["en"], FAREWELL["en"]]
    # The warning fell into the first notice: it is written all the same.
    assert "the microphone is muted" in err and "this conversation ends in" in err and "the time for this conversation is up" in err
    assert {"muted", "speaking"} <= {row["state"] for row in told if row["event"] == "state"}
    summary = told[-1]
    assert summary["errors"] == [] and set(summary["frames_discarded"]) == {"gated", "muted"} and summary["frames_committed"] == 0
    assert "input_audio_buffer.append" not in (folder / "trace.jsonl").read_text()


@pytest.mark.parametrize(("flag", "value"), [("--idle-mute", "-1"), ("--max-length", "nan"), ("--max-length", "1e9")])
def test_limits_that_cannot_be(quiet: str, flag: str, value: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["talk", "--input", quiet, "--output", "null", flag, value]) == 2
    assert flag in capfd.readouterr().err
