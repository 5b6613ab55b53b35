"""A server's events, retold as today's protocol tells them: what goes where is in `dialect_turns.py` and `dialect_answers.py`.

The events that come here have today's names and shapes already (`interpreter.py`); here they get today's order, without gaps and doubles.
"""

from collections.abc import Callable
from typing import Any

from voice.protocol.dialect_answers import ITEM_ADDED, ITEM_DONE, LIMITS, PIECES, Answers
from voice.protocol.dialect_parts import Telling
from voice.protocol.dialect_sound import Way
from voice.protocol.dialect_told import ADDED, DONE, Event, Item, Told, remember
from voice.protocol.dialect_turns import COMMITTED, STARTED, STOPPED, WORDS, Turns


class Story:
    """See the top of the file. `tell` each event of the server in turn."""

    def __init__(self, new_id: Callable[[str], str], new_way: Callable[[], Way], telling: Telling) -> None:
        """`new_way`: for the sound of a part of an answer."""
        self.told = Told(new_id, telling.places)
        self.turns = Turns(self.told)
        self.answers = Answers(self.told, new_way, telling.silent_about)
        self._last = ""

    def tell(self, event: Event) -> list[Event]:
        """What a client is told of an event."""
        self._rename(event)
        self._tell(event)
        out = self.told.take()
        if out:
            self._last = out[-1]["type"]
        return out

    def _rename(self, event: Event) -> None:
        """Items are told under the names that they were first told under."""
        names = self.told.names
        for field in ("item_id", "previous_item_id"):
            if event.get(field) in names:
                event[field] = names[event[field]]
        item = event.get("item")
        if isinstance(item, dict) and item.get("id") in names:
            item["id"] = names[item["id"]]

    def _tell(self, event: Event) -> None:
        kind: str = event["type"]
        if kind in (ADDED, DONE):
            self._item(kind, event)
        elif kind == "response.created":
            self.turns.settle()
            self.answers.created(event)
        elif kind == "response.done":
            self.answers.done(event)
        elif kind in (ITEM_ADDED, ITEM_DONE) or kind.startswith(PIECES):
            self.answers.piece(event)
        elif kind.startswith(WORDS) and not kind.endswith(".segment"):
            self.turns.heard(event)
        elif kind == LIMITS:
            self.answers.limits(event, self._last == "response.done")
        elif kind in (STARTED, STOPPED, COMMITTED):
            {STARTED: self.turns.started, STOPPED: self.turns.stopped, COMMITTED: self.turns.committed}[kind](event)
        else:
            self._other(kind, event)

    def _item(self, kind: str, event: Event) -> None:
        """An item of the conversation: of a turn, of a response, or one that was given."""
        item = event.get("item")
        if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not isinstance(item.get("type"), str):
            return
        if self.turns.item(item) or self.answers.item(event, item) or (kind == DONE and item["id"] in self.told.items):
            return
        if item["id"] in self.told.items:
            return
        given = whole(item)
        self.told.added(given, event)
        self.told.done(given, {})
        self.turns.given(given["id"])

    def _other(self, kind: str, event: Event) -> None:
        match kind:
            case "conversation.created":
                conversation: Any = event.get("conversation")
                self.told.conversation_id = conversation.get("id") if isinstance(conversation, dict) else None
                return
            case "input_audio_buffer.cleared":
                self.turns.cleared()
            case "conversation.item.deleted":
                self.told.forget(str(event.get("item_id")))
            case "conversation.item.truncated":
                end_ms = event.get("audio_end_ms")
                remember(self.told.cut_ms, str(event.get("item_id")), end_ms if type(end_ms) is int else 0)
            case "error":
                error = event.get("error")
                self.answers.refused(error.get("event_id") if isinstance(error, dict) else None)
            case _:
                pass
        self.told.put(kind, event)


def whole(item: Item) -> Item:
    """An item that was given, with the status that such an item has."""
    if item["type"].startswith("mcp_"):
        return item
    return {**item, "status": "incomplete" if item.get("status") == "incomplete" else "completed"}
