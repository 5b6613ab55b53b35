"""How many events a client may send: a bucket that holds `BURST` and fills with `PER_S` a second.

Sound is not counted: who sends it faster than it is spoken (a recording) is slowed down by the link, and the buffer has a bound of its own.
"""

from typing import Any

from voice.protocol.codec import ClientMistake, decode_client
from voice.protocol.requests import BufferAppend, ClientEvent

BURST = 3_000
"""Enough to restore the longest conversation (`conversation.MAX_ITEMS`) item by item at once."""
PER_S = 100
"""A client that talks sends a few a second, besides sound."""
LEAST_SOUND_BYTES = 16
"""An append with less (1 ms at 8 kHz) brings nothing, and counts."""


class Allowance:
    """See the top of the file. Times are monotonic seconds; a time before the last one counts as that."""

    def __init__(self, burst: int = BURST, per_s: int = PER_S) -> None:
        self._burst = burst
        self._per_s = per_s
        self._left = float(burst)
        self._at: float | None = None

    def take(self, event: ClientEvent | None, now: float) -> bool:
        """Whether the event may pass; it is counted then. None: one that cannot be read."""
        if self._at is not None and now > self._at:
            self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now if self._at is None else max(now, self._at)
        if isinstance(event, BufferAppend) and len(event.audio) >= LEAST_SOUND_BYTES:
            return True
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def told(self) -> list[dict[str, Any]]:
        """As `rate_limits.updated` tells it, at the time of the last event."""
        missing = self._burst - self._left
        return [{"name": "requests", "limit": self._burst, "remaining": int(self._left), "reset_seconds": round(missing / self._per_s, 3)}]

    def refusal(self) -> str:
        """What to tell a client that sends too many, in a sentence."""
        return (
            f"Rate limit reached: {self._burst} events at once and {self._per_s} a second, besides audio. This event was not carried out."
        )


class Unhurried(Allowance):
    """Admits and refuses like the other, and tells what depends on no clock: for who compares what a server sends from run to run."""

    def told(self) -> list[dict[str, Any]]:
        """Always all."""
        return [{"name": "requests", "limit": self._burst, "remaining": self._burst, "reset_seconds": 0.0}]


def admitted(text: str | bytes, now: float, allowance: Allowance) -> ClientEvent:
    """A client's event, if there are not too many; one that cannot be read counts too. Raises: ClientMistake."""
    mistake: ClientMistake | None = None
    event: ClientEvent | None = None
    try:
        event = decode_client(text)
        event_id = event.event_id if isinstance(event.event_id, str) else None
    except ClientMistake as exc:
        mistake, event_id = exc, exc.event_id
    if not allowance.take(event, now):
        raise ClientMistake(allowance.refusal(), "rate_limit_exceeded", None, event_id) from mistake
    if event is None:
        assert mistake is not None
        raise mistake
    return event
