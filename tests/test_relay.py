"""The relay: a conversation through it, how ends travel, back-pressure, and that the key stays."""

import asyncio
import json
import time

import pytest

from tests.support.http import app_running, get
from tests.support.joined import CLOSE, TEXT, frame, raw_client, raw_server, read_frame, serving, upgrade
from tests.support.relayed import KEY, quiet, relayed
from tests.support.signals import tone
from tests.support.until import still
from tests.support.wire import Wire, fake_engine, transcript
from voice.engines import relay
from voice.engines.relay import By, passed_on
from voice.errors import LinkClosed
from voice.links import dial as dialing
from voice.links import spoken
from voice.links.base import Link
from voice.links.dial import dial
from voice.links.web import WebLink


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some upstreams here do not answer a close, and most never say the first word that a client's would wait for."""
    monkeypatch.setattr(dialing, "CLOSE_TIMEOUT_S", 0.1)
    monkeypatch.setattr(spoken, "PATIENCE_S", 0.1)


async def test_a_conversation_goes_through_it_and_the_upstream_hears_the_key() -> None:
    async with app_running(fake_engine(), server_key=KEY) as upstream, relayed(upstream) as port:
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime?model=gpt-x"))
        created = await wire.until("session.created")
        assert created["session"]["model"] == "gpt-x"
        assert (await get(port, "/healthz")).json["engine"] == "relay"
        assert (await get(port, "/healthz")).json["sessions"] == 1
        await wire.type("hello there")
        assert transcript(await wire.until("response.done")).startswith("hello there.")
        await wire.settle(turn_detection=None)
        await wire.push(tone(600))
        await wire.send("input_audio_buffer.commit")
        await wire.send("response.create")
        assert transcript(await wire.until("response.done")).startswith("heard 600 ms")
        assert wire.sound_ms > 1000
        await wire.link.close()
        await quiet(upstream)


async def test_every_text_arrives_unchanged_and_in_order_both_ways() -> None:
    said = [
        json.dumps({"type": "x", "n": n, "한": "글" * (n % 300), "pad": "p" * (37 * n % 9000)}, ensure_ascii=n % 2 == 0) for n in range(300)
    ]
    heard: list[str | bytes] = []

    async def echo(link: WebLink) -> None:
        for _ in said:
            heard.append(await link.receive())
            await link.send(str(heard[-1]))
        await link.close(4321, "that was all")

    async with serving(echo) as upstream, relayed(upstream) as port:
        link = await dial(f"ws://127.0.0.1:{port}/v1/realtime")
        async with asyncio.TaskGroup() as group:
            group.create_task(send_all(link, said))
            back = [await link.receive() for _ in said]
        with pytest.raises(LinkClosed) as told:
            await link.receive()
    assert back == said and heard == said
    assert (told.value.close_code, told.value.reason) == (4321, "that was all")


async def send_all(link: Link, texts: list[str]) -> None:
    for text in texts:
        await link.send(text)


@pytest.mark.parametrize(
    ("ended", "by", "want"),
    [
        (LinkClosed(1000, "done"), By.CLIENT, (1000, "done")),
        (
            LinkClosed(1001, "Your session hit the maximum duration of 60 minutes."),
            By.UPSTREAM,
            (1001, "Your session hit the maximum duration of 60 minutes."),
        ),
        (LinkClosed(1005), By.UPSTREAM, (1000, "")),
        (LinkClosed(1006), By.UPSTREAM, (1011, "the upstream is gone")),
        (LinkClosed(1006), By.CLIENT, (1001, "the client is gone")),
        (LinkClosed(1004), By.UPSTREAM, (1011, "the upstream is gone")),
        (LinkClosed(1015), By.UPSTREAM, (1011, "the upstream is gone")),
        (LinkClosed(1013, "later"), By.UPSTREAM, (1013, "later")),
        (LinkClosed(4001, "key"), By.UPSTREAM, (4001, "key")),
        (LinkClosed(2999), By.CLIENT, (1001, "the client is gone")),
        (LinkClosed(5000), By.UPSTREAM, (1011, "the upstream is gone")),
    ],
)
def test_what_of_an_end_is_passed_on(ended: LinkClosed, by: By, want: tuple[int, str]) -> None:
    assert passed_on(ended, by) == want


@pytest.mark.parametrize(("code", "arrives"), [(1000, 1000), (1001, 1001), (3000, 3000), (4999, 4999), (None, 1000), ("gone", 1001)])
async def test_the_upstream_hears_how_the_client_left(code: int | str | None, arrives: int) -> None:
    told: asyncio.Future[LinkClosed] = asyncio.get_running_loop().create_future()

    async def listen(link: WebLink) -> None:
        try:
            while True:
                await link.receive()
        except LinkClosed as closed:
            told.set_result(closed)

    async with serving(listen) as upstream, relayed(upstream) as port, raw_client(port) as (_, writer):
        writer.write(frame(TEXT, b'{"type":"x"}'))
        if isinstance(code, int):
            writer.write(frame(CLOSE, code.to_bytes(2) + b"bye"))
        elif code is None:
            writer.write(frame(CLOSE, b""))
        else:
            writer.transport.abort()
        closed = await told
    assert (closed.close_code, closed.reason) == (arrives, "bye" if isinstance(code, int) else "the client is gone" if code else "")


async def test_what_an_upstream_said_before_it_hung_up_arrives_before_the_end() -> None:
    async def last_words(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")))
        for n in range(200):
            writer.write(frame(TEXT, b'{"type":"x","n":%d}' % n, masked=False))
        await writer.drain()
        writer.close()

    async with raw_server(last_words) as upstream, relayed(upstream) as port:
        link = await dial(f"ws://127.0.0.1:{port}/v1/realtime")
        got = []
        with pytest.raises(LinkClosed) as told:
            while True:
                await link.send('{"type":"input_audio_buffer.append","audio":""}')
                got.append(json.loads(await link.receive())["n"])
    assert got == list(range(200))
    assert (told.value.close_code, told.value.reason) == (1011, "the upstream is gone")


async def test_what_a_client_says_right_behind_its_request_waits_for_the_upstream() -> None:
    heard: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.write(upgrade(request))
        heard.put_nowait(await read_masked(reader))
        heard.put_nowait(await read_masked(reader))

    behind = frame(TEXT, b'{"type":"one"}') + frame(TEXT, b'{"type":"two"}')
    async with raw_server(late) as upstream, relayed(upstream) as port, raw_client(port, behind):
        assert [await heard.get(), await heard.get()] == ['{"type":"one"}', '{"type":"two"}']


async def read_masked(reader: asyncio.StreamReader) -> str:
    """A short frame of a client."""
    _, size = await reader.readexactly(2)
    mask, payload = await reader.readexactly(4), await reader.readexactly(size & 127)
    return bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload)).decode()


@pytest.mark.parametrize("way", ["down", "up"])
@pytest.mark.parametrize("dialect", ["ga", "beta"])
async def test_a_slow_reader_slows_the_writer_and_costs_no_memory(way: str, dialect: str) -> None:
    """Neither side may get far ahead: what is under way is bounded by the sockets' own buffers."""
    sent = 0
    text = '{"type":"x","delta":"%s"}' % ("A" * 100_000)
    enough, go_on = 400, asyncio.Event()

    async def write(link: Link) -> None:
        nonlocal sent
        for _ in range(enough):
            await link.send(text)
            sent += 1

    async def read(link: Link) -> None:
        await go_on.wait()
        for _ in range(enough):
            assert json.loads(await link.receive())["delta"] == "A" * 100_000

    async def upstream_side(link: WebLink) -> None:
        await (write(link) if way == "down" else read(link))
        await link.close()

    async with serving(upstream_side) as upstream, relayed(upstream, dialect=dialect) as port:
        link = await dial(f"ws://127.0.0.1:{port}/v1/realtime")
        async with asyncio.TaskGroup() as group:
            group.create_task(write(link) if way == "up" else read(link))
            stuck = await still(lambda: sent)
            go_on.set()
    assert stuck < enough and sent == enough


@pytest.mark.parametrize("dialect", ["ga", "beta"])
async def test_a_client_that_does_not_read_does_not_hold_the_end_of_the_session(dialect: str) -> None:
    async def flood(link: WebLink) -> None:
        try:
            while True:
                await link.send('{"type":"x","delta":"%s"}' % ("A" * 100_000))
        except LinkClosed:
            pass

    async with serving(flood) as upstream, relayed(upstream, life_s=0.5, dialect=dialect) as port, raw_client(port):
        while (await get(port, "/healthz")).json["sessions"] == 0:
            pass
        await quiet(port)


async def test_a_session_ends_after_its_life_and_says_so_on_both_sides() -> None:
    told: asyncio.Future[LinkClosed] = asyncio.get_running_loop().create_future()

    async def listen(link: WebLink) -> None:
        await link.send(json.dumps({"type": "session.created", "event_id": "e", "session": {"expires_at": int(time.time()) + 3600}}))
        try:
            await link.receive()
        except LinkClosed as closed:
            told.set_result(closed)

    async with serving(listen) as upstream, relayed(upstream, life_s=0.3) as port:
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime"))
        assert abs((await wire.next())["session"]["expires_at"] - time.time()) < 3
        assert (await wire.until("error"))["error"]["code"] == "session_expired"
        with pytest.raises(LinkClosed) as ended:
            await wire.next()
        assert (ended.value.close_code, ended.value.reason) == (1001, "Your session hit its maximum duration.")
        assert (await told).close_code == 1001


async def test_an_expiry_by_another_clock_is_told_by_ours() -> None:
    """The upstream's clock is an hour behind: its `Date` says so."""

    async def behind(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        then = time.gmtime(time.time() - 3600)
        date = time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n\r\n", then).encode()
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n"))[:-2] + date)
        words = json.dumps(
            {"type": "session.updated", "session": {"instructions": '"expires_at":1', "expires_at": int(time.time()) - 3600 + 60}}
        )
        writer.write(frame(TEXT, words.encode(), masked=False))
        await reader.read()

    async with raw_server(behind) as upstream, relayed(upstream) as port:
        event = await Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime")).next()
    assert abs(event["session"]["expires_at"] - (time.time() + 60)) < 4
    assert event["session"]["instructions"] == '"expires_at":1'


@pytest.mark.parametrize("message", [b"\xff\xfe", b"\xc3"])
async def test_a_binary_message_that_is_no_text_ends_the_session_with_1007(message: bytes) -> None:
    async def listen(link: WebLink) -> None:
        with pytest.raises(LinkClosed):
            await link.receive()

    async with serving(listen) as upstream, relayed(upstream) as port, raw_client(port) as (reader, writer):
        writer.write(frame(0x82, message))
        first, payload = await read_frame(reader)
    assert (first, int.from_bytes(payload[:2])) == (CLOSE, 1007)


async def test_neither_leg_offers_or_takes_compression() -> None:
    requests: list[bytes] = []

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(upgrade(requests[-1]))
        await reader.read()

    async with raw_server(look) as upstream, relayed(upstream) as port:
        link = await dial(f"ws://127.0.0.1:{port}/v1/realtime?model=a%20b&voice_ext=1&key=x")
        await link.close()
    head = requests[0].decode()
    assert head.startswith("GET /v1/realtime?model=a+b HTTP/1.1\r\n"), "the model and nothing else of the client's query"
    assert "sec-websocket-extensions" not in head.lower() and f"Authorization: Bearer {KEY}\r\n" in head


@pytest.mark.parametrize(
    ("query", "options", "asked"),
    [
        ("", {}, "model=gpt-realtime"),
        ("", {"model": "mine"}, "model=mine"),
        ("?x=1", {"model": ""}, ""),
        ("?model=theirs", {"model": "mine"}, "model=theirs"),
        ("?intent=transcription", {"model": "mine"}, "intent=transcription"),
        ("?intent=other", {}, "model=gpt-realtime"),
    ],
)
async def test_what_the_upstream_is_asked_for(query: str, options: dict[str, str], asked: str) -> None:
    paths: list[str] = []

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        paths.append(request.decode().split(" ")[1])
        writer.write(upgrade(request))
        await reader.read()

    async with raw_server(look) as upstream, relayed(upstream, **options) as port:
        await (await dial(f"ws://127.0.0.1:{port}/v1/realtime{query}")).close()
    assert paths == [f"/v1/realtime{'?' * bool(asked)}{asked}"]


async def test_an_upstream_that_does_not_answer_pings_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a ping's interval, in the time for its pong: 3 s at most."""
    assert relay.PONG_S <= 3
    monkeypatch.setattr(dialing, "PING_INTERVAL_S", 0.2)
    monkeypatch.setattr(relay, "PONG_S", 0.2)

    async def dead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")))
        await asyncio.sleep(300)

    async with raw_server(dead) as upstream, relayed(upstream) as port:
        link = await dial(f"ws://127.0.0.1:{port}/v1/realtime")
        began = time.monotonic()
        with pytest.raises(LinkClosed) as told:
            await link.receive()
    assert time.monotonic() - began < 30 and told.value.close_code == 1011
