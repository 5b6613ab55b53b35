"""Items give each sample once; what was handed out is heard when it has left the loudspeaker."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voice.audio.arrivals import Arrivals
from voice.audio.pcm import Samples
from voice.audio.playing import Item, Runs, State

RATE_HZ = 24_000


def item_of(*counts: int, item_id: str = "a") -> Item:
    """An item with deltas of so many samples: 0, 1, 2, ... in all of it."""
    item = Item(item_id, Arrivals(RATE_HZ, 0))
    at = 0
    for count in counts:
        item.add(np.arange(at, at + count, dtype=np.int16), 0)
        at += count
    return item


def drawn(item: Item, limit: int) -> Samples:
    pieces = []
    while limit and item.left:
        pieces.append(item.draw(limit))
        limit -= len(pieces[-1])
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


@given(st.lists(st.integers(1, 50), max_size=20), st.lists(st.integers(1, 70), min_size=1, max_size=20))
def test_each_sample_is_drawn_once_in_order(counts: list[int], limits: list[int]) -> None:
    item = item_of(*counts)
    got = [int(value) for limit in limits for value in drawn(item, limit)]
    assert got == list(range(min(sum(counts), sum(limits))))
    assert item.played == len(got) and item.left == sum(counts) - len(got)


def test_an_item_is_finished_when_it_is_complete_and_heard() -> None:
    item = item_of(10)
    assert item.state is State.WAITING
    item.heard = 10
    assert not item.finished
    item.ended = True
    assert item.finished
    item.heard = 9
    assert not item.finished


def handed_out(runs: Runs, item: Item, out_from: int, count: int) -> None:
    drawn(item, count)
    runs.add(item, out_from, count)


def test_what_was_handed_out_is_heard_later() -> None:
    runs, item = Runs(), item_of(1000)
    handed_out(runs, item, 500, 100)
    handed_out(runs, item, 600, 100)
    for now, heard in ((500, 0), (501, 1), (650, 150), (700, 200), (9000, 200)):
        runs.settle(now)
        assert item.heard == heard
        assert runs.latest is (item if heard else None)


def test_silence_in_between_is_not_heard_as_sound() -> None:
    runs, item = Runs(), item_of(1000)
    handed_out(runs, item, 0, 100)
    handed_out(runs, item, 400, 100)
    for now, heard in ((60, 60), (100, 100), (390, 100), (400, 100), (410, 110), (500, 200)):
        runs.settle(now)
        assert item.heard == heard


def test_two_items_right_behind_each_other() -> None:
    runs, one, other = Runs(), item_of(100), item_of(100, item_id="b")
    handed_out(runs, one, 0, 100)
    handed_out(runs, other, 100, 50)
    assert runs.items() == [one, other]
    runs.settle(40)
    assert (one.heard, other.heard, runs.latest) == (40, 0, one)
    runs.settle(100)
    assert (one.heard, other.heard, runs.latest, runs.items()) == (100, 0, one, [other])
    runs.settle(101)
    assert (one.heard, other.heard, runs.latest) == (100, 1, other)
    runs.clear()
    runs.settle(1000)
    assert (other.heard, runs.latest, runs.items()) == (1, None, [])


def test_an_item_that_was_interrupted_by_another_is_named_once() -> None:
    runs, one, other = Runs(), item_of(100), item_of(100, item_id="b")
    for item, at in ((one, 0), (other, 10), (one, 20)):
        handed_out(runs, item, at, 10)
    assert runs.items() == [one, other]


def test_what_is_around_the_next_sample() -> None:
    item = item_of(100, 200)
    drawn(item, 150)
    found = item.around(60, 50)
    assert found is not None and found.tolist() == list(range(90, 200))
    assert item.around(60, 151) is None
