"""One model process and the jobs that run in it.

Heavy C code that holds the GIL (pocketsphinx) or keeps global state (espeak-ng) lives in a child
process. Parent and child exchange `Frame`s: four bytes of length, then MessagePack. A frame belongs to a
job; a job is opened by the parent, and ends when the child sends a frame of kind "end" or "error".

    async with worker.job() as job:
        job.send("speak", {"text": "hello"})
        async for frame in job: ...

The child's side is `child_pipes()`, `read_frames()` and `writer()`: no event loop, a child does one thing at a time.
A child ends when its standard input does, however the parent went; Ctrl-C is the parent's business alone.
"""

import asyncio
import contextlib
import logging
import os
import struct
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any, BinaryIO

import msgspec

from voice.errors import WorkerDied

log = logging.getLogger(__name__)

_LENGTH = struct.Struct("<I")
_START_TIMEOUT_S = 30.0
_CLOSE_TIMEOUT_S = 2.0
CHILD_NICE = 5
"""Added to a child's niceness: about a third of the parent's share where both want the same core."""
JOB_QUEUE = 1024
"""Frames that wait in one job. A full queue stops reading from the child, which then waits in its write."""


_BOOT = (
    "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.argv.pop(0); "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)
"""`python -m`, deaf to Ctrl-C before the long imports: a terminal sends it to every process of the group. A session of its own would
do the same, but where the scheduler groups by session the child's low priority would then count for nothing."""


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One message in either direction. `audio` is 16-bit little-endian PCM or empty."""

    job: int
    kind: str
    data: dict[str, Any] = {}
    audio: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


def _packed(frame: Frame) -> bytes:
    body = _encode(frame)
    return _LENGTH.pack(len(body)) + body


class Job:
    """One piece of work in a child, seen from the parent."""

    def __init__(self, worker: "Worker", number: int) -> None:
        self._worker = worker
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue(JOB_QUEUE)
        self._over = False
        self.number = number

    def send(self, kind: str, data: dict[str, Any] | None = None, audio: bytes = b"") -> None:
        """Queue a frame to the child. Raises: WorkerDied, also if the child of this job is gone and another one took its place."""
        if self._over:
            raise self._worker.died()
        self._worker.write(Frame(self.number, kind, data or {}, audio))

    @property
    def has_frames(self) -> bool:
        """Whether the next frame, or the loss of the child, is here already."""
        return not self._frames.empty()

    async def drain(self) -> None:
        """Wait until the child has taken most of what was sent. Raises: WorkerDied."""
        if self._over:
            raise self._worker.died()
        await self._worker.drain()

    async def __aiter__(self) -> AsyncGenerator[Frame, None]:
        """The child's frames up to its "end". Raises: WorkerDied if the child is gone or reports an error."""
        while not (self._over and self._frames.empty()):
            frame = await self._frames.get()
            if frame is None:
                break
            if frame.kind == "end":
                return
            if frame.kind == "error":
                raise WorkerDied(str(frame.data.get("message", "the model process reported an error")))
            yield frame
        raise self._worker.died()

    async def put(self, frame: Frame) -> None:
        """For the worker: hand over a frame; waits while the queue is full."""
        await self._frames.put(frame)

    def lose(self) -> None:
        """For the worker: the child is gone. What it sent before is still read."""
        self._over = True
        with contextlib.suppress(asyncio.QueueFull):  # a full queue wakes its reader anyhow
            self._frames.put_nowait(None)

    def leave(self) -> None:
        """For the worker: nobody reads any more; frees a `put` that waits."""
        while not self._frames.empty():
            self._frames.get_nowait()


class Worker:
    """A child process, started on first use and again after it died.

    `run()` must be running in a task group for frames to arrive; `job()` starts the child if there is none.
    """

    def __init__(self, module: str, *arguments: str, name: str) -> None:
        self.name = name
        self._command = (sys.executable, "-c", _BOOT, module, *arguments)
        self._child: asyncio.subprocess.Process | None = None
        self._jobs: dict[int, Job] = {}
        self._next = 1
        self._started = asyncio.Event()
        self._starting = asyncio.Lock()
        self._closed = False
        self.deaths = 0
        """How many children ended by themselves."""

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is no child."""
        return self._child.pid if self._child else None

    @contextlib.asynccontextmanager
    async def job(self) -> AsyncIterator[Job]:
        """A new job; leaving the block tells the child to drop what is left of it. Raises: WorkerDied."""
        await self.start()
        job = Job(self, self._next)
        self._next += 1
        self._jobs[job.number] = job
        try:
            yield job
        finally:
            if self._jobs.pop(job.number, None) is not None:
                with contextlib.suppress(WorkerDied):
                    job.send("drop")
            job.leave()

    async def start(self) -> None:
        """Start the child unless it runs. Raises: WorkerDied if it cannot be started, or after `run()` has ended."""
        async with self._starting:
            if self._child is not None:
                return
            if self._closed:
                raise self.died()
            try:
                async with asyncio.timeout(_START_TIMEOUT_S):
                    self._child = await asyncio.create_subprocess_exec(
                        *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
                    )
            except (OSError, TimeoutError) as exc:
                raise WorkerDied(f"cannot start the model process {self.name!r}: {exc}") from exc
            self._started.set()

    def write(self, frame: Frame) -> None:
        """Queue one frame to the child. Raises: WorkerDied."""
        self._stdin().write(_packed(frame))

    async def drain(self) -> None:
        """Wait until the child has taken most of what was written. Raises: WorkerDied."""
        try:
            await self._stdin().drain()
        except ConnectionError as exc:
            raise self.died() from exc

    async def run(self) -> None:
        """Read the child's frames for ever; call it once, in a task group; cancel it to end the child."""
        self._closed = False
        try:
            while True:
                await self._started.wait()
                self._started.clear()
                if (child := self._child) is None:
                    continue
                await self._read(child)
                self._child = None
                self.deaths += 1
                self._lose_jobs()
                log.warning("model process %s ended; the next job starts it again", self.name)
                await _end(child)
        finally:
            await self.close()

    async def close(self) -> None:
        """End the child, gently first; its jobs have lost it."""
        self._closed = True
        child, self._child = self._child, None
        self._lose_jobs()
        if child is not None:
            await _end(child)

    def died(self) -> WorkerDied:
        """The error of a job that this child cannot finish."""
        return WorkerDied(f"model process {self.name!r} ended in the middle of a job")

    def _stdin(self) -> asyncio.StreamWriter:
        if self._child is None or self._child.stdin is None or self._child.stdin.is_closing():
            raise self.died()
        return self._child.stdin

    def _lose_jobs(self) -> None:
        jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            job.lose()

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        """Hand out the child's frames until it hangs up, or says what cannot be understood."""
        assert child.stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, msgspec.MsgspecError):
            while True:
                size = _LENGTH.unpack(await child.stdout.readexactly(_LENGTH.size))[0]
                frame = _decode(await child.stdout.readexactly(size))
                if (job := self._jobs.get(frame.job)) is not None:
                    await job.put(frame)


async def _end(child: asyncio.subprocess.Process) -> None:
    """Hang up, wait, kill what does not go: afterwards there is no process, also when this is cancelled."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await child.wait()
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await child.wait()


def child_pipes() -> tuple[BinaryIO, BinaryIO]:
    """For a child, called first: the pipes from and to the parent.

    The child gets out of the way: its priority is low so that the parent's event loop gets the CPU first, and what C code prints
    to standard output goes to standard error instead of between frames.
    """
    with contextlib.suppress(OSError, AttributeError):  # no such thing on Windows
        os.nice(CHILD_NICE)
    to_parent = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, to_parent


def read_frames(stream: BinaryIO) -> Iterator[Frame]:
    """For a child: the parent's frames until it hangs up."""
    while len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
        body = stream.read(_LENGTH.unpack(head)[0])
        yield _decode(body)


def writer(stream: BinaryIO) -> Callable[[Frame], None]:
    """For a child: a function that sends one frame to the parent at once."""

    def write(frame: Frame) -> None:
        stream.write(_packed(frame))
        stream.flush()

    return write
