"""Text of a WebSocket message <-> typed event.

Lenient toward upstreams: an unknown type is kept as `Unknown`, and `mending.py` reads what can be read of a known one. Strict toward clients of
ours: what is wrong is a `ProtocolError` with the code and the path (`param`) that the real service would name.
The type is looked at first, then a decoder of that type reads the whole, base64 included, in one step: one novelty inside an
upstream's event must not cost the event, and a tagged union would raise on an unknown tag.
"""

import functools
import types
import typing
from typing import Any

import msgspec

from voice.errors import ProtocolError
from voice.protocol.complaints import complaint
from voice.protocol.events import (
    ItemAdded,
    ItemDone,
    ItemRetrieved,
    OutputItemAdded,
    OutputItemDone,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    Unknown,
)
from voice.protocol.foreign import SERVER_EVENTS, ItemCreated
from voice.protocol.mending import converted, unfold
from voice.protocol.objects import EXTRA
from voice.protocol.requests import CLIENT_EVENTS, ClientEvent, ItemCreate, ResponseCreate, SessionUpdate


class _ServerHead(msgspec.Struct):
    type: str


class _Head(_ServerHead):
    event_id: str | None = None


_server_head = msgspec.json.Decoder(_ServerHead).decode
_head = msgspec.json.Decoder(_Head).decode
_raw = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def _tag(event: type[msgspec.Struct]) -> str:
    return str(event.__struct_config__.tag)


_SERVER = {_tag(event): event for event in SERVER_EVENTS}
_DECODE = {event: msgspec.json.Decoder(event).decode for event in SERVER_EVENTS}
_CLIENT = {_tag(event): msgspec.json.Decoder(event).decode for event in CLIENT_EVENTS}
_CHECKED = {_tag(event): event for event in (SessionUpdate, ItemCreate, ResponseCreate)}
"""Only these have nested objects whose unknown keys a person may have meant."""
_WITH_ITEMS = frozenset({ItemAdded, ItemDone, ItemCreated, ItemRetrieved, OutputItemAdded, OutputItemDone, ResponseCreated, ResponseDone})
"""Events of a server whose items may have fields that are not known here."""
_MAY_HAVE_EXTRA = _WITH_ITEMS | {ItemCreate, ResponseCreate}
"""And those of a program that puts such an item into a conversation again."""
_EXTRA_WRITTEN = _encode(EXTRA) + b":"

_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""What msgspec raises over a text: UnicodeError for lone surrogates and for bytes that are not UTF-8."""
MAX_ID_LETTERS = 512
"""Of a name that a client gives an event or an item: our events repeat them, two at a time."""
MAX_TOLD_BYTES = 900_000
"""Of an object that a client gives: what becomes of it (words, a sound's) needs room, too."""
MAX_EVENT_BYTES = (1 << 20) - 1
"""An event of ours stays under 1 MiB, which common clients take at most."""
MAX_ITEM_BYTES = MAX_EVENT_BYTES - 1_000
"""The rest is for what is around it in its event."""


class ClientMistake(ProtocolError):
    """A client's event that cannot be obeyed; `event_id` is the client's, if it could be read."""

    def __init__(self, message: str, code: str, param: str | None, event_id: str | None) -> None:
        super().__init__(message, code, param)
        self.event_id = event_id


def encode(event: ServerEvent | ClientEvent) -> str:
    """An event as text. Bytes become base64."""
    text = _encode(event)
    if type(event) in _MAY_HAVE_EXTRA and _EXTRA_WRITTEN in text:
        text = _encode(unfold(_raw(text)))
    return text.decode()


def size_of(value: msgspec.Struct) -> int:
    """How many bytes an object takes in an event."""
    return len(_encode(value))


def must_fit(value: msgspec.Struct, param: str) -> None:
    """Refuse what could not be told back to the client in one event. Raises: ProtocolError."""
    size = size_of(value)
    if size > MAX_TOLD_BYTES:
        message = f"Invalid '{param}': {size} bytes are too many. Expected at most {MAX_TOLD_BYTES}."
        raise ProtocolError(message, "string_above_max_length", param)


def decode_server(text: str | bytes) -> ServerEvent | Unknown:
    """A server's event. Raises: ProtocolError if it is not a JSON object with a `type`, or lacks what its type is about."""
    try:
        head = _server_head(text)
        event = _SERVER.get(head.type)
        return Unknown(head.type, _raw(text)) if event is None else _read(text, event)
    except _UNREADABLE as exc:
        raise ProtocolError(f"the server sent an event that cannot be read: {exc}") from exc


def _read(text: str | bytes, event: type[ServerEvent]) -> ServerEvent:
    """A known event, as far as it can be read."""
    if event in _WITH_ITEMS:
        return converted(_raw(text), event)
    try:
        return _DECODE[event](text)
    except msgspec.ValidationError:
        return converted(_raw(text), event)


def _too_long(param: str, name: str) -> tuple[str, str, str]:
    what = f"Expected a string with maximum length {MAX_ID_LETTERS}, but got a string with length {len(name)} instead."
    return f"Invalid '{param}': string too long. {what}", "string_above_max_length", param


def must_be_short(name: str, param: str) -> None:
    """Refuse an id that would make an event too long each time it is named. Raises: ProtocolError."""
    if len(name) > MAX_ID_LETTERS:
        raise ProtocolError(*_too_long(param, name))


def decode_client(text: str | bytes) -> ClientEvent:
    """A client's event. Raises: ClientMistake."""
    try:
        head = _head(text)
    except _UNREADABLE as exc:
        raise _mistake(exc, text, None) from exc
    if head.event_id is not None and len(head.event_id) > MAX_ID_LETTERS:
        # It could not be told back either.
        raise ClientMistake(*_too_long("event_id", head.event_id), None)
    decoder = _CLIENT.get(head.type)
    if decoder is None:
        known = ", ".join(f"'{name}'" for name in sorted(_CLIENT))
        raise ClientMistake(f"Invalid value: '{head.type[:80]}'. Supported values are: {known}.", "invalid_value", "type", head.event_id)
    try:
        event = decoder(text)
        if head.type in _CHECKED:
            path = unknown_key(_raw(text), _CHECKED[head.type])
            if path is not None:
                raise ClientMistake(f"Unknown parameter: '{path}'.", "unknown_parameter", path, head.event_id)
    except _UNREADABLE as exc:
        raise _mistake(exc, text, head.event_id) from exc
    return event


def _mistake(exc: Exception, text: str | bytes, event_id: str | None) -> ClientMistake:
    return ClientMistake(*complaint(exc, text), event_id)


def unknown_key(raw: Any, shape: Any, path: str = "") -> str | None:
    """The path of the first key in `raw` that `shape` (a struct or a type made of structs) does not have, else None."""
    if isinstance(raw, list):
        inner = _inside(shape, list)
        found = (unknown_key(entry, inner, f"{path}[{i}]") for i, entry in enumerate(raw)) if inner else ()
        return next((place for place in found if place), None)
    struct = shape if _is_struct(shape) else _inside(shape, msgspec.Struct)
    if not isinstance(raw, dict) or struct is None:
        return None
    hints = _hints(struct)
    tag_field = struct.__struct_config__.tag_field
    for key, value in raw.items():
        place = f"{path}.{key[:80]}" if path else key[:80]
        if key not in hints and key != tag_field:
            return place
        if key in hints and (deeper := unknown_key(value, hints[key], place)):
            return deeper
    return None


@functools.cache
def _hints(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The fields of a struct by their names on the wire."""
    hints = typing.get_type_hints(struct)
    named = zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True)
    return {wire: hints[name] for wire, name in named if wire != EXTRA}


def _is_struct(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct)


def _inside(shape: Any, wanted: type) -> Any:
    """In a union: its struct, or what its list holds. None if there is none."""
    options = typing.get_args(shape) if isinstance(shape, types.UnionType) else (shape,)
    for option in options:
        if wanted is list and typing.get_origin(option) is list:
            return typing.get_args(option)[0]
        if wanted is msgspec.Struct and _is_struct(option):
            return option
    return None
