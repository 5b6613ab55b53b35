"""What is seen of a card, look by look, and what is done about it."""

import pytest

from voice.devices.watch import (
    ALL_LOOKS,
    ALONE_LOOKS,
    FIRST_LOOKS,
    LATE_LOOKS,
    STABLE_LOOKS,
    STALE_S,
    STILL_LOOKS,
    LineWatch,
    Plan,
    Step,
    Trouble,
)


def seen(looks: str) -> list[str]:
    """`c` callbacks came, `.` none came, `l` they came with old sound, `e` the stream has ended. What was wrong, each time."""
    watch, calls, found = LineWatch(), 0, []
    for look in looks:
        calls += look in "cl"
        trouble = watch.look(calls, look == "e", STALE_S * 1.5 if look == "l" else 0.02)
        found.append(trouble.value if trouble is not None else "")
    return found


@pytest.mark.parametrize(
    ("looks", "last"),
    [
        ("c" * 200, ""),
        ("c" + "." * STILL_LOOKS, ""),
        ("c" + "." * (STILL_LOOKS + 1), "still"),
        ("." * FIRST_LOOKS, ""),
        ("." * (FIRST_LOOKS + 1), "still"),
        ("." * (FIRST_LOOKS - 1) + "c" + "." * STILL_LOOKS, ""),
        ("c....." * 20 + "c", ""),
        ("cccce", "ended"),
        ("e", "ended"),
        ("c" + "l" * (LATE_LOOKS - 1), ""),
        ("c" + "l" * LATE_LOOKS, "late"),
        ("llcllcllc", ""),
    ],
)
def test_what_is_wrong_with_a_stream(looks: str, last: str) -> None:
    *before, after = seen(looks)
    assert after == last and not any(before)


def planned(looks: str, playing: bool = False) -> str:
    """`o` all is well, `x` something is wrong, `-` nothing is open, `m` one of two is missing. What is done: A(ll), a(lone) or nothing."""
    plan, done = Plan(), ""
    for look in looks:
        step = plan.look(look == "x", 0 if look == "-" else 1, 1 if look in "m-" else 0, playing)
        done += {Step.ALL: "A", Step.ALONE: "a", Step.NONE: "."}[step]
        if step is Step.ALL:
            plan.opened()
    return done


@pytest.mark.parametrize(
    ("looks", "done"),
    [
        ("o" * 300, "." * 300),
        ("ooxoooo", "..A...."),
        ("x" + "-" * 40, "A" + "...A" + ".........." + "A" + "." * 20 + "A" + "." * 4),
        ("xoooox", "A....A"),
        ("xx", "A."),
        ("x-x-x-", "A...A."),
    ],
)
def test_what_is_done_about_it(looks: str, done: str) -> None:
    assert planned(looks) == done


def test_it_is_never_given_up_and_never_hurried() -> None:
    done = planned("-" * 10_000)
    assert done.count("A") == 4 + (10_000 - len("A...A..........A....................A")) // 21


def test_a_card_that_was_well_for_long_enough_has_no_past() -> None:
    stumbling = planned("xo" * 3 + "x")
    assert stumbling == "A.....A"[: len(stumbling)] or stumbling.count("A") == 2
    assert planned("x" + "o" * STABLE_LOOKS + "xo").endswith("A.")
    assert planned("x" * 60 + "o" * STABLE_LOOKS + "x").endswith("A"), "at once again"


def test_what_is_missing_beside_another_is_tried_alone_and_ever_more_rarely_with_everything() -> None:
    alone = "." * (ALONE_LOOKS - 1) + "a"
    done = planned("m" * 2_000)
    assert done.startswith(alone * (ALL_LOOKS[0] // ALONE_LOOKS - 1) + "." * (ALONE_LOOKS - 1) + "A")
    assert [len(piece) + 1 for piece in done.split("A")[:-1]] == [*ALL_LOOKS, ALL_LOOKS[-1]]
    assert "A" not in planned("m" * 2_000, playing=True), "not while something is played"
    assert planned("m" * 300 + "o" + "m" * (ALL_LOOKS[0] - 1)).endswith("A"), "it was there: from the beginning"


def test_troubles_are_told_apart() -> None:
    assert {trouble.value for trouble in Trouble} == {"ended", "still", "late", "slept"}
