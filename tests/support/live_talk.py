"""The command `voice talk --json` in a process of its own, spoken to through the sound cards of `virtual_audio.py`."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.until import until

ROOT = Path(__file__).resolve().parent.parent.parent
END_S = 40.0


class LiveTalk:
    """`lines` is all that it has printed so far, `errors` what it has said to people."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.errors = ""

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(json.loads(line))

    async def read_errors(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.errors += line.decode()

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    @property
    def states(self) -> list[str]:
        return [line["state"] for line in self.lines if line["event"] == "state"]

    @property
    def turns(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == "turn"]

    @property
    def summary(self) -> dict[str, Any]:
        assert self.lines and self.lines[-1]["event"] == "summary", self.errors
        return self.lines[-1]

    async def state(self, state: str, within_s: float = 60.0) -> None:
        """Wait until that is the state."""
        await until(lambda: self._ended() or (self.states and self.states[-1] == state), within_s)
        assert not self._ended(), self.errors

    async def turn(self, number: int, within_s: float = 60.0) -> dict[str, Any]:
        """Wait until so many turns are over; the last of them."""
        await until(lambda: self._ended() or len(self.turns) >= number, within_s)
        assert len(self.turns) >= number, self.errors
        return self.turns[number - 1]

    async def end(self) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return await self.ended()

    async def ended(self, within_s: float = END_S) -> int:
        """Wait until it ends by itself; returns the exit code."""
        async with asyncio.timeout(within_s):
            return await self.process.wait()

    def _ended(self) -> bool:
        return self.process.returncode is not None


@asynccontextmanager
async def live_talk(environment: Mapping[str, str], *flags: str) -> AsyncIterator[LiveTalk]:
    """Runs it until the block ends."""
    pipe = asyncio.subprocess.PIPE
    line = (sys.executable, "-m", "voice", "talk", "--json", *flags)
    process = await asyncio.create_subprocess_exec(*line, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
    talk = LiveTalk(process)
    async with asyncio.TaskGroup() as group:
        group.create_task(talk.read())
        group.create_task(talk.read_errors())
        try:
            yield talk
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@asynccontextmanager
async def live_server(*flags: str) -> AsyncIterator[str]:
    """`voice serve` in a process of its own; its address."""
    async with live_process(*flags) as (address, _):
        yield address


@asynccontextmanager
async def live_process(*flags: str) -> AsyncIterator[tuple[str, int]]:
    """The same, and the process's id."""
    line = (sys.executable, "-m", "voice", "serve", "--port", "0", *flags)
    process = await asyncio.create_subprocess_exec(*line, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            first = (await process.stdout.readline()).decode()
        found = re.fullmatch(r"listening on (https?://\S+)\n", first)
        assert found, first
        yield found[1], process.pid
    finally:
        process.terminate()
        async with asyncio.timeout(END_S):
            await process.wait()
