"""The typed models of the `openai` package as an independent judge of what we send.

Stricter than that package is at run time: no value is coerced, and a field that a model does not know is an error.
"""

import functools
import json
import typing
from typing import Any

from tests.support.needs import skip_without

EXTENSIONS = {"conversation.item.truncated": {"transcript": str, "estimated": bool}}
"""Our own fields, where the official models allow unknown ones (docs/api.md): all of them or none."""


@functools.cache
def models(side: str, beta: bool = False) -> dict[str, Any]:
    """The model of each event type; `side` is "server" or "client"; `beta`: of the protocol before today's."""
    skip_without("openai")
    from openai.types import realtime
    from openai.types.beta import realtime as older

    of: Any = older if beta else realtime
    union: Any = of.RealtimeServerEvent if side == "server" else of.RealtimeClientEvent
    while typing.get_origin(union) is typing.Annotated:
        union = typing.get_args(union)[0]
    found = {}
    for model in typing.get_args(union):
        if (kind := model.model_fields.get("type")) is not None:
            found[typing.get_args(kind.annotation)[0]] = model
    return found


@functools.cache
def _adapter(side: str, kind: str, beta: bool) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(models(side, beta)[kind])


def judge(side: str, text: str, beta: bool = False) -> None:
    """Raises: AssertionError with the model's complaint if `text` is not exactly an event of that side."""
    from pydantic import ValidationError

    event = json.loads(text)
    kind = event["type"]
    assert kind in models(side, beta), f"no {side} event {kind!r}"
    ours = {name: event.pop(name) for name in EXTENSIONS.get(kind, ()) if side == "server" and name in event}
    assert not ours or {name: type(value) for name, value in ours.items()} == EXTENSIONS[kind], f"{text}\nour own fields: {ours}"
    try:
        _adapter(side, kind, beta).validate_json(json.dumps(_known(event)), strict=True, extra="forbid")
    except ValidationError as exc:
        raise AssertionError(f"{text}\n{exc}") from None


def _known(event: dict[str, Any]) -> dict[str, Any]:
    """Without what the service sends and its models lack (a session's id), and at the one rate that they know."""
    session = event.get("session")
    if isinstance(session, dict):
        event["session"] = {name: value for name, value in session.items() if name not in {"id", "object", "expires_at"}}
    return {name: _at_24_khz(value) for name, value in event.items()}


def _at_24_khz(value: Any) -> Any:
    if isinstance(value, list):
        return [_at_24_khz(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "audio/pcm":
        return {**value, "rate": 24_000}
    return {name: _at_24_khz(entry) for name, entry in value.items()}


def fields(side: str, kind: str) -> dict[str, bool]:
    """The fields of an event type, and whether each must be there; without `type`."""
    return {name: field.is_required() for name, field in models(side)[kind].model_fields.items() if name != "type"}
