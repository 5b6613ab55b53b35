"""Blocking functions of other people, each in a thread of its own: for what may hang.

`asyncio.to_thread` shares its few threads with everybody, and a program does not end before they have: one function that hangs for ever
would take first the threads and then the end of the program. These are daemons, and as many at most as their owner allows.
"""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Came(Generic[T]):
    """What came of a function: not as a future's own exception, which a `StopIteration` cannot be."""

    result: T | None = None
    error: BaseException | None = None


class Threads:
    """Up to `most` functions at once; whoever comes when all places are taken waits. One event loop only."""

    def __init__(self, most: int, name: str) -> None:
        self._places = asyncio.Semaphore(most)
        self._name = name

    async def run(self, function: Callable[[], T]) -> T:
        """What the function returns. Raises: what it raises (SystemExit and the like as a RuntimeError: they are not this program's end).

        Cancelled, it returns at once: the thread goes on, holds its place until its function has ended, and nobody learns what came of it.
        """
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Came[T]] = loop.create_future()
        context = contextvars.copy_context()

        def settle(came: _Came[T]) -> None:
            self._places.release()
            if not future.done():
                future.set_result(came)

        def work() -> None:
            came: _Came[T]
            try:
                came = _Came(context.run(function))
            except BaseException as exc:
                # Whatever it is: it is told to whoever waits, and the thread ends.
                came = _Came(error=exc)
            # Nobody waits where the loop is gone.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, came)

        try:
            threading.Thread(target=work, name=self._name, daemon=True).start()
        except RuntimeError:
            self._places.release()
            raise
        came = await future
        if isinstance(came.error, Exception):
            raise came.error
        if came.error is not None:
            raise RuntimeError(f"it ended with {type(came.error).__name__}") from came.error
        return came.result  # type: ignore[return-value]
