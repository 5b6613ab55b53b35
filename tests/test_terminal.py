"""`voice talk` at a terminal, as a process: what is drawn, what keys do, and that the terminal is afterwards as it was."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.support.wav import write_wav

pytest.importorskip("termios")
from tests.support.tty import Tty, at_a_tty  # noqa: E402 - there are no such terminals on Windows

SCRIPT = (
    'voice = "tones"\n[[reply]]\nsay = "{heard}"\n[[reply]]\nsay = "' + "one two three four five six seven eight nine ten. " * 6 + '"\n'
)
COLOURS = re.compile(r"\x1b\[[0-9;]*3[0-9][;m]|\x1b\[[0-9;]*9[0-7][;m]")


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    """A minute in which nobody speaks, and a script for who answers."""
    write_wav(tmp_path / "quiet.wav", np.zeros(16_000 * 60, np.int16), 16_000)
    (tmp_path / "script.toml").write_text(SCRIPT)
    return tmp_path


@contextmanager
def talk(folder: Path, *flags: str, columns: int = 80, rows: int = 24, **environment: str) -> Iterator[Tty]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "PROMPT_TOOLKIT_COLOR_DEPTH")}
    settings = {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    line = [sys.executable, "-m", "voice", "talk", "--engine", "twin", "--script", str(folder / "script.toml")]
    line += ["--input", str(folder / "quiet.wav"), "--output", "null", *flags]
    with at_a_tty(line, inherited | settings | environment, columns, rows) as tty:
        yield tty


def left_clean(tty: Tty) -> bool:
    """It reads lines again, the cursor is there, and pasting is no matter of brackets."""
    drawn = tty.drawn
    visible = drawn.rfind("\x1b[?25h") > drawn.rfind("\x1b[?25l")
    unbracketed = drawn.rfind("\x1b[?2004l") >= drawn.rfind("\x1b[?2004h")
    return tty.modes == tty.before and visible and unbracketed


def test_a_conversation_typed_interrupted_muted_and_ended(quiet: Path) -> None:
    with talk(quiet) as tty:
        tty.shows("listening")
        assert tty.modes != tty.before
        tty.press("hello there\r")
        tty.shows("voice: hello there\n")
        tty.press("안녕\r")
        tty.shows("three")
        tty.press("\x1b")
        tty.shows("(interrupted at ")
        assert re.search(r"you:   안녕\nvoice: one two three[a-z .\n]*\(interrupted at \d+\.\d of \d+\.\d s", tty.text)
        tty.press("m")
        tty.shows("muted")
        tty.press("q")
        assert tty.ends() == 0 and left_clean(tty)
    assert "2 turns" in tty.text and "Traceback" not in tty.text


@pytest.mark.parametrize(
    ("end", "code"),
    [("\x03", 130), ("\x04", 0), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)],
    ids=["c-c", "c-d", "term", "int"],
)
def test_however_it_ends_the_terminal_is_as_it_was(end: str | signal.Signals, code: int, quiet: Path) -> None:
    with talk(quiet, rows=5, columns=20) as tty:
        tty.shows("listening")
        if isinstance(end, str):
            tty.press(end)
        else:
            assert tty.process is not None
            tty.process.send_signal(end)
        assert tty.ends() == code and left_clean(tty)
    assert "Traceback" not in tty.text


def test_what_cannot_be_is_said_below_and_the_terminal_is_as_it_was(quiet: Path) -> None:
    (quiet / "script.toml").write_text("[[reply]]\nsya = 'x'\n")
    with talk(quiet) as tty:
        assert tty.ends() == 78 and left_clean(tty)
    assert "did you mean 'say'?" in tty.text and "Traceback" not in tty.text
    with talk(quiet, "--speech", "none") as tty:
        assert tty.ends() == 2 and tty.modes == tty.before


def test_without_colours(quiet: Path) -> None:
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        with talk(quiet, **environment) as tty:
            tty.shows("listening")
            tty.press("q")
            assert tty.ends() == 0
        assert bool(COLOURS.search(tty.drawn)) is coloured


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_does_nothing_but_print_gets_lines(term: str, quiet: Path) -> None:
    with talk(quiet, TERM=term) as tty:
        tty.shows("[listening]")
        tty.press("hello there\n")
        tty.shows("voice: hello there")
        tty.press("\x03")
        assert tty.ends() == 130
    assert "\x1b" not in tty.drawn


def test_a_size_that_changes(quiet: Path) -> None:
    with talk(quiet) as tty:
        tty.shows("listening")
        for columns, rows in ((20, 5), (3, 2), (1, 1), (200, 50), (80, 24)):
            tty.resize(columns, rows)
            tty.press("x")
        tty.press("\r")
        tty.shows("you:   xxxxx")
        tty.press("q")
        assert tty.ends() == 0 and left_clean(tty)


def test_without_the_library_there_are_lines_and_one_sentence(quiet: Path) -> None:
    (quiet / "prompt_toolkit").mkdir()
    hidden = "import importlib.util as u\nfind = u.find_spec\nu.find_spec = lambda name, *more: None if name == 'prompt_toolkit' else find(name, *more)\n"
    (quiet / "sitecustomize.py").write_text(hidden)
    path = os.pathsep.join([str(quiet), *filter(None, [os.environ.get("PYTHONPATH")])])
    with talk(quiet, PYTHONPATH=path) as tty:
        tty.shows("[listening]")
        tty.press("\x03")
        assert tty.ends() == 130
    assert tty.text.count("pip install 'voice[desktop]'") == 1 and "\x1b" not in tty.drawn
