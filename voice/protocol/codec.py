"""Text of a WebSocket message <-> typed event.

Lenient toward upstreams: an unknown type is kept as `Unknown`, unknown fields are ignored, and a field of another shape than
ours is left out. Strict toward clients of ours: what
is wrong is a `ProtocolError` with the code and the path (`param`) that the real service would name.
The type is looked at first, then a decoder of that type reads the whole, base64 included, in one step: one novelty inside an
upstream's event must not cost the event, and a tagged union would raise on an unknown tag.
"""

import re
import types
import typing
from typing import Any

import msgspec

from voice.errors import ProtocolError
from voice.protocol.events import SERVER_EVENTS, ServerEvent, Unknown
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

_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""What msgspec raises over a text: UnicodeError for lone surrogates and for bytes that are not UTF-8."""
MAX_TOLD_BYTES = 900_000
"""An event of ours stays under 1 MiB, which common clients take at most; the rest is for what is around the object."""
MAX_LEFT_OUT = 16
"""Parts of one event that may be left out; what differs in more is not what its type says."""

_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_FIELD = re.compile(r"missing required field `(?P<field>[^`]*)`")


class ClientMistake(ProtocolError):
    """A client's event that cannot be obeyed; `event_id` is the client's, if it could be read."""

    def __init__(self, message: str, code: str, param: str | None, event_id: str | None) -> None:
        super().__init__(message, code, param)
        self.event_id = event_id


def encode(event: ServerEvent | ClientEvent) -> str:
    """An event as text. Bytes become base64."""
    return _encode(event).decode()


def must_fit(value: msgspec.Struct, param: str) -> None:
    """Refuse what could not be told back to the client in one event. Raises: ProtocolError."""
    size = len(_encode(value))
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
    """A known event; the parts of it that have another shape than we know are left out, if it can do without them."""
    try:
        return _DECODE[event](text)
    except msgspec.ValidationError as first:
        raw = _raw(text)
        complaint = first
        for _ in range(MAX_LEFT_OUT):
            at = _AT.search(str(complaint))
            if at is None or not _leave_out(raw, at["path"]):
                break
            try:
                return msgspec.convert(raw, event)
            except msgspec.ValidationError as exc:
                complaint = exc
        raise


def _leave_out(raw: Any, path: str) -> bool:
    """Take what is at `path` ("response.output[0].content") out of `raw`; False if there is no such place."""
    steps = [name or (int(index) if index.isdigit() else None) for name, index in _STEP.findall(path)]
    if None in steps:
        # "[...]": a value of a dictionary, whose key msgspec does not tell. The dictionary goes.
        steps = steps[: steps.index(None)]
    inner = raw
    for step in steps[:-1]:
        inner = inner[step]
    if not steps:
        return False
    del inner[steps[-1]]
    return True


def decode_client(text: str | bytes) -> ClientEvent:
    """A client's event. Raises: ClientMistake."""
    try:
        head = _head(text)
    except _UNREADABLE as exc:
        raise _mistake(exc, None) from exc
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
        raise _mistake(exc, head.event_id) from exc
    return event


def _mistake(exc: Exception, event_id: str | None) -> ClientMistake:
    """A decoder's complaint as the service would word it."""
    if not isinstance(exc, msgspec.ValidationError):
        what = "it is nested too deeply" if isinstance(exc, RecursionError) else str(exc)
        return ClientMistake(f"We could not parse the JSON of this event: {what.rstrip('.')}.", "invalid_json", None, event_id)
    message = str(exc)
    at = _AT.search(message)
    path = at["path"].replace("[...]", "") if at else ""
    missing = _FIELD.search(message)
    if missing:
        param = f"{path}.{missing['field']}" if path else missing["field"]
        return ClientMistake(f"Missing required parameter: '{param}'.", "missing_required_parameter", param, event_id)
    complaint = _AT.sub("", message)
    return ClientMistake(f"Invalid type for '{path}': {complaint}." if path else f"{complaint}.", "invalid_type", path or None, event_id)


def unknown_key(raw: Any, shape: Any, path: str = "") -> str | None:
    """The path of the first key in `raw` that `shape` (a struct or a type made of structs) does not have, else None."""
    if isinstance(raw, list):
        inner = _inside(shape, list)
        found = (unknown_key(entry, inner, f"{path}[{i}]") for i, entry in enumerate(raw)) if inner else ()
        return next((place for place in found if place), None)
    struct = shape if _is_struct(shape) else _inside(shape, msgspec.Struct)
    if not isinstance(raw, dict) or struct is None:
        return None
    hints = typing.get_type_hints(struct)
    tag_field = struct.__struct_config__.tag_field
    for key, value in raw.items():
        place = f"{path}.{key}" if path else key
        if key not in hints and key != tag_field:
            return place
        if key in hints and (deeper := unknown_key(value, hints[key], place)):
            return deeper
    return None


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
