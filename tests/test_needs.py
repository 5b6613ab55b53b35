"""A test that cannot run is skipped with its reason; under VOICE_TEST_ALL=1 it has failed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # two runs of pytest

ROOT = Path(__file__).resolve().parent.parent

CASES = """
import pytest
from tests.support.needs import needs, skip_without

@needs("git")
def test_runs_if_git_is_there(): pass

@pytest.mark.skipif(True, reason="no moon")
def test_marked(): raise AssertionError

def test_called(): pytest.skip("no sun")

@pytest.fixture
def star(): pytest.skip("no star")

def test_in_a_fixture(star): raise AssertionError

@pytest.mark.xfail(reason="known")
def test_known_to_fail(): raise AssertionError
"""

MODULE = """
import pytest
pytest.skip("no planet", allow_module_level=True)
"""


def run(folder: Path, everything: str) -> str:
    (folder / "test_cases.py").write_text(CASES)
    (folder / "test_module.py").write_text(MODULE)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rA",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.conftest",
        "--continue-on-collection-errors",
        str(folder),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "VOICE_TEST_ALL": everything}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60).stdout


def test_a_skip_says_why(tmp_path: Path) -> None:
    told = run(tmp_path, "0")
    assert "1 passed, 4 skipped, 1 xfailed" in told
    assert all(f"no {thing}" in told for thing in ("moon", "sun", "star", "planet"))


def test_under_test_all_a_skip_is_a_failure(tmp_path: Path) -> None:
    told = run(tmp_path, "1")
    assert "1 failed, 1 passed, 1 xfailed, 3 errors" in told
    assert all(f"no {thing}" in told for thing in ("moon", "sun", "star", "planet"))
