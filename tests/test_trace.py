"""The trace of a link: the form of the contract, one line an event, whatever the text is."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from voice.links.base import memory_pair
from voice.links.sights import Began, Ended, Received, Refused, Sent
from voice.links.trace import TracedLink, WireTraces
from voice.policy.deeds import Refuse


class Clock:
    """Played by hand; begins far from 0, as a monotonic clock does."""

    def __init__(self) -> None:
        self.now = 81_234.5

    def __call__(self) -> float:
        return self.now


async def test_the_lines_have_the_form_of_the_contract() -> None:
    near, far = memory_pair()
    clock, sink = Clock(), io.StringIO()
    traced = TracedLink(near, sink, clock)
    await traced.send('{"type":"session.update","session":{"type":"realtime"}}')
    clock.now += 1.25
    await far.send('{"type":"session.updated"}')
    assert await traced.receive() == '{"type":"session.updated"}'
    assert sink.getvalue() == (
        '{"t":0.000,"dir":"up","link":1,"event":{"type":"session.update","session":{"type":"realtime"}}}\n'
        '{"t":1.250,"dir":"down","link":1,"event":{"type":"session.updated"}}\n'
    )
    assert await far.receive() == '{"type":"session.update","session":{"type":"realtime"}}'


async def test_a_later_link_counts_from_the_same_beginning() -> None:
    near, _ = memory_pair()
    clock, sink = Clock(), io.StringIO()
    began_s = clock.now
    clock.now += 60
    await TracedLink(near, sink, clock, number=2, began_s=began_s).send("{}")
    assert sink.getvalue() == '{"t":60.000,"dir":"up","link":2,"event":{}}\n'


HOSTILE = {
    "spread over lines": '{\r\n\t"type" :\n "a"}',
    "line ends of other kinds": '{"a":"\x85\u2028\u2029"}',
    "escaped line ends": r'{"a":"\n\u2028"}',
    "twice the same key": '{"a":1,"a":2}',
    "not JSON": "hello\nworld\u2028!",
    "a line of our own": '{"type":"a"}\n{"t":9.0,"dir":"up","link":1,"event":{"type":"forged"}}',
    "empty": "",
    "no number": '{"a":NaN}',
    "deep": "[" * 100_000,
    "half a character": '{"a":"\ud800"}',
    "a huge number": '{"a":1' + "0" * 400 + "}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_every_text_is_one_line_of_json(text: str) -> None:
    near, far = memory_pair()
    sink = io.StringIO()
    traced = TracedLink(near, sink, Clock())
    await far.send(text)
    await traced.receive()
    (line,) = sink.getvalue().splitlines()
    entry = json.loads(line)
    assert list(entry) == ["t", "dir", "link", "event"] and entry["link"] == 1
    clean = text.encode(errors="replace").decode()
    assert entry["event"] == clean or entry["event"] == json.loads(clean)
    sink.getvalue().encode()


async def test_bytes_are_written_as_the_text_they_are() -> None:
    class Bytes:
        async def receive(self) -> bytes:
            return b'{"type":"a"}' if not sink.getvalue() else b"\xff\x00"

        async def send(self, text: str) -> None: ...

        async def close(self, code: int = 1000, reason: str = "") -> None: ...

    sink = io.StringIO()
    traced = TracedLink(Bytes(), sink, Clock())
    await traced.receive()
    await traced.receive()
    assert [json.loads(line)["event"] for line in sink.getvalue().splitlines()] == [{"type": "a"}, "\ufffd\x00"]


async def test_the_close_goes_through() -> None:
    near, far = memory_pair()
    await TracedLink(near, io.StringIO(), Clock()).close(4000, "done")
    with pytest.raises(Exception, match="4000: done"):
        await far.receive()


async def test_the_sessions_of_a_twin_are_written_down_one_by_one_as_they_were_on_the_wire() -> None:
    clock, sinks, closed = Clock(), dict[int, io.StringIO](), list[int]()

    @contextmanager
    def opened(number: int) -> Iterator[io.StringIO]:
        sinks[number] = io.StringIO()
        yield sinks[number]
        closed.append(number)

    witness = WireTraces(opened, clock)
    witness(1, Refused(Refuse()))
    witness(2, Began())
    clock.now += 0.5
    witness(3, Began())
    witness(2, Sent('{"type":"session.created"}'))
    witness(2, Received('{"type": "session.update"}'))
    witness(3, Sent(b"\xff"))
    witness(2, Ended(1000, ""))
    witness(2, Ended(1000, ""))
    assert closed == [2] and sorted(sinks) == [2, 3]
    assert sinks[2].getvalue() == (
        '{"t":0.500,"dir":"down","link":1,"event":{"type":"session.created"}}\n'
        '{"t":0.500,"dir":"up","link":1,"event":{"type":"session.update"}}\n'
    )
    assert json.loads(sinks[3].getvalue())["event"] == "\ufffd"
