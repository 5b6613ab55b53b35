"""What the twin can do wrong, and when: frozen data. `faultfile.py` reads it from a file, `faulting.py` decides about each event.

The fields of a deed are the keys that its `do` takes in a file; a unit is in the name.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

Ms = Annotated[int, Meta(ge=1, le=86_400_000)]
LONGEST_REASON_BYTES = 123
"""What a close frame holds (RFC 6455, 5.5)."""
NO_CODE, NO_FRAME = 1005, 1006
"""Close codes that stand for what is not on the wire: a close frame without a code, and no close frame at all (RFC 6455, 7.4.1)."""


@dataclass(frozen=True, slots=True)
class Close:
    """The WebSocket is closed. 1005: without a code; 1006: the TCP connection ends without a close frame; any other goes out as it is."""

    code: Annotated[int, Meta(ge=0, le=65_535)] = 1011
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reset:
    """The TCP connection is reset: nothing of what is under way arrives."""


@dataclass(frozen=True, slots=True)
class Stall:
    """No event is sent for so long (None: until the client leaves); pings are answered, and what the client says is heard."""

    ms: Ms | None = None


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """Nothing is sent, read or answered for so long (None: until the client leaves), not even a ping; the TCP connection stays."""

    ms: Ms | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """The event does not arrive."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The event arrives twice."""


@dataclass(frozen=True, slots=True)
class Reorder:
    """The event arrives behind the next `events` ones; None: behind the next one of its type, or behind the end of its response.

    If they do not come within five seconds it arrives all the same.
    """

    events: Annotated[int, Meta(ge=1, le=100)] | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """The event arrives so much later; others go on."""

    ms: Ms


@dataclass(frozen=True, slots=True)
class Garbage:
    """A frame that is no event comes before the event: of a kind, or with a text of your own."""

    kind: Literal["not_json", "truncated", "types", "binary", "utf8"] = "not_json"
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    """An `error` event comes before the event. If the client's event brought it about, `error.event_id` is that one's."""

    type: str = "server_error"
    code: str | None = None
    message: str = "The server had an error while processing your request."
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """The handshake is answered with an HTTP status, or with nothing at all ("silence"), or the connection is cut ("cut").

    `type`, `code` and `message` are those of the error in the body; None: what the service says with this status.
    """

    kind: Literal["status", "silence", "cut"] = "status"
    status: Annotated[int, Meta(ge=200, le=599)] = 503
    retry_after: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    """Seconds."""
    type: str | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Expire:
    """The session ends as one does that has reached its maximum duration: the error `session_expired`, then a close with 1001."""

    message: str = "Your session hit the maximum duration of 60 minutes."


Deed = Close | Reset | Stall | HalfOpen | Drop | Duplicate | Reorder | Delay | Garbage | Fail | Refuse | Expire
DEEDS: dict[str, type[Deed]] = {
    "close": Close,
    "rst": Reset,
    "stall": Stall,
    "half_open": HalfOpen,
    "drop": Drop,
    "duplicate": Duplicate,
    "reorder": Reorder,
    "delay": Delay,
    "garbage": Garbage,
    "error": Fail,
    "refuse": Refuse,
    "expire": Expire,
}
"""By what stands behind `do`."""
OF_AN_EVENT = (Drop, Duplicate, Reorder, Delay)
"""Happen to an event; the others happen at one, or at any time."""
BOTH_WAYS = (Drop, Duplicate)
"""Of these, what may happen to an event of the client's too."""


@dataclass(frozen=True, slots=True)
class Address:
    """Which events are meant."""

    event: str = "*"
    """Their type; a * in it stands for any letters."""
    client: bool = False
    """Whether they are the client's."""
    index: frozenset[int] | None = None
    """Which of the events of this kind of one session, from 0; None: all."""
    after: bool = False
    """The fault happens behind the event, not before it."""
    response: int | None = None
    """Only those of the nth response of the session, from 1."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong."""

    deed: Deed
    where: str = ""
    """Where it stands in its file, for messages: "faults.toml:3"."""
    on: Address | None = None
    at_s: float | None = None
    """Seconds since the session said its first event."""
    p: float | None = None
    """How likely it is each time that it could happen, 0 to 1; None: certain."""
    session: int | None = None
    """Only in the nth session of the twin, from 1; refused ones count."""
    times: int = 1
    """How often it happens in all, over all sessions; 0: without end."""


@dataclass(frozen=True, slots=True)
class FaultFile:
    """What a file of faults says."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0
