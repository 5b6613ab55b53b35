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


FAST = (0, 10, 20, 350, 351, 352)
"""Deltas of 100 ms, one of which was 50 ms late."""
SLOW = (0, 100, 200, 350, 400, 500)
"""The same at the speed of speech."""


@pytest.mark.parametrize(
    ("pasts", "waits_ms"),
    [
        ([FAST], 100),  # one reply says little: twice what it needed
        ([FAST, FAST], 75),
        ([FAST] * 10, 55),
        ([FAST, (0, 10, 20, 30, 40, 50)], 75),
        ([(0, 10, 20, 30, 40, 50)], 0),
    ],
)
def test_it_waits_for_what_the_next_may_need(pasts: list[tuple[int, ...]], waits_ms: int) -> None:
    rule, item = starting(*pasts), item_of(0, delta_ms=50)
    assert [now_ms for now_ms in range(200) if rule.may_start(item, TAKE, now_ms * 1000)][0] == waits_ms


def test_on_a_slow_link_for_half_of_it_and_at_least_a_little() -> None:
    late = (0, 100, 200, 600, 650, 700)
    for past, waits_ms in ((SLOW, 100), (late, 250)):
        rule, item = starting(past), item_of(0, 0, delta_ms=50)
        assert [now_ms for now_ms in range(500) if rule.may_start(item, TAKE, now_ms * 1000)][0] == waits_ms


def test_who_is_far_ahead_need_not_wait() -> None:
    assert starting(FAST).may_start(item_of(0, delta_ms=120), TAKE, 0)
    assert not starting(FAST).may_start(item_of(0, delta_ms=119), TAKE, 0)


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
