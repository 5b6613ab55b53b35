"""Blocking functions in threads of their own: bounded, left behind when nobody waits any more, never the end of the program."""

import asyncio
import subprocess
import sys
import threading
import time
from contextvars import ContextVar

import pytest

from voice.workers.threads import Threads

WHO = ContextVar("WHO", default="nobody")


async def test_a_function_runs_beside_the_loop_and_in_its_caller_s_context() -> None:
    WHO.set("me")
    assert await Threads(1, "t").run(lambda: (threading.current_thread().name, WHO.get())) == ("t", "me")


@pytest.mark.parametrize(("error", "want"), [(ValueError, ValueError), (StopIteration, RuntimeError), (SystemExit, RuntimeError)])
async def test_what_a_function_raises(error: type[BaseException], want: type[Exception]) -> None:
    def fails() -> None:
        raise error("why")

    threads = Threads(1, "t")
    for _ in range(2):  # The place is free again.
        with pytest.raises(want):
            await threads.run(fails)


async def test_no_more_run_at_once_than_there_are_places() -> None:
    threads, gate, running = Threads(2, "t"), threading.Event(), threading.Semaphore(0)

    def work() -> int:
        running.release()
        gate.wait(30)
        return threading.active_count()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(threads.run(work)) for _ in range(5)]
        for _ in range(2):
            assert await asyncio.to_thread(running.acquire, timeout=30)
        assert not running.acquire(blocking=False)
        gate.set()
    assert len([task.result() for task in tasks]) == 5


async def test_who_stops_waiting_returns_at_once_and_the_place_stays_taken() -> None:
    threads, gate = Threads(1, "t"), threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await threads.run(lambda: gate.wait(30))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await threads.run(lambda: "too early")
    gate.set()
    async with asyncio.timeout(30):
        assert await threads.run(lambda: "now") == "now"


def test_a_function_that_hangs_does_not_keep_the_program() -> None:
    code = (
        "import asyncio, time\n"
        "from voice.workers.threads import Threads\n"
        "async def main():\n"
        "    try:\n"
        "        async with asyncio.timeout(0.05): await Threads(1, 't').run(lambda: time.sleep(600))\n"
        "    except TimeoutError: print('left behind')\n"
        "asyncio.run(main())\n"
    )
    began_s = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("left behind\n", 0) and time.monotonic() - began_s < 60
