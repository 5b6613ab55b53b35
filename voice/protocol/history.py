"""The conversation as the talking side knows it: one line an item, in the order of the conversation, whatever order the texts come in."""

from collections.abc import Iterator
from dataclasses import dataclass

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
        self._lines: dict[str, HistoryLine] = {}
        self._unplaced: set[str] = set()

    def __iter__(self) -> Iterator[HistoryLine]:
        return iter(tuple(self._lines.values()))

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._lines

    def beyond(self, count: int) -> list[str]:
        """The items of all lines but the newest `count`, oldest first."""
        return list(self._lines)[: max(0, len(self._lines) - count)]

    def see(self, item: Item, item_id: str, after: str | None) -> None:
        """An item was added or finished; `after` is the one before it, where the server tells."""
        if item.type != "message":
            return
        old = self._lines.get(item_id)
        text = text_of(item) or (old.text if old else "")
        role = item.role if isinstance(item.role, str) else old.role if old else ""
        status = item.status if isinstance(item.status, str) else "completed"
        line = HistoryLine(item_id, role, text, status, old is not None and old.text == text and old.estimated)
        if old is None or item_id in self._unplaced:
            self._unplaced.discard(item_id)
            self._lines.pop(item_id, None)
            self._place(line, after)
        else:
            self._lines[item_id] = line
        self._bound()

    def write(self, item_id: str, role: str, text: str, estimated: bool = False) -> None:
        """The text of an item has become known; the item may not have been seen yet: then it stands last until it is.

        `estimated`: it was cut to what was heard, as far as can be guessed.
        """
        old = self._lines.get(item_id)
        if old is None:
            self._unplaced.add(item_id)
        self._lines[item_id] = HistoryLine(item_id, role, text, old.status if old else "completed", estimated)
        self._bound()

    def forget(self, item_id: str) -> None:
        """The item was deleted."""
        self._lines.pop(item_id, None)
        self._unplaced.discard(item_id)

    def _place(self, line: HistoryLine, after: str | None) -> None:
        lines = list(self._lines.values())
        place = next((i + 1 for i, known in enumerate(lines) if known.item_id == after), len(lines))
        if place == len(lines):
            self._lines[line.item_id] = line
            return
        lines.insert(place, line)
        self._lines = {known.item_id: known for known in lines}

    def _bound(self) -> None:
        while len(self._lines) > MAX_LINES:
            self.forget(next(iter(self._lines)))
