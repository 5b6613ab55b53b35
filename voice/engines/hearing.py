"""An utterance on its way to a recogniser's process: its sound, who waits for its words, and whether it has to make room for another one.

Called by whoever speaks (`voice.engines.base.Hearing`) and by the pool of processes (`voice.engines.stt`).
"""

import asyncio
import time
from collections.abc import Callable

from voice.audio.pcm import RATE_HZ, Samples, to_bytes
from voice.engines.base import Heard, SoFar
from voice.errors import WorkerDied

LONGEST_S = 600
"""An utterance is heard up to here, which is as long as a turn may be; what follows is thrown away. 19 MB wait at most for
a worker; once there is one, only the part that it is in is kept (1 MB)."""
_BYTES_A_SECOND = RATE_HZ * 2
_CHUNK_BYTES = _BYTES_A_SECOND // 5
"""Audio goes to the child in pieces of 200 ms at most, so that a drop is seen soon."""
_HASTE_S = 3.0
"""Who is so far ahead of a clock does not speak now: it is a recording. (A link that stalled for as long looks the same.)"""
_MAX_RETURNS = 3
"""How often a part is begun again for others; then it is heard to its end (6 s), lest it be begun for ever."""


class Tape:
    """The sound of an utterance from the beginning of the part that a worker is in."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s: float | None = None
        self._audio = bytearray()
        self.passed = 0
        """Bytes that are in finished parts and not kept any more."""
        self.state = b""
        """What a child has to know to go on from there."""
        self.hasty = False
        """It came faster than anybody speaks."""
        self.returns = 0
        """How often this part was left unfinished."""

    @property
    def length(self) -> int:
        """Bytes that there were."""
        return self.passed + len(self._audio)

    @property
    def gives_way(self) -> bool:
        """Whether it may be interrupted for somebody who speaks now."""
        return self.hasty and self.returns < _MAX_RETURNS

    def add(self, audio: bytes) -> None:
        """More of it: 16-bit PCM at 16 kHz."""
        now = self._clock()
        self._began_s = now if self._began_s is None else self._began_s
        self._audio += audio[: LONGEST_S * _BYTES_A_SECOND - self.length]
        if self.length / _BYTES_A_SECOND - (now - self._began_s) > _HASTE_S:
            self.hasty = True

    def piece(self, start: int) -> bytes:
        """Up to 200 ms from byte `start` of the utterance on; b"" if there is none yet."""
        start -= self.passed
        return bytes(self._audio[start : start + _CHUNK_BYTES])

    def pass_on(self, heard_bytes: int, state: bytes) -> None:
        """A part is finished: so many bytes of the utterance are not needed any more."""
        del self._audio[: heard_bytes - self.passed]
        self.passed, self.state, self.returns = heard_bytes, state, 0

    def clear(self) -> None:
        """Nobody wants it."""
        self._audio.clear()


class SphinxHearing:
    """An utterance; see `Hearing`. Not for use by several tasks at once."""

    def __init__(self, offer: "Callable[[SphinxHearing], None]") -> None:
        self._offer = offer
        self.tape = Tape()
        self._idle = True
        """No worker has it, and it does not wait for one."""
        self._changed = asyncio.Event()
        self._done = asyncio.Event()
        self._outcome: Heard | WorkerDied | None = None
        self.ended = False
        """All of the audio is there."""
        self.dropped = False
        self.leaving = False
        """It is to give up its worker and wait again."""
        self.on_drop: Callable[[], None] | None = None
        """What to do when it is dropped, or has to leave, from now on."""
        self.asked: asyncio.Future[SoFar | None] | None = None
        """Somebody waits for what was heard so far."""

    def feed(self, samples: Samples) -> None:
        """More speech; nothing is kept beyond `LONGEST_S`, after the end, and after the worker died."""
        if self.ended or self.dropped or self.over or not len(samples):
            return
        self.tape.add(to_bytes(samples))
        self._rouse()

    def _rouse(self) -> None:
        """There is something to do."""
        self._changed.set()
        if self._idle:
            self._idle = False
            self._offer(self)

    def rest(self) -> None:
        """For the pool: it has no worker any more, and needs none before there is something to do."""
        self._idle = True
        if self._changed.is_set():
            self._rouse()

    def leave(self) -> None:
        """For the pool: another one is to have its worker."""
        self.leaving = True
        self._changed.set()
        if self.on_drop is not None:
            self.on_drop()

    @property
    def over(self) -> bool:
        """The outcome is known."""
        return self._done.is_set()

    async def so_far(self) -> SoFar | None:
        """What was understood of all that was fed up to now; None if it was dropped or is over. Raises: WorkerDied."""
        if not self.over and not self.ended:
            if not self.tape.length:
                return SoFar("")
            asked: asyncio.Future[SoFar | None] = asyncio.get_running_loop().create_future()
            self.asked = asked
            self._rouse()
            return await asked
        if isinstance(self._outcome, WorkerDied):
            raise self._outcome
        return None

    async def finish(self) -> Heard:
        """All that was understood, "" of an utterance without audio or one that was dropped. Raises: WorkerDied."""
        self.ended = True
        if self.tape.length and not self.dropped and not self.over:
            self._rouse()
            try:
                await self._done.wait()
            except asyncio.CancelledError:
                self.drop()
                raise
        if isinstance(self._outcome, WorkerDied):
            raise self._outcome
        return self._outcome or Heard("", confidence=0.0)

    def drop(self) -> None:
        """Forget the utterance and its audio."""
        if not self.dropped and not self.over and self.on_drop is not None:
            self.on_drop()
        self.dropped = True
        self.tape.clear()
        self.settle(Heard("", confidence=0.0))

    def settle(self, outcome: Heard | WorkerDied) -> None:
        """For the pool: this is what came of it. Only the first outcome counts."""
        if not self.over:
            self._outcome = outcome
            self._done.set()
            self._changed.set()
            if isinstance(outcome, WorkerDied):
                self.answer(outcome)
            else:
                self.answer(None)

    def answer(self, so_far: SoFar | WorkerDied | None) -> None:
        """For the pool: this is what was heard so far."""
        asked, self.asked = self.asked, None
        if asked is None or asked.done():
            return
        if isinstance(so_far, WorkerDied):
            asked.set_exception(so_far)
        else:
            asked.set_result(so_far)

    async def change(self, timeout_s: float) -> bool:
        """For the pool: wait for more audio, the end or a drop; False if nothing happens in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True
