"""What a new server is told of a conversation that it has not seen: finished lines as text, under the ids they had.

Between them stand the functions that were called, each with what came of it: many models refuse a call without its output, and an output
without its call.
"""

from collections.abc import Callable, Iterator, Sequence

from voice.protocol.history import MAX_TOLD, History, HistoryLine
from voice.protocol.objects import Content, Item
from voice.protocol.requests import ClientEvent, ItemCreate, ItemDelete

_TEXT_OF = {"user": "input_text", "system": "input_text", "assistant": "output_text"}


class Restorer:
    """Restores lines, and remembers which: they are text on the server, whose sound cannot be truncated there."""

    def __init__(self, send: Callable[[ClientEvent], None], new_id: Callable[[str], str]) -> None:
        self._send = send
        self._new_id = new_id
        self._restored: set[str] = set()

    def restore(self, history: History) -> None:
        """Send every line whose words are known, the newest `MAX_TOLD`; older ones are forgotten here too."""
        for item_id in history.beyond(MAX_TOLD):
            history.forget(item_id)
        items = [*_items(history.entries())]
        self._restored = {str(item.id) for item in items if item.type == "message"}
        for item in items:
            self._send(ItemCreate(event_id=self._new_id("event"), item=item))

    def cut(self, item_id: str, heard: str) -> bool:
        """Replace a restored answer by what was heard of it; False if it was not restored, and can be truncated."""
        if item_id not in self._restored:
            return False
        self._send(ItemDelete(event_id=self._new_id("event"), item_id=item_id))
        if heard:
            self._send(ItemCreate(event_id=self._new_id("event"), item=_text(self._new_id("item"), "assistant", heard)))
        return True


def _items(entries: Sequence[HistoryLine | Item]) -> Iterator[Item]:
    """What is told, in the order of the conversation."""
    calls, outputs = _places(entries, "function_call"), _places(entries, "function_call_output")
    for place, entry in enumerate(entries):
        if isinstance(entry, HistoryLine):
            if entry.text and entry.role in _TEXT_OF:
                yield _text(entry.item_id, entry.role, entry.text)
            continue
        call, output = calls.get(str(entry.call_id), -1), outputs.get(str(entry.call_id), -1)
        # Each once, whatever a server told twice.
        if 0 <= call < output and place in (call, output):
            yield entry


def _places(entries: Sequence[HistoryLine | Item], kind: str) -> dict[str, int]:
    """Where the calls, or the outputs, stand; by call_id."""
    return {str(entry.call_id): place for place, entry in enumerate(entries) if isinstance(entry, Item) and entry.type == kind}


def _text(item_id: str, role: str, text: str) -> Item:
    return Item(type="message", id=item_id, role=role, status="completed", content=[Content(_TEXT_OF[role], text=text)])
