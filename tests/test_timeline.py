"""The twin's timeline: steps in the order of their times, however late they are taken."""

import asyncio
import time
from functools import partial

import pytest

from voice.engines.timeline import Timeline


class Taken:
    """Steps that say that they were taken."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.changed = asyncio.Event()

    async def step(self, name: str) -> None:
        self.names.append(name)
        self.changed.set()

    async def count(self, number: int) -> None:
        while len(self.names) < number:
            self.changed.clear()
            await self.changed.wait()


async def played(timeline: Timeline, taken: Taken, count: int) -> list[str]:
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(timeline.run())
        await taken.count(count)
        running.cancel()
    return taken.names


async def test_steps_are_taken_by_their_times_and_then_as_they_were_given() -> None:
    taken, timeline = Taken(), Timeline(time.monotonic, hurry=True)
    begun_s = time.monotonic()
    for due_s, name in ((3e6, "c"), (1e6, "a"), (3e6, "d"), (2e6, "b"), (1e9, "e")):
        timeline.at(begun_s + due_s, partial(taken.step, name))
    assert await played(timeline, taken, 5) == ["a", "b", "c", "d", "e"]


async def test_a_step_is_not_taken_early_and_one_that_is_given_later_may_go_before_it() -> None:
    taken, timeline = Taken(), Timeline(time.monotonic)
    begun_s = time.monotonic()
    at_s: list[float] = []

    async def late() -> None:
        at_s.append(time.monotonic() - begun_s)
        await taken.step("late")

    async def first() -> None:
        timeline.at(begun_s + 0.1, partial(taken.step, "between"))
        await taken.step("first")

    timeline.at(begun_s + 0.3, late)
    timeline.at(begun_s, first)
    assert await played(timeline, taken, 3) == ["first", "between", "late"]
    assert at_s[0] >= 0.299


async def test_a_step_that_wakes_a_waiting_timeline_is_taken() -> None:
    taken, timeline = Taken(), Timeline(time.monotonic)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(timeline.run())
        timeline.at(time.monotonic() + 3600, partial(taken.step, "never"))
        await asyncio.sleep(0)
        timeline.at(0.0, partial(taken.step, "now"))
        await taken.count(1)
        running.cancel()
    assert taken.names == ["now"]


async def test_steps_that_are_all_late_keep_their_order() -> None:
    """A chain of steps and one of another chain, on a machine that stood still while both became due."""
    taken = Taken()
    now_s = 0.0
    timeline = Timeline(lambda: now_s)

    async def chain(name: str, due_s: float, left: int) -> None:
        nonlocal now_s
        # The machine stands still for longer than the whole chain takes.
        now_s = max(now_s, 100.0)
        await taken.step(f"{name}{due_s:g}")
        if left:
            timeline.at(due_s + 2, partial(chain, name, due_s + 2, left - 1))

    timeline.at(0, partial(chain, "a", 0, 3))
    timeline.at(3, partial(chain, "b", 3, 1))
    assert await played(timeline, taken, 6) == ["a0", "a2", "b3", "a4", "b5", "a6"]


async def test_all_that_one_message_brings_about_happens_at_one_moment() -> None:
    clock = iter(range(100))
    timeline = Timeline(lambda: next(clock))
    assert timeline.moment() == timeline.moment() == 0
    await asyncio.sleep(0)
    assert timeline.moment() == 1


async def test_a_bug_in_a_step_comes_out() -> None:
    timeline = Timeline(time.monotonic)

    async def broken() -> None:
        raise ZeroDivisionError

    timeline.at(0.0, broken)
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(30):
            await timeline.run()
