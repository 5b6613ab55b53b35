"""One line of an examination."""

from dataclasses import dataclass

OK, NOTE, BAD = "ok", "note", "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and what to do about it. No key is ever in it."""

    name: str
    state: str
    """"ok"; "note": not needed, and good to know; "bad": needed, and not there."""
    said: str
    fix: str = ""
    """What to do; "" if nothing has to be done."""
    took_ms: float | None = None
