"""The count of silence after an answer, as a table of what happens and what is told."""

import pytest

from voice.protocol.idle import Idle, Step

# (what happens, at): "done" is an answer of 1500 ms with a timeout of 5000 ms. Then what the tick at that time tells.
STORIES: list[list[tuple[str, float, list[Step]]]] = [
    [("", 1.0, []), ("", 1e6, [])],
    [("done", 2.0, []), ("", 3.49, []), ("", 3.5, [Step.LISTEN]), ("", 8.49, []), ("", 8.5, [Step.TIMEOUT]), ("", 99.0, [])],
    [("done", 2.0, []), ("", 99.0, [Step.LISTEN, Step.TIMEOUT]), ("", 199.0, [])],
    [("done", 2.0, []), ("off", 3.0, []), ("", 99.0, [])],
    [("done", 2.0, []), ("", 4.0, [Step.LISTEN]), ("off", 5.0, []), ("", 99.0, [])],
    [("done", 2.0, []), ("", 4.0, [Step.LISTEN]), ("done", 5.0, []), ("", 6.5, [Step.LISTEN]), ("", 11.4, []), ("", 11.5, [Step.TIMEOUT])],
    [("done", 2.0, []), ("", 8.5, [Step.LISTEN, Step.TIMEOUT]), ("done", 9.0, []), ("", 15.5, [Step.LISTEN, Step.TIMEOUT])],
]


def steps(idle: Idle, now: float) -> list[Step]:
    told = []
    while (step := idle.tick(now)) is not None:
        told.append(step)
    return told


@pytest.mark.parametrize("story", STORIES)
def test_the_count(story: list[tuple[str, float, list[Step]]]) -> None:
    idle = Idle()
    for act, now, want in story:
        if act == "done":
            idle.answered(sound_ms=1500, timeout_ms=5000)
            assert idle.deadline() == 0.0, "the count begins with a tick, which is wanted at once"
        elif act == "off":
            idle.off()
        assert steps(idle, now) == want, (act, now)
        deadline = idle.deadline()
        assert deadline is None or deadline > now, "who ticks at the deadline ticks no more often than that"


def test_an_answer_without_sound_has_been_played_at_once() -> None:
    idle = Idle()
    idle.answered(0, 500)
    assert steps(idle, 10.0) == [Step.LISTEN] and idle.deadline() == 10.5
