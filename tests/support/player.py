"""A loudspeaker for the playback buffer: takes 10 ms at a time and shows what it got."""

from dataclasses import replace

import numpy as np

from voice.audio.jitter import JitterBuffer
from voice.audio.pcm import Samples, samples_in
from voice.audio.tuning import JitterSettings, LeadSettings

MS = 1000
RATE_HZ = 24_000
TAKE = 240
"""10 ms, as a device takes them."""
STIFF = LeadSettings(conceal_ms=0, calm_below_ms=0, pause_below_ms=0, pause_below_most_ms=0, stretch_below_ms=0, stretch_below_most_ms=0)
"""Nothing is made longer, and nothing concealed."""
BEFORE: dict[str, int] = {"quantile_percent": 75, "slow_wait_ms": 80, "slow_wait_percent": 100, "ahead_percent": 200}
"""For tests that count milliseconds: the best settings may change."""


def stiff(**changes: int) -> JitterSettings:
    """Settings with which nothing is made longer, but for these changes."""
    return JitterSettings(**{**BEFORE, **changes}, lead=STIFF)


def elastic(**changes: int) -> JitterSettings:
    """Settings with which nothing is made longer, but where these changes say so; nothing fades."""
    return JitterSettings(**BEFORE, fade_ms=0, lead=replace(STIFF, **changes))


def sound(length_ms: int, level: int = 1000) -> Samples:
    """A constant."""
    return np.full(samples_in(length_ms, RATE_HZ), level, np.int16)


class Player:
    """A device that takes 10 ms at a time: "#" where it plays an item at its level, "/" in fades, "." in silence."""

    def __init__(self, buffer: JitterBuffer | None = None) -> None:
        self.buffer = buffer or JitterBuffer(RATE_HZ, stiff())
        self.now_ms = 0
        self.taken: list[Samples] = []

    def take(self, length_ms: int) -> str:
        shown = ""
        for _ in range(length_ms // 10):
            out = self.buffer.take(TAKE, self.now_ms * MS)
            assert len(out) == TAKE and out.dtype == np.int16
            self.taken.append(out)
            shown += "." if not out.any() else "#" if (np.abs(out) >= 1000).all() else "/"
            self.now_ms += 10
        return shown

    def put(self, item: str, length_ms: int, level: int = 1000) -> None:
        self.buffer.put(item, sound(length_ms, level), self.now_ms * MS)

    def reply(self, item: str, gaps_ms: list[int], delta_ms: int = 100) -> str:
        """A whole reply, each delta so long after the one before; then everything is played."""
        shown = ""
        for gap_ms in gaps_ms:
            shown += self.take(gap_ms)
            self.put(item, delta_ms)
        self.buffer.end(item)
        return shown + self.take(self.buffer.stats.buffered_ms + 30)
