"""What one session's answers called on the server: no client sees it, and the next answers are told of it in its place. Pure.

A call stands behind the last item that the answer which made it had before it. Where the client has deleted that item, the calls behind it
are forgotten too.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from voice.protocol.lines import Line

MOST_LETTERS = 200_000
"""Of calls and outputs, of one session; the oldest are forgotten. What a language model is shown is far less."""


@dataclass(frozen=True, slots=True)
class _Kept:
    after: str
    """The item that they stand behind; "": they were made before there was any."""
    lines: tuple[Line, ...]

    @property
    def letters(self) -> int:
        return sum(len(line.text) + len(line.call.arguments if line.call is not None else "") for line in self.lines)


class Recalled:
    """See the top of the file."""

    def __init__(self) -> None:
        self._kept: deque[_Kept] = deque()
        self._letters = 0

    def keep(self, lines: Sequence[Line], unseen: Sequence[Line]) -> None:
        """`unseen` was called, and answered, for an answer to these lines."""
        kept = _Kept(next((line.item_id for line in reversed(lines) if line.item_id), ""), tuple(unseen))
        self._kept.append(kept)
        self._letters += kept.letters
        while self._letters > MOST_LETTERS and len(self._kept) > 1:
            self._letters -= self._kept.popleft().letters

    def woven(self, lines: Sequence[Line]) -> list[Line]:
        """The conversation with what was called in its place."""
        found: list[Line] = []
        for line in (None, *lines):
            item_id = "" if line is None else line.item_id
            if line is not None:
                found.append(line)
            if line is None or item_id:
                found += (unseen for kept in self._kept if kept.after == item_id for unseen in kept.lines)
        return found
