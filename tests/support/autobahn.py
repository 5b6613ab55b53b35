"""Autobahn's test suite for WebSockets, which needs Python 2.7: where one is found, and how the suite is run."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.others import HOMES, made

SUITE = ("autobahntestsuite==25.10.1",)
GROUPS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*", "12.1.1", "13.1.1"]
"""All but most of 12 and 13, which are about compression: neither end of ours offers it or takes it. One of each shows that."""
RUN_S = 240
_START = "import site, sys; site.addsitedir(sys.argv.pop(1)); from autobahntestsuite.wstest import run; run()"


def _candidates() -> Iterator[str]:
    """What may be a Python 2.7: the one that was named, the one on the path, those of pyenv."""
    if named := os.environ.get("PYTHON27"):
        yield named
        return
    yield "python2.7"
    if shutil.which("pyenv"):
        for version in _says(["pyenv", "versions", "--bare"]).split():
            if version.startswith("2.7"):
                yield str(Path(_says(["pyenv", "prefix", version]).strip()) / "bin" / "python2.7")


def _says(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
    except OSError:
        return ""


def python27() -> str:
    """A Python 2.7 that runs; skips where there is none."""
    for candidate in _candidates():
        if _says([candidate, "-c", "import sys; print(sys.version_info[:2] == (2, 7))"]).strip() == "True":
            return candidate
    pytest.skip("needs Python 2.7 for Autobahn's test suite: install one, and name it in PYTHON27 if it is not found")


def command(mode: str, spec: Path) -> list[str]:
    """Runs the suite, which is installed where it is not yet."""
    python, folder = python27(), HOMES / "autobahn"
    packages = folder / "packages"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(packages), *SUITE]
    made(folder, SUITE, [install])
    return [python, "-c", _START, str(packages), "--mode", mode, "--spec", str(spec), "--webport", "0"]


@asynccontextmanager
async def running(mode: str, folder: Path, **spec: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """The suite, with its reports in `folder`; ended with the block."""
    file = folder / "spec.json"
    everything = {"cases": GROUPS, "exclude-cases": [], "exclude-agent-cases": {}, "outdir": str(folder / "reports")}
    file.write_text(json.dumps({**everything, **spec}))
    with (folder / "suite.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(*command(mode, file), cwd=folder, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def failures(folder: Path) -> tuple[int, dict[str, Any]]:
    """How many cases were run, and those that went wrong: number -> (behaviour, behaviour at the close)."""
    ((_, cases),) = json.loads((folder / "reports" / "index.json").read_text()).items()
    verdicts = {number: (case["behavior"], case["behaviorClose"]) for number, case in cases.items()}
    return len(cases), {number: verdict for number, verdict in verdicts.items() if not set(verdict) <= _fine(number)}


def _fine(number: str) -> set[str]:
    fine = {"OK", "NON-STRICT", "INFORMATIONAL"}
    return fine | {"UNIMPLEMENTED"} if number.startswith(("12.", "13.")) else fine
