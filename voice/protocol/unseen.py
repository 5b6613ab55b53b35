"""Items of a conversation that one side of a link does not see, and the places of all others without them.

Whoever sees the whole conversation is told that an item stands behind another one; where that is an unseen one, whoever does not see it is told of the
last one before that it does see. Pure.
"""

from collections.abc import Container
from dataclasses import dataclass, field

MAX_ITEMS = 10_000
"""Remembered, the newest: a conversation holds fewer."""


@dataclass(slots=True)
class Unseen:
    """See the top of the file."""

    _items: dict[str, None] = field(default_factory=dict)
    _calls: dict[str, None] = field(default_factory=dict)
    _line: list[str] = field(default_factory=list)
    """The conversation as it was told, in its order."""

    def hide(self, item_id: str, call_id: str | None = None) -> None:
        """This item, and what comes of its call, is not seen."""
        self._items[item_id] = None
        if call_id:
            self._calls[call_id] = None
        for kept in (self._items, self._calls):
            if len(kept) > MAX_ITEMS:
                del kept[next(iter(kept))]

    @property
    def items(self) -> Container[str]:
        """Ids of unseen items."""
        return self._items

    @property
    def calls(self) -> Container[str]:
        """Ids of unseen calls."""
        return self._calls

    def stands(self, item_id: str, previous: str | None) -> None:
        """An item has come into the conversation, behind `previous`."""
        if not self._line or self._line[-1] == previous or previous not in self._line:
            # The usual case first. One that was put in front of all others: nothing unseen is before it.
            self._line.insert(len(self._line) if previous is not None else 0, item_id)
        else:
            self._line.insert(self._line.index(previous) + 1, item_id)
        if len(self._line) > MAX_ITEMS:
            del self._line[0]

    def gone(self, item_id: str) -> None:
        """An item was deleted."""
        if item_id in self._line:
            self._line.remove(item_id)

    def before(self, previous: str | None) -> str | None:
        """What is told instead of `previous`; None: nothing stands before."""
        if previous is None or previous not in self._items:
            return previous
        place = self._line.index(previous) if previous in self._line else 0
        return next((item_id for item_id in reversed(self._line[:place]) if item_id not in self._items), None)
