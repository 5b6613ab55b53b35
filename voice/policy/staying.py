"""How long a conversation at a microphone goes on while nobody looks after it: when the microphone is muted, when the conversation ends.

    idle     AWAKE --- nobody has spoken, typed or pressed a key for `idle_mute_s` ---> Act.MUTE, once; the count goes on when it is opened again
    length   RUNNING - the last minute, or fifth, in a quiet moment if there is one --> Act.WARN ---> WARNED
             WARNED -- `max_length_s`, in a quiet moment, or `GRACE_S` later ---------> Act.FAREWELL ---> LEAVING
             LEAVING - the farewell was heard, or cannot be said --------------------> Act.END

Pure: `now` is monotonic seconds. Quiet means that nobody speaks, on either side, and nothing is being answered.
"""

from enum import Enum

WARN_S, WARN_SHARE = 60.0, 0.2
"""So long before the end it is said, or so much of a short conversation; half of that may pass in waiting for a quiet moment."""
GRACE_S = 30.0
"""A turn that is under way at the end is heard and answered, if that takes no longer."""
SPOKEN_S = 6.0
"""A farewell for which there is no moment by then (there is no link) is not spoken."""
FAREWELL_S = 20.0
"""Nor is one waited for any longer."""


class Act(Enum):
    """What is to be done."""

    MUTE = "mute"
    WARN = "warn"
    FAREWELL = "farewell"
    END = "end"


class _Stage(Enum):
    RUNNING = "running"
    WARNED = "warned"
    LEAVING = "leaving"
    OVER = "over"


class Staying:
    """See the top of the file. None: never."""

    def __init__(self, idle_mute_s: float | None = None, max_length_s: float | None = None) -> None:
        self._idle_mute_s = idle_mute_s
        self._max_length_s = max_length_s
        self._began: float | None = None
        self._active = 0.0
        self._stage = _Stage.RUNNING
        self._left = 0.0
        self._asked = False

    def step(self, now: float, quiet: bool, muted: bool) -> Act | None:
        """Time has passed. `muted`: the microphone is shut already. At most one thing to do; each but MUTE once."""
        if self._began is None:
            self._began = self._active = now
        if not quiet or muted:
            self._active = now
        return self._length(now, now - self._began, quiet) or self._idle(now)

    def touched(self, now: float) -> None:
        """Somebody has typed, or pressed a key."""
        self._active = now

    def left_s(self, now: float) -> float | None:
        """How long the conversation may still be."""
        return None if self._max_length_s is None or self._began is None else max(0.0, self._began + self._max_length_s - now)

    def asked(self) -> None:
        """The farewell is being said, from the next step on."""
        self._asked = True

    def _idle(self, now: float) -> Act | None:
        if self._idle_mute_s is None or self._stage in (_Stage.LEAVING, _Stage.OVER) or now - self._active < self._idle_mute_s:
            return None
        self._active = now
        return Act.MUTE

    def _length(self, now: float, age_s: float, quiet: bool) -> Act | None:
        if self._max_length_s is None:
            return None
        left_s = self._max_length_s - age_s
        warn_s = min(WARN_S, WARN_SHARE * self._max_length_s)
        match self._stage:
            case _Stage.RUNNING if left_s <= (warn_s if quiet else warn_s / 2):
                self._stage = _Stage.WARNED
                return Act.WARN
            case _Stage.WARNED if left_s <= (0 if quiet else -GRACE_S):
                self._stage, self._left = _Stage.LEAVING, now
                return Act.FAREWELL
            case _Stage.LEAVING:
                waited_s = now - self._left
                if waited_s >= FAREWELL_S or (quiet if self._asked else waited_s >= SPOKEN_S):
                    self._stage = _Stage.OVER
                    return Act.END
            case _:
                pass
        return None
