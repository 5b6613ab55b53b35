"""Whether the machine has slept: two clocks are compared, one that stands still while it sleeps and one that does not.

On systems where both go on (Windows) a look that comes much too late tells it. Pure: the times come in.
"""

SLEPT_S = 2.0
"""Two clocks of one machine differ by less between two looks, whatever a time server does to one of them in small steps."""
LATE_S = 15.0
"""A program that has stood still for so long, whatever the cause, has slept: who talks to it has given it up."""


class SleepWatch:
    """`look` is to be called every second or so."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def look(self, waking_s: float, always_s: float) -> bool:
        """Whether the machine has slept since the last look. `waking_s`: a clock that may stand still in sleep, `always_s`: one that goes on."""
        last, self._last = self._last, (waking_s, always_s)
        if last is None:
            return False
        waking, always = waking_s - last[0], always_s - last[1]
        return always - waking > SLEPT_S or waking > LATE_S
