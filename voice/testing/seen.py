"""What a twin has seen of its clients, for tests in any thread: kept by the twin's, waited for by theirs."""

import fnmatch
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from voice.links.sights import Began, Ended, Received, Refused, Sent, Sight

T = TypeVar("T")
Event = dict[str, Any]
SHOWN = 12
"""Types of events in a message about one that did not come."""


@dataclass(slots=True)
class TwinSession:
    """One connection; what is in it grows while it lives."""

    number: int
    """From 1, in the order in which they came; refused ones count."""
    received: list[Event] = field(default_factory=list)
    """The client's events, oldest first. A message that is no JSON object has the type "" and stands under "raw"."""
    sent: list[Event] = field(default_factory=list)
    """What went to the client, faults included, in the same form."""
    ended: tuple[int, str] | None = None
    """Close code and reason; None: it is there. 1006: without a close frame."""
    refused: int | None = None
    """The HTTP status of a handshake that was not let in (0: none was sent); None: it was let in."""

    def events(self, kind: str) -> list[Event]:
        """Of either side, those of this type; a * in it stands for any letters."""
        return [event for event in (*self.received, *self.sent) if fnmatch.fnmatchcase(str(event.get("type", "")), kind)]

    def __str__(self) -> str:
        state = "refused" if self.refused is not None else "open" if self.ended is None else f"ended with {self.ended[0]}"
        return f"session {self.number} ({state}) received {_counted(self.received)}; was sent {_counted(self.sent)}"


class Log:
    """All sessions of a twin; a witness (`links/sights.py`)."""

    def __init__(self) -> None:
        self._sessions: list[TwinSession] = []
        self._changed = threading.Condition()

    def __call__(self, number: int, sight: Sight) -> None:
        """See `Witness`; called in the twin's thread."""
        with self._changed:
            match sight:
                case Began():
                    self._sessions.append(TwinSession(number))
                case Refused(how=how):
                    self._sessions.append(TwinSession(number, refused=how.status if how.kind == "status" else 0))
                case Received(data=data):
                    self._of(number).received.append(_event(data))
                case Sent(data=data):
                    self._of(number).sent.append(_event(data))
                case Ended(close_code=code, reason=reason):
                    self._of(number).ended = (code, reason)
            self._changed.notify_all()

    def sessions(self) -> list[TwinSession]:
        """In the order in which they came."""
        with self._changed:
            return list(self._sessions)

    def wait_for(self, kind: str, index: int, timeout_s: float, session: int | None) -> Event:
        """The event of this type and index (from 0), of one session or of all in their order. Raises: AssertionError if it does not come."""

        def found() -> Event | None:
            among = [event for one in self._chosen(session) for event in one.events(kind)]
            return among[index] if index < len(among) else None

        __tracebackhide__ = True
        event = self._until(found, timeout_s)
        if event is None:
            raise AssertionError(f"no {kind!r} with index {index} {_within(timeout_s)}{self._told(session)}")
        return event

    def wait_ended(self, session: int, timeout_s: float) -> tuple[int, str]:
        """How a session ended. Raises: AssertionError if it does not."""
        __tracebackhide__ = True
        ended = self._until(lambda: next((one.ended for one in self._chosen(session)), None), timeout_s)
        if ended is None:
            raise AssertionError(f"session {session} has not ended {_within(timeout_s)}{self._told(None)}")
        return ended

    def _until(self, found: Callable[[], T | None], timeout_s: float) -> T | None:
        until = time.monotonic() + timeout_s
        with self._changed:
            while (what := found()) is None and (left_s := until - time.monotonic()) > 0:
                self._changed.wait(left_s)
            return what

    def _chosen(self, session: int | None) -> list[TwinSession]:
        return [one for one in self._sessions if session in (None, one.number)]

    def _told(self, session: int | None) -> str:
        with self._changed:
            chosen = self._chosen(session)
            return "".join(f"\n  {one}" for one in chosen) or "; no client has come"

    def _of(self, number: int) -> TwinSession:
        return next(one for one in reversed(self._sessions) if one.number == number)


def _within(timeout_s: float) -> str:
    return f"within {timeout_s:g} s" if timeout_s else "yet (a coroutine waits with the methods that end in _async)"


def _event(data: str | bytes) -> Event:
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        read = None
    return read if isinstance(read, dict) else {"type": "", "raw": data}


def _counted(events: Sequence[Event]) -> str:
    """The types in the order in which they first came: "session.update, input_audio_buffer.append x 12"."""
    counts = Counter(str(event.get("type") or "(no event)") for event in events)
    shown = [kind if count == 1 else f"{kind} x {count}" for kind, count in list(counts.items())[:SHOWN]]
    return ", ".join([*shown, *(["..."] if len(counts) > SHOWN else [])]) or "nothing"
