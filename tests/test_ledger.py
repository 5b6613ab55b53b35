"""Every captured frame is counted once, whatever happens to it."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.protocol.ledger import REASONS, FrameCount, Ledger


def count(*acts: Callable[[Ledger], None], captured_ms: int = 2000) -> FrameCount:
    ledger = Ledger()
    ledger.capture(captured_ms)
    for act in acts:
        act(ledger)
    return ledger.total()


# (what happens, committed, discarded, lost) of 100 captured frames
CASES: list[tuple[list[Callable[[Ledger], None]], int, dict[str, int], int]] = [
    ([], 0, {"silence": 100}, 0),
    ([lambda one: one.commit(200, 1000)], 40, {"silence": 60}, 0),
    ([lambda one: one.commit(200, 1000), lambda one: one.commit(1500, 2000)], 65, {"silence": 35}, 0),
    ([lambda one: one.commit(200, 1000), lambda one: one.commit(500, 1200)], 50, {"silence": 50}, 0),
    ([lambda one: one.commit(200, 1000), lambda one: one.commit(200, 1000)], 40, {"silence": 60}, 0),
    ([lambda one: one.commit(-500, 9000)], 100, {}, 0),
    ([lambda one: one.commit(210, 990)], 40, {"silence": 60}, 0),
    ([lambda one: one.commit(1000, 200)], 0, {"silence": 100}, 0),
    ([lambda one: one.discard(500, "muted")], 0, {"silence": 75, "muted": 25}, 0),
    ([lambda one: one.lose(500), lambda one: one.commit(0, 1000)], 25, {"silence": 50}, 25),
    ([lambda one: one.miss(400, 600, "bound"), lambda one: one.commit(200, 1000)], 30, {"silence": 60, "bound": 10}, 0),
    ([lambda one: one.miss(400, 600, "bound"), lambda one: one.miss(600, 800, "gated")], 0, {"silence": 80, "gated": 10, "bound": 10}, 0),
    ([lambda one: one.miss(400, 600, "bound"), lambda one: one.miss(500, 700, "bound")], 0, {"silence": 85, "bound": 15}, 0),
    ([lambda one: one.miss(900, 1100, "bound"), lambda one: one.commit(0, 1000)], 45, {"silence": 45, "bound": 10}, 0),
    (
        [*(lambda one, at=at: one.miss(at, at + 20, "muted") for at in range(400, 800, 20)), lambda one: one.commit(200, 600)],
        10,
        {"silence": 70, "muted": 20},
        0,
    ),
    (
        [lambda one: one.miss(400, 600, "muted"), lambda one: one.lose(500), lambda one: one.miss(600, 700, "muted")],
        0,
        {"silence": 65, "muted": 15},
        20,
    ),
    ([lambda one: one.commit(0, 1000), lambda one: one.miss(400, 600, "bound")], 50, {"silence": 50}, 0),
    ([lambda one: one.miss(400, 600, "bound"), lambda one: one.lose(2000)], 0, {"bound": 10}, 90),
    ([lambda one: one.miss(400, 600, "gated"), lambda one: one.miss(200, 1000, "bound")], 0, {"silence": 60, "gated": 10, "bound": 30}, 0),
    ([lambda one: one.miss(400, 600, "gated"), lambda one: one.miss(200, 300, "bound")], 0, {"silence": 85, "gated": 10, "bound": 5}, 0),
    ([lambda one: one.miss(400, 600, "gated"), lambda one: one.find(440, 500, "gated")], 0, {"silence": 93, "gated": 7}, 0),
    (
        [
            *(lambda one, at=at: one.miss(at, at + 200, "gated" if at % 400 else "muted") for at in range(0, 1_000, 200)),
            lambda one: one.find(300, 900, "gated"),
        ],
        0,
        {"silence": 65, "muted": 30, "gated": 5},
        0,
    ),
    (
        [lambda one: one.miss(400, 600, "gated"), lambda one: one.commit(0, 1000), lambda one: one.find(400, 600, "gated")],
        40,
        {"silence": 50, "gated": 10},
        0,
    ),
]


@pytest.mark.parametrize(("acts", "committed", "discarded", "lost"), CASES, ids=range(len(CASES)))
def test_where_the_frames_went(acts: list[Callable[[Ledger], None]], committed: int, discarded: dict[str, int], lost: int) -> None:
    assert count(*acts) == FrameCount(100, committed, discarded, lost)


@pytest.mark.parametrize(("ms", "frames"), [(0, 0), (1, 1), (20, 1), (21, 2), (1999, 100)])
def test_a_frame_that_was_begun_counts(ms: int, frames: int) -> None:
    assert count(captured_ms=ms).captured == frames


def test_the_rest_may_have_another_reason() -> None:
    ledger = Ledger()
    ledger.capture(200)
    ledger.commit(0, 100)
    assert ledger.total("stopped") == FrameCount(10, 5, {"stopped": 5}, 0) == ledger.total("stopped")
    ledger.capture(400)
    ledger.capture(300)
    assert ledger.total() == FrameCount(20, 5, {"silence": 15}, 0)


MS = st.integers(-100, 3000)
ACTS = st.one_of(
    st.tuples(st.just("capture"), st.integers(0, 3000)),
    st.tuples(st.sampled_from(["commit"]), MS, MS),
    st.tuples(st.just("miss"), MS, MS, st.sampled_from(REASONS)),
    st.tuples(st.just("discard"), MS, st.sampled_from(REASONS)),
    st.tuples(st.just("lose"), MS),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(ACTS, max_size=30))
def test_the_sums_always_agree(acts: list[tuple[object, ...]]) -> None:
    ledger, before = Ledger(), FrameCount(0, 0, {}, 0)
    for name, *arguments in acts:
        getattr(ledger, str(name))(*arguments)
        now = ledger.total()
        assert now.captured == now.committed + sum(now.discarded.values()) + now.lost
        assert min([now.committed, now.lost, *now.discarded.values()]) >= 0
        assert now.captured >= before.captured and now.committed >= before.committed and now.lost >= before.lost
        before = now
