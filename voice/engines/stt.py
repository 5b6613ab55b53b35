"""The recognisers. `SphinxTranscriber` needs nothing downloaded and knows English.

A pool of processes, each with one utterance at a time, which it decodes while the utterance is spoken. Whoever comes when all are busy
waits here with his audio, in order of arrival, and is caught up with later (five times as fast as speech).
"""

import asyncio
import contextlib
import functools
import importlib.util
import logging
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol, Self

import msgspec

from voice.audio.pcm import RATE_HZ, Samples, to_bytes
from voice.engines.base import Heard, Hearing, SoFar, Transcriber
from voice.engines.opinion import Carrier, Evidence, foretell, judge
from voice.engines.skills import match_whole
from voice.errors import MissingExtra, UsageError, WorkerDied
from voice.workers.process import Frame, Job, Worker

log = logging.getLogger(__name__)

LONGEST_S = 120
"""An utterance is heard up to here; what follows is thrown away (3.8 MB of audio are kept for each that is open)."""
_LONGEST_BYTES = LONGEST_S * RATE_HZ * 2
_CHUNK_BYTES = RATE_HZ * 2 // 5
"""Audio goes to the child in pieces of 200 ms at most, so that a drop is seen soon."""
STALL_S = 1.0
"""An utterance that gets no audio for so long gives up its place if others wait, and starts over later."""


class SphinxHearing:
    """An utterance; see `Hearing`. Not for use by several tasks at once."""

    def __init__(self, offer: "Callable[[SphinxHearing], None]") -> None:
        self._offer = offer
        self._audio = bytearray()
        self._offered = False
        self._changed = asyncio.Event()
        self._done = asyncio.Event()
        self._outcome: Heard | WorkerDied | None = None
        self.ended = False
        """All of the audio is there."""
        self.dropped = False
        self.on_drop: Callable[[], None] | None = None
        """What to do when it is dropped from now on."""
        self.asked: asyncio.Future[SoFar | None] | None = None
        """Somebody waits for what was heard so far."""

    def feed(self, samples: Samples) -> None:
        """More speech; nothing is kept beyond `LONGEST_S`, after the end, and after the worker died."""
        if self.ended or self.dropped or self._done.is_set() or not len(samples):
            return
        room = _LONGEST_BYTES - len(self._audio)
        self._audio += to_bytes(samples)[:room]
        self._changed.set()
        if not self._offered:
            self._offered = True
            self._offer(self)

    async def so_far(self) -> SoFar | None:
        """What was understood of all that was fed up to now; None if it was dropped or is over. Raises: WorkerDied."""
        if not self._done.is_set() and not self.ended:
            if not self._offered:
                return SoFar("")
            asked: asyncio.Future[SoFar | None] = asyncio.get_running_loop().create_future()
            self.asked = asked
            self._changed.set()
            return await asked
        if isinstance(self._outcome, WorkerDied):
            raise self._outcome
        return None

    async def finish(self) -> Heard:
        """All that was understood, "" of an utterance without audio or one that was dropped. Raises: WorkerDied."""
        self.ended = True
        self._changed.set()
        if self._offered and not self.dropped:
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
        if not self.dropped and not self._done.is_set() and self.on_drop is not None:
            self.on_drop()
        self.dropped = True
        self._audio.clear()
        self.settle(Heard("", confidence=0.0))

    def settle(self, outcome: Heard | WorkerDied) -> None:
        """For the pool: this is what came of it. Only the first outcome counts."""
        if not self._done.is_set():
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

    def piece(self, start: int) -> bytes:
        """For the pool: up to `_CHUNK_BYTES` of audio from byte `start` on; b"" if there is none yet."""
        return bytes(self._audio[start : start + _CHUNK_BYTES])

    async def change(self, timeout_s: float) -> bool:
        """For the pool: wait for more audio, the end or a drop; False if nothing happens in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


class SphinxTranscriber:
    """pocketsphinx in a pool of processes; runs in `async with`. Raises: MissingExtra, UsageError.

    `grammar` is JSGF without tags and repetition: the sentences that can be
    commands. `tails` are the phrases after which free words follow ("remember that").
    `workers` is how many processes there are, None for one a core; each takes about 140 MB.
    """

    name = "sphinx"

    def __init__(self, grammar: str, tails: Sequence[str] = (), workers: int | None = None) -> None:
        if importlib.util.find_spec("pocketsphinx") is None:
            raise MissingExtra("pocketsphinx", "local")
        if workers is not None and workers < 1:
            raise UsageError(f"a recogniser needs at least one worker, not {workers}")
        self._grammar = grammar
        self._carriers = tuple(Carrier(tuple(tail.split())) for tail in tails)
        self._workers = [Worker("voice.workers.sphinx", name=f"sphinx-{n}") for n in range(workers or os.cpu_count() or 1)]
        self._waiting: deque[SphinxHearing] = deque()
        """Utterances without a worker; as many as sessions, each bounded by `LONGEST_S`."""
        self._arrived = asyncio.Event()
        self._warm = [asyncio.Event() for _ in self._workers]
        self._stack: contextlib.AsyncExitStack | None = None

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run now."""
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    def listen(self) -> Hearing:
        """Begin an utterance. It takes a worker with its first audio."""
        return SphinxHearing(self._take)

    async def warm(self) -> None:
        """Wait until every process has loaded its models, or failed to (0.7 CPU seconds each, from the start of the block on)."""
        for event in self._warm:
            await event.wait()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            group = await stack.enter_async_context(asyncio.TaskGroup())
            for worker, warm in zip(self._workers, self._warm, strict=True):
                for work in (worker.run(), self._serve(worker, warm)):
                    stack.callback(group.create_task(work, name=worker.name).cancel)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        stack, self._stack = self._stack, None
        assert stack is not None
        try:
            await stack.aclose()
        finally:
            while self._waiting:
                self._waiting.popleft().settle(_closed())

    def _take(self, hearing: SphinxHearing) -> None:
        if self._stack is None:
            hearing.settle(_closed())
            return
        self._waiting.append(hearing)
        self._arrived.set()

    async def _serve(self, worker: Worker, warm: asyncio.Event) -> None:
        """One utterance after the other, for ever."""
        while True:
            await self._load(worker)
            warm.set()
            alive = True
            while alive:
                alive = await self._hear_next(worker)

    async def _load(self, worker: Worker) -> None:
        """Let a new child load its models before anybody waits for them."""
        try:
            async with worker.job() as job:
                words = sorted({word for carrier in self._carriers for word in carrier.words})
                job.send("load", {"grammar": self._grammar, "words": words})
                async for frame in job:
                    self._pronounce(frame.data["phones"])
        except WorkerDied as exc:
            # Not tried again before there is something to hear: a child that cannot start would be started for ever.
            log.error("the recogniser %s cannot start: %s", worker.name, exc)

    def _pronounce(self, phones: Mapping[str, Sequence[str]]) -> None:
        words = [carrier.words for carrier in self._carriers]
        self._carriers = tuple(Carrier(row, tuple(phone for word in row for phone in phones[word])) for row in words)

    async def _hear_next(self, worker: Worker) -> bool:
        """Wait for an utterance and serve it; False if the child died of it."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        hearing = self._waiting.popleft()
        if hearing.dropped:
            return True
        try:
            await self._hear(worker, hearing)
        except WorkerDied as exc:
            hearing.settle(exc)
            return False
        except asyncio.CancelledError:
            hearing.settle(_closed())
            raise
        return True

    async def _hear(self, worker: Worker, hearing: SphinxHearing) -> None:
        """Give an utterance to a child and the outcome to its owner. Raises: WorkerDied."""
        async with worker.job() as job, contextlib.aclosing(aiter(job)) as frames:
            job.send("listen", {"grammar": self._grammar})
            sent = 0
            while not hearing.dropped:
                if piece := hearing.piece(sent):
                    job.send("audio", audio=piece)
                    sent += len(piece)
                    await job.drain()
                elif hearing.ended:
                    hearing.answer(None)
                    await self._conclude(job, frames, hearing)
                    return
                elif hearing.asked is not None:
                    await self._look(job, frames, hearing)
                elif not await hearing.change(STALL_S) and self._waiting:
                    self._take(hearing)
                    return

    async def _look(self, job: Job, frames: AsyncIterator[Frame], hearing: SphinxHearing) -> None:
        """All the audio that there is has been sent: ask what the child makes of it up to here. What comes meanwhile waits."""
        job.send("so far")
        hearing.on_drop = functools.partial(_send_drop, job)
        async for frame in frames:
            hearing.answer(foretell(msgspec.convert(frame.data, Evidence), self._carriers, match_whole))
            hearing.on_drop = None
            return

    async def _conclude(self, job: Job, frames: AsyncIterator[Frame], hearing: SphinxHearing) -> None:
        """All the audio has been sent: wait for what the child makes of it, or for the owner to lose interest."""
        job.send("finish")
        hearing.on_drop = functools.partial(_send_drop, job)
        async for frame in frames:
            hearing.settle(judge(msgspec.convert(frame.data, Evidence), self._carriers, match_whole))


def _send_drop(job: Job) -> None:
    """The child answers with the end of the job."""
    with contextlib.suppress(WorkerDied):
        job.send("drop")


def _closed() -> WorkerDied:
    return WorkerDied("the recogniser is not running")


class ManagedTranscriber(Transcriber, Protocol):
    """A recogniser with processes or models to look after: it runs in `async with`."""

    async def warm(self) -> None:
        """Wait until the first utterance need not wait for models."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...


TRANSCRIBERS: Mapping[str, Callable[[str, Sequence[str], int | None], ManagedTranscriber]] = {"sphinx": SphinxTranscriber}
"""By name; each is called with (grammar, tails, workers)."""


def make_transcriber(name: str, grammar: str, tails: Sequence[str] = (), workers: int | None = None) -> ManagedTranscriber:
    """The recogniser of that name. Raises: MissingExtra, UsageError."""
    if name not in TRANSCRIBERS:
        raise UsageError(f"no recogniser {name!r}: {', '.join(sorted(TRANSCRIBERS))}")
    return TRANSCRIBERS[name](grammar, tails, workers)
