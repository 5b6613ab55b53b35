"""Pauses are judged by what the recogniser has heard so far; whatever it does, the session is told something once."""

import asyncio
import logging

import pytest

from voice.audio.patience import Thought
from voice.audio.pcm import Samples
from voice.engines.base import Heard, SoFar
from voice.engines.pausing import PauseJudge
from voice.errors import WorkerDied


class Deaf:
    """A recogniser that knows nothing before the end."""

    def feed(self, samples: Samples) -> None:
        raise AssertionError(samples)

    async def finish(self) -> Heard:
        raise AssertionError

    def drop(self) -> None:
        raise AssertionError


class Ear(Deaf):
    """One that answers so."""

    def __init__(self, answer: SoFar | Exception | None, gate: asyncio.Event | None = None) -> None:
        self._answer = answer
        self._gate = gate

    async def so_far(self) -> SoFar | None:
        if self._gate is not None:
            await self._gate.wait()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    ("hearing", "want"),
    [
        (Deaf(), Thought.UNKNOWN),
        (Ear(SoFar("what time is it")), Thought.FINISHED),
        (Ear(SoFar("what time is", command=True)), Thought.UNFINISHED),
        (Ear(SoFar("the end of it", ending=0.5)), Thought.LIKELY),
        (Ear(None), Thought.UNKNOWN),
        (Ear(WorkerDied("gone")), Thought.UNKNOWN),
    ],
)
async def test_each_pause_is_judged_once(hearing: Deaf, want: Thought) -> None:
    told: list[tuple[int, Thought]] = []
    kicks: list[int] = []
    judge = PauseJudge(lambda pause, thought: told.append((pause, thought)), lambda: kicks.append(len(told)))
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        judge.ask(7, hearing, group)
    assert told == [(7, want)] and kicks == [1]


async def test_a_mistake_in_a_recogniser_is_logged_and_judges_nothing(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Thought] = []
    judge = PauseJudge(lambda _, thought: told.append(thought), lambda: None)
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            judge.ask(1, Ear(ZeroDivisionError("oh")), group)
    assert told == [Thought.UNKNOWN] and "a pause was not judged" in caplog.text


async def test_who_has_left_is_told_nothing() -> None:
    told: list[Thought] = []
    judge = PauseJudge(lambda _, thought: told.append(thought), lambda: None)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        judge.ask(1, Ear(SoFar("stop"), asyncio.Event()), group)
        await asyncio.sleep(0)
        judge.stop()
    assert told == []
