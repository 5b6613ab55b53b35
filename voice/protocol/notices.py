"""What a `ClientSession` tells the program that talks: the events of `async for event in session`."""

from dataclasses import dataclass

from voice.audio.pcm import Samples
from voice.protocol.events import ServerEvent, Unknown
from voice.protocol.objects import Item, Session, Usage


@dataclass(frozen=True, slots=True)
class SessionReady:
    """The server has taken the settings; `settings` are those in effect."""

    settings: Session


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Speech: by the server's detector, or by ours (`local`). Times are ms from the first sample pushed.

    `at_ms` is the first voiced sample as far as known (the wire's value plus the padding).
    """

    at_ms: int
    local: bool
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """End of speech: `at_ms` is the last voiced sample (the wire's value less the silence window)."""

    at_ms: int
    local: bool
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    """What was said has become the item `item_id`."""

    item_id: str


@dataclass(frozen=True, slots=True)
class UserText:
    """What the user said. `final`: replaces every delta of the item. `failed`: it could not be written down."""

    item_id: str
    text: str
    final: bool
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """A response begins."""

    response_id: str


@dataclass(frozen=True, slots=True)
class ReplyText:
    """More of the answer's words (`final`: all of them)."""

    response_id: str
    item_id: str
    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """More of the answer's sound: int16, mono."""

    response_id: str
    item_id: str
    samples: Samples
    rate_hz: int


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The one end of a response. `status`: completed, cancelled, incomplete or failed; `reason` says why if it is not completed."""

    response_id: str
    status: str
    reason: str
    usage: Usage | None
    output: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorReported:
    """The server refused something or failed; the session goes on."""

    code: str
    message: str
    param: str | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """The model has called a function, which runs now. `arguments`: JSON, as the model wrote it."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """A function that was called has come to an end, and the model is told `output`. `failed`: that says what went wrong."""

    call_id: str
    name: str
    output: str
    failed: bool


@dataclass(frozen=True, slots=True)
class TurnResent:
    """The turn `item_id` was lost with the link before its words were known: its sound is sent again, as a new turn."""

    item_id: str


@dataclass(frozen=True, slots=True)
class ReplyLost:
    """The link broke during an answer. `again`: nothing of it had come, and it is asked for again."""

    response_id: str
    again: bool


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The link is gone; the session goes on. The next try is made in `retry_in_s` seconds."""

    close_code: int
    reason: str
    retry_in_s: float


@dataclass(frozen=True, slots=True)
class LinkRestored:
    """A new link has taken the session over: the `number`th, counted from 1. `planned`: before the old one ended."""

    number: int
    planned: bool


@dataclass(frozen=True, slots=True)
class MoveDue:
    """The server will end the session soon: time for a new link. For the shell; programs see `LinkRestored`."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The link is gone. `retry`: another one may do better."""

    close_code: int
    reason: str
    retry: bool


@dataclass(frozen=True, slots=True)
class Other:
    """Any other event of the server, as it came."""

    event: ServerEvent | Unknown


Notice = (
    SessionReady
    | SpeechBegan
    | SpeechEnded
    | TurnCommitted
    | UserText
    | ReplyBegan
    | ReplyText
    | ReplyAudio
    | ReplyEnded
    | ErrorReported
    | ToolStarted
    | ToolEnded
    | TurnResent
    | ReplyLost
    | LinkLost
    | LinkRestored
    | MoveDue
    | SessionEnded
    | Other
)
