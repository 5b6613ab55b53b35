"""What a client of today has been told of a conversation that is retold to it: the items, their places, and the events on their way."""

from collections.abc import Callable
from typing import Any, TypeVar

Event = dict[str, Any]
Item = dict[str, Any]
Key = TypeVar("Key")
Value = TypeVar("Value")

ADDED, DONE = "conversation.item.added", "conversation.item.done"
KEPT_ITEMS = 1_000
"""Items that can still be asked for where the service cannot tell them, and whatever else is known by item, turn or response."""

KEPT_IDS = 1_000
"""Of events: none is given twice within so many."""


class Told:
    """Used by the parts of `dialect_story.py`: each event that they tell goes through `put`."""

    def __init__(self, new_id: Callable[[str], str], places: bool) -> None:
        """`places`: null in `previous_item_id` is meant."""
        self.new_id = new_id
        self.items: dict[str, Item] = {}
        """The items of the conversation as they were told last."""
        self.cut_ms: dict[str, int] = {}
        """Answers that were truncated -> how much of them was heard."""
        self.sound_ms: dict[str, float] = {}
        """How much sound of an answer was told."""
        self.conversation_id: str | None = None
        self.names: dict[str, str] = {}
        """Names that the service gives to items that have been told under another name: theirs -> ours."""
        self._places = places
        self._order: list[str] = []
        self._before: dict[str, str | None] = {}
        self._event_ids: dict[str, None] = {}
        self._out: list[Event] = []

    def put(self, kind: str, source: Event, **fields: Any) -> None:
        """Tell an event, made of what the service sent and these fields. The first that is made of it has its id, if no other had it."""
        sent = {name: value for name, value in source.items() if name not in ("type", "event_id")}
        event_id = source.pop("event_id", None)
        if not event_id or event_id in self._event_ids:
            event_id = self.new_id("event")
        self._event_ids[event_id] = None
        if len(self._event_ids) > KEPT_IDS:
            del self._event_ids[next(iter(self._event_ids))]
        self._out.append({"type": kind, "event_id": event_id, **sent, **fields})

    def take(self) -> list[Event]:
        """What is to be sent."""
        out, self._out = self._out, []
        return out

    def added(self, item: Item, source: Event) -> None:
        """An item enters the conversation. `source` may tell behind which."""
        item_id = item["id"]
        if item_id not in self._before:
            last = self._order[-1] if self._order else None
            named = source.get("previous_item_id", last)
            before = named if named in self._before or (named is None and self._places) else last
            self._order.insert(0 if before is None else self._order.index(before) + 1, item_id)
            self._before[item_id] = before
        self.put(ADDED, _id_of(source), item=item, previous_item_id=self._before[item_id])
        self.keep(item)

    def place(self, item_id: str) -> str | None:
        """What stands before an item; one that is not there yet will stand last."""
        return self._before.get(item_id, self._order[-1] if self._order else None)

    def done(self, item: Item, source: Event) -> None:
        """An item is finished."""
        self.put(DONE, _id_of(source), item=item, previous_item_id=self._before.get(item["id"]))
        self.keep(item)

    def keep(self, item: Item) -> None:
        """Remember an item as it is now."""
        self.items[item["id"]] = item
        if len(self.items) > KEPT_ITEMS:
            self.forget(next(iter(self.items)))

    def forget(self, item_id: str) -> None:
        """An item is gone."""
        for known in (self.items, self.cut_ms, self.sound_ms, self._before):
            known.pop(item_id, None)
        if item_id in self._order:
            self._order.remove(item_id)


def remember(known: dict[Key, Value], key: Key, value: Value) -> None:
    """In a dictionary that would grow as long as a session lasts: the oldest is forgotten."""
    known[key] = value
    if len(known) > KEPT_ITEMS:
        del known[next(iter(known))]


def _id_of(source: Event) -> Event:
    return {"event_id": source.pop("event_id", None)}
