"""Settings that were asked for: what each request changes, in order, until the server answers it.

A change is in effect when `session.updated` comes for its request, and never if an `error` does. A server answers in the order in which it was
asked; an error names its request by `event_id`, so each request gets one if the client gave none. A request may be ours: its answer is
told to nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from voice.protocol.dialect_told import Event

T = TypeVar("T")
MOST_OPEN = 64
"""Requests that may be unanswered. The oldest beyond them is taken for granted: its server answers none."""


@dataclass(frozen=True, slots=True)
class _Request(Generic[T]):
    event_id: str
    change: Callable[[T], T]
    named: bool
    """By the client."""
    ours: bool


class Asked(Generic[T]):
    """`now`: the settings in effect. `new_id(kind)` names requests that have no name."""

    def __init__(self, now: T, new_id: Callable[[str], str]) -> None:
        self.now = now
        self._new_id = new_id
        self._open: list[_Request[T]] = []

    @property
    def latest(self) -> T:
        """What will be in effect if all requests are granted: how a server takes what is sent behind them."""
        value = self.now
        for request in self._open:
            value = request.change(value)
        return value

    def ask(self, event: Event, change: Callable[[T], T], ours: bool = False) -> None:
        """A `session.update` goes to the server. One with a name that is none is refused without being named: it changes nothing."""
        given = event.get("event_id")
        if given is not None and not isinstance(given, str):
            return
        if given is None:
            event["event_id"] = self._new_id("event")
        self._open.append(_Request(event["event_id"], change, given is not None, ours))
        if len(self._open) > MOST_OPEN:
            self.granted()

    def granted(self) -> bool:
        """The server tells its settings; whether the client is told."""
        if not self._open:
            return True
        request = self._open.pop(0)
        self.now = request.change(self.now)
        return not request.ours

    def grant_all(self) -> None:
        """The server tells settings, and it is not known to which request."""
        self.now, self._open = self.latest, []

    def refused(self, error: Event) -> bool:
        """The server tells an error, here without a name that the client has not given; whether the client is told."""
        named, param = error.get("event_id"), error.get("param")
        found = next((request for request in self._open if request.event_id == named), None)
        if found is None and named is None and isinstance(param, str) and param.partition(".")[0] == "session" and self._open:
            # A server that names no requests: it answers the oldest.
            found = self._open[0]
        if found is None:
            return True
        self._open.remove(found)
        if not found.named:
            error["event_id"] = None
        return not found.ours
