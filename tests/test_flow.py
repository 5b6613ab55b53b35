"""Events on their way: who goes first when some are late, held back or stuck."""

import math
from collections.abc import Callable

import pytest

from voice.policy import flow as flowing
from voice.policy.flow import Flow


def new() -> Flow[str]:
    return Flow(str)


def taken(flow: Flow[str], now: float) -> list[str]:
    flow.pass_time(now)
    return flow.take()


# "a1 b2 ..": events put in this order, the letter is the type; what is sent. A "-" in front: it is held for the next of its type.
SWAPS = [
    ("a1 a2 a3", "a1 a2 a3"),
    ("-a1 a2 a3", "a2 a1 a3"),
    ("-a1 b2 b3 a4", "b2 b3 a4 a1"),
    ("-a1 -b2 a3 b4", "a3 a1 b4 b2"),
    ("-a1 b2 response.done", "b2 response.done a1"),
    ("-a1 -b2 response.done a3", "response.done a1 b2 a3"),
    ("-a1 b2", "b2"),
]


def events(flow: Flow[str], row: str, hold: int | None = None) -> None:
    for word in row.split():
        name = word.removeprefix("-")
        kind = name if name.startswith("response") else name[0]
        if word.startswith("-"):
            flow.hold(name, kind, hold, 0.0)
        else:
            flow.put(name, kind, 0.0)


@pytest.mark.parametrize(("row", "sent"), SWAPS)
def test_an_event_that_is_held_comes_behind_the_next_of_its_type(row: str, sent: str) -> None:
    flow = new()
    events(flow, row)
    assert taken(flow, 0.0) == sent.split()


@pytest.mark.parametrize(
    ("row", "count", "sent"),
    [("-a1 b2 b3 b4", 1, "b2 a1 b3 b4"), ("-a1 b2 b3 b4", 3, "b2 b3 b4 a1"), ("-a1 -a2 b3 b4", 2, "b3 b4 a1 a2"), ("-a1 b2", 2, "b2")],
)
def test_an_event_that_is_held_comes_behind_so_many(row: str, count: int, sent: str) -> None:
    flow = new()
    events(flow, row, count)
    assert taken(flow, 0.0) == sent.split()


def test_what_nothing_came_for_goes_out_at_the_end() -> None:
    flow = new()
    events(flow, "-a1 b2")
    flow.late("c3", "c", 9.0)
    flow.late("c4", "c", 8.0)
    assert flow.rest() == ["b2", "a1", "c4", "c3"]
    assert flow.rest() == [] and flow.deadline() is None and not flow.crowded


def test_what_nothing_comes_for_is_not_held_for_ever() -> None:
    flow = new()
    flow.hold("a1", "a", None, 5.0)
    flow.hold("b2", "b", 9, 5.5)
    assert flow.deadline() == 5.0 + flowing.LONGEST_HOLD_S == 10.0
    assert taken(flow, 9.9) == [] and taken(flow, 10.0) == ["a1"]
    flow.silence(11.0)
    assert taken(flow, 10.5) == [] and taken(flow, 11.0) == ["b2"] and flow.deadline() is None


def test_late_events_come_at_their_time_and_others_go_on() -> None:
    flow = new()
    flow.late("a1", "a", 2.0)
    flow.late("a2", "a", 1.0)
    flow.late("a3", "a", 2.0)
    flow.put("b", "b", 0.0)
    assert taken(flow, 0.0) == ["b"] and flow.deadline() == 1.0
    assert taken(flow, 0.999) == []
    assert taken(flow, 1.0) == ["a2"] and flow.deadline() == 2.0
    assert taken(flow, 5.0) == ["a1", "a3"] and flow.deadline() is None


def test_a_stall_keeps_the_order_and_asks_for_patience() -> None:
    flow = new()
    flow.put("1", "a", 0.0)
    flow.silence(3.0)
    assert not flow.crowded
    flow.put("2", "a", 1.0)
    flow.late("3", "a", 2.0)
    assert flow.crowded and taken(flow, 2.5) == ["1"] and flow.deadline() == 3.0
    flow.frame("garbage")
    assert taken(flow, 2.6) == ["garbage"]
    flow.put("4", "a", 3.5)
    assert taken(flow, 3.5) == ["2", "3", "4"] and not flow.crowded and flow.deadline() is None
    flow.put("5", "a", 3.6)
    assert taken(flow, 3.6) == ["5"]


@pytest.mark.parametrize("until", [math.inf, 5.0])
def test_a_shorter_stall_does_not_end_a_longer_one(until: float) -> None:
    flow = new()
    flow.silence(until)
    flow.silence(1.0)
    flow.put("1", "a", 2.0)
    assert taken(flow, 2.0) == [] and flow.deadline() == (None if math.isinf(until) else until)


def test_too_much_that_is_late_holds_up_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flowing, "MAX_LATE_BYTES", 100)
    flow = new()
    for n in range(3):
        flow.late("x" * 50, "a", n + 1.0)
    assert flow.crowded
    taken(flow, 1.0)
    assert not flow.crowded


@pytest.mark.parametrize("wait", [lambda flow: flow.hold("a", "a", None, 0.0), lambda flow: flow.late("a", "a", 1.0)])
def test_what_is_forgotten_does_not_come(wait: Callable[[Flow[str]], None]) -> None:
    flow = new()
    wait(flow)
    flow.forget()
    flow.put("response.done", "response.done", 2.0)
    assert taken(flow, 2.0) == ["response.done"] and not flow.holds("a")
