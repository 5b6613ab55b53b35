"""When a reader goes on: behind the session's first words, and behind its answers."""

import asyncio

import pytest

from voice.links import pauses
from voice.links.pauses import Pauses

WAIT_S = 20


async def speak(what: Pauses, told: list[str], word: str, turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    with what.speaking():
        for _ in range(turns):
            await asyncio.sleep(0)
        told.append(word)


async def wait(what: Pauses, told: list[str]) -> None:
    await what.settled()
    told.append("settled")


@pytest.mark.parametrize("turns", [0, 1, 8])
async def test_a_reader_waits_for_the_first_words_and_for_all_that_follow_at_once(turns: int) -> None:
    what, told = Pauses(), list[str]()
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        group.create_task(wait(what, told))
        for _ in range(100):
            await asyncio.sleep(0)
        assert told == []
        for word in ("one", "two", "three"):
            await speak(what, told, word, turns)
    assert told == ["one", "two", "three", "settled"]


async def test_a_sender_that_is_held_up_is_not_waited_for_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "LONGEST_S", 0.02)
    what = Pauses()
    async with asyncio.timeout(WAIT_S):
        with what.speaking():
            pass
        with what.speaking():
            await what.settled()


async def test_the_end_frees_everybody() -> None:
    what, told = Pauses(), list[str]()
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        group.create_task(wait(what, told))
        await asyncio.sleep(0)
        what.end()
        await what.room.wait()
    assert told == ["settled"]
