"""How the sound of replies arrives: what a reply would have needed, and what the next one should wait for.

Used by `jitter.py`, which plays it. Reply sound comes over a reliable link: nothing is lost, order is kept, it comes in bursts and
stalls. So a reply that begins to sound D after its first delta never runs dry if no delta comes later than D after the moment at which
it would have been due had the first one sounded at once. The greatest such lateness is what the reply *needed*; the next one waits for
a quantile of what the last ones needed. A quantile is the best choice for who weighs a ms of silence in mid-reply against a ms of waiting
(the "newsvendor"): 0.75 says that silence is four times as bad.

All in integers: `web/jitter.js` does the same, and both must decide alike.
"""

from collections import deque
from dataclasses import dataclass

SECOND_US = 1_000_000
SLOW_SPEED = 1400
"""Arrival under so many per mille of real time is slow. The rule is 1.5x; the rest is for jitter around it."""
FAST_ENOUGH = 4000
"""Speeds are per mille of real time; beyond 4x they say no more."""
KEPT = 24
"""Replies remembered: at a decay of 0.9 the oldest weighs 8 % of the newest."""
NEWEST_WEIGHT = 1 << 16


class Arrivals:
    """The arrivals of one reply."""

    def __init__(self, rate_hz: int, now_us: int) -> None:
        """`now_us`: when its first delta came."""
        self.received = 0
        """Samples that have arrived."""
        self.needed_us = 0
        """The start delay with which no delta so far would have been late."""
        self.last_us = now_us
        self.rate_hz = rate_hz
        self._first_us = now_us
        self._before_last = 0

    def add(self, count: int, now_us: int) -> None:
        """A delta of `count` samples has come."""
        due_us = self._first_us + self.received * SECOND_US // self.rate_hz
        self.needed_us = max(self.needed_us, now_us - due_us)
        self._before_last = self.received
        self.last_us = now_us
        self.received += count

    def age_us(self, now_us: int) -> int:
        """Time since the first delta."""
        return now_us - self._first_us

    def speed(self) -> int | None:
        """Arrival in per mille of real time, at most FAST_ENOUGH; None after one delta only."""
        if not self._before_last:
            return None
        sound_us = self._before_last * SECOND_US // self.rate_hz
        return min(FAST_ENOUGH, sound_us * 1000 // max(1, self.last_us - self._first_us))


@dataclass(frozen=True, slots=True)
class Needs:
    """What a past reply has shown."""

    needed_us: int
    speed: int
    """Per mille of real time."""


class Past:
    """The last replies, newer ones weighing more."""

    def __init__(self, quantile_percent: int, decay_percent: int) -> None:
        """The quantile is of what replies needed; each reply weighs `decay_percent` of the next one."""
        self.needed_us = 0
        """The quantile of the start delays that would have been right; 0 without a past."""
        self.likely_us = 0
        """What the next one may need: the greatest of n numbers is, on the average, n/(n + 1) of the greatest that there is."""
        self.speed: int | None = None
        """The mean speed of arrival, in per mille of real time; None without a past."""
        self._quantile_percent = quantile_percent
        self._decay_percent = decay_percent
        self._replies: deque[Needs] = deque(maxlen=KEPT)

    def add(self, needs: Needs) -> None:
        """A reply has arrived, whole or as far as it was let."""
        self._replies.append(needs)
        weighed, weight = [], NEWEST_WEIGHT
        for reply in reversed(self._replies):
            weighed.append((reply.needed_us, reply.speed, weight))
            weight = weight * self._decay_percent // 100
        total = sum(weight for _, _, weight in weighed)
        self.speed = sum(speed * weight for _, speed, weight in weighed) // total
        below = 0
        for needed_us, _, weight in sorted(weighed):
            below += weight
            if below * 100 >= total * self._quantile_percent:
                self.needed_us = needed_us
                break
        self.likely_us = self.needed_us * (len(weighed) + 1) // len(weighed)

    @property
    def slow(self) -> bool | None:
        """Whether arrival is slow; None without a past."""
        return None if self.speed is None else self.speed < SLOW_SPEED
