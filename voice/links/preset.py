"""A link whose peer begins with settings that were made for it: what a short-lived secret brings along.

The answering side finds a `session.update` before all that the client says. The client finds the outcome in `session.created`, and neither knows:

    client            this link                          engine
                      <-------------------- session.created    kept back
                      session.update -------------------->
                      <-------------------- session.updated
    <-- session.created with the session of session.updated
"""

from typing import Any

import msgspec

from voice.errors import LinkClosed
from voice.links.base import Link

MOST_KEPT = 16
"""Events kept back while the answer to the update is awaited; it is given up beyond."""


class _Event(msgspec.Struct):
    """What is looked at of an event; `session` stays as it is."""

    type: str = ""
    event_id: str | None = None
    session: msgspec.Raw = msgspec.Raw()


class PresetLink:
    """The answering side's end of `link`. `session`: as in `session.update`."""

    def __init__(self, link: Link, session: dict[str, Any], event_id: str) -> None:
        self._link = link
        self._first: str | None = msgspec.json.encode({"type": "session.update", "event_id": event_id, "session": session}).decode()
        self._kept: list[str] | None = []

    async def send(self, text: str) -> None:
        """See `Link`."""
        if self._kept is None:
            await self._link.send(text)
            return
        self._kept.append(text)
        event = _read(text)
        if event.type not in ("session.updated", "error") and len(self._kept) <= MOST_KEPT:
            return
        kept, self._kept = self._kept, None
        if event.type == "session.updated" and bytes(event.session):
            kept = [_with(text, event.session) for text in kept[:-1]]
        for one in kept:
            await self._link.send(one)

    async def receive(self) -> str | bytes:
        """See `Link`."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await self._link.receive()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Link`. What is kept back is sent before: it may say why."""
        kept, self._kept = self._kept or [], None
        try:
            for text in kept:
                await self._link.send(text)
        except LinkClosed:
            pass
        await self._link.close(code, reason)


def _read(text: str) -> _Event:
    try:
        return msgspec.json.decode(text, type=_Event)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return _Event()


def _with(text: str, session: msgspec.Raw) -> str:
    """`session.created` with this session; any other event as it is."""
    event = _read(text)
    if event.type != "session.created":
        return text
    return msgspec.json.encode({"type": event.type, "event_id": event.event_id, "session": session}).decode()
