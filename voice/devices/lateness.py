"""How old a microphone's sound is when it comes. Pure: the times come in.

Sound servers that were frozen give what they have kept, all at once or for ever after so much too late: both were seen with PulseAudio.
"""

SANE_S = 1.0
"""A stream whose first block is older than this by its own account gives times of another clock; they are not used."""
LEAK = 0.05
"""Without such times a block is late if it comes later than its number says, against the best of the last while: what is lost on the way
counts as lateness too, and is forgotten at so many seconds a second of sound."""


class Lateness:
    """Of one stream."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._trusted: bool | None = None
        self._began_s = 0.0
        self._samples = 0
        self._best_s = 0.0

    def push(self, samples: int, now_s: float, age_s: float | None) -> float:
        """How many seconds ago the block was in the air, or how much too late it is. `age_s`: as the stream says itself, None if it does not."""
        if self._trusted is None:
            self._trusted = age_s is not None and 0.0 < age_s <= SANE_S
            self._began_s = now_s
        if self._trusted and age_s is not None:
            return max(0.0, age_s)
        late_s = now_s - self._began_s - self._samples / self._rate_hz
        self._best_s = min(self._best_s + LEAK * samples / self._rate_hz, late_s)
        self._samples += samples
        return late_s - self._best_s
