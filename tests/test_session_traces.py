"""The traces that the Python client and the page's client both run: see tests/support/session_trace.py and tests/web/session.test.mjs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.session_scripts import SCRIPTED
from tests.support.session_trace import FIXTURES, run
from voice.policy import retry
from voice.policy.retry import RetrySettings

TRACES = sorted((FIXTURES / "traces").glob("session-*.jsonl"))
WEB = FIXTURES.parent / "web"


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_the_client_does_what_the_trace_says(path: Path) -> None:
    assert list(run(lines_of(path))) == lines_of(path)


def test_every_script_is_a_trace_and_real_runs_are_too() -> None:
    names = {path.stem.removeprefix("session-") for path in TRACES}
    assert names >= {*SCRIPTED, "typed", "spoken", "interrupted"}
    for name, steps in SCRIPTED.items():
        told = [line for line in lines_of(FIXTURES / "traces" / f"session-{name}.jsonl") if line["dir"] in ("do", "down")]
        assert told == steps


@pytest.mark.parametrize(
    ("name", "sound", "typed"),
    [("typed", True, ["what is seven times eight", "7 곱하기 8은?"]), ("spoken", True, ["thank you"]), ("interrupted", True, [])],
)
def test_real_runs_hold_what_they_are_for(name: str, sound: bool, typed: list[str]) -> None:
    lines = lines_of(FIXTURES / "traces" / f"session-{name}.jsonl")
    said = [line["event"]["text"] for line in lines if line["dir"] == "do" and line["event"]["do"] == "say"]
    notes = {line["event"][0] for line in lines if line["dir"] == "note"}
    kinds = {line["event"]["type"] for line in lines if line["dir"] == "up"}
    assert set(typed) <= set(said)
    assert ("ReplyAudio" in notes) == sound
    assert ("SpeechEnded" in notes) == (name == "spoken") == ("input_audio_buffer.append" in kinds)
    assert ("conversation.item.truncate" in kinds) == (name == "interrupted")


def numbers(script: str, name: str) -> set[int]:
    """The numbers of a set in the page's script."""
    found = re.search(rf"{name} = new Set\(\[([^\]]*)\]", script)
    assert found
    return {int(number) for number in re.findall(r"\d+", found[1])}


def test_the_page_dials_again_as_python_does() -> None:
    script = (WEB / "retry.js").read_text()
    assert numbers(script, "RETRIED_CLOSES") == retry.RETRIED_CLOSES
    assert numbers(script, "FINAL_CLOSES") == retry.FINAL_CLOSES
    codes = re.search(r"FINAL_CODES = new Set\(\[([^\]]*)\]", script)
    assert codes and set(re.findall(r'"(\w+)"', codes[1])) == retry.FINAL_CODES
    settings = RetrySettings()
    for name, value in [
        ("FIRST_MS", settings.first_s * 1000),
        ("CAP_MS", settings.cap_s * 1000),
        ("TRIES", settings.tries),
        ("STABLE_MS", settings.stable_s * 1000),
        ("LONGEST_WAIT_MS", settings.longest_wait_s * 1000),
    ]:
        found = re.search(rf"export const {name} = ([\d_]+);", script)
        assert found and int(found[1]) == value, name
