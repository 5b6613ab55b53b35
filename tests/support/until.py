"""Waiting for what has no event to wait for: a device, a process, a stream that stands still."""

import asyncio
import time
from collections.abc import Callable


async def until(done: Callable[[], object], within_s: float = 30.0) -> None:
    """Look every few ms until it is so. Raises: TimeoutError if it does not come to that."""
    async with asyncio.timeout(within_s):
        while not done():  # noqa: ASYNC110 - what a callback of another thread, or another process, brings about sets no event of ours
            await asyncio.sleep(0.005)


def wait_until(done: Callable[[], object], within_s: float = 30.0) -> None:
    """The same, where there is no event loop: for what a thread or a process brings about. Raises: TimeoutError."""
    end_s = time.monotonic() + within_s
    while not done():
        if time.monotonic() > end_s:
            raise TimeoutError
        time.sleep(0.005)


async def still(count: Callable[[], int], for_s: float = 0.3) -> int:
    """Wait until a count has not grown for so long, in which we looked ten times; returns it."""
    seen, looks = count(), 0
    while looks < 10:
        await asyncio.sleep(for_s / 10)
        seen, looks = (seen, looks + 1) if count() == seen else (count(), 0)
    return seen
