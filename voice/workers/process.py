"""One model process and the jobs that run in it.

Heavy C code that holds the GIL (pocketsphinx) or keeps global state (espeak-ng) lives in a child
process. Parent and child exchange `Frame`s: four bytes of length, then MessagePack. A frame belongs to a
job; a job is opened by the parent, and ends when the child sends a frame of kind "end" or "error".

    async with worker.job() as job:
        job.send("speak", {"text": "hello"})
        async for frame in job: ...

The child's side is `serve()`, which needs no event loop: a child does one thing at a time.
"""

import asyncio
import contextlib
import logging
import struct
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, BinaryIO

import msgspec

from voice.errors import WorkerDied

log = logging.getLogger(__name__)

_LENGTH = struct.Struct("<I")
_START_TIMEOUT_S = 30.0
_CLOSE_TIMEOUT_S = 2.0
JOB_QUEUE = 1024
"""Frames that wait in one job. A full queue stops reading from the child, which then waits in its write."""


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
        self.number = number

    def send(self, kind: str, data: dict[str, Any] | None = None, audio: bytes = b"") -> None:
        """Queue a frame to the child. Raises: WorkerDied."""
        self._worker.write(Frame(self.number, kind, data or {}, audio))

    async def __aiter__(self) -> AsyncIterator[Frame]:
        """The child's frames up to its "end". Raises: WorkerDied if the child is gone or reports an error."""
        while (frame := await self._frames.get()) is not None:
            if frame.kind == "end":
                return
            if frame.kind == "error":
                raise WorkerDied(str(frame.data.get("message", "the model process reported an error")))
            yield frame
        raise WorkerDied(f"model process {self._worker.name!r} ended in the middle of a job")

    async def put(self, frame: Frame | None) -> None:
        """For the worker: hand over a frame; None means that the child is gone."""
        await self._frames.put(frame)


class Worker:
    """A child process, started on first use and again after it died.

    `run()` must be running in a task group for frames to arrive; `job()` starts the child if there is none.
    """

    def __init__(self, module: str, *arguments: str, name: str) -> None:
        self.name = name
        self._command = (sys.executable, "-m", module, *arguments)
        self._child: asyncio.subprocess.Process | None = None
        self._jobs: dict[int, Job] = {}
        self._next = 1
        self._started = asyncio.Event()
        self._starting = asyncio.Lock()
        self.deaths = 0

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

    async def start(self) -> None:
        """Start the child unless it runs. Raises: WorkerDied if it cannot be started."""
        async with self._starting:
            if self._child is not None:
                return
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
        if self._child is None or self._child.stdin is None or self._child.stdin.is_closing():
            raise WorkerDied(f"model process {self.name!r} is gone")
        self._child.stdin.write(_packed(frame))

    async def run(self) -> None:
        """Read the child's frames for ever; call it once, in a task group; cancel it to end the child."""
        try:
            while True:
                await self._started.wait()
                await self._read()
                self._started.clear()
                self._child = None
                self.deaths += 1
                log.warning("model process %s ended; the next job starts it again", self.name)
                jobs, self._jobs = self._jobs, {}
                for job in jobs.values():
                    await job.put(None)
        finally:
            await self.close()

    async def _read(self) -> None:
        assert self._child is not None and self._child.stdout is not None
        try:
            while True:
                size = _LENGTH.unpack(await self._child.stdout.readexactly(_LENGTH.size))[0]
                frame = _decode(await self._child.stdout.readexactly(size))
                if (job := self._jobs.get(frame.job)) is not None:
                    await job.put(frame)
        except (asyncio.IncompleteReadError, ConnectionError, msgspec.MsgspecError):
            await self._end()

    async def close(self) -> None:
        """End the child, gently first."""
        if self._child is not None:
            await self._end()
            self._child = None

    async def _end(self) -> None:
        child = self._child
        assert child is not None
        if child.stdin is not None:
            child.stdin.close()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await child.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await child.wait()


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
