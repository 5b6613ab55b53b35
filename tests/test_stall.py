"""Time in the place of sound, as a table of what happens and what is told."""

import pytest

from voice.protocol.stall import LATE_S, Stall

# (what happens, now, the silence that is left, whether the turn is over, the deadline behind it); sound comes just before its tick.
STORIES: list[list[tuple[str, float, int | None, bool, float | None]]] = [
    [("", 1.0, None, False, None), ("sound", 1e6, None, False, None)],
    [("sound", 2.0, 500, False, 2.5 + LATE_S), ("", 3.49, 500, False, 3.5), ("", 3.5, 500, True, None)],
    [("sound", 2.0, 500, False, 3.5), ("sound", 3.4, 400, False, 4.8), ("", 4.8, 400, True, None)],
    # What is late is sound that comes before its tick is called.
    [("sound", 2.0, 500, False, 3.5), ("sound", 9.0, 400, False, 10.4)],
    # Somebody thought about it for 5 s: the time counts, and what is late may still come.
    [("sound", 2.0, None, False, None), ("", 7.0, 300, False, 8.0), ("", 8.0, 300, True, None)],
    [("sound", 2.0, 500, False, 3.5), ("", 3.0, None, False, None), ("", 9.0, None, False, None)],
]


@pytest.mark.parametrize("story", STORIES)
def test_the_count(story: list[tuple[str, float, int | None, bool, float | None]]) -> None:
    stall = Stall()
    for act, now, left_ms, over, deadline in story:
        if act == "sound":
            stall.sound()
        assert (stall.tick(now, left_ms), stall.deadline()) == (over, pytest.approx(deadline)), (act, now)
