"""What replies needed, and what the next one waits for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.audio.arrivals import FAST_ENOUGH, KEPT, Arrivals, Needs, Past

MS = 1000
RATE_HZ = 24_000
DELTA = 2400
"""Samples of 100 ms."""


def arrived(*came_ms: int) -> Arrivals:
    """A reply of deltas of 100 ms."""
    arrivals = Arrivals(RATE_HZ, came_ms[0] * MS)
    for at_ms in came_ms:
        arrivals.add(DELTA, at_ms * MS)
    return arrivals


@pytest.mark.parametrize(
    ("came_ms", "needed_ms", "speed"),
    [
        ((0,), 0, None),
        ((0, 100, 200), 0, 1000),
        ((0, 50, 100, 150), 0, 2000),
        ((70, 103, 137, 170), 0, 3000),
        ((0, 130, 200), 30, 1000),
        ((0, 33, 66, 500, 533), 200, 750),
        ((1000, 1000, 1000), 0, FAST_ENOUGH),
        ((0, 10, 20), 0, FAST_ENOUGH),
    ],
)
def test_what_a_reply_needed_and_how_fast_it_came(came_ms: tuple[int, ...], needed_ms: int, speed: int | None) -> None:
    arrivals = arrived(*came_ms)
    assert (arrivals.needed_us, arrivals.speed()) == (needed_ms * MS, speed)
    assert arrivals.received == DELTA * len(came_ms)
    assert arrivals.age_us(came_ms[-1] * MS + 7) == (came_ms[-1] - came_ms[0]) * MS + 7


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40))
def test_a_reply_that_waits_as_long_as_it_needed_never_runs_dry_and_not_a_bit_less(gaps_ms: list[int]) -> None:
    came_ms = [sum(gaps_ms[: index + 1]) for index in range(len(gaps_ms))]
    needed_us = arrived(*came_ms).needed_us
    late_us = [(at_ms - came_ms[0] - 100 * index) * MS - needed_us for index, at_ms in enumerate(came_ms)]
    assert max(late_us) <= 0
    assert needed_us == 0 or max(late_us) == 0


def past(*needed_ms: int, quantile: int = 75, decay: int = 90, speed: int = 1000) -> Past:
    found = Past(quantile, decay)
    for value in needed_ms:
        found.add(Needs(value * MS, speed))
    return found


@pytest.mark.parametrize(
    ("needed_ms", "want_ms"),
    [
        ((), 0),
        ((200,), 200),
        ((200, 0), 200),
        ((0, 200), 200),
        ((200, 0, 0), 200),  # 0.81 of 2.71 is more than a quarter
        ((200, 0, 0, 0), 0),  # 0.73 of 3.44 is less
        ((0, 0, 0, 0, 200), 0),
        ((0, 0, 0, 200, 200), 200),
        ((100, 300, 200, 400), 400),
        ((400, 100, 300, 200), 300),
    ],
)
def test_the_next_one_waits_for_a_quantile_of_what_the_last_ones_needed(needed_ms: tuple[int, ...], want_ms: int) -> None:
    assert past(*needed_ms).needed_us == want_ms * MS


def test_the_fewer_are_known_the_more_the_next_one_may_need() -> None:
    assert [past(*[100] * count).likely_us // MS for count in (0, 1, 2, 4, 20)] == [0, 200, 150, 125, 105]
    assert past(0, 0, 0, 0, 200).likely_us == 0


def test_slow_is_what_is_hardly_faster_than_speech() -> None:
    assert [past(0, speed=speed).slow for speed in (1000, 1399, 1400, 3000)] == [True, True, False, False]
    assert past().slow is None


def test_the_quantile_and_the_decay_are_settings() -> None:
    needs = (100, 200, 300, 400)
    assert [past(*needs, quantile=percent, decay=100).needed_us // MS for percent in (25, 50, 75, 100)] == [100, 200, 300, 400]
    assert past(900, 0, 0, decay=10).needed_us == 0
    assert past(0, 0, 0, 900, decay=10).needed_us == 900 * MS


def test_what_is_long_past_is_forgotten() -> None:
    assert past(500, *[0] * (KEPT - 1), quantile=100).needed_us == 500 * MS
    assert past(500, *[0] * KEPT, quantile=100).needed_us == 0


def test_the_speed_is_a_mean_and_newer_replies_weigh_more() -> None:
    assert past().speed is None
    assert past(0, speed=1050).speed == 1050
    mixed = Past(75, 90)
    for speed in (1000, 3000):
        mixed.add(Needs(0, speed))
    assert mixed.speed == 2052  # (3000 + 0.9 * 1000) / 1.9
