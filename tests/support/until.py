"""Waiting for what has no event to wait for: a device, a process."""

import asyncio
from collections.abc import Callable


async def until(done: Callable[[], object], within_s: float = 30.0) -> None:
    """Look every few ms until it is so. Raises: TimeoutError if it does not come to that."""
    async with asyncio.timeout(within_s):
        while not done():  # noqa: ASYNC110 - what a callback of another thread, or another process, brings about sets no event of ours
            await asyncio.sleep(0.005)
