"""What stands on the screen while a conversation goes on: the user's words as they are recognised, the answer's as they are heard.

Words come ahead of their sound, and more of it than is ever heard when somebody interrupts: shown is what has left the loudspeaker. Nobody
tells the times of single words while they are played, so that is an estimate (`heard.py`); of an answer that was interrupted the history
knows what the server says of it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from voice.protocol.heard import Received
from voice.protocol.history import HistoryLine
from voice.protocol.notices import Notice, ReplyAudio, ReplyEnded, ReplyText
from voice.protocol.turnlog import Turn

REMEMBERED = 64
"""Replies whose items are known; an older one is heard as a whole."""
NO_TURN = -1
"""The index of words that belong to no turn yet: the user still speaks."""


@dataclass(frozen=True, slots=True)
class Caption:
    """What one side said in a turn, as far as it has been recognised, or heard."""

    index: int
    """The turn's."""
    who: str
    """"you" or "voice"."""
    text: str
    partial: bool = False
    """More may come."""
    estimated: bool = False
    """Which words have been heard is a guess."""
    stopped: bool = False
    """It was interrupted: no more of it will be heard."""


class Captions:
    """See the top of the file. `heard_ms`: how much of an item has left the loudspeaker; `history`: the conversation's lines."""

    def __init__(self, heard_ms: Callable[[str], int], history: Callable[[], Iterable[HistoryLine]]) -> None:
        self._heard_ms = heard_ms
        self._history = history
        self._received = Received()
        self._items: dict[str, list[str]] = {}

    def see(self, notice: Notice) -> None:
        """A server's event."""
        match notice:
            case ReplyText():
                self._of(notice.response_id, notice.item_id)
                self._received.words(notice.item_id, notice.text, notice.final)
            case ReplyAudio():
                self._of(notice.response_id, notice.item_id)
                self._received.sound(notice.item_id, notice.samples.size, notice.rate_hz)
            case ReplyEnded(status="completed"):
                for item_id in self._items.get(notice.response_id, ()):
                    self._received.finish(item_id)
            case _:
                pass

    def you(self, turn: Turn) -> Caption:
        """The user's words of a turn."""
        return Caption(turn.index, "you", turn.user_text, partial=not turn.heard)

    def voice(self, turn: Turn, stopped: bool) -> Caption:
        """The answer's words that have been heard. `stopped`: no more of it will be."""
        items = self._items.get(turn.response_id or "")
        if items is None:
            return Caption(turn.index, "voice", turn.assistant_text, stopped=stopped)
        told = {line.item_id: line for line in self._history()} if stopped else {}
        words, whole, estimated = [], turn.status == "completed", False
        for item_id in items:
            heard_ms = self._heard_ms(item_id)
            if turn.status == "completed" and heard_ms >= self._received.sound_ms(item_id):
                words.append(self._received.text(item_id))
                continue
            whole = False
            if heard_ms > 0:
                line = told.get(item_id)
                words.append(self._received.until(item_id, heard_ms) if line is None else line.text)
                estimated = estimated or line is None or line.estimated
        return Caption(turn.index, "voice", " ".join(filter(None, words)), not whole, estimated, stopped and not whole)

    def _of(self, response_id: str, item_id: str) -> None:
        items = self._items.setdefault(response_id, [])
        if item_id not in items:
            items.append(item_id)
        if len(self._items) > REMEMBERED:
            del self._items[next(iter(self._items))]


def while_spoken(texts: Iterable[str]) -> tuple[Caption, ...]:
    """Words that are recognised while the user still speaks."""
    return tuple(Caption(NO_TURN, "you", text, partial=True) for text in texts if text)
