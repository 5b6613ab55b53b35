"""Functions that a model calls: what our side adds between the call and the answer, and what one that blocks does to the sound.

    python bench/tools.py [--calls 200]

The server is a script in this process, over a link in memory, that answers at once. First figure: from the moment it has told a call to
the first word of the answer at the program, with a function that returns at once, beside a bare peer that only reads JSON, calls and
writes JSON. Second: how late the event loop turns while a function sleeps for a second (`time.sleep`) and the sound of an answer flows, a
delta of 40 ms every 40 ms; and how late each delta reaches the program, beside the same without a function; the best of five seconds each.
"""

import argparse
import asyncio
import base64
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import voice
from voice.errors import LinkClosed
from voice.links.base import Link, memory_pair
from voice.protocol.notices import ReplyAudio, ReplyText

GOAL_ADDED_MS, GOAL_LATE_MS = 2.0, 5.0
DELTA_MS = 40
BLOCKED_S = 1.0
ROUNDS = 5
SOUND = base64.b64encode(bytes(24 * DELTA_MS * 2)).decode()
Event = dict[str, Any]


def call_item(n: int) -> Event:
    return {"type": "function_call", "id": f"item_{n}", "call_id": f"call_{n}", "name": "act", "arguments": "{}", "status": "completed"}


class Server:
    """Tells a call when it is told to, and answers every output with one word."""

    def __init__(self) -> None:
        self.link: Link | None = None
        self.calls = 0
        self.told_s = 0.0
        self.ready = asyncio.Event()

    async def serve(self, link: Link, model: str = "") -> LinkClosed:
        self.link = link
        await self.tell("session.created", session={"type": "realtime"})
        try:
            while True:
                await self.take(json.loads(await link.receive()))
        except LinkClosed as closed:
            return closed

    async def take(self, event: Event) -> None:
        if event["type"] == "session.update":
            await self.tell("session.updated", session={"type": "realtime"})
            self.ready.set()
        elif event["type"] == "conversation.item.create":
            await self.tell("conversation.item.added", item=event["item"])
        elif event["type"] == "response.create":
            name = f"answer_{self.calls}"
            await self.tell("response.created", response={"id": name})
            await self.tell("response.output_text.delta", response_id=name, item_id=name, delta="Word.")
            await self.tell("response.done", response={"id": name, "status": "completed", "output": []})

    async def call(self) -> None:
        self.calls += 1
        name, item = f"resp_{self.calls}", call_item(self.calls)
        # The user has spoken: of calls that nobody asked for the client answers eight.
        await self.tell("input_audio_buffer.committed", item_id=f"turn_{self.calls}", previous_item_id=None)
        await self.tell("response.created", response={"id": name})
        await self.tell("response.output_item.added", response_id=name, item={**item, "arguments": "", "status": "in_progress"})
        self.told_s = time.perf_counter()
        await self.tell("response.output_item.done", response_id=name, item=item)
        await self.tell("response.done", response={"id": name, "status": "completed", "output": [item]})

    async def tell(self, kind: str, **fields: Any) -> None:
        assert self.link is not None
        await self.link.send(json.dumps({"type": kind, "event_id": "e", **fields}))


def at_once() -> str:
    return "done"


async def soon() -> str:
    return "done"


def blocks() -> str:
    time.sleep(BLOCKED_S)
    return "done"


async def added_ms(function: Callable[[], Any], calls: int) -> list[float]:
    """From each call to the first word of its answer, with our session."""
    server = Server()
    found: list[float] = []
    async with voice.connect(engine=server, settings=voice.settings_of(text_only=True), filler=voice.Filler(None)) as session:
        session.tool(function, name="act")
        await server.ready.wait()
        events = aiter(session)
        for _ in range(calls):
            await server.call()
            while not isinstance(await anext(events), ReplyText):
                pass
            found.append((time.perf_counter() - server.told_s) * 1000)
    return found


async def bare_ms(calls: int) -> list[float]:
    """The same with the least that Python can do."""
    near, far = memory_pair()
    server = Server()
    found: list[float] = []
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve(far), name="server")
        await near.receive()
        for _ in range(calls):
            calling = group.create_task(server.call(), name="call")
            while (event := json.loads(await near.receive()))["type"] != "response.output_text.delta":
                if event["type"] == "response.done" and event["response"]["output"]:
                    item = {"type": "function_call_output", "call_id": event["response"]["output"][0]["call_id"], "output": at_once()}
                    await near.send(json.dumps({"type": "conversation.item.create", "item": item}))
                    await near.send(json.dumps({"type": "response.create"}))
            found.append((time.perf_counter() - server.told_s) * 1000)
            await calling
        await near.close()
        await serving
    return found


async def late_ms(blocking: bool) -> tuple[list[float], list[float]]:
    """(how late the loop turns, how late each delta of sound is) for a second, with a function that blocks, or none."""
    server, turns, sound = Server(), [], []
    async with voice.connect(engine=server, filler=voice.Filler(None)) as session:
        session.tool(blocks, name="act")
        await server.ready.wait()
        sent: list[float] = []

        async def flow() -> None:
            began = time.perf_counter()
            for n in range(int(BLOCKED_S * 1000) // DELTA_MS):
                await asyncio.sleep(max(0.0, began + n * DELTA_MS / 1000 - time.perf_counter()))
                sent.append(time.perf_counter())
                await server.tell("response.output_audio.delta", response_id="flow", item_id="flow", delta=SOUND)

        async def hear() -> None:
            async for event in session:
                if isinstance(event, ReplyAudio):
                    sound.append((time.perf_counter() - sent[len(sound)]) * 1000)

        async def turn() -> None:
            while True:
                wanted = time.perf_counter() + 0.002
                await asyncio.sleep(0.002)
                turns.append((time.perf_counter() - wanted) * 1000)

        async with asyncio.TaskGroup() as group:
            others = [group.create_task(hear(), name="hear"), group.create_task(turn(), name="turn")]
            if blocking:
                await server.call()
            await group.create_task(flow(), name="flow")
            for task in others:
                task.cancel()
    return turns, sound


def at(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def main(calls: int) -> int:
    bare = statistics.median(await bare_ms(calls))
    worst = 0.0
    for name, function in (("function", at_once), ("coroutine", soon)):
        found = await added_ms(function, calls)
        worst = max(worst, statistics.median(found))
        print(f"call -> first word, an instant {name}: p50 {statistics.median(found):.2f} ms, p95 {at(found, 0.95):.2f} ms")
    print(f"the bare peer: p50 {bare:.2f} ms; goal {GOAL_ADDED_MS:g} ms")
    late = 0.0
    for name, blocking in (("no function runs", False), ("a function sleeps", True)):
        # Whoever shares the machine makes a loop late, too: the best of some seconds is ours.
        turns, sound = min([await late_ms(blocking) for _ in range(ROUNDS)], key=lambda found: at(found[0], 0.99))
        late = at(turns, 0.99) if blocking else late
        print(f"{name}: loop late by p50 {statistics.median(turns):.2f}, p99 {at(turns, 0.99):.2f} ms; ", end="")
        print(f"a delta of sound by p50 {statistics.median(sound):.2f}, p99 {at(sound, 0.99):.2f} ms")
    print(f"goal: loop p99 {GOAL_LATE_MS:g} ms")
    return 0 if worst <= GOAL_ADDED_MS and late <= GOAL_LATE_MS else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    sys.exit(asyncio.run(main(parser.parse_args().calls)))
