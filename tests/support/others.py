"""Other makers' clients: an environment for each, as its users would install it, and a run of its script against a real server.

Environments are made once, under `.venv-clients`, which git does not see; `tests/clients/` has the scripts, and `mic.py` there says what a
script is told and what it tells.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "tests" / "clients"
HOMES = ROOT / ".venv-clients"
INSTALL_S, TALK_S = 600, 300

MONTHS = "January, February, March, April, May, June, July, August, September, October, November, December"
NUMBERS = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen, fifteen, sixteen"
LONG = f"{MONTHS}. Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday. {NUMBERS}."
"""More than 20 s of speech, each word another one, so that what is left of it says where it was cut."""
TEXTS = {"text": "what is two plus two", "long": f"repeat after me: {LONG}"}
SPOKEN = {"voice": "what is seven times eight", "manual": "what is nine minus four", "barge": "please say that again"}


def python_of(name: str, packages: tuple[str, ...]) -> Path:
    """The Python of an environment that has these packages. Skips where they cannot be installed."""
    folder = HOMES / name
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    made(folder, packages, [[sys.executable, "-m", "venv", str(folder)], install])
    return python


def node_scripts(name: str, packages: tuple[str, ...]) -> Path:
    """A folder with these packages and our scripts, which find them there. Skips where they cannot be installed."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: apt-get install nodejs npm")
    folder = HOMES / name
    made(folder, packages, [["npm", "install", "--prefix", str(folder), "--silent", "--no-audit", "--no-fund", *packages]])
    for script in SCRIPTS.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


def made(folder: Path, packages: tuple[str, ...], commands: list[list[str]]) -> None:
    """Runs the commands, unless they have put these packages there before. Skips where one of them fails."""
    stamp = folder / "packages.json"
    if stamp.is_file() and stamp.read_text() == json.dumps(packages):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S)
        if done.returncode:
            pytest.skip(f"cannot install {packages} (is there a network?): {(done.stderr + done.stdout).strip()[-400:]}")
    stamp.write_text(json.dumps(packages))


async def told(command: list[str], orders: dict[str, Any], home: Path) -> dict[str, Any]:
    """Run a client's script with its orders; returns what it says."""
    place = {"PATH": os.environ["PATH"], "HOME": str(home), "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    if cafile := orders.get("cafile"):
        place["NODE_EXTRA_CA_CERTS"] = cafile
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*command, json.dumps(orders), env=place, **pipes)
    try:
        async with asyncio.timeout(TALK_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, (out + err).decode()[-3000:]
    result: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return result
