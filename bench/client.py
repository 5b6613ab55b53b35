"""P5: what a conversation costs its client, beside the openai package's realtime client, sockets and all; in turns, in one run.

    python bench/client.py [--sessions 16] [--seconds 6] [--rounds 3]

One session: 40 ms of 16 kHz sound up (25 messages a second) and 100 ms of 24 kHz sound down (10 messages a second) on half of the time. Sound
goes in as samples and comes out as samples, with no detector and no sound card. The clients are in a process of their own, whose CPU time is
read; the server, which counts what arrives, is in this one. `fast`: on uvloop, of the extra of that name, as a program may choose it for itself
(`asyncio.Runner(loop_factory=uvloop.new_event_loop)`). A figure counts only if every message arrived. Ratios of the medians; 1 % of a core is
10,000 us for a second.
"""

import argparse
import asyncio
import base64
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.until import until  # noqa: E402
from voice.audio.pcm import Samples  # noqa: E402

GOALS = {"voice": 0.55, "voice, fast": 0.42}
PEER = "openai"
KINDS = (PEER, *GOALS)
UP_MS, DOWN_MS = 40, 100
SOUND = base64.b64encode(np.random.default_rng(1).integers(-20_000, 20_000, 2_400).astype("<i2").tobytes()).decode()
IDS = {"response_id": f"resp_{1:022d}", "item_id": f"item_{1:022d}", "output_index": 0, "content_index": 0}
Push = Callable[[Samples], Awaitable[None]]


def text(kind: str, **fields: object) -> str:
    """One event of the server's."""
    return json.dumps({"type": kind, "event_id": f"event_{1:022d}", **fields}, separators=(",", ":"))


def begun() -> list[str]:
    """An answer, up to its sound."""
    item = {"id": IDS["item_id"], "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    response = {"id": IDS["response_id"], "object": "realtime.response", "status": "in_progress", "output": []}
    part = {"type": "audio", "transcript": ""}
    return [
        text("response.created", response=response),
        text("response.output_item.added", response_id=IDS["response_id"], output_index=0, item=item),
        text("conversation.item.added", previous_item_id=None, item=item),
        text("response.content_part.added", **IDS, part=part),
    ]


DELTA = text("response.output_audio.delta", **IDS, delta=SOUND)


class Server:
    """Talks every other second, and counts."""

    def __init__(self) -> None:
        self.sent = self.got = self.links = 0
        self.talking, self.stopped = asyncio.Event(), asyncio.Event()

    async def serve(self, socket: "ServerConnection") -> None:
        await socket.send(text("session.created", session={"type": "realtime", "id": "sess_1"}))
        async with asyncio.TaskGroup() as group:
            talk = group.create_task(self._talk(socket.send))
            while (message := await self._next(socket)) is not None:
                assert isinstance(message, str)
                if '"input_audio_buffer.append"' in message[:60]:
                    self.got += 1
                elif '"session.update"' in message[:60]:
                    await socket.send(text("session.updated", session=json.loads(message)["session"]))
            talk.cancel()

    async def _next(self, socket: "ServerConnection") -> str | bytes | None:
        """None at the end: the clients' process does not take leave."""
        from websockets.exceptions import ConnectionClosed

        try:
            return await socket.recv()
        except ConnectionClosed:
            return None

    async def _talk(self, send: Callable[[str], Awaitable[None]]) -> None:
        for one in begun():
            await send(one)
        self.links += 1
        await self.talking.wait()
        due_s, count = time.monotonic(), 0
        while not self.stopped.is_set():
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            due_s += DOWN_MS / 1000
            count += 1
            if count * DOWN_MS // 1000 % 2 == 0:
                self.sent += 1
                await send(DELTA)


class Heard:
    """Counts deltas, by their samples."""

    def __init__(self) -> None:
        self.deltas = 0

    def take(self, samples: Samples) -> None:
        assert len(samples) == 2_400
        self.deltas += 1


@asynccontextmanager
async def ours(url: str, heard: Heard) -> AsyncIterator[Push]:
    """A session of this package's."""
    import voice
    from voice.protocol.notices import ReplyAudio

    async with voice.connect(url, dialect="ga") as session, asyncio.TaskGroup() as group:

        async def listen() -> None:
            async for notice in session:
                if isinstance(notice, ReplyAudio):
                    heard.take(notice.samples)

        async def push(samples: Samples) -> None:
            session.push_audio(samples)

        listening = group.create_task(listen(), name="listen")
        yield push
        listening.cancel()


@asynccontextmanager
async def theirs(url: str, heard: Heard) -> AsyncIterator[Push]:
    """A connection of the openai package's."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=f"{url}/v1", websocket_base_url=f"{url.replace('http', 'ws')}/v1", api_key="any")
    async with client.realtime.connect(model="gpt-realtime") as connection, asyncio.TaskGroup() as group:
        await connection.session.update(session={"type": "realtime"})

        async def listen() -> None:
            async for event in connection:
                if event.type == "response.output_audio.delta":
                    heard.take(np.frombuffer(base64.b64decode(event.delta), "<i2"))

        async def push(samples: Samples) -> None:
            await connection.input_audio_buffer.append(audio=base64.b64encode(samples.tobytes()).decode())

        listening = group.create_task(listen(), name="listen")
        yield push
        listening.cancel()


async def clients(kind: str, url: str, sessions: int) -> None:
    """The process of the clients: "up N" and "down N US" on stdout, when told to on stdin."""
    heard, up = Heard(), 0
    sound = np.random.default_rng(1).integers(-20_000, 20_000, UP_MS * 16).astype(np.int16)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with AsyncExitStack() as stack:
        pushes = [await stack.enter_async_context((theirs if kind == PEER else ours)(url, heard)) for _ in range(sessions)]
        print("ready", flush=True)
        await reader.readline()
        stopping = asyncio.ensure_future(reader.readline())
        began_s, due_s = time.process_time(), time.monotonic()
        while not stopping.done():
            for push in pushes:
                await push(sound)
                up += 1
            due_s += UP_MS / 1000
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        taken_s = time.process_time() - began_s
        # What is still on its way is counted, and not charged.
        await asyncio.sleep(1)
        print(json.dumps({"up": up, "down": heard.deltas, "cpu_s": taken_s}), flush=True)
        await reader.readline()


async def measure(kind: str, sessions: int, seconds: float) -> float | None:
    """us of CPU for a second of a session; None if a message was lost."""
    from websockets.asyncio.server import serve

    server = Server()
    async with asyncio.timeout(120 + seconds), serve(server.serve, "127.0.0.1", 0, compression=None) as listening:
        url = f"http://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}"
        command = (sys.executable, __file__, "--clients", kind, "--url", url, "--sessions", str(sessions))
        pipe, environment = asyncio.subprocess.PIPE, {**os.environ, "PYTHONPATH": str(ROOT)}
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environment)
        assert process.stdin is not None and process.stdout is not None
        try:
            assert await process.stdout.readline() == b"ready\n", kind
            await until(lambda: server.links == sessions)
            began_s = time.monotonic()
            process.stdin.write(b"go\n")
            server.talking.set()
            await asyncio.sleep(seconds)
            process.stdin.write(b"stop\n")
            server.stopped.set()
            took_s = time.monotonic() - began_s
            told = json.loads(await process.stdout.readline())
        finally:
            process.kill()
            await process.wait()
    whole = (told["up"], told["down"]) == (server.got, server.sent) and server.sent > 0
    return told["cpu_s"] / sessions / took_s * 1e6 if whole else None


async def compare(sessions: int, seconds: float, rounds: int) -> int:
    """Print the table; 1 if a goal is missed."""
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind, costs in taken.items():
            cost = await measure(kind, sessions, seconds)
            if cost is None:
                print(f"{kind}: does not count, a message was lost: fewer --sessions?")
                return 1
            costs.append(cost)
    middle = {kind: statistics.median(costs) for kind, costs in taken.items()}
    missed = False
    for kind, cost in middle.items():
        ratio, goal = cost / middle[PEER], GOALS.get(kind)
        missed |= goal is not None and ratio > goal
        print(f"{kind:>14}: {cost:7.0f} us of CPU for a second, {ratio:.2f}x" + (f" (goal {goal}x)" if goal else ""))
    return int(missed)


def main() -> int:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not options.clients:
        return asyncio.run(compare(options.sessions, options.seconds, options.rounds))
    factory = None
    if options.clients == "voice, fast":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(clients(options.clients, options.url, options.sessions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
