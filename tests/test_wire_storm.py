"""Frames that no honest client sends, over a real socket to a real server: who breaks WebSocket's rules is told and hung up on, whoever
only says nonsense is told and goes on; and the server answers the next visitor."""

import asyncio
import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.http import app_running
from tests.support.joined import BINARY, CLOSE, CONTINUED, PING, TEXT, TEXT_BEGUN, Stream, frame, raw_client, read_frame
from tests.support.wire import fake_engine
from voice.links.web import MAX_MESSAGE_BYTES

CLEAR = b'{"type":"input_audio_buffer.clear","event_id":"good"}'
PONG = 0x8A
LONG_S = 60.0


@asynccontextmanager
async def visiting() -> AsyncIterator[tuple[int, Stream]]:
    """A server with the engine of the fakes, and a raw client that has read `session.created`."""
    async with asyncio.timeout(LONG_S), app_running(fake_engine()) as port, raw_client(port) as stream:
        assert (await told(stream))["type"] == "session.created"
        yield port, stream


async def told(stream: Stream) -> dict[str, Any]:
    """The next event; a pong is none."""
    first, payload = await read_frame(stream[0])
    while first == PONG:
        first, payload = await read_frame(stream[0])
    assert first == TEXT, (first, payload[:200])
    event: dict[str, Any] = json.loads(payload)
    return event


async def goes_on(stream: Stream) -> list[str]:
    """The codes of the errors up to the answer to a good event."""
    stream[1].write(frame(TEXT, CLEAR))
    codes = []
    while (event := await told(stream))["type"] != "input_audio_buffer.cleared":
        assert event["type"] == "error"
        codes.append(event["error"]["code"])
    return codes


def pieces(data: bytes, size: int, between: bytes = b"") -> bytes:
    """A text in fragments of so many bytes, with something between each two."""
    cut = [data[at : at + size] for at in range(0, len(data), size)]
    frames = [frame(TEXT_BEGUN if n == 0 else CONTINUED, piece) for n, piece in enumerate(cut[:-1])]
    return between.join([*frames, frame(0x80 | CONTINUED, cut[-1])])


TWENTY = b'{"type":"x","a":"' + b"x" * (16 << 20) + b'"}'
# What is sent -> the codes of the errors that it is answered with. The session goes on.
NONSENSE: dict[str, tuple[bytes, list[str]]] = {
    "an empty text": (frame(TEXT, b""), ["invalid_json"]),
    "an empty binary": (frame(BINARY, b""), ["invalid_json"]),
    "a binary that is an event": (frame(BINARY, b'{"type":"output_audio_buffer.clear"}'), []),
    "a binary that is none": (frame(BINARY, b"\x00\x01\xff"), ["invalid_json"]),
    "a mark of the byte order": (frame(TEXT, b'\xef\xbb\xbf{"type":"input_audio_buffer.clear"}'), ["invalid_json"]),
    "a list": (frame(TEXT, b"[1]"), ["invalid_type"]),
    "deep nesting": (frame(TEXT, b"[" * 100_000), ["invalid_type"]),
    "deep nesting in a field": (frame(TEXT, b'{"type":"response.create","response":' + b'{"a":' * 100_000), ["invalid_json"]),
    "not a number": (
        frame(TEXT, b'{"type":"conversation.item.truncate","item_id":"x","content_index":NaN,"audio_end_ms":0}'),
        ["invalid_json"],
    ),
    "a surrogate alone": (frame(TEXT, b'{"type":"conversation.item.delete","item_id":"\\ud800"}'), ["invalid_json"]),
    "two types": (frame(TEXT, b'{"type":"x","type":"response.create"}'), ["invalid_value"]),
    "16 MB of text": (frame(TEXT, TWENTY), ["invalid_value"]),
    "16 MB in fragments": (pieces(TWENTY, 1 << 20), ["invalid_value"]),
    "a text byte by byte": (pieces(b'{"type":"output_audio_buffer.clear"}', 1), []),
    "a text with pings in it": (pieces(b'{"type":"output_audio_buffer.clear"}', 3, frame(PING, b"hi")), []),
    "a character cut in two": (pieces('{"type":"x","a":"안"}'.encode(), 18), ["invalid_value"]),
    # RFC 6455, 5.1, has a server hang up here; aiohttp does not look.
    "a frame without a mask": (frame(TEXT, b'{"type":"x"}', masked=False), ["invalid_value"]),
    "an empty fragment": (frame(TEXT_BEGUN, b"") + frame(0x80 | CONTINUED, b""), ["invalid_json"]),
    "pongs that nobody asked for": (frame(PONG, b"x" * 125) * 50, []),
    "many events in one packet": (frame(TEXT, b'{"type":"x"}') * 200, ["invalid_value"] * 200),
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_is_answered_and_the_session_goes_on(name: str) -> None:
    sent, codes = NONSENSE[name]
    async with visiting() as (_, stream):
        writer = stream[1]
        writer.write(sent)
        assert await goes_on(stream) == codes


# What is sent -> the close code. These break RFC 6455: the connection is failed (5.2, 5.4, 5.5, 7.4.1, 8.1), the server goes on.
BROKEN: dict[str, tuple[bytes, int]] = {
    "bytes that are no UTF-8 in a text": (frame(TEXT, b'{"type":"\xc3\x28"}'), 1007),
    "a surrogate as UTF-8": (frame(TEXT, b'{"a":"\xed\xa0\x80"}'), 1007),
    "bytes that are no UTF-8, in fragments": (frame(TEXT_BEGUN, b'{"a":"\xc3') + frame(0x80 | CONTINUED, b'\x28"}'), 1007),
    "an opcode that there is not": (frame(0x83, b"x"), 1002),
    "a control opcode that there is not": (frame(0x8B, b"x"), 1002),
    "a bit of an extension": (frame(0xC1, CLEAR), 1002),
    "a ping in fragments": (frame(0x09, b"x"), 1002),
    "a long ping": (frame(PING, b"x" * 126), 1002),
    "the end of a text that was not begun": (frame(0x80 | CONTINUED, b"x"), 1002),
    "a text in a text": (frame(TEXT_BEGUN, b"{") + frame(TEXT, b"}"), 1002),
    "a close with one byte": (frame(CLOSE, b"\x03"), 1002),
    "a close with a code that there is not": (frame(CLOSE, struct.pack(">H", 999)), 1002),
    "a message that is announced too long": (frame(TEXT, b"", announced=MAX_MESSAGE_BYTES + 1), 1009),
    "fragments that become too long": (frame(TEXT_BEGUN, b"x" * (16 << 20)) + frame(CONTINUED, b"x" * (6 << 20)), 1009),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_who_breaks_the_rules_is_hung_up_on_and_nobody_else(name: str) -> None:
    sent, code = BROKEN[name]
    async with visiting() as (port, stream):
        stream[1].write(sent)
        assert await ended(stream) == code
        async with raw_client(port) as other:
            assert (await told(other))["type"] == "session.created"
            assert await goes_on(other) == []


async def ended(stream: Stream) -> int | None:
    """The code of the close frame; None if the connection was cut before it could be read."""
    try:
        while True:
            first, payload = await read_frame(stream[0])
            if first == CLOSE:
                return int(struct.unpack(">H", payload[:2])[0])
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def test_a_clean_close_is_answered_with_its_code() -> None:
    async with visiting() as (_, stream):
        stream[1].write(frame(CLOSE, struct.pack(">H", 1000) + b"bye"))
        assert await ended(stream) == 1000


async def test_random_frames_never_cost_the_next_visitor_anything() -> None:
    """Bytes of chance behind the upgrade, and good frames with chance in them."""
    async with visiting() as (port, _):
        for n in range(40):
            async with raw_client(port, behind=os.urandom(n * 7 + 1)) as (_, writer):
                writer.write(frame(TEXT, os.urandom(50)) + frame(TEXT, CLEAR) + os.urandom(n))
        async with raw_client(port) as other:
            assert (await told(other))["type"] == "session.created"
            assert await goes_on(other) == []
