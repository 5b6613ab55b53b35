"""Timers of one session: pure, in monotonic seconds that come in."""

import math
from dataclasses import dataclass
from fractions import Fraction

MOST = 20
"""Timers at once: more are a mistake, and memory stays bounded."""
LONGEST_S = 7 * 86_400
"""A session does not live longer."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer; a reminder if it has a task, an alarm if it has a time of day."""

    duration_s: int
    due_s: float
    """Monotonic."""
    label: str = ""
    """Lower case; "" if it has no name."""
    task: str = ""
    language: str = "en"
    at: str = ""
    """For an alarm: its time of day in words."""

    def left_s(self, now: float) -> int:
        """Whole seconds still to go, rounded up: it is never 0 before it is due."""
        return max(0, math.ceil(self.due_s - now))


class Timers:
    """All timers of a session, the next one due first."""

    def __init__(self) -> None:
        self._timers = list[Timer]()

    def __len__(self) -> int:
        return len(self._timers)

    def all(self) -> tuple[Timer, ...]:
        """Every timer, the next one due first."""
        return tuple(self._timers)

    def add(self, timer: Timer) -> None:
        """One more."""
        self._timers = sorted([*self._timers, timer], key=lambda t: t.due_s)

    def find(self, label: str, duration_s: int | None = None) -> tuple[Timer, ...]:
        """Those of a name or a length; all if neither is given."""
        return tuple(t for t in self._timers if (not label or t.label == label) and (duration_s is None or t.duration_s == duration_s))

    def remove(self, timers: tuple[Timer, ...]) -> None:
        """Forget these."""
        self._timers = [t for t in self._timers if not any(t is other for other in timers)]

    def due_s(self) -> float | None:
        """When the next one is due; None if none is running."""
        return self._timers[0].due_s if self._timers else None

    def take_due(self, now: float) -> tuple[Timer, ...]:
        """Those that are due, each given once."""
        due = tuple(t for t in self._timers if t.due_s <= now)
        self.remove(due)
        return due


def is_in_range(duration_s: Fraction) -> bool:
    """Whether a timer of this length can be set."""
    return 1 <= duration_s <= LONGEST_S
