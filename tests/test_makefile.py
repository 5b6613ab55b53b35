"""The Makefile and its script: sentences where something is missing, no second set-up, Ctrl-C that ends in order."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.needs import needs

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 60

# Stands in for `voice`: waits for the signal that ends it and tells which one it was. A shell starts it: `#!` cannot name a Python whose
# path has a space in it, as that of a checkout may have. To the shell the second line is a command, to Python a string.
SERVER = """#!/bin/sh
'''exec' "{python}" "$0" "$@" # '''
import signal, sys
waited_for = {{signal.SIGINT, signal.SIGTERM}}
signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
print("got", *sys.argv[1:], flush=True)
print("ended by", signal.Signals(signal.sigwait(waited_for)).name, flush=True)
"""

pytestmark = needs("make")


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A virtual environment as the set-up leaves it behind, with a server that only waits."""
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    server = folder / "bin" / "voice"
    server.write_text(SERVER.format(python=sys.executable))
    server.chmod(0o755)
    for stamp in (".run", ".dev"):
        shutil.copy(ROOT / "pyproject.toml", folder / stamp)
    return folder


def surroundings() -> dict[str, str]:
    """The environment without what a make around the tests has put there."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "VENV", "PYTHON"))}


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, env=surroundings(), capture_output=True, text=True, timeout=TIMEOUT_S)


def test_help_names_every_target() -> None:
    told = make().stdout
    targets = (ROOT / "Makefile").read_text().split(".PHONY:")[1].split("\n")[0].split()
    assert {"run", "test", "check", "bench", "conformance"} <= set(targets)
    assert all(f"make {target}" in told for target in targets if target != "help")


def test_an_old_python_gets_a_sentence(tmp_path: Path) -> None:
    done = make("run", f"VENV={tmp_path / 'venv'}", "PYTHON=false")
    assert done.returncode == 2 and not (tmp_path / "venv").exists()
    assert "voice needs Python 3.11 or newer, and 'false' is not: make PYTHON=python3.12 run" in done.stderr


@pytest.mark.parametrize("stamp", [".run", ".dev"])
def test_a_newer_date_alone_installs_nothing(venv: Path, stamp: str) -> None:
    os.utime(venv / stamp, (0, 0))
    assert make(str(venv / stamp), f"VENV={venv}", "PYTHON=false").returncode == 0


def test_what_the_tests_set_up_is_enough_to_run(venv: Path) -> None:
    (venv / ".run").unlink()
    assert make(str(venv / ".run"), f"VENV={venv}", "PYTHON=false").returncode == 0
    assert (venv / ".run").read_bytes() == (ROOT / "pyproject.toml").read_bytes()


@pytest.mark.parametrize("stamp", [".run", ".dev"])
def test_other_settings_are_set_up_again(venv: Path, stamp: str) -> None:
    for name in (".run", ".dev"):
        (venv / name).write_text("of another version")
        os.utime(venv / name, (0, 0))
    assert "voice needs Python" in make(str(venv / stamp), f"VENV={venv}", "PYTHON=false").stderr


@contextmanager
def running(venv: Path, tail: str, stdin: int, stdout: int) -> Iterator[subprocess.Popen[bytes]]:
    """`make run` as the leader of a session; `tail` redirects, which makes a terminal its own."""
    script = f'exec make run VENV="$1" PORT=4321 {tail}'
    command = ["sh", "-c", script, "sh", str(venv)]
    with subprocess.Popen(
        command, cwd=ROOT, env=surroundings(), stdin=stdin, stdout=stdout, stderr=stdout, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def read_until(descriptor: int, wanted: str) -> str:
    """What is written up to `wanted` and the end of its line."""
    told = ""
    while wanted not in told or not told.endswith("\n"):
        ready, _, _ = select.select([descriptor], [], [], TIMEOUT_S)
        if not ready or not (more := os.read(descriptor, 1000)):
            raise AssertionError(f"{wanted!r} is not in {told!r}")
        told += more.decode()
    return told


@pytest.mark.skipif(sys.platform != "linux", reason="a terminal is made one's own by opening it on Linux only")
def test_ctrl_c_on_a_terminal_ends_in_order_and_with_0(venv: Path) -> None:
    ours, theirs = pty.openpty()
    name = os.ttyname(theirs)
    with running(venv, f"<{name}", theirs, theirs) as process:
        told = read_until(ours, "got serve --host 127.0.0.1 --port 4321")
        os.write(ours, b"\x03")
        told += read_until(ours, "ended by SIGINT")
        assert process.wait(TIMEOUT_S) == 0
    os.close(theirs)
    with suppress(OSError):  # how Linux tells that nobody has the terminal open any more
        told += os.read(ours, 1000).decode()
    os.close(ours)
    assert "make" not in told


def test_sigterm_to_make_ends_the_server(venv: Path) -> None:
    with running(venv, "", subprocess.DEVNULL, subprocess.PIPE) as process:
        assert process.stdout is not None
        read_until(process.stdout.fileno(), "got serve")
        process.terminate()
        read_until(process.stdout.fileno(), "ended by SIGTERM")


def script_with(tmp_path: Path, status: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/test-packages where dpkg-query says `status` of every package, and apt-get only tells what it is asked."""
    programs = {"dpkg-query": f"echo '{status}'", "apt-get": 'echo "apt-get $*" >&2', "id": "echo ${USER_ID:-1000}"}
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if name != "VOICE_TEST_ALL"}
    path = f"{tmp_path}:{os.environ['PATH']}"
    command = [ROOT / "scripts" / "test-packages"]
    return subprocess.run(command, env={**clean, "PATH": path, **environment}, capture_output=True, text=True, timeout=TIMEOUT_S)


def test_installed_packages_are_left_alone(tmp_path: Path) -> None:
    done = script_with(tmp_path, "install ok installed", VOICE_TEST_ALL="1", USER_ID="0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("environment", [{}, {"USER_ID": "0"}, {"VOICE_TEST_ALL": "1"}])
def test_missing_packages_are_told_unless_asked_for_as_root(tmp_path: Path, environment: dict[str, str]) -> None:
    done = script_with(tmp_path, "unknown ok not-installed", **environment)
    assert done.returncode == 0 and "apt-get update && sudo apt-get install --no-install-recommends" in done.stderr
    assert "flite" in done.stderr and "\napt-get" not in done.stderr


def test_missing_packages_are_installed_for_root(tmp_path: Path) -> None:
    done = script_with(tmp_path, "deinstall ok config-files", VOICE_TEST_ALL="1", USER_ID="0")
    lines = done.stderr.splitlines()
    assert done.returncode == 0 and lines[1] == "apt-get update -qq" and lines[2].startswith("apt-get install -y")
    assert "pocketsphinx-testdata" in lines[2]
