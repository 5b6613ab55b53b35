"""Work that waits for the sound system, on threads that hold up neither the event loop nor the end of the program.

A sound server that is frozen lets a call of PortAudio wait for as long as it likes; nothing can be done about such a thread but to leave it.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from voice.errors import MissingError

T = TypeVar("T")


def aside(work: Callable[[], T]) -> "asyncio.Future[T]":
    """Begins the work; what comes of it. A future that nobody waits for any more says nothing of its failure."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, failure: BaseException | None) -> None:
        if not done.done():
            done.set_exception(failure) if failure is not None else done.set_result(result)  # type: ignore[arg-type]
            done.exception()

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as exc:
            # Raised where the future is waited for.
            failure = exc
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            return  # too late: the loop is closed

    threading.Thread(target=run, name="sound", daemon=True).start()
    return done


async def in_thread(work: Callable[[], T], within_s: float, late: str) -> T:
    """The work, waited for. Raises: MissingError(late); what the work raises."""
    done = aside(work)
    try:
        async with asyncio.timeout(within_s):
            return await asyncio.shield(done)
    except TimeoutError as exc:
        if done.done() and not done.cancelled() and done.exception() is exc:
            raise
        raise MissingError(late) from exc
