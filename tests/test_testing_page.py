"""docs/testing.md does what it says: its Python in a fresh project, its Node in a fresh folder, its table in the code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import needs, skip_without
from voice.testing.standing import VoiceTwin

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "testing.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def test_the_python_examples_pass(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_without("openai")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for variable in ("NOTES_OF_SESSIONS", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(variable, raising=False)
    tests = [block for block in blocks("python") if "def test_" in block]
    assert len(tests) == 2
    pytester.makefile(".ini", pytest="[pytest]\nasyncio_default_fixture_loop_scope = function\naddopts = --strict-markers\n")
    pytester.makepyfile(**{f"test_example_{n}": block for n, block in enumerate(tests)})
    pytester.runpytest_subprocess("-p", "voice.testing", "-p", "no:cacheprovider", timeout=120).assert_outcomes(passed=2)


def test_the_program_without_pytest_runs() -> None:
    (program,) = (block for block in blocks("python") if "def test_" not in block)
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1\n", told.stdout)


@needs("node")
def test_the_node_example_passes(tmp_path: Path) -> None:
    (script,), (toml,) = blocks("js"), blocks("toml")
    (tmp_path / "greeting.test.mjs").write_text(script)
    (tmp_path / "greeting.toml").write_text(toml)
    command = tmp_path / "bin" / "voice"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m voice "$@"\n')
    command.chmod(0o755)
    where = {"PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    options = ["--experimental-websocket"] if _node_major() < 22 else []
    told = subprocess.run(
        ["node", *options, "--test", "greeting.test.mjs"], cwd=tmp_path, env=os.environ | where, capture_output=True, text=True, timeout=120
    )
    assert told.returncode == 0 and "# pass 1" in told.stdout.replace("ℹ", "#"), told.stdout + told.stderr


def _node_major() -> int:
    return int(subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=20).stdout.strip("v\n").split(".")[0])


def test_the_table_names_what_there_is() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)", row)} - {"voice_twin"}
    public = {name for name in vars(VoiceTwin) if not name.startswith("_")}
    assert named == public - {"wait_for_async", "wait_ended_async"} and all(f"await {name}(" in PAGE for name in public - named)
