"""`voice talk` on a terminal that can be looked at: what really stands there after all that was drawn over it."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.needs import needs
from tests.support.tmux import Pane, in_tmux
from tests.support.wav import write_wav

ROOT = Path(__file__).resolve().parent.parent
LONG = "one two three four five six seven eight nine ten. " * 6
SCRIPT = f'voice = "tones"\n[[reply]]\nsay = "It is ten."\n[[reply]]\nsay = "지금은 열 시입니다."\n[[reply]]\nsay = "{LONG}"\n'
OF_THE_BOTTOM = ("listening", "speaking", "thinking", "starting", "mic ", "> ", "╌", "words estimated")

pytestmark = needs("tmux")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording of two questions, one of a minute in which nobody speaks, and who answers."""
    (tmp_path / "script.toml").write_text(SCRIPT, "utf-8")
    spoken, rate_hz = soundfile.read(ROOT / "fixtures" / "wav" / "time-slt.wav", dtype="int16")
    pause = np.zeros(4 * rate_hz, np.int16)
    write_wav(tmp_path / "questions.wav", np.concatenate([pause[: rate_hz // 2], spoken, pause, spoken, pause]), rate_hz)
    write_wav(tmp_path / "quiet.wav", np.zeros(90 * 16_000, np.int16), 16_000)
    return tmp_path


def command(microphone: str) -> list[str]:
    line = [sys.executable, "-m", "voice", "talk", "--engine", "twin", "--script", "script.toml"]
    return [*line, "--input", microphone, "--output", "null"]


def lines(pane: Pane) -> list[str]:
    """All that was ever written, without what is empty."""
    return [line.rstrip() for line in pane.scrolled.splitlines() if line.strip()]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (30, 6)])
def test_what_is_left_of_a_spoken_conversation_is_what_was_said(folder: Path, columns: int, rows: int) -> None:
    with in_tmux(folder, command("questions.wav"), {"PYTHONPATH": str(ROOT)}, columns, rows) as pane:
        pane.shows("voice: It is ten.")
        assert pane.ends() == 0
        left = lines(pane)
    said = "\n".join(left)
    assert [said.count(text) for text in ("voice: It is ten.", "voice: 지금은 열 시입니다.", " ms of speech", "2 turns")] == [1, 1, 2, 1], (
        said
    )
    assert sum("▮" in line for line in left) == 2, "a waterfall a turn"
    assert not [text for text in OF_THE_BOTTOM if text in said], said


def test_to_the_background_and_back_in_another_size_and_out(folder: Path) -> None:
    shell = ["bash", "--noprofile", "--norc", "-i"]
    with in_tmux(folder, shell, {"PYTHONPATH": str(ROOT), "PS1": "$ "}) as pane:
        pane.shows("$")
        pane.type(" ".join(command("quiet.wav")))
        pane.press("Enter")
        pane.shows("listening", "> space")
        pane.type("what time is it")
        pane.press("Enter")
        pane.shows("voice: It is ten.", "listening")
        pane.press("C-z")
        pane.shows("Stopped")
        pane.type("stty -a | tr ';' '\\n' | grep -ow -e '-*icanon' -e '-*echo'")
        pane.press("Enter")
        pane.shows("\nicanon", "\necho")
        pane.type("fg")
        pane.press("Enter")
        pane.shows("listening", "> space")
        for columns, rows in ((40, 12), (100, 30), (20, 5), (80, 24)):
            pane.resize(columns, rows)
            pane.press("Escape")
            pane.shows("listening", "> space")
        pane.type("몇 시야")
        pane.press("Enter")
        pane.shows("voice: 지금은 열 시입니다.", "listening")
        pane.type("m")
        pane.shows("muted")
        assert lines(pane)[-1].startswith("> space") and "muted" in lines(pane)[-2]
        said = "\n".join(lines(pane))
        assert [said.count(text) for text in ("you:   what time is it", "voice: It is ten.", "voice: 지금은 열 시입니다.")] == [1, 1, 1], (
            said
        )
        pane.type("q")
        pane.shows("2 turns", "$")
        pane.type("echo code $?")
        pane.press("Enter")
        pane.shows("code 0")
        assert not [text for text in ("muted", "> space") if text in pane.text]
