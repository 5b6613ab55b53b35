"""The child's loop around a speech library, with a child that parrots."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from voice.errors import WorkerDied
from voice.workers.process import Frame, Worker


@asynccontextmanager
async def parrot(*arguments: str) -> AsyncIterator[Worker]:
    worker = Worker("tests.support.parrot", *arguments, name="parrot")
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        task = group.create_task(worker.run(), name="parrot")
        try:
            yield worker
        finally:
            task.cancel()


async def told(worker: Worker, text: str) -> list[Frame]:
    async with worker.job() as job:
        job.send("speak", {"text": text})
        return [frame async for frame in job]


async def test_chunks_and_marks_arrive_in_order_and_chatter_does_not() -> None:
    async with parrot() as worker:
        frames = await told(worker, "ab")
    assert [(frame.kind, frame.audio, frame.data) for frame in frames] == [
        ("audio", b"a", {"rate_hz": 8000, "marks": [[0, 0]]}),
        ("audio", b"b", {"rate_hz": 8000, "marks": [[1, 1]]}),
    ]


async def test_a_failing_job_does_not_end_the_child() -> None:
    async with parrot() as worker:
        with pytest.raises(WorkerDied, match="ValueError: no such text"):
            await told(worker, "crash")
        pid = worker.pid
        async with worker.job() as job:
            job.send("speak", {"text": "lost"})
            async for frame in job:
                assert (frame.kind, frame.data) == ("missing", {"message": "no such voice"})
                break
        assert [frame.audio for frame in await told(worker, "c")] == [b"c"]
        assert worker.pid == pid


async def test_a_dropped_job_stops_and_a_waiting_one_never_begins() -> None:
    async with parrot() as worker:
        async with worker.job() as waiting, worker.job() as running:
            running.send("speak", {"text": "endless"})
            waiting.send("speak", {"text": "endless"})
            assert (await anext(aiter(running))).audio == b"e"
        assert [frame.audio for frame in await told(worker, "ok")] == [b"o", b"k"]
        assert worker.deaths == 0


async def test_jobs_at_the_same_time_are_served_in_turn() -> None:
    async with parrot() as worker:
        got = await asyncio.gather(*(told(worker, text) for text in ("ab", "cd", "ef")))
    assert [b"".join(frame.audio for frame in frames) for frames in got] == [b"ab", b"cd", b"ef"]


async def test_without_a_library_every_job_is_told_so() -> None:
    async with parrot("broken") as worker:
        for _ in range(2):
            async with worker.job() as job:
                job.send("speak", {"text": "a"})
                assert (await anext(aiter(job))).data == {"message": "nothing to speak with"}
