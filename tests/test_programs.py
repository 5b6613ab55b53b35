"""Python, packages and the clock."""

import re
import tomllib
from pathlib import Path

import pytest

from voice import __version__
from voice.doctor import programs as looking
from voice.doctor.finding import BAD, NOTE, OK
from voice.doctor.programs import CORE, OPTIONAL, clock, imports, programs

PROJECT = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text("utf-8"))["project"]


def named(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", requirement)[0] for requirement in requirements}


def test_the_packages_are_those_that_we_ask_for() -> None:
    assert set(CORE) == named(PROJECT["dependencies"])
    extras = {extra: named(PROJECT["optional-dependencies"][extra]) for extra in set(OPTIONAL.values())}
    assert {package: extra for extra, packages in extras.items() for package in packages} == OPTIONAL
    assert extras.keys() == PROJECT["optional-dependencies"].keys() - {"all", "dev", "mcp"}


def test_all_that_is_there_is_told_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "installed", lambda package: "1.2")
    python, packages, extras, now = programs()
    assert (python.name, python.state) == ("python", OK) and f"voice {__version__}" in python.said
    assert packages.said.startswith("aiohttp 1.2, msgspec 1.2, ") and packages.state == OK
    assert extras.state == OK and "pocketsphinx 1.2" in extras.said and not extras.fix
    assert (now.name, now.state) == ("clock", OK)


def test_what_is_missing_is_told_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"msgspec", "soxr", "livekit", "pocketsphinx"}
    monkeypatch.setattr(looking, "installed", lambda package: None if package in gone else "1.2")
    _, packages, extras, _ = programs()
    assert (packages.state, packages.said, packages.fix) == (BAD, "missing: msgspec, soxr", "pip install msgspec soxr")
    assert (extras.state, extras.fix) == (NOTE, 'for more: pip install "voice[desktop,local]"')
    assert "livekit" not in extras.said


def test_a_python_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking.sys, "version_info", (3, 10, 9))
    assert next(programs()).state == BAD


@pytest.mark.parametrize(("wall_s", "state"), [(1_800_000_000, OK), (1_799_950_000, OK), (1_799_900_000, BAD), (0, BAD)])
def test_a_clock_that_is_before_the_installation_is_wrong(wall_s: float, state: str) -> None:
    finding = clock(wall_s, installed_s=1_800_000_000)
    assert finding.state == state and bool(finding.fix) == (state == BAD)


def test_a_package_that_is_not_there_has_no_version() -> None:
    assert looking.installed("no-such-package-at-all") is None
    assert looking.installed("msgspec")


def test_packages_that_cannot_be_imported_are_told_with_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert imports() is None
    (tmp_path / "half.py").write_text("raise ImportError('cannot import name x\\n from half')")
    (tmp_path / "library.py").write_text("raise OSError('cannot load library y')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(looking, "MODULES", {"good": "json", "half": "half", "library-wheels": "library", "gone": "no_such_module"})
    finding = imports()
    assert finding is not None and finding.state == BAD
    assert (
        finding.said
        == "half: cannot import name x from half; library-wheels: cannot load library y; gone: No module named 'no_such_module'"
    )
    assert finding.fix == "install again: pip install --force-reinstall half library-wheels gone"
