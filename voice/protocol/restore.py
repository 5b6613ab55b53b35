"""What a new server is told of a conversation that it has not seen: finished lines as text, under the ids they had."""

from collections.abc import Callable

from voice.protocol.history import MAX_TOLD, History
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
        lines = [line for line in history if line.text and line.role in _TEXT_OF]
        self._restored = {line.item_id for line in lines}
        for line in lines:
            self._send(ItemCreate(event_id=self._new_id("event"), item=_text(line.item_id, line.role, line.text)))

    def cut(self, item_id: str, heard: str) -> bool:
        """Replace a restored answer by what was heard of it; False if it was not restored, and can be truncated."""
        if item_id not in self._restored:
            return False
        self._send(ItemDelete(event_id=self._new_id("event"), item_id=item_id))
        if heard:
            self._send(ItemCreate(event_id=self._new_id("event"), item=_text(self._new_id("item"), "assistant", heard)))
        return True


def _text(item_id: str, role: str, text: str) -> Item:
    return Item(type="message", id=item_id, role=role, status="completed", content=[Content(_TEXT_OF[role], text=text)])
