"""How long a pause may be."""

import pytest

from voice.audio.patience import PATIENCE, PAUSE_MS, Thought


@pytest.mark.parametrize("eagerness", sorted(PATIENCE))
def test_patience_grows_with_what_is_missing(eagerness: str) -> None:
    waits = [PATIENCE[eagerness].wait_ms(thought) for thought in (Thought.FINISHED, Thought.LIKELY, Thought.UNKNOWN, Thought.UNFINISHED)]
    assert PAUSE_MS < waits[0] < waits[1] < waits[2] < waits[3]
    assert waits[3] == {"high": 2000, "medium": 4000, "auto": 4000, "low": 8000}[eagerness]
