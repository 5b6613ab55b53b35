"""The typed models of the `openai` package as an independent judge of what we send.

Stricter than that package is at run time: no value is coerced, and a field that a model does not know is an error.
"""

import functools
import typing
from typing import Any

from tests.support.needs import skip_without


@functools.cache
def models(side: str) -> dict[str, Any]:
    """The model of each event type; `side` is "server" or "client"."""
    skip_without("openai")
    from openai.types import realtime

    union: Any = realtime.RealtimeServerEvent if side == "server" else realtime.RealtimeClientEvent
    while typing.get_origin(union) is typing.Annotated:
        union = typing.get_args(union)[0]
    found = {}
    for model in typing.get_args(union):
        if (kind := model.model_fields.get("type")) is not None:
            found[typing.get_args(kind.annotation)[0]] = model
    return found


@functools.cache
def _adapter(side: str, kind: str) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(models(side)[kind])


def judge(side: str, text: str) -> None:
    """Raises: AssertionError with the model's complaint if `text` is not exactly an event of that side."""
    import json

    from pydantic import ValidationError

    kind = json.loads(text)["type"]
    assert kind in models(side), f"no {side} event {kind!r}"
    try:
        _adapter(side, kind).validate_json(text, strict=True, extra="forbid")
    except ValidationError as exc:
        raise AssertionError(f"{text}\n{exc}") from None


def fields(side: str, kind: str) -> dict[str, bool]:
    """The fields of an event type, and whether each must be there; without `type`."""
    return {name: field.is_required() for name, field in models(side)[kind].model_fields.items() if name != "type"}
