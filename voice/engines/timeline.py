"""The steps of one session of the twin, each at its time, one after the other.

They run in the order of their times, and at equal times in the order in which they were given: also where the machine was late and several
are due at once. So the same script gives the same events in the same order on any machine.
"""

import asyncio
import contextlib
import heapq
from collections.abc import Awaitable, Callable

Step = Callable[[], Awaitable[None]]


class Timeline:
    """See the top of the file. `clock` is monotonic; `hurry`: nothing is waited for, and the order is the same."""

    def __init__(self, clock: Callable[[], float], hurry: bool = False) -> None:
        self._clock = clock
        self._hurry = hurry
        self._steps: list[tuple[float, int, Step]] = []
        self._given = 0
        self._changed = asyncio.Event()
        self._moment: float | None = None

    def moment(self) -> float:
        """The time, which is the same for all that one message of the client brings about."""
        if self._moment is None:
            self._moment = self._clock()
            asyncio.get_running_loop().call_soon(self._pass)
        return self._moment

    def at(self, due_s: float, step: Step) -> None:
        """Take this step then."""
        heapq.heappush(self._steps, (due_s, self._given, step))
        self._given += 1
        self._changed.set()

    async def run(self) -> None:
        """Take the steps, for ever."""
        while True:
            self._changed.clear()
            wait_s = self._steps[0][0] - self._clock() if self._steps else None
            if wait_s is not None and (wait_s <= 0 or self._hurry):
                await heapq.heappop(self._steps)[2]()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()

    def _pass(self) -> None:
        self._moment = None
