"""The link with a stage in front of it: a client, our own engine behind, and a tool between them."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.support.front import ORDERS, SECRET, veil
from tests.support.order import check
from tests.support.served import counted
from tests.support.wire import Wire, fake_engine, left_over, transcript
from voice.engines.base import Called, Prompt, Said, Saying
from voice.errors import LinkClosed
from voice.links import staged as module
from voice.links.base import Link, memory_pair
from voice.links.staged import Run, staged
from voice.protocol.backstage import Backstage
from voice.protocol.overture import REFUSED
from voice.protocol.shownresponse import HiddenCall


class Clerk:
    """Looks up an order, and says what it has read."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:
        self.prompts.append(prompt)
        if prompt.lines[-1].role == "tool":
            yield Said(f"It is {prompt.lines[-1].text}.")
        else:
            yield Called("call_7", ORDERS.name, '{"number":1003}')

    def due_s(self) -> float | None:
        return None

    def announce(self, now: float) -> Sequence[Said]:
        return ()


async def shipped(call: HiddenCall) -> str:
    return "shipped"


@asynccontextmanager
async def served(clerk: Clerk, run: Run = shipped) -> AsyncIterator[Wire]:
    """A client of our engine behind a stage; when it ends nothing may be left running."""
    engine, before = fake_engine(responder=clerk), left_over()

    async def serve(link: Link) -> None:
        async with staged(link, Backstage(veil(), counted("b")), run) as inner:
            await engine.serve(inner, "any")

    async with asyncio.timeout(30):
        near, far = memory_pair()
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(far), name="engine under test")
            wire = Wire(near)
            await wire.until("session.created")
            yield wire
            await near.close()
    check(wire.events, complete=False)
    assert left_over() == before and engine.sessions == 0
    assert SECRET not in json.dumps(wire.events)


async def test_a_tool_runs_behind_the_client_s_back() -> None:
    clerk, calls = Clerk(), list[HiddenCall]()

    async def run(call: HiddenCall) -> str:
        calls.append(call)
        return "shipped"

    async with served(clerk, run) as wire:
        await wire.type("where is my order")
        done = await wire.until("response.done")
    assert transcript(done) == "It is shipped."
    assert [(call.name, call.arguments) for call in calls] == [(ORDERS.name, '{"number":1003}')]
    assert SECRET in clerk.prompts[0].instructions


async def test_the_client_goes_on_while_a_tool_runs() -> None:
    go_on, running = asyncio.Event(), asyncio.Event()

    async def run(call: HiddenCall) -> str:
        running.set()
        await go_on.wait()
        return "late"

    async with served(Clerk(), run) as wire:
        await wire.type("where is my order")
        await running.wait()
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
        await wire.send("response.cancel")
        assert (await wire.until("response.done"))["response"]["status"] == "cancelled"
        go_on.set()


async def test_a_client_that_leaves_stops_the_tool() -> None:
    stopped, running = asyncio.Event(), asyncio.Event()

    async def run(call: HiddenCall) -> str:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return ""

    async with served(Clerk(), run) as wire:
        await wire.type("where is my order")
        await running.wait()
        await wire.link.close(1001, "bye")
        await stopped.wait()


async def engine_that_says(link: Link, *texts: str) -> LinkClosed:
    """What answers, as far as it goes."""
    for text in texts:
        await link.send(text)
    try:
        while True:
            await link.receive()
    except LinkClosed as closed:
        return closed


async def ended_with(*texts: str) -> tuple[LinkClosed, list[str]]:
    """How a session ends whose engine says this; and what its client is told."""
    near, far = memory_pair()
    async with asyncio.timeout(30):
        async with staged(far, Backstage(veil(), counted("b")), shipped) as inner:
            closed = await engine_that_says(inner, *texts)
        await far.close(closed.close_code, closed.reason)
        told = []
        try:
            while True:
                told.append(json.loads(await near.receive())["type"])
        except LinkClosed as seen:
            assert seen.close_code == closed.close_code
    return closed, told


async def test_settings_that_are_refused_end_the_session_with_a_reason() -> None:
    closed, told = await ended_with('{"type":"session.created","session":{}}', '{"type":"error","error":{"message":"no"}}')
    assert (closed.close_code, closed.reason, told) == (1011, REFUSED, ["error"])


async def test_settings_that_are_never_answered_end_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_S", 0.05)
    closed, told = await ended_with('{"type":"session.created","session":{}}')
    assert (closed.close_code, closed.reason, told) == (1011, REFUSED, [])


async def test_a_client_that_does_not_read_slows_what_answers() -> None:
    near, far = memory_pair()
    sent = 0
    async with asyncio.timeout(30), staged(far, Backstage(veil(), counted("b")), shipped) as inner, asyncio.TaskGroup() as group:
        created = json.dumps({"type": "session.created", "session": {"type": "transcription"}})

        async def flood() -> None:
            nonlocal sent
            while True:
                await inner.send(created)
                sent += 1

        task = group.create_task(flood(), name="flood")
        for _ in range(2_000):
            await asyncio.sleep(0)
        most = sent
        assert most < 100, "a pair holds 64"
        await near.receive()
        for _ in range(100):
            await asyncio.sleep(0)
        assert sent == most + 1
        task.cancel()
        await near.close()


async def test_a_client_that_is_refused_and_does_not_read_is_not_read_either() -> None:
    near, far = memory_pair()
    refused = json.dumps({"type": "session.update", "session": {"tools": [{"type": "function", "name": ORDERS.name}]}})
    sent = 0
    async with asyncio.timeout(30), staged(far, Backstage(veil(), counted("b")), shipped) as inner, asyncio.TaskGroup() as group:
        await inner.send('{"type":"session.created","session":{"type":"realtime"}}')
        assert json.loads(await inner.receive())["type"] == "session.update"
        await inner.send('{"type":"session.updated","session":{"type":"realtime"}}')

        async def flood() -> None:
            nonlocal sent
            while True:
                await near.send(refused)
                sent += 1

        task = group.create_task(flood(), name="flood")
        for _ in range(4_000):
            await asyncio.sleep(0)
        most = sent
        assert most < 300, "a pair holds 64 each way, and 64 wait in between"
        for _ in range(4):
            await near.receive()
        for _ in range(100):
            await asyncio.sleep(0)
        assert sent == most + 4, "it is read again as it reads"
        task.cancel()
        await near.close()


async def test_bytes_that_are_no_text_end_it() -> None:
    class Binary:
        async def receive(self) -> bytes:
            return b"\xff"

        async def send(self, text: str) -> None:
            pass

        async def close(self, code: int = 1000, reason: str = "") -> None:
            pass

    async with asyncio.timeout(30), staged(Binary(), Backstage(veil(), counted("b")), shipped) as inner:
        await inner.send('{"type":"session.created","session":{"type":"transcription"}}')
        with pytest.raises(LinkClosed) as closed:
            await inner.receive()
        assert closed.value.close_code == 1007
        with pytest.raises(LinkClosed):
            await inner.send("{}")
