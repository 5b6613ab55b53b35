"""A link that writes down what passes: one JSON object a line, `{"t", "dir", "link", "event"}`.

`t` is seconds since the trace began (of the clock that is given: a replay gives virtual time), `dir` is "up" (client to server) or
"down", `link` counts the links of a session from 1. Only events are written: no headers, hence no credentials.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

import msgspec

from voice.links.base import Link
from voice.links.sights import Began, Ended, Received, Sent, Sight

_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
"""What JSON may hold as it is, inside strings only, and what readers that split at every kind of line end would split at."""


class Sink(Protocol):
    """Where lines go: an open text file will do."""

    def write(self, line: str, /) -> object:
        """Take a line with its end."""


class TracedLink:
    """The talking side's end of `link`, written down to `sink`."""

    def __init__(self, link: Link, sink: Sink, clock: Callable[[], float], number: int = 1, began_s: float | None = None) -> None:
        """`began_s`: when the trace began, where this is not its first link; None: now."""
        self._link = link
        self._sink = sink
        self._clock = clock
        self._number = number
        self._began_s = clock() if began_s is None else began_s

    async def send(self, text: str) -> None:
        """See `Link`."""
        self._write("up", text)
        await self._link.send(text)

    async def receive(self) -> str | bytes:
        """See `Link`."""
        text = await self._link.receive()
        self._write("down", text)
        return text

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Link`."""
        await self._link.close(code, reason)

    def _write(self, direction: str, text: str | bytes) -> None:
        self._sink.write(_line(self._clock() - self._began_s, direction, self._number, text))


class WireTraces:
    """A witness (`sights.py`) that writes each session of a twin down, to the sink that `open_sink` gives for its number, closed at its end."""

    def __init__(self, open_sink: Callable[[int], AbstractContextManager[Sink]], clock: Callable[[], float]) -> None:
        self._open_sink = open_sink
        self._clock = clock
        self._open: dict[int, tuple[Sink, float, ExitStack]] = {}

    def __call__(self, number: int, sight: Sight) -> None:
        """See `Witness`."""
        match sight:
            case Began():
                stack = ExitStack()
                self._open[number] = (stack.enter_context(self._open_sink(number)), self._clock(), stack)
            case Sent(data=data) | Received(data=data) if number in self._open:
                sink, began_s, _ = self._open[number]
                sink.write(_line(self._clock() - began_s, "down" if isinstance(sight, Sent) else "up", 1, data))
            case Ended() if number in self._open:
                self._open.pop(number)[2].close()


def _line(t: float, direction: str, number: int, text: str | bytes) -> str:
    return f'{{"t":{t:.3f},"dir":"{direction}","link":{number},"event":{_one_line(text)}}}\n'


def _one_line(text: str | bytes) -> str:
    """An event as it is if it is JSON, which has no raw line ends once it is on one line; else as a JSON string."""
    whole = text.encode(errors="replace").decode() if isinstance(text, str) else text.decode(errors="replace")
    try:
        line = msgspec.json.format(whole, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        line = msgspec.json.encode(whole).decode()
    return line.translate(_LINE_ENDS)
