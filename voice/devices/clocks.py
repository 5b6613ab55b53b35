"""Two clocks: one that may stand still while the machine sleeps, and one that does not."""

import time

_SINCE_START = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC_RAW", None)
"""Linux has the first; the second goes on in sleep on macOS."""


def waking_s() -> float:
    """The clock of everything else. On Linux and macOS it stands still in sleep, on Windows it does not."""
    return time.monotonic()


def always_s() -> float:
    """A clock that counts sleep too: since the machine was started where there is such a one, else the time of day."""
    return time.time() if _SINCE_START is None else time.clock_gettime(_SINCE_START)
