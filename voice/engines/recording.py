"""Sound that a client gave as a whole, in an item: it is heard when one of the session's few places for it is free.

Called by `engines/cascade.py`. Without it one client could fill the recogniser's queue with recordings.
"""

import asyncio

from voice.audio.pcm import Samples
from voice.engines.base import Heard, Hearing

PLACES = 1
"""Recordings of one session that are heard at once; its others wait in order."""


class Recording:
    """A `Hearing` that begins with `finish`, once there is a place."""

    def __init__(self, hearing: Hearing, places: asyncio.Semaphore) -> None:
        self._hearing = hearing
        self._places = places
        self._kept: list[Samples] = []
        """As long as the client's message was: one piece in practice."""

    def feed(self, samples: Samples) -> None:
        """More of it: int16, mono, 16 kHz."""
        self._kept.append(samples)

    async def finish(self) -> Heard:
        """Wait for a place, then for the words. Raises: WorkerDied."""
        async with self._places:
            while self._kept:
                self._hearing.feed(self._kept.pop(0))
            return await self._hearing.finish()

    def drop(self) -> None:
        """Forget it."""
        self._kept.clear()
        self._hearing.drop()
