"""Timers of a session, in monotonic seconds that come in."""

from fractions import Fraction

from voice.engines.timers import LONGEST_S, Timer, Timers, is_in_range


def three() -> tuple[Timers, Timer, Timer, Timer]:
    timers = Timers()
    late, soon, tea = Timer(300, 310.0), Timer(5, 15.0), Timer(60, 70.0, "tea")
    for timer in (late, soon, tea):
        timers.add(timer)
    return timers, late, soon, tea


def test_the_next_one_is_first() -> None:
    timers, late, soon, tea = three()
    assert timers.all() == (soon, tea, late)
    assert timers.due_s() == 15.0
    assert Timers().due_s() is None


def test_each_is_due_once() -> None:
    timers, late, soon, tea = three()
    assert timers.take_due(14.9) == ()
    assert timers.take_due(70.0) == (soon, tea)
    assert timers.take_due(70.0) == ()
    assert timers.all() == (late,)


def test_find_by_name_and_length() -> None:
    timers, late, _, tea = three()
    assert timers.find("tea") == (tea,)
    assert timers.find("", 300) == (late,)
    assert timers.find("tea", 300) == ()
    assert len(timers.find("")) == 3


def test_two_alike_are_two() -> None:
    timers = Timers()
    one, other = Timer(5, 10.0), Timer(5, 10.0)
    timers.add(one)
    timers.add(other)
    timers.remove((one,))
    assert len(timers) == 1


def test_what_is_left_is_never_zero_before_it_is_due() -> None:
    timer = Timer(10, 20.0)
    assert [timer.left_s(now) for now in (10.0, 19.01, 19.99, 20.0, 25.0)] == [10, 1, 1, 0, 0]


def test_range() -> None:
    assert [is_in_range(Fraction(s)) for s in ("0", "0.5", "1", LONGEST_S, LONGEST_S + 1)] == [False, False, True, True, False]
