"""The conversation as the talking side knows it: one line an item, in the order of the conversation, whatever order the texts come in.

Programs see the messages. The calls of functions, and what came of them, stand between them for whoever must tell it all again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from voice.protocol.conversation import text_of
from voice.protocol.objects import Item

MAX_LINES = 2_000
"""Beyond it the oldest go."""
MAX_TOLD = 1_900
"""Lines that a server is asked to keep: ours holds 2000 items, calls among them, and refuses more."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One message: `text` as far as it is known, "" if it is not; `status` in_progress, completed or incomplete."""

    item_id: str
    role: str
    text: str
    status: str
    estimated: bool = False
    """The answer was interrupted, and which of its words had been heard is a guess: the server told none."""


class History:
    """See the top of the file."""

    def __init__(self) -> None:
        self._lines: dict[str, HistoryLine | Item] = {}
        self._unplaced: set[str] = set()

    def __iter__(self) -> Iterator[HistoryLine]:
        return iter(tuple(line for line in self._lines.values() if isinstance(line, HistoryLine)))

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._lines

    def entries(self) -> tuple[HistoryLine | Item, ...]:
        """The lines, and between them calls of functions (with all their arguments, once these have come) and their outputs."""
        return tuple(self._lines.values())

    def beyond(self, count: int) -> list[str]:
        """The items of all entries but the newest `count`, oldest first."""
        return list(self._lines)[: max(0, len(self._lines) - count)]

    def see(self, item: Item, item_id: str, after: str | None) -> None:
        """An item was added or finished; `after` is the one before it, where the server tells."""
        old = self._lines.get(item_id)
        line: HistoryLine | Item
        if item.type == "message":
            line = _line(item, item_id, old if isinstance(old, HistoryLine) else None)
        elif item.type in ("function_call", "function_call_output") and isinstance(item.call_id, str):
            line = _joined(old if isinstance(old, Item) else None, item)
        else:
            return
        if old is None or item_id in self._unplaced:
            self._unplaced.discard(item_id)
            self._lines.pop(item_id, None)
            self._place(item_id, line, after)
        else:
            self._lines[item_id] = line
        self._bound()

    def expect(self, item: Item, item_id: str) -> None:
        """A call or an output of which the server may not have told yet: until it does it stands last."""
        old = self._lines.get(item_id)
        if old is None:
            self._unplaced.add(item_id)
        self._lines[item_id] = _joined(old if isinstance(old, Item) else None, item)
        self._bound()

    def write(self, item_id: str, role: str, text: str, estimated: bool = False) -> None:
        """The text of an item has become known; the item may not have been seen yet: then it stands last until it is.

        `estimated`: it was cut to what was heard, as far as can be guessed.
        """
        old = self._lines.get(item_id)
        if old is None:
            self._unplaced.add(item_id)
        status = old.status if isinstance(old, HistoryLine) else "completed"
        self._lines[item_id] = HistoryLine(item_id, role, text, status, estimated)
        self._bound()

    def forget(self, item_id: str) -> None:
        """The item was deleted."""
        self._lines.pop(item_id, None)
        self._unplaced.discard(item_id)

    def _place(self, item_id: str, line: HistoryLine | Item, after: str | None) -> None:
        names = list(self._lines)
        place = names.index(after) + 1 if after in self._lines else len(names)
        self._lines[item_id] = line
        if place < len(names):
            names.insert(place, item_id)
            self._lines = {name: self._lines[name] for name in names}

    def _bound(self) -> None:
        while len(self._lines) > MAX_LINES:
            self.forget(next(iter(self._lines)))


def _line(item: Item, item_id: str, old: HistoryLine | None) -> HistoryLine:
    """A message's line, with what was known of it."""
    text = text_of(item) or (old.text if old else "")
    role = item.role if isinstance(item.role, str) else old.role if old else ""
    status = item.status if isinstance(item.status, str) else "completed"
    return HistoryLine(item_id, role, text, status, old is not None and old.text == text and old.estimated)


def _joined(old: Item | None, item: Item) -> Item:
    """A call, or an output, with what was known of it: servers tell of a call before its arguments."""
    known = {
        name: value for name in ("id", "call_id", "name", "arguments", "output") if isinstance(value := getattr(item, name), str) and value
    }
    return msgspec.structs.replace(old or Item(type=item.type), **known)
