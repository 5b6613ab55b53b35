"""An event loop whose time passes only when everybody waits: minutes of a conversation in a moment, the same on any machine.

    played(main())         # runs the coroutine; `time.monotonic()` is the loop's time meanwhile

What runs on another thread (a model that is loaded) takes no time at all. A clock that somebody has bound before (a default argument) is
still the machine's: give them `loop.time`.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

import pytest

T = TypeVar("T")
FOREVER_S = 30.0
"""Of the machine's time: nothing is due, and nothing comes."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the top of the file."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.threads = 0
        """Jobs on other threads that have not come back."""
        super().__init__(_Waiting(self))

    def time(self) -> float:
        return self.now_s

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        self.threads += 1
        future.add_done_callback(self._back)
        return future

    def _back(self, future: "asyncio.Future[Any]") -> None:
        self.threads -= 1


class _Waiting(selectors.DefaultSelector):
    """Instead of waiting it moves the clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if self._loop.threads or timeout is None:
            found = super().select(FOREVER_S)
            assert found, "nobody has anything to do: the conversation hangs"
            return found
        self._loop.now_s += timeout
        return found


def played(main: Coroutine[Any, Any, T]) -> T:
    """Run it to its end."""
    loop = VirtualLoop()
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=lambda: loop) as runner:
        patch.setattr(time, "monotonic", loop.time)
        return runner.run(main)
