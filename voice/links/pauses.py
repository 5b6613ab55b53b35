"""When whoever reads a misbehaving link goes on, and when its sender does; used by `faulty.py`."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

TURNS = 10
"""Of the loop, in which a sender that was woken says what it has to say; the driver's needs three."""
LONGEST_S = 1.0
"""For a sender that is held up by a client that does not read."""


class Pauses:
    """Whether the session has said its first words, is speaking, and has room to speak."""

    def __init__(self) -> None:
        self.room = asyncio.Event()
        """Set as soon as more may be said."""
        self._begun = asyncio.Event()
        self._still = asyncio.Event()
        self._still.set()
        self._said = 0

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Around what the session's one sender says."""
        self._said += 1
        self._still.clear()
        try:
            yield
        finally:
            self._still.set()
            self._begun.set()

    def end(self) -> None:
        """Nobody waits any more."""
        self.room.set()
        self._begun.set()
        self._still.set()

    async def settled(self) -> None:
        """Wait until the session has begun, and has said what it has to say to what it was given so far: for its reader."""
        await self._begun.wait()
        try:
            async with asyncio.timeout(LONGEST_S):
                quiet = 0
                while quiet < TURNS:
                    await self._still.wait()
                    said = self._said
                    await asyncio.sleep(0)
                    quiet = quiet + 1 if said == self._said else 0
        except TimeoutError:
            pass
