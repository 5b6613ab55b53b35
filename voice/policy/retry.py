"""When to try again, and after how long. Pure: how long a link lived and chance come in, seconds go out, nobody sleeps here.

Full jitter (a delay between 0 and the bound, the bound doubling up to a cap) keeps many clients of one server from coming back in step
(AWS Architecture Blog, "Exponential Backoff And Jitter"). Only a link that lived for a while resets the delays: an upstream that
accepts and hangs up would make a hot loop otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass

RETRIED_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
RETRIED_CLOSES = frozenset({1001, 1005, 1006, 1011, 1012, 1013, 1014, 1015})
"""openai-python's list of recoverable closes, and 1014 (bad gateway)."""
FINAL_CLOSES = frozenset({3000, 3003, 4001, 4003, 4401, 4403})
"""Private codes by which servers say "not with this key"."""
FINAL_CODES = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "invalid_api_key",
        "account_deactivated",
        "billing_hard_limit_reached",
        "invalid_model",
        "model_not_found",
    }
)
"""Error codes (or types) after which another try is refused as well."""


def worth_retrying(close_code: int, error_code: str | None = None) -> bool:
    """Whether a link that ended so may be dialled again. An expired session may, whatever the close code says."""
    if error_code in FINAL_CODES:
        return False
    if error_code == "session_expired":
        return True
    return close_code in RETRIED_CLOSES or (3000 <= close_code < 5000 and close_code not in FINAL_CLOSES)


def status_worth_retrying(status: int) -> bool:
    """Whether a request that was answered with this HTTP status may be made again."""
    return status in RETRIED_STATUS


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """How patient to be."""

    first_s: float = 0.25
    """Bound of the first delay."""
    cap_s: float = 8.0
    """Bound of all delays."""
    tries: int = 12
    """Tries in a row without a stable link; then it is given up (about half a minute on average)."""
    stable_s: float = 5.0
    """A link that lived so long resets the delays."""
    longest_wait_s: float = 60.0
    """A `Retry-After` beyond it is not waited for."""


class Backoff:
    """The delays of one thing that is tried again and again. `chance()` gives 0..1."""

    def __init__(self, chance: Callable[[], float], settings: RetrySettings | None = None) -> None:
        self._chance = chance
        self._settings = settings or RetrySettings()
        self.failures = 0
        """Tries since the last stable link."""

    def next_delay_s(self, lived_s: float = 0.0, retry_after_s: float | None = None) -> float | None:
        """How long to wait before the next try; None: give up. `lived_s`: how long the link lived that has just ended."""
        settings = self._settings
        if lived_s >= settings.stable_s:
            self.failures = 0
        if self.failures >= settings.tries or (retry_after_s or 0.0) > settings.longest_wait_s:
            return None
        bound_s = min(settings.cap_s, settings.first_s * 2.0**self.failures)
        self.failures += 1
        jittered_s = self._chance() * bound_s
        return jittered_s if retry_after_s is None else retry_after_s + jittered_s
