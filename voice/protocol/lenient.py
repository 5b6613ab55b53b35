"""Values of events as dictionaries, whatever a peer has written in their place."""

from typing import Any


def fields(value: object) -> dict[str, Any]:
    """An object's fields; none if it is no object."""
    return value if isinstance(value, dict) else {}


def text(value: object) -> str:
    """A text; "" if it is none."""
    return value if isinstance(value, str) else ""
