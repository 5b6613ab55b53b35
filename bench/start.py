"""P7: how long `voice --help` and the first dial take, against Python's own argparse and a peer's import.

    python bench/start.py [--runs 15]

Fresh processes, taken in turn so that a busy machine is as unfair to one as to the other; the figure is the ratio of medians.
`voice --help` is measured in CPU time (user and system) and in modules imported; the dial in elapsed time, from the start of
the process to the moment when the server sees the connection.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

SCRIPT = Path(sys.executable).with_name("voice")
HELP = (sys.executable, str(SCRIPT), "--help")
ARGPARSE = (sys.executable, "-c", "import argparse")
PEER = (sys.executable, "-c", "from openai.resources.realtime.realtime import AsyncRealtimeConnection")
DIAL = """
import asyncio, voice
async def main():
    async with voice.connect(url="ws://127.0.0.1:{port}/v1/realtime", api_key="bench"):
        pass
asyncio.run(main())
"""
GOAL_HELP, GOAL_DIAL = 3.0, 0.2
DIAL_TIMEOUT_S = 10.0


def cpu_ms(command: Sequence[str]) -> float:
    """CPU time of one process. Raises: SystemExit with its errors if it failed."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[-1]!r} failed:\n{errors}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def elapsed_ms(command: Sequence[str]) -> float:
    """Elapsed time of one process."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1000


def dialled_ms() -> float:
    """From the start of a process to its connection to a server here, which is then closed. Raises: SystemExit."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DIAL_TIMEOUT_S)
        code = DIAL.format(port=server.getsockname()[1])
        started = time.perf_counter()
        with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as child:
            try:
                server.accept()[0].close()
                return (time.perf_counter() - started) * 1000
            except TimeoutError:
                child.kill()
                raise SystemExit(f"nobody dialled within {DIAL_TIMEOUT_S:.0f} s:\n{child.stderr and child.stderr.read()}") from None
            finally:
                child.kill()


def medians(runs: int, *measures: Callable[[], float]) -> list[float]:
    """Median of each, taken in turn; the first round, which fills caches, does not count."""
    rounds = [[measure() for measure in measures] for _ in range(runs + 1)][1:]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def modules(command: Sequence[str]) -> set[str]:
    """Every module that a process imports."""
    told = subprocess.run([command[0], "-X", "importtime", *command[1:]], capture_output=True, text=True, check=True).stderr
    return {line.rpartition("|")[2].strip() for line in told.splitlines() if line.startswith("import time:")}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    if not SCRIPT.exists():
        raise SystemExit(f"no {SCRIPT}: pip install --editable .")
    ours, theirs = medians(runs, lambda: cpu_ms(HELP), lambda: cpu_ms(ARGPARSE))
    extra = modules(HELP) - modules(ARGPARSE)
    print(f"voice --help / import argparse, CPU   {ours:6.0f} / {theirs:3.0f} ms = {ours / theirs:4.2f}x   goal {GOAL_HELP}x")
    print(f"modules beyond argparse's             {len(extra):6}: {', '.join(sorted(extra)[:12])}{' ...' if len(extra) > 12 else ''}")
    good = ours <= GOAL_HELP * theirs
    if find_spec("openai") is None:
        print("the dial: needs openai to compare with (pip install '.[dev]')")
        return not good
    ours, theirs = medians(max(runs // 3, 3), dialled_ms, lambda: elapsed_ms(PEER))
    print(f"dialled / import openai's realtime    {ours:6.0f} / {theirs:3.0f} ms = {ours / theirs:4.2f}x   goal {GOAL_DIAL}x")
    return not (good and ours <= GOAL_DIAL * theirs)


if __name__ == "__main__":
    sys.exit(main())
