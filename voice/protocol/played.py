"""Which sound belongs to which reply, and which replies are not to be heard any more.

A reply that was stopped is stopped as a whole: sound of it that is on its way, of the same item or of a further one, is dropped here.
"""

from collections import deque

from voice.protocol.notices import ReplyAudio

REMEMBERED = 64
"""Replies beyond it are forgotten, the oldest first."""


class Played:
    """See the top of the file."""

    def __init__(self) -> None:
        self._items: dict[str, list[str]] = {}
        self._open: deque[str] = deque(maxlen=REMEMBERED)
        self._stopped: deque[str] = deque(maxlen=REMEMBERED)

    def begin(self, response_id: str) -> None:
        """A reply begins."""
        self._open.append(response_id)

    def wants(self, sound: ReplyAudio) -> bool:
        """Whether this sound is to be played; notes whose it is."""
        if sound.response_id in self._stopped:
            return False
        items = self._items.setdefault(sound.response_id, [])
        if sound.item_id not in items:
            items.append(sound.item_id)
        if len(self._items) > REMEMBERED:
            del self._items[next(iter(self._items))]
        return True

    def end(self, response_id: str) -> list[str]:
        """The reply is complete: its items."""
        if response_id in self._open:
            self._open.remove(response_id)
        return self.items(response_id)

    def stop(self, item_ids: tuple[str, ...]) -> None:
        """The user does not want to hear these items, nor the replies that are on their way."""
        self._stopped.extend(response_id for response_id, items in self._items.items() if not set(items).isdisjoint(item_ids))
        self._stopped.extend(self._open)

    def was_stopped(self, response_id: str) -> bool:
        """Whether it was stopped before its end was heard."""
        return response_id in self._stopped

    def items(self, response_id: str | None) -> list[str]:
        """The items of a reply that had sound, in order."""
        return list(self._items.get(response_id, ())) if response_id is not None else []
