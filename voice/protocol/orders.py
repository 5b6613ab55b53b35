"""What the answering session tells its engine to do. Answers come back through the session's commands."""

from collections.abc import Iterable
from dataclasses import dataclass

from voice.audio.pcm import Samples, ms_in
from voice.protocol.conversation import Entry
from voice.protocol.tools import Toolbox


@dataclass(frozen=True, slots=True)
class ListenStarted:
    """A turn is open, or a sound was given: begin to recognise it. Item and part name what is heard, here and below."""

    item_id: str
    content_index: int = 0
    """Which part of the item it is: only an item that a client gives has several."""
    given: bool = False
    """Nobody speaks it now: a client gave all of it at once, and its `ListenEnded` follows."""


@dataclass(frozen=True, slots=True)
class ListenMore:
    """More of the open turn: int16, mono, 16 kHz."""

    item_id: str
    samples: Samples
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class ListenPaused:
    """The speaker of the open turn pauses: say with `judging.judged`, and this number, how finished the thought seems that was heard so far."""

    item_id: str
    pause: int


@dataclass(frozen=True, slots=True)
class ListenEnded:
    """The turn is complete; answer with `transcribed` or `transcription_failed`."""

    item_id: str
    audio_ms: int
    silent: bool = False
    """No speech was detected in it (an idle timeout): what is not heard clearly is noise."""
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class ListenDropped:
    """The open turn was cleared: forget it."""

    item_id: str


@dataclass(frozen=True, slots=True)
class ReplyWanted:
    """Answer; `say`, `sound` and `call` until `end_reply`, all with this id, which is also the generation."""

    response_id: str
    spoken: bool
    instructions: str
    context: tuple[Entry, ...] | None
    """What to answer instead of the conversation, where the client gave an `input`; its sound is heard like turns (`ListenStarted`)."""
    heard_item: str | None
    """The turn that is answered, if it was spoken: its words may still be on their way."""
    voice: str = ""
    """Who speaks it, as the client names it."""
    speed: float = 1.0
    """How fast it is spoken: 0.25 to 1.5, 1 is the voice's own speed."""
    toolbox: Toolbox = Toolbox()
    """Which functions of the client's it may call, and whether it must."""
    beside: bool = False
    """Out of band: nothing of it stays in the conversation."""
    instructed: bool = False
    """The instructions are for this answer alone."""


@dataclass(frozen=True, slots=True)
class ReplyStopped:
    """Nobody wants the rest of this answer; what still comes of it is ignored."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the link, once all that is queued has been sent."""

    close_code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Wake:
    """The moment that the engine asked for (`wake_at`) has come, and nobody speaks."""


@dataclass(frozen=True, slots=True)
class Due:
    """The same where answers must be asked for: what the engine has to say is left as word (`ServerSession.begin_reply`). Told again and again."""


Order = ListenStarted | ListenMore | ListenPaused | ListenEnded | ListenDropped | ReplyWanted | ReplyStopped | Wake | Due | Hangup


def listening(item_id: str, sounds: Iterable[tuple[int, Samples]]) -> list[ListenStarted | ListenMore | ListenEnded]:
    """Hear the sounds of an item, each with the index of its part (int16, mono, 16 kHz) and by itself."""
    orders: list[ListenStarted | ListenMore | ListenEnded] = []
    for index, samples in sounds:
        more = [ListenMore(item_id, samples, index)] if samples.size else []
        orders += [ListenStarted(item_id, index, given=True), *more, ListenEnded(item_id, ms_in(samples.size), content_index=index)]
    return orders
