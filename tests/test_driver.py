"""The driver: one task reads, one writes; sessions played by scripts, links that are pairs in memory."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from voice.errors import LinkClosed
from voice.links import base
from voice.links.base import MemoryLink, memory_pair
from voice.links.driver import Driver

WAIT_S = 30


class Script:
    """A session whose answers are a function of what it receives; what it gives out are the texts themselves."""

    def __init__(self, answer: Callable[[str], list[str]] = lambda text: []) -> None:
        self.waiting: list[str] = []
        self.ticks: list[float] = []
        self.deadline_s: float | None = None
        self._answer = answer

    def receive(self, text: str | bytes, now: float) -> list[str]:
        self.waiting += self._answer(str(text))
        return [str(text)]

    def tick(self, now: float) -> list[str]:
        self.ticks.append(now)
        self.deadline_s = None
        return ["tick"]

    def deadline(self) -> float | None:
        return self.deadline_s

    def outgoing(self) -> list[str]:
        texts, self.waiting = self.waiting, []
        return texts


class Taken:
    """Collects what the driver hands on."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._more = asyncio.Event()

    async def __call__(self, output: str) -> None:
        self.all.append(output)
        self._more.set()

    async def until(self, enough: Callable[[], bool]) -> None:
        while not enough():
            self._more.clear()
            await self._more.wait()


def clock() -> float:
    return asyncio.get_running_loop().time()


def driver_of(script: Script, link: MemoryLink, take: Callable[[str], Awaitable[None]] | None = None) -> Driver[str]:
    return Driver(script, link, take or Taken(), clock)


def others() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


@pytest.mark.parametrize("size", [1, 2, 8, 64])
async def test_two_chatty_peers_do_not_wait_for_each_other(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each text is answered by two until the end of the count: far more than fit in both queues together."""
    monkeypatch.setattr(base, "PAIR_QUEUE", size)
    near, far = memory_pair()

    def doubled(text: str) -> list[str]:
        depth = int(text)
        return [str(depth + 1)] * 2 if depth < 10 else []

    heard: tuple[Taken, Taken] = Taken(), Taken()
    sessions = Script(doubled), Script(doubled)
    drivers = [driver_of(session, link, taken) for session, link, taken in zip(sessions, (near, far), heard, strict=True)]
    sessions[0].waiting.append("0")
    shares = [sum(2**depth for depth in range(11) if depth % 2 == side) for side in (1, 0)]
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        for driver in drivers:
            group.create_task(driver.run())
        for taken, share in zip(heard, shares, strict=True):
            await taken.until(lambda taken=taken, share=share: len(taken.all) >= share)  # type: ignore[misc]
        await near.close()
    assert sorted(heard[1].all + heard[0].all, key=int) == [str(depth) for depth in range(11) for _ in range(2**depth)]
    assert not others()


async def test_a_kick_sends_what_waits_and_room_tells_when_it_is_gone() -> None:
    near, far = memory_pair()
    script = Script()
    driver = driver_of(script, near)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        running = group.create_task(driver.run())
        script.waiting += ["a", "b"]
        await driver.room()
        assert not script.waiting
        assert [await far.receive(), await far.receive()] == ["a", "b"]
        await driver.room()
        running.cancel()


async def test_room_waits_while_the_peer_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PAIR_QUEUE", 2)
    near, far = memory_pair()
    script = Script()
    driver = driver_of(script, near)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        running = group.create_task(driver.run())
        script.waiting += ["1", "2", "3"]
        room = group.create_task(driver.room())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not room.done()
        await far.receive()
        await room
        running.cancel()


async def test_room_waits_for_what_was_queued_during_a_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PAIR_QUEUE", 1)
    near, far = memory_pair()
    script = Script()
    driver = driver_of(script, near)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        running = group.create_task(driver.run())
        script.waiting += ["1", "2"]
        driver.kick()
        for _ in range(10):
            await asyncio.sleep(0)
        script.waiting.append("3")
        room = group.create_task(driver.room())
        await far.receive()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not room.done()
        await far.receive()
        await room
        running.cancel()


async def test_room_does_not_outlive_the_link() -> None:
    near, far = memory_pair()
    driver = driver_of(Script(), near)
    async with asyncio.timeout(WAIT_S):
        await far.close(1001)
        assert (await driver.run()).close_code == 1001
        await driver.room()
        driver.kick()
        await driver.room()


async def test_the_deadline_becomes_a_tick_and_its_output_is_handed_on() -> None:
    near, far = memory_pair()
    script, taken = Script(), Taken()
    script.deadline_s = clock() + 0.03
    wanted = script.deadline_s
    driver = driver_of(script, near, taken)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        group.create_task(driver.run())
        await taken.until(lambda: bool(taken.all))
        await far.close()
    assert taken.all == ["tick"] and len(script.ticks) == 1
    assert wanted <= script.ticks[0] < wanted + 1


async def test_a_deadline_that_has_passed_ticks_at_once_and_one_that_moves_is_seen_after_a_kick() -> None:
    near, far = memory_pair()
    script, taken = Script(), Taken()
    driver = driver_of(script, near, taken)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        group.create_task(driver.run())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not taken.all
        script.deadline_s = clock() - 5
        driver.kick()
        await taken.until(lambda: bool(taken.all))
        await far.close()


async def test_hanging_up_sends_everything_first() -> None:
    near, far = memory_pair()
    script = Script()
    driver = driver_of(script, near)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        running = group.create_task(driver.run())
        script.waiting += [str(n) for n in range(200)]
        driver.hang_up(1001, "time is over")
        got = [await far.receive() for _ in range(200)]
        with pytest.raises(LinkClosed) as told:
            await far.receive()
        assert (await running).reason == "time is over"
    assert got == [str(n) for n in range(200)]
    assert (told.value.close_code, told.value.reason) == (1001, "time is over")


async def test_the_end_of_the_link_is_returned() -> None:
    near, far = memory_pair()
    driver = driver_of(Script(), near)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        running = group.create_task(driver.run())
        await far.close(4003, "no")
        ended = await running
    assert (ended.close_code, ended.reason) == (4003, "no") and not others()


async def test_cancelling_leaves_no_task_and_frees_who_waits_for_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PAIR_QUEUE", 1)
    near, _ = memory_pair()
    script = Script()
    driver = driver_of(script, near)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        running = group.create_task(driver.run())
        script.waiting += ["1", "2", "3"]
        room = group.create_task(driver.room())
        for _ in range(10):
            await asyncio.sleep(0)
        running.cancel()
        await room
    assert running.cancelled() and not others()


async def test_a_handler_that_raises_ends_the_driver_with_its_exception() -> None:
    near, far = memory_pair()

    async def broken(output: str) -> None:
        raise ZeroDivisionError(output)

    await far.send("x")
    async with asyncio.timeout(WAIT_S):
        with pytest.RaisesGroup(pytest.RaisesExc(ZeroDivisionError, match="x")):
            await driver_of(Script(), near, broken).run()
    assert not others()


async def test_a_handler_that_waits_holds_the_reader_and_not_the_writer() -> None:
    near, far = memory_pair()
    script, gate = Script(lambda text: [f"answer to {text}"]), asyncio.Event()

    async def slow(output: str) -> None:
        await gate.wait()

    driver = driver_of(script, near, slow)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        group.create_task(driver.run())
        await far.send("1")
        await far.send("2")
        for _ in range(10):
            await asyncio.sleep(0)
        driver.kick()
        assert await far.receive() == "answer to 1"
        gate.set()
        assert await far.receive() == "answer to 2"
        await far.close()
