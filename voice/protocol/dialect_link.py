"""What both interpreters do: read and write the text of events, and carry the sound that goes up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from voice.protocol.dialect_items import error_event
from voice.protocol.dialect_sound import Way
from voice.protocol.dialect_told import Event

APPEND, COMMIT, CLEAR = "input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear"

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)


class _Head(msgspec.Struct):
    type: str


_head = msgspec.json.Decoder(_Head).decode


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of a message."""

    on: tuple[str, ...] = ()
    """Goes on in the same direction."""
    back: tuple[str, ...] = ()
    """Is answered to who sent it."""


def read(text: str) -> Event | None:
    """An event, if the text is a JSON object with a type."""
    try:
        event = _decode(text)
    except _UNREADABLE:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("type"), str) else None


def type_of(text: str) -> str | None:
    """The type of an event, without reading the rest of it."""
    try:
        return _head(text).type
    except _UNREADABLE:
        return None


def write(event: Event) -> str:
    """An event as text."""
    return _encode(event).decode()


def passage(on: list[Event], back: list[Event] | None = None) -> Passage:
    """Events as they go on, and back."""
    return Passage(tuple(write(event) for event in on), tuple(write(event) for event in back or ()))


class Microphone:
    """The sound that a client sends, on its way into the other form."""

    def __init__(self, way: Way, new_id: Callable[[str], str]) -> None:
        self.way = way
        self._new_id = new_id

    def carry(self, event: Event) -> Passage:
        """An append, a commit or a clear, with what it means for the stream of sound."""
        match event["type"]:
            case "input_audio_buffer.commit":
                tail = "" if self.way.untouched else self.way.end()
                return passage([*([{"type": APPEND, "audio": tail}] if tail else []), event])
            case "input_audio_buffer.clear":
                self.way.end()
                return passage([event])
        audio: Any = event.get("audio")
        if self.way.untouched or not isinstance(audio, str):
            return passage([event])
        try:
            sound = self.way.carry(audio)
        except ValueError as exc:
            message = f"Invalid 'audio': {exc}."
            return passage([], [error_event(self._new_id("event"), message, "invalid_value", "audio", event.get("event_id"))])
        return passage([{**event, "audio": sound}] if sound else [])
