"""What is written to stderr while a screen is drawn, by Python and by C."""

import os
import threading
from pathlib import Path

import pytest

from voice.terminal.diverted import LONGEST, MOST, diverted


def to_file(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


def test_lines_are_handed_over_and_afterwards_it_is_as_before(tmp_path: Path) -> None:
    fd, lines = to_file(tmp_path / "err"), []
    os.write(fd, b"before\n")
    with diverted(lines.append, fd):
        os.write(fd, b"one\ntw")
        os.write(fd, b"o\xff\nthe rest")
    os.write(fd, b"after\n")
    os.close(fd)
    assert lines == ["one", "two\ufffd", "the rest"]
    assert (tmp_path / "err").read_bytes() == b"before\nafter\n"


def test_also_when_the_block_fails(tmp_path: Path) -> None:
    fd, lines = to_file(tmp_path / "err"), []
    with pytest.raises(ZeroDivisionError), diverted(lines.append, fd):
        os.write(fd, b"one\n")
        raise ZeroDivisionError
    os.write(fd, b"after\n")
    os.close(fd)
    assert lines == ["one"] and (tmp_path / "err").read_bytes() == b"after\n"


def test_who_writes_much_is_cut_short_and_never_waits(tmp_path: Path) -> None:
    fd, lines = to_file(tmp_path / "err"), []
    with diverted(lines.append, fd):
        os.write(fd, b"x" * 300_000 + b"\n" + b"y\n" * 50_000)
    os.close(fd)
    assert max(map(len, lines)) <= LONGEST and "y" in lines
    assert len(lines) <= MOST * 20


def test_another_thread_writes_too(capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    with diverted(lines.append):
        os.write(2, b"from here\n")
        writer = threading.Thread(target=os.write, args=(2, b"from a thread\n"))
        writer.start()
        writer.join()
    assert lines == ["from here", "from a thread"] and capfd.readouterr().err == ""
