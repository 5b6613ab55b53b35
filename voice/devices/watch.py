"""What becomes of a sound card that is not well: what is seen of its streams, and what is to be done.

Pure: looks are counted, one every `WATCH_S`; nobody sleeps here.

    the callbacks come                          nothing to do
    ... but their sound is older than STALE_S   LATE     \\
    they stop for 500 ms (3 s after opening)    STILL     > everything is closed, looked for by name, and opened again
    the stream says that it has ended           ENDED    /
    the machine has slept                       SLEPT   /
    something is missing, nothing is open       looked for again: at once, then after 0.3, 1, 2 s, and every 2 s from then on
    something is missing, the other runs        tried alone every 2 s; after 10, 20, 40 and every 60 s, while nothing is played, everything
                                                as above, which costs the other 100 ms

Nothing is given up: a conversation can be typed too. "Everything", since PortAudio looks for devices only when it starts, and no stream
survives that.
"""

from enum import Enum

WATCH_S = 0.1
"""Between two looks."""
STALE_S = 2.0
"""Older sound is no conversation any more: it is not heard."""
STILL_LOOKS, FIRST_LOOKS, LATE_LOOKS = 5, 30, 3
STABLE_LOOKS = 100
"""A card that has been well for 10 s has no past."""
PAUSE_LOOKS = (0, 3, 10, 20)
"""Before the first, second, ... time that everything is opened again; the last one holds for all that follow."""
ALONE_LOOKS = 20
ALL_LOOKS = (100, 200, 400, 600)
"""As `PAUSE_LOOKS`, while something runs."""


class Trouble(Enum):
    """What is wrong with a stream."""

    ENDED = "ended"
    STILL = "still"
    LATE = "late"
    SLEPT = "slept"


class Step(Enum):
    """What to do about a card."""

    NONE = "nothing"
    ALONE = "try what is missing alone"
    ALL = "open everything again"


class LineWatch:
    """One stream, from when it was opened."""

    def __init__(self) -> None:
        self._calls = 0
        self._still = STILL_LOOKS - FIRST_LOOKS
        self._late = 0

    def look(self, calls: int, ended: bool, late_s: float) -> Trouble | None:
        """What is wrong with it. `calls`: of its callback so far; `late_s`: how old the newest sound was."""
        if ended:
            return Trouble.ENDED
        self._still = 0 if calls != self._calls else self._still + 1
        self._late = self._late + 1 if late_s > STALE_S else 0
        self._calls = calls
        if self._still > STILL_LOOKS:
            return Trouble.STILL
        return Trouble.LATE if self._late >= LATE_LOOKS else None


class Plan:
    """When to do what. One for a card's life."""

    def __init__(self) -> None:
        self._well = 0
        self._row = 0
        self._partly = 0
        self._waited = 0

    def look(self, trouble: bool, open_lines: int, missing: int, playing: bool) -> Step:
        """What to do now. `open_lines`: streams that run; `missing`: microphones and loudspeakers that none of them is."""
        self._waited += 1
        if trouble or not open_lines:
            self._well = 0
            return Step.ALL if self._waited > PAUSE_LOOKS[min(self._row, len(PAUSE_LOOKS) - 1)] else Step.NONE
        self._well += 1
        if self._well >= STABLE_LOOKS:
            self._row = 0
        if not missing:
            self._partly = 0
        elif self._well >= ALL_LOOKS[min(self._partly, len(ALL_LOOKS) - 1)] and not playing:
            self._partly += 1
            return Step.ALL
        return Step.ALONE if missing and self._well % ALONE_LOOKS == 0 else Step.NONE

    def opened(self) -> None:
        """Everything was opened again, or that was tried."""
        self._row += 1
        self._waited = 0
        self._well = 0
