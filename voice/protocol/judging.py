"""The wait for a judgement of a pause: whoever understands words says how finished they seem, or the time for it is up.

    NONE ----- a pause, `began` ---------------------> ASKED
    ASKED ---- `judged`, or `JUDGE_S` later ---------> NONE, told once by `tick`

Sound that comes while a pause is judged waits in `buffer.py`, so whoever sends faster than people speak waits for the recogniser, too.
"""

from voice.audio.patience import Thought

JUDGE_S = 2.0
"""A judgement comes after 0.1 to 0.3 s. Until then a pause that goes on is no loss: what is not known waits for a second or more."""


class Judging:
    """See the top of the file. Pauses are numbered; neither an engine nor a message of the client tells the time, so it counts from a `tick`."""

    def __init__(self) -> None:
        self._pause: int | None = None
        self._thought: Thought | None = None
        self._ends_at: float | None = None

    def began(self, pause: int) -> None:
        """Somebody is asked about this pause; the one before it is over."""
        self._pause, self._thought, self._ends_at = pause, None, None

    def judged(self, pause: int, thought: Thought) -> None:
        """The answer. It takes effect at the next `tick`, which is due at once. What is said of other pauses comes too late."""
        if pause == self._pause:
            self._thought = thought

    def deadline(self) -> float | None:
        """When `tick` wants to be called."""
        if self._pause is None:
            return None
        return self._ends_at if self._thought is None and self._ends_at is not None else 0.0

    def tick(self, now: float) -> tuple[int, Thought] | None:
        """The pause that has been judged, and how."""
        if self._pause is None:
            return None
        if self._ends_at is None:
            self._ends_at = now + JUDGE_S
        if self._thought is None and now < self._ends_at:
            return None
        told = (self._pause, self._thought or Thought.UNKNOWN)
        self._pause = self._thought = None
        return told
