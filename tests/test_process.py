"""The child processes: what they answer, how they die, and that none is left."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from voice.errors import WorkerDied
from voice.workers.process import CHILD_NICE, JOB_QUEUE, Frame, Worker

ROOT = Path(__file__).parent.parent


@contextlib.asynccontextmanager
async def running(module: str = "tests.support.child") -> AsyncIterator[Worker]:
    worker = Worker(module, name="test")
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        task = group.create_task(worker.run(), name="worker")
        yield worker
        task.cancel()


async def ask(worker: Worker, kind: str, data: dict[str, object] | None = None, audio: bytes = b"") -> list[Frame]:
    async with worker.job() as job:
        job.send(kind, data, audio)
        return [frame async for frame in job]


def gone(pid: int) -> bool:
    """No such process, or one that ended and waits to be collected by somebody else."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def until_gone(pid: int) -> None:
    while not gone(pid):  # noqa: ASYNC110 - nobody tells of the end of a stranger's child
        await asyncio.sleep(0.01)


async def test_frames_of_any_size_come_back_as_they_went() -> None:
    async with running() as worker:
        for audio in (b"", b"\0\1" * 8, bytes(range(256)) * 4096):
            frames = await ask(worker, "echo", {"text": "hé", "n": 2**40}, audio)
            assert [(f.kind, f.data, f.audio) for f in frames] == [("echoed", {"text": "hé", "n": 2**40}, audio)]


async def test_jobs_in_one_child_do_not_mix() -> None:
    async with running() as worker:
        answers = await asyncio.gather(*(ask(worker, "echo", {"n": n}) for n in range(50)))
        assert [frames[0].data["n"] for frames in answers] == list(range(50))


async def test_death_in_mid_job_is_told_and_the_next_job_gets_a_new_child() -> None:
    async with running() as worker:
        first = (await ask(worker, "who"))[0].data["pid"]
        with pytest.raises(WorkerDied, match="'test' ended in the middle"):
            await ask(worker, "die")
        assert worker.deaths == 1
        second = (await ask(worker, "who"))[0].data["pid"]
        assert second != first and gone(first)


async def test_all_open_jobs_hear_of_the_death() -> None:
    async with running() as worker, worker.job() as job:
        kinds = ("nothing", "nothing", "nothing", "die")
        ends = await asyncio.gather(*(ask(worker, kind) for kind in kinds), return_exceptions=True)
        assert [type(end) for end in ends] == [WorkerDied] * 4
        with pytest.raises(WorkerDied):
            job.send("echo")
        with pytest.raises(WorkerDied):
            await job.drain()


async def test_a_job_of_a_dead_child_never_reaches_its_successor() -> None:
    async with running() as worker, worker.job() as old:
        with pytest.raises(WorkerDied):
            await ask(worker, "die")
        assert await ask(worker, "echo", {"n": 1})
        with pytest.raises(WorkerDied):
            old.send("die")
        assert await ask(worker, "echo", {"n": 2})
        assert worker.deaths == 1


@pytest.mark.parametrize("kind", ["garbage", "die"])
async def test_a_child_that_talks_nonsense_is_replaced(kind: str) -> None:
    async with running() as worker:
        with pytest.raises(WorkerDied):
            await ask(worker, kind)
        assert (await ask(worker, "echo", {"n": 3}))[0].data == {"n": 3}


async def test_an_error_ends_the_job_and_leaves_the_child() -> None:
    async with running() as worker:
        with pytest.raises(WorkerDied, match="no such voice"):
            await ask(worker, "fail")
        assert worker.deaths == 0
        assert len(await ask(worker, "echo")) == 1


async def test_what_c_code_prints_does_not_break_the_frames() -> None:
    async with running() as worker:
        assert await ask(worker, "print") == []
        assert worker.deaths == 0


async def test_a_job_left_with_a_full_queue_does_not_stop_the_others() -> None:
    async with running() as worker:
        async with worker.job() as job:
            job.send("flood", {"count": 3 * JOB_QUEUE})
            async for frame in job:
                assert frame.data == {"number": 0}
                break
            async with asyncio.timeout(30):
                while job._frames.qsize() < JOB_QUEUE:  # noqa: ASYNC110 - a queue tells nobody that it is full
                    await asyncio.sleep(0)
        assert len(await ask(worker, "echo")) == 1


async def test_a_full_queue_waits_and_loses_nothing() -> None:
    async with running() as worker:
        frames = await ask(worker, "flood", {"count": 3 * JOB_QUEUE})
        assert [frame.data["number"] for frame in frames] == list(range(3 * JOB_QUEUE))


async def test_a_child_is_deaf_to_ctrl_c_and_gives_way_to_its_parent() -> None:
    async with running() as worker:
        me = (await ask(worker, "who"))[0].data
        assert me == {"pid": worker.pid, "deaf": True, "nice": min(19, os.nice(0) + CHILD_NICE)}
        os.kill(me["pid"], signal.SIGINT)
        assert (await ask(worker, "who"))[0].data["pid"] == me["pid"]


async def test_the_end_of_run_leaves_no_process() -> None:
    async with running() as worker:
        pid = (await ask(worker, "who"))[0].data["pid"]
        assert not gone(pid)
    assert gone(pid) and worker.pid is None
    with pytest.raises(WorkerDied):
        await worker.start()


@pytest.mark.slow
async def test_a_child_that_does_not_go_is_killed() -> None:
    async with running() as worker:
        pid = (await ask(worker, "who"))[0].data["pid"]
        async with worker.job() as job:
            job.send("stop")
    assert gone(pid)


async def test_the_end_of_run_is_told_to_open_jobs() -> None:
    worker = Worker("tests.support.child", name="test")
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        run = group.create_task(worker.run(), name="worker")
        async with worker.job() as job:
            run.cancel()
            with pytest.raises(WorkerDied):
                async for _ in job:
                    pass


async def test_a_cancelled_job_is_dropped_and_the_child_lives() -> None:
    async with running() as worker:
        pid = (await ask(worker, "who"))[0].data["pid"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await ask(worker, "nothing")
        assert (await ask(worker, "who"))[0].data["pid"] == pid


async def test_a_cancelled_start_leaves_no_process() -> None:
    async with running() as worker:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await worker.start()
        assert len(await ask(worker, "echo")) == 1
        pid = worker.pid
    assert pid is not None and gone(pid)


async def test_a_module_that_is_not_there() -> None:
    async with running("tests.support.no_such_child") as worker:
        with pytest.raises(WorkerDied):
            await ask(worker, "echo")


async def test_an_interpreter_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    async with running() as worker:
        with pytest.raises(WorkerDied, match="cannot start the model process 'test'"):
            await worker.start()


PARENT = """
import asyncio
from voice.workers.process import Worker

async def main():
    worker = Worker("tests.support.child", name="test")
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        async with worker.job() as job:
            job.send("who")
            async for frame in job:
                print(frame.data["pid"], flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the child in /proc")
async def test_a_child_ends_with_its_parent(how: signal.Signals) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert parent.stdout is not None
    async with asyncio.timeout(30):
        pid = int(await parent.stdout.readline())
        assert not gone(pid)
        parent.send_signal(how)
        await parent.wait()
        await until_gone(pid)
