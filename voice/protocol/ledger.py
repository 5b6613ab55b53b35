"""Where each captured frame went: committed in a turn, discarded for a reason, or lost. Nothing else is possible.

Frames are 20 ms, counted from the first sample. captured = committed + sum(discarded) + lost, always: a frame is counted when it is
settled, and frames are settled in order, each once. What is known of frames before their turn is (they never went out) is noted
until then.
"""

from collections import Counter, deque
from dataclasses import dataclass

from voice.audio.pcm import FRAME_MS

REASONS = ("silence", "muted", "gated", "stale", "bound", "stopped")
_COMMITTED, _LOST = "committed", "lost"


@dataclass(frozen=True, slots=True)
class FrameCount:
    """The ledger's total. All in frames of 20 ms."""

    captured: int
    committed: int
    discarded: dict[str, int]
    lost: int


class Ledger:
    """See the top of the file. Times are ms of the captured sound."""

    def __init__(self) -> None:
        self._captured = 0
        self._settled = 0
        self._counts: Counter[str] = Counter()
        self._missing: deque[tuple[int, int, str]] = deque()

    def capture(self, samples_ms: int) -> None:
        """So many ms of sound have been captured in all."""
        self._captured = max(self._captured, -(-samples_ms // FRAME_MS))

    def miss(self, start_ms: int, end_ms: int, reason: str) -> None:
        """What lies between was left out for `reason` (one of REASONS), whatever becomes of the sound around it. What was said first stays."""
        start = max(start_ms // FRAME_MS, self._settled)
        end = min(-(-end_ms // FRAME_MS), self._captured)
        for first, last, why in self._newer(start):
            self._note(start, min(first, end), reason)
            self._note(first, last, why)
            start = max(start, last)
        self._note(start, end, reason)

    def find(self, start_ms: int, end_ms: int, reason: str) -> None:
        """What lies between, and was left out for `reason`, goes out after all."""
        start, end = start_ms // FRAME_MS, -(-end_ms // FRAME_MS)
        for first, last, why in self._newer(start):
            if why == reason:
                self._note(first, min(last, start), why)
                first = max(first, end)
            self._note(first, last, why)

    def commit(self, start_ms: int, end_ms: int) -> None:
        """The server took what lies between as a turn; what lies before it and was not settled yet was silence."""
        self._settle(start_ms // FRAME_MS, "silence")
        self._settle(-(-end_ms // FRAME_MS), _COMMITTED)

    def discard(self, until_ms: int, reason: str) -> None:
        """What is not settled up to there was left out for `reason` (one of REASONS)."""
        self._settle(-(-until_ms // FRAME_MS), reason)

    def lose(self, until_ms: int) -> None:
        """What is not settled up to there never arrived."""
        self._settle(-(-until_ms // FRAME_MS), _LOST)

    def total(self, rest: str = "silence") -> FrameCount:
        """The sums now; what is not settled counts as `rest`, or as missing."""
        counts = self._counts + Counter(self._shares(self._captured, rest))
        discarded = {name: counts[name] for name in REASONS if counts[name]}
        return FrameCount(self._captured, counts[_COMMITTED], discarded, counts[_LOST])

    def _newer(self, start: int) -> list[tuple[int, int, str]]:
        """Takes out what is missing beyond there, oldest first."""
        newer = []
        while self._missing and self._missing[-1][1] > start:
            newer.append(self._missing.pop())
        return newer[::-1]

    def _note(self, start: int, end: int, reason: str) -> None:
        """This is missing, behind all others."""
        if start < end:
            if self._missing and self._missing[-1][1:] == (start, reason):
                start = self._missing.pop()[0]
            self._missing.append((start, end, reason))

    def _settle(self, until: int, what: str) -> None:
        until = min(until, self._captured)
        if until <= self._settled:
            return
        self._counts.update(self._shares(until, what))
        self._settled = until
        while self._missing and self._missing[0][1] <= until:
            self._missing.popleft()

    def _shares(self, until: int, what: str) -> dict[str, int]:
        """How many of the frames up to there are `what`, and how many are missing for which reason."""
        shares: Counter[str] = Counter()
        for start, end, reason in self._missing:
            shares[reason] += max(0, min(end, until) - max(start, self._settled))
        shares[what] += until - self._settled - shares.total()
        return shares
