"""Server-sent events: bytes in, events out. Right for any split of the stream, inside a character or a line end too.

After the HTML standard (https://html.spec.whatwg.org/multipage/server-sent-events.html, "9.2.6 Interpreting an event stream"): lines
end with CRLF, LF or CR, a BOM in front is dropped, lines that begin with a colon are comments, several `data` lines are one
text. `id` and `retry` concern a browser's own reconnection and are skipped.

Two things are ours: memory is bounded, and `flush` gives what a server left without the blank line behind it. The standard throws
that away; but `data: [DONE]` at the very end is what many chat endpoints really send.
"""

import re
from dataclasses import dataclass

MAX_EVENT_BYTES = 1 << 20
"""No line, and no event, is larger: a chunk of a chat answer has some hundred bytes."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event."""

    data: str
    """The data lines, joined by line feeds; bytes that are not UTF-8 are U+FFFD."""
    event: str = "message"


class SseParser:
    """See the top of the file."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.too_long = False
        """A line or an event was longer than the bound: the stream is not what it should be, and nothing more is read of it."""
        self.comments = 0
        """Comment lines so far: by them a server says that it is still there."""
        self._max_bytes = max_event_bytes
        self._rest = bytearray()
        self._after_cr = False
        self._begun = False
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._event = b""

    def push(self, chunk: bytes) -> list[SseEvent]:
        """More of the stream, of any length; the events that are now complete."""
        if self._after_cr and chunk:
            # The CR ended its line when it came; this LF, if it is one, is the other half of the same end.
            self._after_cr = False
            chunk = chunk[1:] if chunk[0] == 10 else chunk
        if self.too_long or not chunk:
            return []
        if _LINE_END.search(chunk) is None:
            self._rest += chunk
            self._must_fit(len(self._rest))
            return []
        self._after_cr = chunk[-1] == 13
        *lines, rest = _LINE_END.split(bytes(self._rest) + chunk)
        self._rest = bytearray(rest)
        events = self._read(lines)
        self._must_fit(len(self._rest))
        return events

    def flush(self) -> list[SseEvent]:
        """The end of the stream: the event that lacks only its blank line, if there is one."""
        lines = [bytes(self._rest), b""] if self._rest else [b""]
        self._rest.clear()
        return [] if self.too_long else self._read(lines)

    def _read(self, lines: list[bytes]) -> list[SseEvent]:
        events: list[SseEvent] = []
        for line in lines:
            if line.startswith(b"data: "):
                self._add(line[6:])
            elif not line:
                if self._data:
                    events.append(self._take())
                self._event = b""
            else:
                self._field(line)
            if self.too_long or self._must_fit(len(line)):
                break
            self._begun = True
        return events

    def _field(self, line: bytes) -> None:
        if not self._begun:
            line = line.removeprefix(_BOM)
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if line.startswith(b":"):
            self.comments += 1
        elif name == b"data":
            self._add(value)
        elif name == b"event":
            self._event = value

    def _add(self, value: bytes) -> None:
        self._data.append(value)
        self._data_bytes += len(value) + 1
        self._must_fit(self._data_bytes)

    def _take(self) -> SseEvent:
        data = b"\n".join(self._data).decode("utf-8", "replace")
        self._data.clear()
        self._data_bytes = 0
        return SseEvent(data, self._event.decode("utf-8", "replace")) if self._event else SseEvent(data)

    def _must_fit(self, size: int) -> bool:
        """Whether that is too much; then what is held goes."""
        if size > self._max_bytes:
            self.too_long = True
            self._rest.clear()
            self._data.clear()
        return self.too_long
