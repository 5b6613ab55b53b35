"""A link that misbehaves, over a pair in memory: between a client that is a test and a session that is one too."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.support.wire import Wire, fake_engine, left_over, talking
from voice.errors import LinkClosed
from voice.links.base import Link, MemoryLink, memory_pair
from voice.links.faulty import Faults
from voice.links.rough import MemoryRough
from voice.links.sights import Began, Ended, Received, Refused, Sent, Sight
from voice.policy.faults import read_faults

WAIT_S = 30
DELTA = "response.output_audio.delta"
NEXT = f'on = {{event = "{DELTA}", index = 1}}'
ASKED = 'on = {event = "response.create"}'
BEGIN = '{"type":"session.created"}'


def delta(n: int) -> str:
    return json.dumps({"type": DELTA, "n": n})


def number(text: str | bytes) -> int:
    found: int = json.loads(text)["n"]
    return found


@asynccontextmanager
async def joined(text: str) -> AsyncIterator[tuple[MemoryLink, Link, list[Sight]]]:
    """The client's end, the session's end behind these faults, and what passed between; nothing may be left running."""
    before, seen = left_over(), list[Sight]()
    async with asyncio.timeout(WAIT_S):
        near, far = memory_pair()
        faults = Faults(read_faults(f"[[fault]]\n{text}", "f"), lambda number, sight: seen.append(sight))
        async with faults.arrive().line(far, MemoryRough(far)) as line:
            yield near, line, seen
    assert left_over() == before


async def begun(near: Link, line: Link) -> None:
    """The session has said its first words."""
    await line.send(BEGIN)
    assert await near.receive() == BEGIN


async def end_of(link: Link) -> tuple[list[str | bytes], LinkClosed]:
    """All that comes, and how it ends."""
    came = []
    try:
        while True:
            came.append(await link.receive())
    except LinkClosed as ended:
        return came, ended


async def test_what_is_not_meant_passes_both_ways() -> None:
    async with joined(f'do = "drop"\n{NEXT}') as (near, line, seen):
        await near.send("up")
        assert await line.receive() == "up"
        for n in range(3):
            await line.send(delta(n))
        await line.close(4000, "done")
        came, ended = await end_of(near)
    assert [number(text) for text in came] == [0, 2] and (ended.close_code, ended.reason) == (4000, "done")
    assert seen == [Began(), Received("up"), Sent(delta(0)), Sent(delta(2)), Ended(4000, "done")]


@pytest.mark.parametrize(
    ("how", "code"), [('do = "close"\ncode = 4001\nreason = "why"', 4001), ('do = "rst"', 1006), ('do = "expire"', 1001)]
)
async def test_an_end_is_told_to_both_sides_at_every_try(how: str, code: int) -> None:
    async with joined(f"{how}\n{NEXT}") as (near, line, seen):
        await line.send(delta(0))
        with pytest.raises(LinkClosed) as told:
            await line.send(delta(1))
        assert told.value.close_code == code
        for _ in range(3):
            with pytest.raises(LinkClosed):
                await line.send(delta(2))
            with pytest.raises(LinkClosed):
                await line.receive()
        await line.close()
    came, ended = await end_of(near)
    assert ended.close_code == code and seen[-1] == Ended(code, ended.reason or "reset")
    assert len(came) == {4001: 1, 1006: 0, 1001: 2}[code]


async def test_an_end_at_an_event_of_the_client_comes_before_what_it_would_have_brought_about() -> None:
    async with joined(f'do = "close"\ncode = 1012\n{ASKED}') as (near, line, _):
        await begun(near, line)
        await near.send("one")
        await near.send('{"type":"response.create"}')
        await near.send("two")
        assert await line.receive() == "one"
        with pytest.raises(LinkClosed) as told:
            await line.receive()
        assert told.value.close_code == 1012
        assert (await end_of(near))[1].close_code == 1012


async def test_an_error_that_the_client_brings_about_comes_before_the_answer() -> None:
    async with joined(f'do = "error"\ncode = "c"\n{ASKED}') as (near, line, _):
        await begun(near, line)
        for _ in range(20):
            await near.send('{"type":"response.create","event_id":"mine"}')
            await line.receive()
            await line.send(delta(0))
        first = json.loads(await near.receive())
        assert (first["type"], first["error"]["code"], first["error"]["event_id"]) == ("error", "c", "mine")
        assert number(await near.receive()) == 0


async def test_an_error_reaches_a_client_that_is_not_answered() -> None:
    async with joined(f'do = "error"\n{ASKED}\n[[fault]]\ndo = "drop"\n{ASKED}') as (near, line, _), asyncio.TaskGroup() as group:
        await begun(near, line)
        reading = group.create_task(end_of(line))
        await near.send('{"type":"response.create"}')
        assert json.loads(await near.receive())["type"] == "error"
        await near.close()
        assert (await reading)[0] == []


@pytest.mark.parametrize("after", ["true", "false"])
@pytest.mark.parametrize("how", ['do = "error"\ncode = "c"', 'do = "close"\ncode = 4001'])
@pytest.mark.parametrize("turns", [0, 1, 5, 50])
async def test_nothing_of_the_clients_acts_before_the_session_has_begun(how: str, after: str, turns: int) -> None:
    """Nor before what came before it was answered, however soon it comes, and however long the session takes."""
    text = f'{how}\non = {{event = "response.create", after = {after}}}'
    async with joined(text) as (near, line, seen), asyncio.TaskGroup() as group:

        async def read(given: asyncio.Queue[str | bytes]) -> None:
            with suppress(LinkClosed):
                while True:
                    given.put_nowait(await line.receive())

        async def answer(given: asyncio.Queue[str | bytes]) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            await line.send(BEGIN)
            await given.get()
            for n in range(3):
                await line.send(delta(n))

        for message in ('{"type":"nonsense"}', '{"type":"response.create"}'):
            await near.send(message)
        given: asyncio.Queue[str | bytes] = asyncio.Queue()
        group.create_task(read(given))
        group.create_task(answer(given))
        got = [json.loads(await near.receive()) for _ in range(4)]
        assert [event.get("n", event["type"]) for event in got] == ["session.created", 0, 1, 2]
        if "error" in how:
            assert json.loads(await near.receive())["error"]["code"] == "c"
            await near.close()
        else:
            assert (await end_of(near))[1].close_code == 4001
    assert seen[1] == Sent(BEGIN)


async def test_a_reader_that_is_interrupted_while_it_waits_loses_nothing() -> None:
    async with joined(f'do = "drop"\n{ASKED}') as (near, line, _):
        await near.send("one")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await line.receive()
        await begun(near, line)
        assert await line.receive() == "one"


async def test_a_client_that_leaves_before_the_session_has_begun() -> None:
    async with joined(f'do = "close"\n{ASKED}') as (near, line, _), asyncio.TaskGroup() as group:
        reading = group.create_task(end_of(line))
        await near.send('{"type":"nonsense"}')
        await near.close(4002)
        with pytest.raises(LinkClosed):
            while True:
                await line.send(BEGIN)
                await asyncio.sleep(0)
        assert [await reading][0][1].close_code == 4002


async def test_a_stall_holds_up_the_session_and_not_the_client() -> None:
    async with joined(f'do = "stall"\n{NEXT}') as (near, line, seen), asyncio.TaskGroup() as group:

        async def say() -> int:
            for n in range(100):
                try:
                    await line.send(delta(n))
                except LinkClosed:
                    return n
            return 100

        saying = group.create_task(say())
        assert number(await near.receive()) == 0
        for n in range(200):
            await near.send(str(n))
            assert await line.receive() == str(n)
        assert not saying.done()
        await near.close()
        with pytest.raises(LinkClosed):
            await line.receive()
        assert await saying == 2, "one event waits in the link, the next in the session"
    assert [sight for sight in seen if isinstance(sight, Sent)] == [Sent(delta(0))]


async def test_after_a_stall_all_comes_in_order() -> None:
    async with joined(f'do = "stall"\nms = 50\n{NEXT}') as (near, line, _), asyncio.TaskGroup() as group:

        async def say() -> None:
            for n in range(30):
                await line.send(delta(n))
            await line.close()

        group.create_task(say())
        came, _ = await end_of(near)
    assert [number(text) for text in came] == list(range(30))


async def test_a_sender_that_waits_in_a_stall_can_be_cancelled() -> None:
    async with joined(f'do = "stall"\n{NEXT}') as (near, line, _):
        for n in range(2):
            await line.send(delta(n))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await line.send(delta(2))
        assert number(await near.receive()) == 0


async def test_a_connection_that_is_half_open_hears_nothing_until_the_client_leaves() -> None:
    async with joined(f'do = "half_open"\n{NEXT}') as (near, line, _), asyncio.TaskGroup() as group:
        for n in range(2):
            await line.send(delta(n))
        reading = group.create_task(end_of(line))
        for n in range(500):
            await near.send(str(n))
        assert number(await near.receive()) == 0
        await near.close(4002)
        came, ended = await reading
    assert came == [] and ended.close_code == 4002


async def test_a_connection_that_comes_back_has_lost_nothing() -> None:
    async with joined(f'do = "half_open"\nms = 50\n{NEXT}') as (near, line, _):
        for n in range(2):
            await line.send(delta(n))
        await near.send("in between")
        assert await line.receive() == "in between"
        assert [number(await near.receive()) for _ in range(2)] == [0, 1]


async def test_late_events_come_while_others_go_on_and_before_the_end() -> None:
    async with joined(f'do = "delay"\nms = 30\n{NEXT}\n[[fault]]\ndo = "delay"\nms = 60000\n{NEXT.replace("1", "3")}') as (near, line, _):
        for n in range(4):
            await line.send(delta(n))
        assert [number(await near.receive()) for _ in range(3)] == [0, 2, 1]
        await line.close()
        assert [number(text) for text in (await end_of(near))[0]] == [3]


async def test_at_a_time_nobody_has_to_say_anything() -> None:
    async with joined('do = "close"\ncode = 1013\nat_s = 0.02') as (near, line, _):
        await line.send(delta(0))
        with pytest.raises(LinkClosed):
            await line.receive()
        assert (await end_of(near))[1].close_code == 1013


async def test_garbage_of_every_kind() -> None:
    kinds = ("not_json", "truncated", "types", "binary", "utf8")
    text = "\n".join(f'[[fault]]\ndo = "garbage"\nkind = "{kind}"\n{NEXT.replace("1", str(n))}' for n, kind in enumerate(kinds))
    async with joined(text.removeprefix("[[fault]]\n")) as (near, line, _):
        with pytest.raises(LinkClosed):
            for n in range(6):
                await line.send(delta(n))
        came, ended = await end_of(near)
    assert ended.close_code == 1007 and sum(isinstance(text, bytes) for text in came) == 1 and len(came) == 8


async def test_the_session_fails_with_its_own_exception() -> None:
    with pytest.raises(ZeroDivisionError):
        async with joined('do = "rst"\nat_s = 60'):
            raise ZeroDivisionError("a bug")


async def test_a_whole_session_behind_faults_and_two_runs_alike() -> None:
    text = 'seed = 2\n[[fault]]\ndo = "drop"\np = 0.4\non = {event = "response.output_audio*"}\n[[fault]]\ndo = "duplicate"\np = 0.2'

    async def run() -> tuple[list[str], list[Sight]]:
        seen: list[Sight] = []
        faults = Faults(read_faults(text, "f"), lambda number, sight: seen.append(sight))
        engine = fake_engine()
        near, far = memory_pair()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(faults.between(far, engine.serve))
            wire = Wire(near)
            await wire.type("hello there")
            await wire.until("rate_limits.updated")
            await near.close()
        return wire.kinds(), seen

    (kinds, seen), (again, _) = await run(), await run()
    assert kinds == again and len(set(kinds)) < len(kinds)
    assert [json.loads(sight.data)["type"] for sight in seen if isinstance(sight, Sent)] == kinds
    async with talking(fake_engine()) as wire:
        await wire.type("hello there")
        await wire.until("response.done")
    assert kinds != wire.kinds()


async def test_a_session_of_this_process_that_is_refused_is_cut() -> None:
    seen: list[Sight] = []
    faults = Faults(read_faults('[[fault]]\ndo = "refuse"\nstatus = 401', "f"), lambda number, sight: seen.append(sight))
    near, far = memory_pair()
    ended = await faults.between(far, fake_engine().serve)
    assert ended.close_code == 1006 and (await end_of(near))[1].close_code == 1006
    assert isinstance(seen[0], Refused)
    arrival = faults.arrive()
    assert (arrival.number, arrival.refuse) == (2, None)


async def test_another_plan_counts_sessions_from_its_own_beginning() -> None:
    seen: list[tuple[int, Sight]] = []
    faults = Faults(None, lambda number, sight: seen.append((number, sight)))
    assert [faults.arrive().refuse for _ in range(3)] == [None] * 3
    faults.misbehave(read_faults('[[fault]]\ndo = "refuse"\nsession = 2', "f"))
    assert [faults.arrive().refuse is None for _ in range(3)] == [True, False, True]
    assert [number for number, _ in seen] == [5]
