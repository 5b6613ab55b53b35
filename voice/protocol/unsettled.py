"""What a link takes along when it breaks: turns whose words nobody knows yet, and answers of which nothing has come.

    turn    SPEECH --- committed ---> COMMITTED --- its words are written ---> settled: the history has it
            SPEECH --- cleared ---> nothing
    answer  CREATED --- first words or sound ---> BEGUN --- response.done ---> settled

A turn that is not settled is sent again, as sound. An answer that had not begun is asked for again; one that had is over, and
what came of it stays.
"""

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

MAX_OPEN = 64
"""Turns, and answers, that a server never settles are forgotten beyond it, the oldest first."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What was not settled when a link broke."""

    resend_from_ms: int | None
    """Where the sound begins that has to be sent again; None: nothing was said that is not known."""
    turns: tuple[str, ...]
    """The items that its turns had been."""
    answers: tuple[tuple[str, bool], ...]
    """(response id, whether it had begun) of each answer in progress."""


class Unsettled:
    """See the top of the file. Times are ms of the captured sound."""

    def __init__(self) -> None:
        self.taken_ms = 0
        """Up to here the sound has become turns: it is not sent again with the silence that follows it."""
        self._speech_ms: int | None = None
        self._own: list[int] = []
        self._turns: dict[str, int] = {}
        self._starts: dict[str, int] = {}
        self._answers: dict[str, bool] = {}

    @property
    def speaking(self) -> bool:
        """Somebody is in the middle of a turn, or it is not committed yet."""
        return self._speech_ms is not None or bool(self._own)

    @property
    def newest(self) -> str:
        """The id of the newest answer in progress; "" if there is none."""
        return next(reversed(self._answers), "")

    def speech(self, start_ms: int) -> None:
        """The server has heard somebody begin to speak."""
        self._speech_ms = start_ms

    def cleared(self) -> None:
        """The server has forgotten the turn that was being spoken, as it was told to."""
        self._speech_ms = None

    def committing(self, start_ms: int) -> None:
        """We have committed a turn that began there; the server has not said so yet."""
        self._own.append(start_ms)
        del self._own[:-MAX_OPEN]

    def committed(self, item_id: str, end_ms: int) -> None:
        """The server has made a turn, which ended there, an item."""
        self.taken_ms = max(self.taken_ms, end_ms)
        start_ms, self._speech_ms = self._speech_ms, None
        if self._own:
            start_ms = self._own.pop(0)
        if start_ms is not None:
            self._turns[item_id] = self._starts[item_id] = start_ms
            _bound(self._turns)
            _bound(self._starts)

    def start_ms(self, item_id: str) -> int | None:
        """Where the sound of an item begins that is a turn; None: it is not (any more) known."""
        return self._starts.get(item_id)

    def forget_from(self, from_ms: int) -> list[str]:
        """The sound from there on is sent again, to a new link, for which these items are none."""
        gone = [item_id for item_id, start in self._starts.items() if start >= from_ms]
        for item_id in gone:
            del self._starts[item_id]
        return gone

    def written(self, item_id: str) -> None:
        """The words of a turn are known (or will never be)."""
        self._turns.pop(item_id, None)

    def created(self, response_id: str) -> None:
        """An answer was promised."""
        self._answers[response_id] = False
        _bound(self._answers)

    def begun(self, response_id: str) -> None:
        """Something of it has come."""
        if response_id in self._answers:
            self._answers[response_id] = True

    def done(self, response_id: str, written: bool) -> None:
        """It is complete. Where nobody writes down what the user says (not `written`), its question is settled with it."""
        self._answers.pop(response_id, None)
        # One that was begun without a name is over with whichever ends.
        self._answers.pop("", None)
        if not written:
            self._turns.clear()

    def broken(self, open_ms: int | None) -> Loss:
        """The link is gone: what it took along. `open_ms`: where a turn began that our own detector has open."""
        starts = [*self._turns.values(), *self._own]
        starts += [start for start in (self._speech_ms, open_ms) if start is not None]
        loss = Loss(min(starts, default=None), tuple(self._turns), tuple(self._answers.items()))
        self._speech_ms = None
        self._own.clear()
        self._turns.clear()
        self._answers.clear()
        return loss


def _bound(entries: dict[str, T]) -> None:
    while len(entries) > MAX_OPEN:
        del entries[next(iter(entries))]
