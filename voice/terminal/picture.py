"""What is to be seen of a conversation: the report as lines, those that are over and those of this moment. `screen.py` shows them."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from voice.protocol.captions import Caption
from voice.report import Meters
from voice.terminal.drawn import Line, View, hint_line, note_lines, status_lines, summary_line, turn_lines

MOST_LINES = 2_000
"""Lines that wait to be written above; beyond it the oldest go."""
LEAST_COLUMNS = 2
"""A wide character needs two."""


class Picture:
    """A `Report`. `size`: columns and rows of the terminal now; `changed`: told that there is something new to see."""

    live = True

    def __init__(self, size: Callable[[], tuple[int, int]], changed: Callable[[], None]) -> None:
        self.view = View()
        self._size = size
        self._changed = changed
        self._asked: tuple[View, int, int] | None = None
        self._status: list[Line] = []
        self._above: deque[Line] = deque(maxlen=MOST_LINES)
        self._strays: deque[str] = deque(maxlen=MOST_LINES)

    def result(self, line: dict[str, object]) -> None:
        """See Report."""
        if line["event"] == "turn":
            self._put(turn_lines(line, self.view.captions, self._columns))
            self._show(self.view.told(int(str(line["index"]))))
        else:
            self.note(summary_line(line))

    def note(self, text: str) -> None:
        """See Report."""
        self._put(note_lines(text, self._columns))

    def state(self, state: str) -> None:
        """See Report."""
        self._show(replace(self.view, state=state))

    def caption(self, who: str, text: str) -> None:
        """See Report. Words are seen as they are recognised and heard: `saying`."""

    def saying(self, captions: tuple[Caption, ...]) -> None:
        """See Report."""
        self._show(replace(self.view, captions=captions))

    def meters(self, meters: Meters) -> None:
        """See Report."""
        self._show(replace(self.view, meters=meters))

    def stray(self, text: str) -> None:
        """A line that somebody wrote to stderr. From any thread; whoever calls says that it is there."""
        self._strays.append(text)

    def above(self) -> list[Line]:
        """What is over and has not been asked for yet: it scrolls up."""
        while self._strays:
            self.note(self._strays.popleft())
        lines = list(self._above)
        self._above.clear()
        return lines

    @property
    def waiting(self) -> bool:
        """Whether there is something above to be asked for."""
        return bool(self._above or self._strays)

    def status(self) -> list[Line]:
        """What stands above the typed line, which has the last row. Made once for each view and size.

        The first row is left alone: what is erased from there on goes into the scrollback of some terminals (tmux), as a screen that is cleared.
        """
        rows = self._size()[1]
        asked = (self.view, self._columns, rows - 2 if rows > 2 else rows - 1)
        if asked != self._asked:
            self._asked, self._status = asked, status_lines(*asked)
        return self._status

    def hint(self, columns: int) -> Line:
        """What stands in the line while nothing is typed."""
        return hint_line(self.view, columns)

    @property
    def _columns(self) -> int:
        return max(LEAST_COLUMNS, self._size()[0])

    def _put(self, lines: list[Line]) -> None:
        self._above.extend(lines)
        self._changed()

    def _show(self, view: View) -> None:
        if view != self.view:
            self.view = view
            self._changed()
