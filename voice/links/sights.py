"""What is seen on the wire of a twin, at its end: frozen data, told to a witness in the order in which it happens."""

from collections.abc import Callable
from dataclasses import dataclass

from voice.policy.deeds import Refuse


@dataclass(frozen=True, slots=True)
class Began:
    """A client was let in."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A handshake was not let in."""

    how: Refuse


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame goes to the client; bytes: one that is no text in UTF-8, or a binary one."""

    data: str | bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A message came from the client."""

    data: str | bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection is over, by the client or by us."""

    close_code: int
    reason: str


Sight = Began | Refused | Sent | Received | Ended
Witness = Callable[[int, Sight], None]
"""Is told what is seen, with the number of the session, from 1."""
