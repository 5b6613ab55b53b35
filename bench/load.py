"""What `voice serve` costs while it is spoken to: memory idle, with 1 and with 4 talking sessions, and how late its event loop is.

    python bench/load.py [--sessions 4] [WAV...]

The server runs in one process (with its recognising and speaking children), the talkers in others, in real time. Memory is the proportional
set size of the server's process tree (shared pages counted once). Lateness: how much later than asked a 5 ms sleep in the
server's loop ends, while all sessions are being recognised; p99 goal 5 ms.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAP_S = 0.005
GOAL_LATE_MS = 5.0
SAMPLE_S = 0.2


def tree(pid: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            yield from tree(int(child))


def memory_mb(pid: int) -> float:
    """Proportional set size of a process tree."""
    total_kb = 0
    for member in tree(pid):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
            total_kb += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total_kb / 1024


async def server() -> None:
    """The server, with a probe in its loop that reports on each line of stdin."""
    from voice.engines.local import LocalOptions, local_engine
    from voice.server.app import ServeOptions, serve

    late_ms: list[float] = []

    async def probe() -> None:
        while True:
            due = time.perf_counter() + NAP_S
            await asyncio.sleep(NAP_S)
            late_ms.append((time.perf_counter() - due) * 1000)

    async def report() -> None:
        while await asyncio.to_thread(sys.stdin.readline):
            taken = sorted(late_ms) or [0.0]  # nothing yet: the probe has only begun
            late_ms.clear()
            ranks = {name: taken[min(int(share * len(taken)), len(taken) - 1)] for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1))}
            print(json.dumps(ranks | {"count": len(taken)}), flush=True)

    async with local_engine(LocalOptions()) as engine, asyncio.TaskGroup() as group:
        tasks = [group.create_task(probe(), name="probe"), group.create_task(report(), name="report")]
        await serve(engine, ServeOptions(port=0), {}, lambda address: print(address, flush=True))
        for task in tasks:
            task.cancel()


async def talking(url: str, sessions: int, files: Sequence[Path], pid: int) -> float:
    """Let so many sessions talk at once, in real time; returns the most memory that the server had meanwhile."""
    command = [sys.executable, "-m", "voice", "replay", "--realtime", "--json", "--url", url, *map(str, files)]
    talkers = [await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, cwd=ROOT) for _ in range(sessions)]
    most = 0.0
    while any(talker.returncode is None for talker in talkers):
        most = max(most, memory_mb(pid))
        await asyncio.sleep(SAMPLE_S)
    if any(talker.returncode for talker in talkers):
        raise SystemExit("a talker failed")
    return most


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[asyncio.subprocess.Process]:
    """The server as a child."""
    pipe = subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, __file__, "--server", stdin=pipe, stdout=pipe, cwd=ROOT)
    try:
        yield child
    finally:
        assert child.stdin is not None
        child.stdin.close()  # else the thread that reads it keeps the server from ending
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await child.wait()


async def measure(sessions: int, files: Sequence[Path]) -> int:
    """Print the table; 1 if the loop was too late."""
    async with running() as child:
        assert child.stdin is not None and child.stdout is not None
        url = (await child.stdout.readline()).decode().strip()
        await asyncio.sleep(2)
        print(f"{'idle':>12}: {memory_mb(child.pid):6.0f} MB")
        late = {}
        for count in sorted({1, sessions}):
            child.stdin.write(b"begin\n")
            await child.stdout.readline()
            most = await talking(url, count, files, child.pid)
            child.stdin.write(b"end\n")
            late = json.loads(await child.stdout.readline())
            shown = f"loop late p50 {late['p50']:.2f}, p99 {late['p99']:.2f}, max {late['max']:.1f} ms of {late['count']} naps"
            print(f"{count:>4} talking: {most:6.0f} MB at most; {shown}")
        await asyncio.sleep(2)
        print(f"{'idle again':>12}: {memory_mb(child.pid):6.0f} MB")
        print(f"goal: p99 at most {GOAL_LATE_MS:.0f} ms late with {sessions} sessions")
    return 0 if late["p99"] <= GOAL_LATE_MS else 1


def main() -> int:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    if options.server:
        asyncio.run(server())
        return 0
    return asyncio.run(measure(options.sessions, options.files or sorted((ROOT / "fixtures/wav").glob("*.wav"))))


if __name__ == "__main__":
    sys.exit(main())
