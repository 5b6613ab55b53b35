"""A client's link with a stage behind it (`protocol/backstage.py`): what answers reads and writes this one, and no client notices.

    client's link --- reader task ---> stage ---> `receive`  --- what answers
    client's link <-- writer task ---- stage <--- `send`     <-- what answers
                                         ^-- a task for each call of a tool

The stage may have something to say to either side whichever has spoken. So each direction has a lane: `send` waits until the client has been
given all that was there before, the reader until all it has read is taken and the client has taken what it was told (`MOST_DOWN`), and only the
stage's own events, a few for each call, wait for nobody.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from voice.errors import LinkClosed
from voice.links.base import Link
from voice.protocol.backstage import Backstage, Staged
from voice.protocol.overture import REFUSED
from voice.protocol.shownresponse import HiddenCall

START_S = 10.0
"""For what answers to take our settings."""
FLUSH_S = 1.0
"""At the end: for a client to take what was said before it."""
MOST_DOWN = 64
"""Events that wait for the client; while it does not take them nothing more of it is read, for a refusal is told to nobody else."""
FAILED = 1011

Run = Callable[[HiddenCall], Awaitable[str]]
"""Runs a tool and gives its output; it must not raise."""


class StagedLink:
    """See the top of the file; made by `staged`."""

    def __init__(self, link: Link, stage: Backstage, run: Run, group: asyncio.TaskGroup) -> None:
        self._link = link
        self._stage = stage
        self._run = run
        self._group = group
        self._up: deque[str] = deque()
        self._down: deque[str] = deque()
        self._changed = asyncio.Event()
        self._ended: LinkClosed | None = None
        self._tasks = {
            group.create_task(self._read(), name="staged reader"),
            group.create_task(self._write(), name="staged writer"),
        }

    async def receive(self) -> str | bytes:
        """See `Link`."""
        await self._until(lambda: bool(self._up or self._ended))
        if not self._up:
            raise self._closed()
        text = self._up.popleft()
        self._changed.set()
        return text

    async def send(self, text: str) -> None:
        """See `Link`."""
        await self._until(lambda: not self._down or self._ended is not None)
        if self._ended is not None:
            raise self._closed()
        self._do(self._stage.down(text))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Link`. What was said before is sent, as far as the client takes it within a second."""
        await self.flush()
        self._end(LinkClosed(code, reason))
        await self._link.close(code, reason)

    async def flush(self) -> None:
        """Until the client has been given all that waits, or does not take it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._until(lambda: not self._down)

    def stop(self) -> None:
        """Nothing is read, written or run any more."""
        for task in self._tasks:
            task.cancel()

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(START_S):
                await self._until(lambda: self._stage.ready)
        except TimeoutError:
            return self._end(LinkClosed(FAILED, REFUSED))
        while True:
            await self._until(lambda: not self._up and len(self._down) < MOST_DOWN)
            try:
                message = await self._link.receive()
                text = message if isinstance(message, str) else message.decode()
            except LinkClosed as closed:
                return self._end(closed)
            except UnicodeDecodeError:
                return self._end(LinkClosed(1007, "a binary message is not UTF-8"))
            self._do(self._stage.up(text))

    async def _write(self) -> None:
        while True:
            await self._until(lambda: bool(self._down))
            # The reader meets this end too, behind what the client said before it; nobody waits for what is not taken.
            with contextlib.suppress(LinkClosed):
                await self._link.send(self._down[0])
            self._down.popleft()
            self._changed.set()

    async def _call(self, call: HiddenCall) -> None:
        output = await self._run(call)
        self._do(self._stage.finished(call.call_id, output))

    def _do(self, staged: Staged) -> None:
        self._up += staged.up
        self._down += staged.down
        for call in staged.calls:
            task = self._group.create_task(self._call(call), name="staged call")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if staged.over:
            self._end(LinkClosed(FAILED, staged.over))
        self._changed.set()

    def _end(self, ended: LinkClosed) -> None:
        self._ended = self._ended or ended
        self._changed.set()

    def _closed(self) -> LinkClosed:
        """A new exception each time: one that is raised twice drags its first traceback along."""
        ended = self._ended or LinkClosed(1006)
        return LinkClosed(ended.close_code, ended.reason)

    async def _until(self, ready: Callable[[], bool]) -> None:
        while not ready():
            self._changed.clear()
            await self._changed.wait()


@contextlib.asynccontextmanager
async def staged(link: Link, stage: Backstage, run: Run) -> AsyncIterator[StagedLink]:
    """The link for what answers. With the block ends whatever still runs: tools, too."""
    async with asyncio.TaskGroup() as group:
        inner = StagedLink(link, stage, run, group)
        try:
            yield inner
            await inner.flush()
        finally:
            inner.stop()
