"""The command line: exit codes, sentences, what goes to stdout and what does not."""

import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.wire import fake_engine
from voice import __version__
from voice.cli import main
from voice.commands import replay, serve
from voice.engines import local
from voice.engines.local import LocalEngine, LocalOptions
from voice.errors import MissingError, WorkerDied

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def fake_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """No child processes, but where a test starts the real command."""

    @asynccontextmanager
    async def engine(options: LocalOptions | None = None) -> AsyncIterator[LocalEngine]:
        yield fake_engine()

    monkeypatch.setattr(local, "local_engine", engine)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["sing"], "invalid choice: 'sing'"),
        (["serve", "--port", "65536"], "'65536' is not a port: 0 to 65535"),
        (["serve", "--port", "-1"], "port"),
        (["serve", "--life", "0"], "'0' is not a number of seconds above 0"),
        (["serve", "--life", "nan"], "'nan' is not a number of seconds above 0"),
        (["serve", "--max-sessions", "0"], "'0' is not a whole number above 0"),
        (["serve", "--engine", "other"], "invalid choice: 'other'"),
        (["replay"], "the following arguments are required: WAV"),
        (["replay", "--at", "noon", "a.wav"], "'noon' is not a time like 2026-11-20T10:00"),
    ],
)
def test_a_line_that_is_not_understood_is_2(line: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as told:
        main(line)
    out, err = capsys.readouterr()
    assert told.value.code == 2 and says in err and not out


@pytest.mark.parametrize(
    ("failure", "code", "says"),
    [
        (MissingError("no server"), 69, "voice: no server\n"),
        (WorkerDied("a model died"), 1, "voice: a model died\n"),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [MissingError("deep inside")])]), 69, "voice: deep inside\n"),
        (MissingError("from \x1b]52;outside\x07\n"), 69, "voice: from  ]52;outside  \n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [BrokenPipeError()])]), 0, ""),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "voice: cannot write: No space left on device\n"),
        (ExceptionGroup("tasks", [OSError(errno.ENOSPC, "No space left")]), 1, "voice: cannot write: No space left\n"),
    ],
)
def test_each_failure_has_its_code_and_one_line(
    failure: BaseException, code: int, says: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(options: object) -> int:
        raise failure

    monkeypatch.setattr(replay, "run", fail)
    stdout = os.dup(1)
    try:
        assert main(["replay", "a.wav"]) == code
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
    assert capfd.readouterr().err == says


def test_ctrl_c_in_the_middle_of_an_import_is_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(options: object) -> int:
        try:
            raise KeyboardInterrupt
        except NotYetImported:  # type: ignore[name-defined]  # noqa: F821
            return 0

    monkeypatch.setattr(replay, "run", fail)
    assert main(["replay", "a.wav"]) == 130
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_ends_a_server_that_is_still_starting_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(serve, "run", fail)
    assert main(["serve"]) == 0


@pytest.mark.parametrize("bug", [NameError("a bug"), ImportError("a bug"), OSError(errno.EBADF, "a bug")])
def test_a_bug_that_looks_like_another_end_is_not_dressed_up_either(bug: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(options: object) -> int:
        raise bug

    monkeypatch.setattr(replay, "run", fail)
    with pytest.raises(type(bug), match="a bug"):
        main(["replay", "a.wav"])


def test_a_bug_is_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(options: object) -> int:
        raise ExceptionGroup("tasks", [ZeroDivisionError("a bug")])

    monkeypatch.setattr(replay, "run", fail)
    with pytest.RaisesGroup(ZeroDivisionError):
        main(["replay", "a.wav"])


def test_the_version_and_the_help_name_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    for line in (["--version"], ["--help"]):
        with pytest.raises(SystemExit) as told:
            main(line)
        assert told.value.code == 0
    out = capsys.readouterr().out
    assert f"voice {__version__}\n" in out and "serve" in out and "replay" in out
