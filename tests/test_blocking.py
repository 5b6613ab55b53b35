"""Work on threads that nobody has to wait for."""

import asyncio
import threading

import pytest

from tests.support.until import until
from voice.devices.blocking import aside, in_thread
from voice.errors import MissingError


async def test_what_the_work_gives_and_raises() -> None:
    assert await in_thread(lambda: 7, 5, "late") == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0, 5, "late")
    with pytest.raises(TimeoutError):
        await in_thread(_time_out, 5, "late")


def _time_out() -> None:
    raise TimeoutError("of its own")


async def test_who_hangs_is_left() -> None:
    hang = threading.Event()
    with pytest.raises(MissingError, match="late"):
        await in_thread(lambda: hang.wait(20), 0.02, "late")
    hang.set()


async def test_work_that_is_late_can_still_be_waited_for() -> None:
    hang = threading.Event()
    done = aside(lambda: hang.wait(20))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await asyncio.shield(done)
    hang.set()
    assert await done is True


async def test_a_failure_that_nobody_waits_for_says_nothing() -> None:
    done = aside(_time_out)
    await until(done.done)


async def test_the_thread_does_not_keep_the_program() -> None:
    named: list[bool] = []
    await aside(lambda: named.append(threading.current_thread().daemon))
    assert named == [True]
