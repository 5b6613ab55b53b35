"""The beginning of a session whose server adds settings of its own: they are in effect before the client hears anything.

    session.created (kept back) > our session.update > session.updated > session.created, with what is in effect

If they are refused, or never answered, there is no session: one without its tools is not the one that was promised. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voice.protocol.veil import Veil

MOST_KEPT = 16
"""Events kept back while the answer to our update is awaited."""
REFUSED = "The session cannot be set up: what answers does not take the server's own settings."

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Begun:
    """What an event of the beginning brings about."""

    update: Event | None = None
    """For what answers."""
    told: tuple[Event, ...] = ()
    """What was kept back, as the client may be told it."""
    over: bool = False
    """There is no session."""


class Overture:
    """See the top of the file. `new_id("event")` gives a fresh id."""

    def __init__(self, veil: Veil, new_id: Callable[[str], str]) -> None:
        self.done = False
        self.plain = False
        """The session only writes down: nothing is added to it."""
        self._veil = veil
        self._new_id = new_id
        self._kept: list[Event] = []
        self._asked = False

    def see(self, event: Event) -> Begun:
        """The next event of what answers."""
        kind, session = event.get("type"), event.get("session")
        if kind == "session.updated" and self._asked and isinstance(session, dict):
            self.done = True
            return Begun(told=tuple(_with(kept, session) for kept in self._kept))
        if kind == "error" or len(self._kept) >= MOST_KEPT:
            self.done = True
            return Begun(over=True)
        self._kept.append(event)
        if kind != "session.created" or self._asked:
            return Begun()
        session = session if isinstance(session, dict) else {}
        if session.get("type") == "transcription":
            self.done = self.plain = True
            return Begun(told=tuple(self._kept))
        self._asked = True
        return Begun({"type": "session.update", "event_id": self._new_id("event"), "session": self._veil.first(session)})


def _with(event: Event, session: Event) -> Event:
    return {**event, "session": session} if event.get("type") == "session.created" else event
