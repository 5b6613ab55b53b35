"""When an item begins to sound."""

import numpy as np
import pytest

from voice.audio.arrivals import Arrivals
from voice.audio.playing import Item, State
from voice.audio.starting import Starting
from voice.audio.tuning import JitterSettings

RATE_HZ = 1000
"""A sample is a ms."""
TAKE = 10


def item_of(*came_ms: int, delta_ms: int = 100) -> Item:
    """An item whose deltas came at these times."""
    item = Item("a", Arrivals(RATE_HZ, came_ms[0] * 1000))
    for now_ms in came_ms:
        item.add(np.zeros(delta_ms, np.int16), now_ms * 1000)
    return item


def starting(*pasts: tuple[int, ...]) -> Starting:
    """One that has seen replies arrive."""
    found = Starting(JitterSettings(learn_ms=0), RATE_HZ)
    for came_ms in pasts:
        found.end(item_of(*came_ms))
    return found


def test_without_a_past_the_first_delta_starts() -> None:
    assert starting().may_start(item_of(0), TAKE, 0)


@pytest.mark.parametrize(("now_ms", "wanted"), [(0, False), (149, False), (150, True)])
def test_it_waits_for_what_the_last_one_needed(now_ms: int, wanted: bool) -> None:
    """The last one came fast, but for a delta that was 150 ms late."""
    past = (0, 30, 60, 450, 480, 500)
    assert starting(past).may_start(item_of(0), TAKE, now_ms * 1000) is wanted


def test_a_reply_is_learned_once() -> None:
    once, twice = starting((0, 100, 400)), starting((0, 100, 400))
    late = item_of(0, 900)
    for _ in range(5):
        twice.end(late)
    once.end(item_of(0, 900))
    for now_ms in range(0, 600, 10):
        assert once.may_start(item_of(0), TAKE, now_ms * 1000) == twice.may_start(item_of(0), TAKE, now_ms * 1000)


def test_what_ran_dry_goes_on_with_enough_or_with_the_rest() -> None:
    item, rule = item_of(0), starting()
    item.state = State.DRY
    assert not rule.may_start(item, TAKE, 1000)
    item.add(np.zeros(20, np.int16), 0)
    assert rule.may_start(item, TAKE, 1000) and not rule.may_start(item, 200, 1000)
    item.draw(50)
    assert not rule.may_start(item, TAKE, 1000)
    rule.end(item)
    assert rule.may_start(item, TAKE, 1000)
