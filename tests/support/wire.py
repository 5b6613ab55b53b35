"""A client that speaks JSON: what the wire carries, seen and sent as it is."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.fakes import FakeResponder, FakeSynthesizer, FakeTranscriber
from tests.support.order import check
from voice.audio.pcm import Samples, to_bytes
from voice.engines.base import Responder
from voice.engines.local import LocalEngine, LocalOptions
from voice.engines.speaker import Clocks
from voice.engines.twin import TwinEngine
from voice.links.base import Link, memory_pair

Event = dict[str, Any]


class Wire:
    """One link, read by who waits for something; `events` is all that came, in order, `at_s` when."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.events: list[Event] = []
        self.at_s: list[float] = []

    async def send(self, kind: str, **fields: object) -> None:
        await self.link.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> Event:
        event: Event = json.loads(await self.link.receive())
        self.events.append(event)
        self.at_s.append(time.monotonic())
        return event

    async def until(self, kind: str) -> Event:
        """Read up to the next event of this kind."""
        while (event := await self.next())["type"] != kind:
            pass
        return event

    async def push(self, samples: Samples) -> None:
        """Sound at 16 kHz (see `manual` and `listening`), in appends of 100 ms."""
        data = to_bytes(samples)
        for at in range(0, len(data), 3200):
            await self.send("input_audio_buffer.append", audio=base64.b64encode(data[at : at + 3200]).decode())

    async def settle(self, **audio_input: object) -> Event:
        """16 kHz in, and these settings of the input."""
        settings = {"format": {"type": "audio/pcm", "rate": 16_000}, **audio_input}
        await self.send("session.update", session={"type": "realtime", "audio": {"input": settings}})
        return await self.until("session.updated")

    async def type(self, text: str) -> None:
        """A typed message, and a wish for an answer."""
        content = [{"type": "input_text", "text": text}]
        await self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await self.send("response.create")

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def sound_ms(self) -> float:
        """How much reply audio has come (24 kHz)."""
        return sum(len(base64.b64decode(event["delta"])) for event in self.of("response.output_audio.delta")) / 48


def transcript(done: Event) -> str:
    """The words of a `response.done`."""
    return " ".join(part["transcript"] for item in done["response"]["output"] for part in item["content"])


def fake_engine(
    transcriber: FakeTranscriber | None = None,
    synthesizer: FakeSynthesizer | None = None,
    responder: Responder | None = None,
    pace: float | None = None,
    life_s: float = 60.0,
) -> LocalEngine:
    """The local engine with its three places played by fakes; `pace` None: as fast as it comes."""
    chosen = responder or FakeResponder()
    options = LocalOptions(life_s=life_s, clocks=Clocks(time.monotonic, time.time, pace))
    return LocalEngine(transcriber or FakeTranscriber(), synthesizer or FakeSynthesizer(), lambda: chosen, options)


def left_over() -> set[str]:
    """The names of the tasks that still run, besides this one and those of a scripted server (`chat_server.py`)."""
    names = {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    return {name for name in names if not name.startswith("scripted ")}


@asynccontextmanager
async def talking(engine: LocalEngine | TwinEngine, within_s: float = 30.0, ordered: bool = True) -> AsyncIterator[Wire]:
    """A session with an engine over a pair in memory; when it ends nothing may be left running. `ordered`: the wire keeps the protocol's order."""
    before = left_over()
    async with asyncio.timeout(within_s):
        near, far = memory_pair()
        async with asyncio.TaskGroup() as group:
            served = engine.faults.between(far, engine.serve) if isinstance(engine, TwinEngine) else engine.serve(far)
            group.create_task(served, name="engine under test")
            wire = Wire(near)
            await wire.until("session.created")
            yield wire
            await near.close()
    if ordered:
        check(wire.events, complete=False)
    assert left_over() == before
    assert engine.sessions == 0
