"""Time that passes only when everybody waits."""

import asyncio
import threading
import time

from tests.support.virtual_time import played


def test_an_hour_passes_in_a_moment_in_the_order_of_its_moments() -> None:
    seen: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        began = time.monotonic()
        await asyncio.sleep(seconds)
        seen.append((name, time.monotonic() - began))

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for name, seconds in (("hour", 3600.0), ("frame", 0.02), ("minute", 60.0)):
                group.create_task(wait(name, seconds))

    real = time.monotonic
    began = real()
    played(main())
    assert [name for name, _ in seen] == ["frame", "minute", "hour"]
    assert [round(took, 6) for _, took in seen] == [0.02, 60.0, 3600.0]
    assert time.monotonic is real and real() - began < 60


def test_what_another_thread_does_takes_no_time() -> None:
    async def main() -> float:
        go = threading.Event()
        began = time.monotonic()
        job = asyncio.create_task(asyncio.to_thread(go.wait, 20))
        late = asyncio.create_task(asyncio.sleep(5))
        await asyncio.sleep(0)
        threading.Timer(0.05, go.set).start()
        assert await job
        took = time.monotonic() - began
        await late
        return took

    assert played(main()) == 0.0
