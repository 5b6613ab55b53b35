"""Between a party that speaks a dialect and the protocol of today: text in, text out, no clock, no link.

`ClientInterpreter` stands before a client, `ServerInterpreter` before a server; one object a link. `up` is what goes from the client towards the
server, `down` the other way. `new_id(kind)` names what is told anew ("event", "item", ...). What is no JSON object passes as it is: whoever reads
it will complain in its own words.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from voice.protocol.dialect import Dialect
from voice.protocol.flat import flattened, unflattened

Event = dict[str, Any]

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of a message."""

    on: tuple[str, ...] = ()
    """Goes on in the same direction."""
    back: tuple[str, ...] = ()
    """Is answered to who sent it."""


class ClientInterpreter:
    """Before a client that speaks `dialect`; behind it stands a server of today."""

    def __init__(self, dialect: Dialect, new_id: Callable[[str], str]) -> None:
        self._dialect = dialect
        self._kind = "realtime"

    def up(self, text: str) -> Passage:
        """A client's message."""
        event = _event(text)
        if event is None or self._dialect.plain:
            return Passage((text,))
        if event["type"] == "transcription_session.update":
            event["type"], self._kind = "session.update", "transcription"
        if self._dialect.flat:
            if event["type"] == "session.update" and isinstance(event.get("session"), dict):
                session = {name: value for name, value in event["session"].items() if name != "temperature"}
                event["session"] = {"type": self._kind, **unflattened(session, self._kind)}
            if event["type"] == "response.create" and isinstance(event.get("response"), dict):
                event["response"] = unflattened({name: value for name, value in event["response"].items() if name != "temperature"})
        if self._dialect.old_content:
            _rename_contents(event, {"text": "output_text", "audio": "output_audio"})
        return Passage((_text(event),))

    def down(self, text: str) -> Passage:
        """A server's message."""
        event = _event(text)
        if event is None or self._dialect.plain:
            return Passage((text,))
        kind = event["type"]
        if kind == "conversation.item.done" and not self._dialect.item_done:
            return Passage()
        event["type"] = self._dialect.names.get(kind, kind)
        if self._dialect.flat:
            self._flatten(event)
        if kind == "response.function_call_arguments.done" and not self._dialect.call_names:
            event.pop("name", None)
        if self._dialect.old_content:
            _rename_contents(event, {"output_text": "text", "output_audio": "audio"})
        return Passage((_text(event),))

    def _flatten(self, event: Event) -> None:
        for name in ("session", "response"):
            if isinstance(event.get(name), dict):
                flat = flattened(event[name])
                if name == "session":
                    self._kind = flat.pop("type", self._kind)
                elif "max_response_output_tokens" in flat:
                    flat["max_output_tokens"] = flat.pop("max_response_output_tokens")
                event[name] = flat


class ServerInterpreter:
    """Before a server that speaks `dialect`; the client behind it speaks the protocol of today."""

    def __init__(self, dialect: Dialect, new_id: Callable[[str], str]) -> None:
        self._dialect = dialect
        self._new_id = new_id
        self._ours = {theirs: ours for ours, theirs in dialect.names.items()}
        self._calls: dict[str, str] = {}

    def up(self, text: str) -> Passage:
        """A client's message."""
        event = _event(text)
        if event is None or self._dialect.plain:
            return Passage((text,))
        if self._dialect.flat:
            for name in ("session", "response"):
                if isinstance(event.get(name), dict):
                    event[name] = flattened(event[name])
            if event["type"] == "session.update" and isinstance(event.get("session"), dict):
                event["session"].pop("type", None)
        if self._dialect.old_content:
            _rename_contents(event, {"output_text": "text", "output_audio": "audio"})
        return Passage((_text(event),))

    def down(self, text: str) -> Passage:
        """A server's message."""
        event = _event(text)
        if event is None or self._dialect.plain:
            return Passage((text,))
        event["type"] = self._ours.get(event["type"], event["type"])
        if self._dialect.flat:
            for name in ("session", "response"):
                if isinstance(event.get(name), dict):
                    event[name] = unflattened(event[name])
            if event["type"] in ("session.created", "session.updated") and isinstance(event.get("session"), dict):
                event["session"] = {"type": "realtime", **event["session"]}
        if self._dialect.old_content:
            _rename_contents(event, {"text": "output_text", "audio": "output_audio"})
        item = event.get("item")
        if isinstance(item, dict) and item.get("type") == "function_call":
            self._calls[str(item.get("id"))] = str(item.get("name", ""))
        if event["type"] == "response.function_call_arguments.done":
            event.setdefault("name", self._calls.get(str(event.get("item_id")), ""))
        if event["type"] == "conversation.item.added" and not self._dialect.item_done and isinstance(item, dict):
            if item.get("status") != "in_progress":
                done = {**event, "type": "conversation.item.done", "event_id": self._new_id("event")}
                return Passage((_text(event), _text(done)))
        if event["type"] == "response.output_item.done" and not self._dialect.item_done:
            done = {"type": "conversation.item.done", "event_id": self._new_id("event"), "item": item}
            return Passage((_text(done), _text(event)))
        return Passage((_text(event),))


def _event(text: str) -> Event | None:
    """The event, if it is a JSON object with a type."""
    try:
        event = _decode(text)
    except _UNREADABLE:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("type"), str) else None


def _text(event: Event) -> str:
    return _encode(event).decode()


def _rename_contents(event: Event, names: dict[str, str]) -> None:
    """The types of what an assistant says, in every item of the event; in place."""
    response = event.get("response")
    inside = response if isinstance(response, dict) else {}
    for items in ([event.get("item")], inside.get("output"), inside.get("input")):
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and item.get("role") == "assistant" and isinstance(item.get("content"), list):
                for part in item["content"]:
                    if isinstance(part, dict) and part.get("type") in names:
                        part["type"] = names[part["type"]]
