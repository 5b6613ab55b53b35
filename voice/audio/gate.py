"""A gate that withholds silence: who pays for each second that is sent sends what may be speech, and what is needed to hear it right.

    SHUT --- something that may be speech ---> OPEN: what was just before it passes, and all that follows
    OPEN --- `trail_ms` without it ----------> SHUT

What passes late lies in `before_ms`: the padding of a turn, the onset that a detector notices late, and enough of the background to know
the speech from. What passes behind it must be long enough for whoever waits for a silence to have heard it.
"""

from collections import deque
from dataclasses import dataclass

from voice.audio.pcm import FRAME_MS, Samples


@dataclass(frozen=True, slots=True)
class Passed:
    """To be sent."""

    start: int
    """Where it was captured, in samples."""
    samples: Samples
    late: bool
    """It was withheld at first."""


class Gate:
    """See the top of the file."""

    def __init__(self, before_ms: int, trail_ms: int) -> None:
        self.before_ms = before_ms
        self.trail_ms = trail_ms
        self.open = False
        self._kept: deque[tuple[int, Samples]] = deque()
        self._silent_ms = 0

    def push(self, start: int, frame: Samples, wanted: bool, held: bool = False) -> list[Passed]:
        """20 ms (int16, mono, 16 kHz), where they were captured, and whether there may be speech in them. What passes now, oldest first.

        `held`: somebody still waits for silence; the gate is open, and the trail goes on.
        """
        self._silent_ms = 0 if wanted else self._silent_ms + FRAME_MS
        self.open = wanted or held or (self.open and self._silent_ms <= self.trail_ms)
        if self.open:
            passed = [Passed(*kept, late=True) for kept in self._kept]
            self._kept.clear()
            return [*passed, Passed(start, frame, late=False)]
        self._kept.append((start, frame))
        while len(self._kept) * FRAME_MS > self.before_ms:
            self._kept.popleft()
        return []
