"""Frames that are no event, and the texts of those that are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from voice.policy.deeds import Fail, Garbage

NOT_JSON = "<html><body><h1>502 Bad Gateway</h1></body></html>"
"""What a proxy in between would say."""
_AN_EVENT: Mapping[str, Any] = {
    "type": "response.output_audio_transcript.delta",
    "event_id": "event_fault",
    "response_id": "resp_fault",
    "item_id": "item_fault",
    "output_index": 0,
    "content_index": 0,
    "delta": "words",
}
"""Made worse where there is no event at hand."""
_KEPT = ("type", "event_id")


@dataclass(frozen=True, slots=True)
class Send:
    """A text frame."""

    text: str


@dataclass(frozen=True, slots=True)
class Raw:
    """A frame with these bytes: a text frame, whether they are UTF-8 or not, or a binary one."""

    data: bytes
    text: bool


def event_text(event: Mapping[str, Any]) -> str:
    """An event as it is sent."""
    return msgspec.json.encode(event).decode()


def error_text(fail: Fail, event_id: str, about: str | None) -> str:
    """An `error` event with this id. `about`: the id of the client's event that it answers."""
    error = {"type": fail.type, "code": fail.code, "message": fail.message, "param": fail.param, "event_id": about}
    return event_text({"type": "error", "event_id": event_id, "error": error})


def rubbish(garbage: Garbage, message: str | bytes) -> Send | Raw:
    """A frame that is no event. `message`: the event at hand; empty if there is none."""
    if garbage.text is not None:
        return Send(garbage.text)
    text = message.decode(errors="replace") if isinstance(message, bytes) else message
    event = text or event_text(_AN_EVENT)
    match garbage.kind:
        case "not_json":
            return Send(NOT_JSON)
        case "truncated":
            return Send(event[: len(event) // 2])
        case "types":
            return Send(event_text(_other_types(event)))
        case "binary":
            return Raw(bytes(range(256)), text=False)
        case "utf8":
            # 0xFF is in no UTF-8 text (RFC 3629, 1).
            return Raw(b'{"type":"\xff\xfe', text=True)


def _other_types(event: str) -> dict[str, Any]:
    """An event of the same type whose every other value is of a wrong one."""
    try:
        read = msgspec.json.decode(event, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        read = dict(_AN_EVENT)
    return {name: value if name in _KEPT else _other_type(value) for name, value in read.items()}


def _other_type(value: Any) -> Any:
    match value:
        case str():
            return [7]
        case bool() | int() | float():
            return "seven"
        case None:
            return 7
        case _:
            return "seven"
