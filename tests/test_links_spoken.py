"""A link behind which a dialect is spoken: order, answers, patience, back-pressure, ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.joined import KINDS, Pair, memory
from voice.errors import LinkClosed
from voice.links import spoken
from voice.links.base import Link, memory_pair
from voice.links.spoken import SpokenLink, before_client, before_server
from voice.protocol.accents import BETA, GA, Exchange
from voice.protocol.interpreter import Passage


class Doubling:
    """Says everything twice, and answers each "?" at once; `plain` and `settled` as a test wants them."""

    plain = False
    settled = True

    def up(self, text: str) -> Passage:
        return self._passage("up", text)

    def down(self, text: str) -> Passage:
        return self._passage("down", text)

    def _passage(self, way: str, text: str) -> Passage:
        self.settled = True
        if text.endswith("?"):
            return Passage((), (f"{way}: {text[:-1]}!",))
        return Passage(() if text == "" else (f"{way} 1: {text}", f"{way} 2: {text}"))


@asynccontextmanager
async def doubled(side: str, exchange: Doubling | None = None, pair: Pair = memory) -> AsyncIterator[tuple[SpokenLink, Link]]:
    """A link with the exchange on it, and its far end."""
    async with asyncio.timeout(30), pair() as (near, far), asyncio.TaskGroup() as group:
        link = (before_client if side == "client" else before_server)(near, exchange or Doubling())  # type: ignore[arg-type]
        answering = group.create_task(link.answer(), name="answers")
        yield link, far
        answering.cancel()


WAYS = [("client", "up", "down"), ("server", "down", "up")]


@pytest.mark.parametrize(("side", "heard", "said"), WAYS)
async def test_what_comes_and_what_goes_passes_the_exchange(side: str, heard: str, said: str) -> None:
    async with doubled(side) as (link, far):
        for text in ("a", "", "b"):
            await far.send(text)
        assert [await link.receive() for _ in range(4)] == [f"{heard} 1: a", f"{heard} 2: a", f"{heard} 1: b", f"{heard} 2: b"]
        await link.send("c")
        assert [await far.receive() for _ in range(2)] == [f"{said} 1: c", f"{said} 2: c"]


@pytest.mark.parametrize(("side", "heard", "said"), WAYS)
async def test_who_asks_is_answered(side: str, heard: str, said: str) -> None:
    async with doubled(side) as (link, far):
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(link.receive())
            await far.send("who?")
            assert await far.receive() == f"{heard}: who!", "by the link itself: nobody else has sent anything"
            await link.send("why?")
            assert await reading == f"{said}: why!", "to a reader that waited for the peer"
        await link.send("where?")
        assert await link.receive() == f"{said}: where!", "to one that comes later"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reader_that_is_woken_by_an_answer_loses_no_message(kind: str) -> None:
    async with doubled("server", pair=KINDS[kind]) as (link, far):
        got: list[str] = []

        async def read() -> None:
            while len(got) < 300:
                got.append(str(await link.receive()))

        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            for n in range(100):
                await far.send(f"{n}")
                await link.send(f"{n}?")
                if n % 3 == 0:
                    await asyncio.sleep(0)
    assert [text for text in got if text.startswith("down")] == [f"down {k}: {n}" for n in range(100) for k in (1, 2)]
    assert [text for text in got if text.startswith("up")] == [f"up: {n}!" for n in range(100)]


async def test_the_peer_hears_all_in_the_order_in_which_it_was_given() -> None:
    """Also where what answers has not had its turn yet."""
    near, far = memory_pair()
    link = before_server(near, Doubling())  # type: ignore[arg-type]
    for text in ("who?", "a"):
        await far.send(text)
    assert await link.receive() == "down 1: a"
    await link.send("b")
    assert [await far.receive() for _ in range(3)] == ["down: who!", "up 1: b", "up 2: b"]


async def test_who_asks_and_does_not_read_waits() -> None:
    async with doubled("client") as (link, far):
        taken = 0

        async def read() -> None:
            await link.receive()

        async def ask() -> None:
            nonlocal taken
            for n in range(1000):
                await far.send(f"{n}?")
                taken += 1

        async with asyncio.TaskGroup() as group:
            reading, asking = group.create_task(read()), group.create_task(ask())
            for _ in range(500):
                await asyncio.sleep(0)
            assert 0 < taken < 4 * spoken.MOST_WAITING, "as much as the queues between hold"
            assert [await far.receive() for _ in range(1000)] == [f"up: {n}!" for n in range(1000)]
            await asking
            reading.cancel()


async def test_who_gets_answers_and_does_not_read_them_waits() -> None:
    async with doubled("server") as (link, _):
        sent = 0

        async def ask() -> None:
            nonlocal sent
            for n in range(300):
                await link.send(f"{n}?")
                sent += 1

        async with asyncio.TaskGroup() as group:
            group.create_task(ask())
            for _ in range(500):
                await asyncio.sleep(0)
            assert sent == spoken.MOST_WAITING
            assert [await link.receive() for _ in range(300)] == [f"up: {n}!" for n in range(300)]


class Late(Doubling):
    settled = False


async def test_nothing_is_said_before_it_is_known_how() -> None:
    async with doubled("server", Late()) as (link, far):
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(link.send("settings"))
            reading = group.create_task(link.receive())
            for _ in range(20):
                await asyncio.sleep(0)
            assert not sending.done()
            await far.send("welcome")
            assert await far.receive() == "up 1: settings"
            assert await reading == "down 1: welcome"


async def test_a_client_is_not_read_before_the_server_has_begun() -> None:
    async with doubled("client", Late()) as (link, far):
        await far.send("who?")
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(link.receive())
            for _ in range(20):
                await asyncio.sleep(0)
            await link.send("welcome")
            assert [await far.receive() for _ in range(3)] == ["down 1: welcome", "down 2: welcome", "up: who!"]
            await far.send("a")
            assert await reading == "up 1: a"


async def test_a_client_is_read_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoken, "PATIENCE_S", 0.02)
    async with doubled("client", Late()) as (link, far):
        await far.send("anybody there")
        assert await link.receive() == "up 1: anybody there"


async def test_a_server_that_says_nothing_is_spoken_to_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoken, "PATIENCE_S", 0.02)
    async with doubled("server", Late()) as (link, far):
        await link.send("anybody there")
        assert await far.receive() == "up 1: anybody there"


@pytest.mark.parametrize("who", ["the peer", "we"])
async def test_the_end_ends_all_waiting(who: str) -> None:
    near, far = memory_pair()
    link = before_server(near, Late())  # type: ignore[arg-type]
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        answering = group.create_task(link.answer())
        sending = group.create_task(end_of(link.send("never said")))
        reading = group.create_task(end_of(link.receive()))
        await asyncio.sleep(0)
        await (far if who == "the peer" else link).close(4001, "enough")
        assert [await sending, await reading] == [(4001, "enough")] * 2
        await answering
    with pytest.raises(LinkClosed):
        await link.receive()
    with pytest.raises(LinkClosed):
        await link.send("x")


async def end_of(waiting: object) -> tuple[int, str]:
    with pytest.raises(LinkClosed) as told:
        await waiting  # type: ignore[misc]
    return told.value.close_code, told.value.reason


async def test_what_was_said_before_the_end_is_still_heard() -> None:
    async with doubled("server") as (link, far):
        await far.send("last words")
        await far.close(1000, "bye")
        assert [await link.receive(), await link.receive()] == ["down 1: last words", "down 2: last words"]
        with pytest.raises(LinkClosed):
            await link.receive()


class Binary:
    """A link that gives binary messages."""

    def __init__(self, *messages: bytes) -> None:
        self.messages = list(messages)

    async def receive(self) -> bytes:
        return self.messages.pop(0)


async def test_a_binary_message_is_text_if_it_can_be_and_else_left_to_who_reads() -> None:
    link = before_client(Binary(b"a", b"\xff", b"b"), Doubling())  # type: ignore[arg-type]
    assert [await link.receive() for _ in range(5)] == ["up 1: a", "up 2: a", b"\xff", "up 1: b", "up 2: b"]


async def test_beta_and_today_over_a_pair() -> None:
    near, far = memory_pair()
    link = before_client(near, Exchange(BETA, GA, lambda kind: f"{kind}_x"))
    await link.send('{"type":"session.created"}')
    assert json.loads(await far.receive()) == {"type": "session.created"}
    await far.send('{"type":"session.update","session":{"modalities":["text"]}}')
    assert json.loads(await link.receive())["session"] == {"type": "realtime", "output_modalities": ["text"]}
    await link.send('{"type":"response.output_text.delta","delta":"hi"}')
    assert json.loads(await far.receive()) == {"type": "response.text.delta", "delta": "hi"}
