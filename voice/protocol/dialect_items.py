"""What stands in events of a dialect: items, usages, errors and their names, changed in place on JSON objects."""

from collections.abc import Callable, Iterator
from typing import Any

from voice.protocol.dialect_parts import Names
from voice.protocol.dialect_told import Event

NEW_CONTENT: Names = {"text": "output_text", "audio": "output_audio"}
OLD_CONTENT: Names = {"output_text": "text", "output_audio": "audio"}
_COUNTS = ("total_tokens", "input_tokens", "output_tokens")
_DETAILS = {
    "input_token_details": ("text_tokens", "audio_tokens", "cached_tokens"),
    "output_token_details": ("text_tokens", "audio_tokens"),
}
"""What every service tells of tokens."""
_NAMES = ("event_id", "item_id", "response_id", "previous_item_id", "call_id")


def items_of(event: Event) -> Iterator[Event]:
    """The items in an event."""
    response = event.get("response")
    inside = response if isinstance(response, dict) else {}
    for items in ([event.get("item")], inside.get("output"), inside.get("input")):
        yield from (item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()


def rename_contents(event: Event, names: Names) -> None:
    """The types of what an assistant says, in every item of the event."""
    for item in items_of(event):
        if item.get("role") == "assistant":
            for part in parts_of(item):
                if (renamed := names.get(str(part.get("type")))) is not None:
                    part["type"] = renamed


def parts_of(item: Event) -> list[Event]:
    """The parts of a message."""
    content = item.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def rewrite_sounds(event: Event, user: Callable[[str], str], assistant: Callable[[str], str]) -> None:
    """The sounds in the items of an event, each in another form."""
    for item in items_of(event):
        for part in parts_of(item):
            if isinstance(part.get("audio"), str):
                part["audio"] = (assistant if item.get("role") == "assistant" else user)(part["audio"])


def strip(event: Event, extras: frozenset[str]) -> None:
    """Take out what says nothing to a client of today: fields of a service's own, and a role of what is no message."""
    for fields in (event, *items_of(event)):
        for name in extras & fields.keys():
            del fields[name]
    for item in items_of(event):
        if item.get("type") != "message":
            item.pop("role", None)
        for part in parts_of(item):
            for name in extras & part.keys():
                del part[name]


def readable(event: Event) -> None:
    """Take out names and numbers that are none: nothing can be found under them."""
    for fields in (event, event.get("item"), event.get("response")):
        if isinstance(fields, dict):
            for name in (*_NAMES, *(("id",) if fields is not event else ())):
                if name in fields and fields[name] is not None and not isinstance(fields[name], str):
                    del fields[name]
    for name in ("content_index", "output_index"):
        if name in event and type(event[name]) is not int:
            del event[name]


def our_usage(usage: Any, extras: frozenset[str]) -> Any:
    """A response's usage as today's protocol has it; null where nothing is told."""
    if not isinstance(usage, dict) or not usage:
        return None
    details = {name: usage[name] for name in _DETAILS if isinstance(usage.get(name), dict)}
    inner = {name: {key: value for key, value in counts.items() if key not in extras} for name, counts in details.items()}
    return {**{name: value for name, value in usage.items() if name not in extras}, **inner}


def their_usage(usage: Any) -> Any:
    """The counts of a usage that every dialect knows."""
    if not isinstance(usage, dict):
        return usage
    details = {
        name: {key: usage[name][key] for key in keys if key in usage[name]}
        for name, keys in _DETAILS.items()
        if isinstance(usage.get(name), dict)
    }
    return {**{name: usage[name] for name in _COUNTS if name in usage}, **details}


def rename_error(event: Event, rename: Callable[[str], str]) -> None:
    """The path of what an error is about, also where its message says it."""
    error = event.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("param"), str):
        return
    old = error["param"]
    error["param"] = rename(old)
    if isinstance(error.get("message"), str):
        error["message"] = error["message"].replace(f"'{old}'", f"'{error['param']}'")


def error_event(event_id: str, message: str, code: str, param: str | None, cause: Any) -> Event:
    """An error of ours; `cause` is the `event_id` of the client's event."""
    error = {"type": "invalid_request_error", "code": code, "message": message, "param": param}
    return {"type": "error", "event_id": event_id, "error": {**error, "event_id": cause if isinstance(cause, str) else None}}
