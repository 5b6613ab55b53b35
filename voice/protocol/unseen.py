"""Items of a conversation that one side of a link does not see, and the places of all others without them.

Whoever sees the whole conversation is told that an item stands behind another one; where that is an unseen one, whoever does not see it is told of the
last one before that it does see. Pure.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from voice.errors import ProtocolError
from voice.protocol.lenient import fields

MAX_ITEMS = 10_000
"""Remembered, the newest: a conversation holds fewer."""


@dataclass(slots=True)
class Unseen:
    """See the top of the file."""

    _items: dict[str, str] = field(default_factory=dict)
    """Each with the call that it is or answers, as far as that is known."""
    _calls: dict[str, None] = field(default_factory=dict)
    _line: list[str] = field(default_factory=list)
    """The conversation as it was told, in its order."""
    _asking: dict[str, None] = field(default_factory=dict)
    """Items that are no part of an answer: answers follow them."""

    def hide(self, item_id: str, call_id: str | None = None) -> None:
        """This item, and what comes of its call, is not seen."""
        if item_id:
            self._items[item_id] = call_id or self._items.get(item_id, "")
        if call_id:
            self._calls[call_id] = None
        _forget(self._items)
        _forget(self._calls)

    @property
    def items(self) -> Container[str]:
        """Ids of unseen items."""
        return self._items

    @property
    def calls(self) -> Container[str]:
        """Ids of unseen calls."""
        return self._calls

    def refuse(self, event: Mapping[str, Any]) -> None:
        """Refuse an event of the other side's that names an unseen item. Raises: ProtocolError."""
        given = fields(event.get("response")).get("input")
        entries = list(map(fields, given if isinstance(given, list) else ()))
        places = [(name, event.get(name)) for name in ("item_id", "previous_item_id")]
        places += [(f"response.input[{i}].id", one.get("id")) for i, one in enumerate(entries) if one.get("type") == "item_reference"]
        for place, item_id in places:
            if isinstance(item_id, str) and item_id in self._items:
                raise ProtocolError(f"Item with item_id '{item_id[:80]}' does not exist.", "item_not_found", place)

    def stands(self, item_id: str, previous: str | None, asks: bool = False) -> None:
        """An item has come into the conversation, behind `previous`. `asks`: it is no part of an answer."""
        if asks:
            self._asking[item_id] = None
            _forget(self._asking)
        if not self._line or self._line[-1] == previous or previous not in self._line:
            # The usual case first. One that was put in front of all others: nothing unseen is before it.
            self._line.insert(len(self._line) if previous is not None else 0, item_id)
        else:
            self._line.insert(self._line.index(previous) + 1, item_id)
        if len(self._line) > MAX_ITEMS:
            del self._line[0]

    def gone(self, item_id: str, running: Container[str] = ()) -> list[str]:
        """An item was deleted; the unseen ones of the answers to it, without those of calls that are `running`."""
        if item_id not in self._line:
            return []
        place = self._line.index(item_id)
        del self._line[place]
        if item_id not in self._asking:
            return []
        end = next((n for n in range(place, len(self._line)) if self._line[n] in self._asking), len(self._line))
        return [one for one in self._line[place:end] if one in self._items and self._items[one] not in running]

    def before(self, previous: str | None) -> str | None:
        """What is told instead of `previous`; None: nothing stands before."""
        if previous is None or previous not in self._items:
            return previous
        place = self._line.index(previous) if previous in self._line else 0
        return next((item_id for item_id in reversed(self._line[:place]) if item_id not in self._items), None)


def _forget(kept: dict[str, Any]) -> None:
    """The oldest, beyond `MAX_ITEMS`."""
    if len(kept) > MAX_ITEMS:
        del kept[next(iter(kept))]
