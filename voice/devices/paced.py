"""Loudspeakers without a card: one that is heard by nobody and one that is a WAV. Both take time, as a card does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from voice.audio.pcm import Samples
from voice.devices.player import Player
from voice.devices.wavfile import StrPath, WavWriter

RATE_HZ = 24_000
"""Replies come at this rate."""
STEP_S = 0.01
"""As often as a card calls."""


class PacedSpeaker(Player):
    """A `Player` whose samples are taken in real time."""

    stranded = False

    def __init__(self, name: str, taken: Callable[[Samples], None]) -> None:
        super().__init__(RATE_HZ)
        self.name = name
        self._taken = taken
        self._since_s: float | None = None
        self._count = 0

    async def run(self) -> None:
        """Take until cancelled. After a stall of the event loop the missed samples are taken at once: time goes on."""
        while True:
            self.catch_up()
            await asyncio.sleep(STEP_S)

    def catch_up(self) -> None:
        """Take what is due now."""
        now_s = time.monotonic()
        if self._since_s is None:
            self._since_s = now_s
        due = int((now_s - self._since_s) * RATE_HZ) - self._count
        if due > 0:
            self._count += due
            self._taken(self.take(due))


@asynccontextmanager
async def null_speaker() -> AsyncIterator[PacedSpeaker]:
    """Nobody hears it."""
    async with _running(PacedSpeaker("nothing", lambda samples: None)) as speaker:
        yield speaker


@asynccontextmanager
async def wav_speaker(path: StrPath) -> AsyncIterator[PacedSpeaker]:
    """A WAV of all that a loudspeaker would give, silence too: 24 kHz, mono, 16 bit. Raises: UsageError if it cannot be written."""
    async with AsyncExitStack() as stack:
        writer = stack.enter_context(WavWriter(path, RATE_HZ))
        yield await stack.enter_async_context(_running(PacedSpeaker(str(path), writer.append)))


@asynccontextmanager
async def _running(speaker: PacedSpeaker) -> AsyncIterator[PacedSpeaker]:
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as group:
        task = group.create_task(speaker.run(), name="speaker")
        try:
            yield speaker
        except BaseException as exc:
            # Raised again below: the group would wrap it.
            failure = exc
        task.cancel()
    if failure is not None:
        raise failure
