"""The shop in a terminal: what is asked, what is answered, and what is said when nothing is."""

import asyncio
import io

import pytest

import voice
from examples.shop.__main__ import typed

SCRIPT = """
[[reply]]
say = "It is on its way."

[[reply]]
status = "failed"
error = { code = "insufficient_quota", message = "Quota exceeded." }
"""
FAULTS = """
[[fault]]
do = "close"
code = 1011
reason = "overloaded"
on = { event = "response.create", index = 2 }

[[fault]]
do = "refuse"
status = 403
session = 2
"""


@pytest.mark.slow
async def test_what_goes_wrong_is_said_and_nothing_is_asked_behind_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Where is it?\nSure?\nAnd now?\nStill there?\n\n"))
    async with asyncio.timeout(60), voice.twin(SCRIPT, faults=FAULTS) as twin:
        await typed(twin.address, "any")
    told = capsys.readouterr()
    assert told.out == "It is on its way.\n"
    begin, failed, ended = told.err.splitlines()
    assert begin.startswith("Type, for example") and failed.startswith("No answer: ")
    assert ended.startswith("The session has ended: ")
