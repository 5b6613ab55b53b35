"""The relay, away from a conversation: why there is none, what its log says, that the key is taken out, that it is not its own upstream."""

import asyncio
import logging

import pytest

from tests.support.http import app_running
from tests.support.joined import raw_server
from tests.support.relayed import KEY, relay_to, relayed
from tests.support.wire import Wire, fake_engine
from voice.engines import relay
from voice.engines.relay import Reached, Upstream, event_type, refuse_ourselves
from voice.errors import ConfigError, LinkClosed, MissingError, Refused, Silent
from voice.links import dial as dialing
from voice.links.base import memory_pair
from voice.links.dial import dial


@pytest.mark.parametrize(
    ("answer", "kind", "status", "code"),
    [
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", Refused, 401, ""),
        (
            b'HTTP/1.1 429 No\r\nContent-Length: 46\r\n\r\n{"error":{"code":"insufficient_quota","m":""}}',
            Refused,
            429,
            "insufficient_quota",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>", Refused, 200, ""),
        (b"SSH-2.0\r\n", MissingError, None, None),
    ],
)
async def test_in_a_program_the_relay_raises_why_there_is_no_session(
    answer: bytes, kind: type[MissingError], status: int | None, code: str | None
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    near, far = memory_pair()
    async with asyncio.timeout(30), raw_server(talk) as upstream:
        with pytest.raises(kind) as told:
            await relay_to(upstream).serve(far)
    assert (getattr(told.value, "status", None), getattr(told.value, "code", None)) == (status, code)
    assert KEY not in str(told.value)


async def test_a_silent_upstream_is_told_from_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asyncio.timeout(30), raw_server(lambda reader, writer: asyncio.sleep(5)) as upstream:
        for module, limit in ((dialing, "OPEN_TIMEOUT_S"), (relay, "REACH_S")):
            monkeypatch.setattr(module, limit, 0.1)
            with pytest.raises(Silent, match=f"^127.0.0.1:{upstream} did not answer within 0.1 s"):
                await relay_to(upstream).reach()
            monkeypatch.undo()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"type":"response.output_audio.delta","delta":"AAAA"}', "response.output_audio.delta"),
        ('{"event_id":"e1","type":"session.update"}', "session.update"),
        (' { "event_id" : "e" , "type" : "x" }', "x"),
        ('{"delta":"AAAA","type":"late"}', "late"),
        ('{"event_id":"\\"","type":"x\\u001b[0m"}', "x[0m"),
        ("{", "no event"),
        ("[]", "no event"),
        ('{"type":1}', "no event"),
    ],
)
def test_the_type_of_an_event(text: str, kind: str) -> None:
    assert event_type(text) == kind


async def test_debug_lines_name_events_and_neither_sound_nor_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with app_running(fake_engine(), server_key=KEY) as upstream, relayed(upstream) as port:
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime"))
        await wire.type("something private")
        await wire.until("response.done")
        await wire.link.close()
    lines = [record.getMessage() for record in caplog.records if record.name == "voice.engines.relay"]
    assert any("down: response.output_audio.delta, " in line for line in lines) and any("up: response.create, " in line for line in lines)
    assert not any("private" in line or KEY in line or len(line) > 300 for line in lines)


@pytest.mark.parametrize(
    ("url", "host", "ours"),
    [
        ("ws://127.0.0.1:8765", "127.0.0.1", True),
        ("http://localhost:8765/v1", "127.0.0.1", True),
        ("ws://0.0.0.0:8765", "127.0.0.1", True),
        ("ws://127.0.0.1:8765", "0.0.0.0", True),
        ("ws://127.0.0.1:8766", "127.0.0.1", False),
        ("wss://127.0.0.1", "127.0.0.1", False),
        ("ws://127.0.0.2:8765", "127.0.0.1", False),
        ("ws://192.0.2.1:8765", "0.0.0.0", False),
    ],
)
def test_our_own_address_is_no_upstream(url: str, host: str, ours: bool) -> None:
    if not ours:
        refuse_ourselves(Upstream(url), host, 8765)
        return
    with pytest.raises(ConfigError, match="is this server: give the address of another one"):
        refuse_ourselves(Upstream(url), host, 8765)


def test_the_options_of_an_upstream_do_not_show_the_key() -> None:
    upstream = Upstream("wss://user@api.example/v1", KEY)
    assert KEY not in repr(upstream) and upstream.host == "api.example"


class Leaving:
    """An upstream's link that takes nothing more, and still has something to say."""

    server_s = None

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.refused = asyncio.Event()

    async def send(self, text: str) -> None:
        self.refused.set()
        raise LinkClosed(1006)

    async def receive(self) -> str:
        await self.refused.wait()
        if not self.words:
            raise LinkClosed(4000, "bye")
        await asyncio.sleep(0)
        return self.words.pop(0)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        pass


async def test_an_upstream_that_takes_nothing_more_is_heard_to_its_end() -> None:
    near, far = memory_pair()
    words = [f'{{"type":"x","n":{n}}}' for n in range(9)]
    await near.send("anything")
    async with asyncio.timeout(30):
        ended = await Reached(Leaving(list(words)), 60.0, 1).carry(far)  # type: ignore[arg-type]
        assert (ended.close_code, ended.reason) == (4000, "bye")
        assert [await near.receive() for _ in words] == words
        with pytest.raises(LinkClosed) as told:
            await near.receive()
    assert (told.value.close_code, told.value.reason) == (4000, "bye")
