"""The faults of one session: decides about every event of either side, and about the passing of time. Pure: `now` in seconds.

    the client's event  ->  up    ->  what the session is given of it
    the session's event ->  down  ->  flow.py  ->  take  ->  what the client is sent of it, and what else happens to the connection
    time                ->  deadline, take

Chance is a hash of the seed, the fault, the session and how often it was asked: the same files and the same client make the same run,
whatever other sessions there are.
"""

import functools
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from voice.policy.deeds import (
    OF_AN_EVENT,
    Address,
    Close,
    Delay,
    Drop,
    Duplicate,
    Expire,
    Fail,
    Fault,
    Garbage,
    HalfOpen,
    Reorder,
    Reset,
    Stall,
)
from voice.policy.flow import Flow
from voice.policy.garbage import Raw, Send, error_text, rubbish

GOING_AWAY = 1001


@dataclass(frozen=True, slots=True)
class Freeze:
    """The connection is dead to both sides, but for TCP. `lasting`: for ever."""

    lasting: bool


@dataclass(frozen=True, slots=True)
class Thaw:
    """It lives again."""


Act = Send | Raw | Close | Reset | Freeze | Thaw
"""What is done to a connection."""


class _Response(msgspec.Struct):
    id: str | None = None


class _Head(msgspec.Struct):
    """What is looked at of an event."""

    type: str = ""
    event_id: str | None = None
    response_id: str | None = None
    response: _Response | None = None


_UNREAD = _Head()
"""Of every event, where none is addressed."""
_head = msgspec.json.Decoder(_Head).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def chance(*numbers: int) -> float:
    """0 to 1, the same for the same numbers."""
    digest = hashlib.blake2b("/".join(map(str, numbers)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64


class Tally:
    """How often each fault has happened, over all sessions."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self.faults = tuple(faults)
        self.seed = seed
        self.happened = [0] * len(self.faults)

    def may(self, number: int) -> bool:
        """Whether a fault may happen once more."""
        times = self.faults[number].times
        return times == 0 or self.happened[number] < times

    def once(self, number: int) -> bool:
        """Count a fault, if it may happen."""
        if not self.may(number):
            return False
        self.happened[number] += 1
        return True

    def likely(self, number: int, session: int, nth: int) -> bool:
        """Whether chance will have it, the nth time that it is asked in this session."""
        p = self.faults[number].p
        return p is None or chance(self.seed, number, session, nth) < p


class SessionFaults:
    """See the top of the file. `number`: of the session, from 1. It begins with the first event that the session says."""

    def __init__(self, tally: Tally, number: int) -> None:
        here = [n for n, fault in enumerate(tally.faults) if fault.session in (None, number)]
        self._tally = tally
        self._number = number
        self._at_events = [(n, on) for n in here if (on := tally.faults[n].on) is not None]
        self._timed = sorted((at_s, n) for n in here if (at_s := tally.faults[n].at_s) is not None)
        self._began: float | None = None
        self._seen: dict[int, int] = {}
        self._responses: dict[str, int] = {}
        self._flow: Flow[Act] = Flow(Send)
        self._done = 0
        self._thaws_at = math.inf
        self.over = False
        """Whether a fault has ended the connection: nothing passes any more."""
        self.deaf_until = -math.inf
        """Until when nothing of the client's is to be heard."""

    @property
    def crowded(self) -> bool:
        """Whether the session has to wait before it says more."""
        return self._flow.crowded and not self.over

    @property
    def awaits_client(self) -> bool:
        """Whether something may go wrong at an event of the client's."""
        return any(on.client for _, on in self._at_events)

    def up(self, message: str | bytes, now: float) -> list[str | bytes]:
        """A message of the client's; returns what the session is given."""
        self._pass_time(now)
        if self.over:
            return []
        head = _read(message) if self._at_events else _UNREAD
        hits = self._hits(head, client=True)
        if not self._around(hits, False, message, head, now):
            return []
        copies = 1
        for n in hits:
            deed = self._tally.faults[n].deed
            if isinstance(deed, Drop | Duplicate) and self._tally.once(n):
                copies = 0 if isinstance(deed, Drop) else copies * 2
        self._around(hits, True, message, head, now)
        return [message] * copies

    def down(self, text: str, now: float) -> None:
        """An event of the session's."""
        self._pass_time(now)
        if self.over:
            return
        head = _read(text) if self._at_events else _UNREAD
        if head.response is not None and head.response.id is not None:
            self._responses.setdefault(head.response.id, len(self._responses) + 1)
        hits = self._hits(head, client=False)
        if self._around(hits, False, text, head, now):
            self._pass(hits, text, head.type, now)
            self._around(hits, True, text, head, now)
        if self._began is None:
            self._began = now

    def take(self, now: float) -> list[Act]:
        """What is to be done to the connection now, in this order."""
        self._pass_time(now)
        return self._flow.take()

    def deadline(self) -> float | None:
        """When `take` will have more; None: not by time alone."""
        if self.over:
            return None
        times = [self._thaws_at]
        if self._timed and self._began is not None:
            times.append(self._began + self._timed[0][0])
        if (flowing := self._flow.deadline()) is not None:
            times.append(flowing)
        return None if math.isinf(min(times)) else min(times)

    def rest(self) -> list[Act]:
        """The session ends by itself: what is still held back, in order."""
        return [] if self.over else self._flow.rest()

    def _pass_time(self, now: float) -> None:
        """What was to happen by now."""
        while self._timed and self._began is not None and self._timed[0][0] <= now - self._began and not self.over:
            _, n = self._timed.pop(0)
            if self._tally.likely(n, self._number, 0) and self._tally.once(n):
                self._do(n, "", _Head(), False, now)
        if self._thaws_at <= now and not self.over:
            self._thaws_at = math.inf
            self._flow.frame(Thaw())
        self._flow.pass_time(now)

    def _hits(self, head: _Head, client: bool) -> list[int]:
        """The faults that an event is addressed by, in the order of the file."""
        return [n for n, on in self._at_events if on.client == client and self._meant(n, on, head)]

    def _meant(self, n: int, on: Address, head: _Head) -> bool:
        """Whether it is one of those that the fault may happen to. Counts."""
        if not _pattern(on.event).fullmatch(head.type):
            return False
        if on.response is not None and self._responses.get(_response_of(head)) != on.response:
            return False
        nth = self._seen.get(n, 0)
        self._seen[n] = nth + 1
        return (on.index is None or nth in on.index) and self._tally.likely(n, self._number, nth)

    def _around(self, hits: Sequence[int], after: bool, message: str | bytes, head: _Head, now: float) -> bool:
        """What happens before or behind an event; returns whether the connection is still there."""
        for n in hits:
            fault = self._tally.faults[n]
            if not isinstance(fault.deed, OF_AN_EVENT) and fault.on is not None and fault.on.after == after and not self.over:
                if self._tally.once(n):
                    self._do(n, message, head, fault.on.client, now)
        return not self.over

    def _pass(self, hits: Sequence[int], text: str, kind: str, now: float) -> None:
        """The event itself: how often, when, and behind what."""
        copies, due, held = 1, None, None
        for n in hits:
            deed = self._tally.faults[n].deed
            if isinstance(deed, Reorder) and self._flow.holds(kind):
                continue  # this one is what the other waits for
            if not isinstance(deed, OF_AN_EVENT) or not self._tally.once(n):
                continue
            match deed:
                case Drop():
                    copies = 0
                case Duplicate():
                    copies *= 2
                case Delay(ms=ms):
                    due = now + ms / 1000
                case Reorder():
                    held = deed
        for _ in range(copies):
            if due is not None:
                self._flow.late(text, kind, due)
            elif held is not None:
                self._flow.hold(text, kind, held.events, now)
            else:
                self._flow.put(text, kind, now)

    def _do(self, n: int, message: str | bytes, head: _Head, client: bool, now: float) -> None:
        """A fault that happens at an event (message and head) or at a time."""
        self._done += 1
        event_id = f"event_fault_{self._number}_{self._done}"
        match self._tally.faults[n].deed:
            case Close() | Reset() as end:
                self._end(end)
            case Stall(ms=ms):
                self._flow.silence(_until(now, ms))
            case HalfOpen(ms=ms):
                self.deaf_until = self._thaws_at = _until(now, ms)
                self._flow.silence(self.deaf_until)
                self._flow.frame(Freeze(ms is None))
            case Garbage() as garbage:
                self._flow.frame(rubbish(garbage, message))
            case Fail() as fail:
                self._flow.frame(Send(error_text(fail, event_id, head.event_id if client else None)))
            case Expire(message=why):
                expired = Fail("invalid_request_error", "session_expired", why)
                self._flow.frame(Send(error_text(expired, event_id, None)))
                self._end(Close(GOING_AWAY, why))
            case _:
                raise AssertionError("the rest happens to an event, or before the session")

    def _end(self, how: Close | Reset) -> None:
        self.over = True
        self._flow.forget()
        self._flow.frame(how)


def _until(now: float, ms: int | None) -> float:
    return math.inf if ms is None else now + ms / 1000


def _response_of(head: _Head) -> str:
    return head.response_id or (head.response.id if head.response is not None else None) or ""


def _read(message: str | bytes) -> _Head:
    """What can be read of a message; one that is no event has no type."""
    try:
        return _head(message)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return _Head(_only_type(message))


def _only_type(message: str | bytes) -> str:
    """The type of an event with something odd in its other fields; "" if there is none."""
    try:
        return msgspec.json.decode(_fields(message)["type"], type=str)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, KeyError):
        return ""


@functools.lru_cache(maxsize=1000)
def _pattern(event: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, event.split("*"))), re.DOTALL)
