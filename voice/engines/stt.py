"""The recognisers. `SphinxTranscriber` needs nothing downloaded and knows English.

A pool of processes, each with one utterance at a time, which it decodes while the utterance is spoken. Whoever comes when all are busy
waits here with his audio, in order of arrival, and is caught up with later (five times as fast as speech).

A long utterance is heard in parts (`voice.workers.sphinx`), and what is behind a part can be heard in any process. So a recording, which
comes faster than anybody speaks, gives up its place to who speaks now: at once, and then its part is begun again later; and
to another recording when a part is over.
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

from voice.audio.pcm import RATE_HZ
from voice.engines.base import Hearing, Transcriber
from voice.engines.hearing import SphinxHearing
from voice.engines.opinion import Carrier, Evidence, foretell, judge
from voice.engines.skills import match_whole
from voice.errors import MissingExtra, UsageError, WorkerDied
from voice.workers.process import Frame, Job, Worker

log = logging.getLogger(__name__)

STALL_S = 1.0
"""An utterance that gets no audio for so long gives up its place if others wait, and goes on later from the beginning of its part."""
_AHEAD_BYTES = 40 * RATE_HZ * 2
"""A child has so much audio at most behind the last part that it told of; a part ends after 30 s (1.3 MB, however long the utterance is)."""


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
        """Utterances without a worker; as many as sessions and their items have, each bounded by `LONGEST_S`."""
        self._serving: set[SphinxHearing] = set()
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
        alive = sum(not each.tape.hasty for each in self._waiting)
        leaving = sum(each.leaving for each in self._serving)
        if not hearing.tape.hasty and alive > len(self._workers) - len(self._serving) + leaving:
            for other in self._serving:
                if other.tape.gives_way and not other.leaving:
                    other.tape.returns += 1
                    other.leave()
                    break

    def _next(self) -> SphinxHearing:
        """Who speaks now before any recording, else in order of arrival."""
        hearing = next((each for each in self._waiting if not each.tape.hasty), self._waiting[0])
        self._waiting.remove(hearing)
        return hearing

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
        hearing = self._next()
        if hearing.dropped:
            return True
        self._serving.add(hearing)
        try:
            await self._hear(worker, hearing)
        except WorkerDied as exc:
            hearing.settle(exc)
            return False
        except asyncio.CancelledError:
            hearing.settle(_closed())
            raise
        finally:
            self._serving.discard(hearing)
            hearing.on_drop = None
        if hearing.leaving and not hearing.over:
            self._waiting.append(hearing)
            self._arrived.set()
        elif not hearing.over:
            hearing.rest()
        hearing.leaving = False
        return True

    async def _hear(self, worker: Worker, hearing: SphinxHearing) -> None:
        """Give an utterance to a child and the outcome to its owner, or to the end of its stay there. Raises: WorkerDied."""
        tape = hearing.tape
        async with worker.job() as job, contextlib.aclosing(aiter(job)) as frames:
            hearing.on_drop = functools.partial(_send_drop, job)
            job.send("listen", {"grammar": self._grammar}, audio=tape.state)
            sent = tape.passed
            while not (hearing.dropped or hearing.leaving):
                if job.has_frames or sent - tape.passed >= _AHEAD_BYTES:
                    await self._pass_on(frames, hearing)
                elif piece := tape.piece(sent):
                    job.send("audio", audio=piece)
                    sent += len(piece)
                    await job.drain()
                elif hearing.ended:
                    hearing.answer(None)
                    job.send("finish")
                    while await self._pass_on(frames, hearing):
                        pass
                    return
                elif hearing.asked is not None:
                    job.send("so far")
                    while hearing.asked is not None and await self._pass_on(frames, hearing):
                        pass
                elif not await hearing.change(STALL_S) and self._waiting:
                    return

    async def _pass_on(self, frames: AsyncIterator[Frame], hearing: SphinxHearing) -> bool:
        """Wait for what the child says next, and tell its owner; False if nothing more comes. Raises: WorkerDied."""
        frame = await anext(frames, None)
        match frame:
            case Frame(kind="part"):
                hearing.tape.pass_on(frame.data["bytes"], frame.audio)
                if hearing.tape.hasty and self._waiting and not hearing.leaving:
                    hearing.leave()
            case Frame(kind="so far"):
                hearing.answer(foretell(msgspec.convert(frame.data, Evidence), self._carriers, match_whole))
            case Frame(kind="heard"):
                hearing.settle(judge(msgspec.convert(frame.data, Evidence), self._carriers, match_whole))
        return frame is not None


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
