"""Every field of every published model is in our struct, down to the innermost object: one that is missing would be lost, or refused."""

import typing
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.support.needs import needs
from tests.support.oracle import EXTENSIONS, models
from voice.protocol import objects
from voice.protocol.foreign import SERVER_EVENTS
from voice.protocol.objects import EXTRA
from voice.protocol.requests import CLIENT_EVENTS

ADDED = {
    "Session": {"id", "object", "expires_at"},  # the server adds them, and clients send a session back as they got it
    "Item": {"phase"},  # recorded from the service; its models lack it
    "OutputTokens": {"reasoning_tokens"},  # the same
    "Audio": {"input"},  # one struct serves a session and a response, which has output only
    "AudioOutput": {"speed"},  # the same
}
"""Fields of ours that the models do not have."""
OMITTED: dict[str, set[str]] = {}
"""Fields of the models that we do not have: none."""


def structs_in(hint: Any) -> set[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return {hint}
    return set().union(*(structs_in(part) for part in typing.get_args(hint)))


def models_in(hint: Any) -> set[Any]:
    from pydantic import BaseModel

    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return {hint}
    return set().union(*(models_in(part) for part in typing.get_args(hint)))


def pairs(theirs: set[Any], ours: set[type[msgspec.Struct]], path: str) -> Iterator[tuple[str, set[Any], type[msgspec.Struct]]]:
    """Each struct with the models that it stands for, and where."""
    for struct in ours:
        yield path, theirs, struct
        for name, hint in typing.get_type_hints(struct).items():
            inner = set().union(*(models_in(model.model_fields[name].annotation) for model in theirs if name in model.model_fields))
            if inner and (structs := structs_in(hint)):
                yield from pairs(inner, structs, f"{path}.{name}")


def every_pair() -> list[tuple[str, set[Any], type[msgspec.Struct]]]:
    found = []
    for side, events in (("server", SERVER_EVENTS), ("client", CLIENT_EVENTS)):
        for event in events:
            tag = str(event.__struct_config__.tag)
            found += list(pairs({models(side)[tag]}, {event}, tag))
    return found


@needs("openai")
def test_every_field_of_every_model_is_in_our_struct() -> None:
    seen = set()
    for path, theirs, struct in every_pair():
        wire = {name for name in struct.__struct_encode_fields__ if name != EXTRA}
        wanted = set().union(*(set(model.model_fields) for model in theirs)) - ({"type"} if struct.__struct_config__.tag else set())
        if "dtmf" in path:
            wanted.add("event_id")  # every event of ours has one; this one of the service has none
        assert wanted - wire == OMITTED.get(struct.__name__, set()), path
        assert wire - wanted <= ADDED.get(struct.__name__, set()) | set(EXTENSIONS.get(path, ())), path
        seen.add(struct.__name__)
    assert {"Session", "Item", "Content", "Response", "ResponseParams", "TurnDetection", "Truncation", "Tracing", "TokenLimits"} < seen
    assert {struct.__name__ for struct in _structs_of_objects()} <= seen


def _structs_of_objects() -> list[type[msgspec.Struct]]:
    return [
        value
        for value in vars(objects).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not msgspec.Struct
    ]


@needs("openai")
def test_the_kinds_of_values_are_those_of_the_models() -> None:
    """A number where the service has a number, and so on: what a model takes, ours takes."""
    plain = {str: "str", int: "int", float: "float", bool: "bool"}
    for path, theirs, struct in every_pair():
        hints = typing.get_type_hints(struct)
        for model in theirs:
            for name, field in model.model_fields.items():
                if name not in hints:
                    continue
                wanted = {plain[kind] for kind in _plain_kinds(field.annotation) if kind in plain}
                ours = {plain[kind] for kind in _plain_kinds(hints[name]) if kind in plain} | ({"str"} if hints[name] is bytes else set())
                assert wanted <= ours | ({"int"} if "float" in ours else set()), (path, name, wanted, ours)


def _plain_kinds(hint: Any) -> set[Any]:
    """The scalar types that a hint takes by itself, not inside a list."""
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return {type(value) for value in typing.get_args(hint)}
    if origin in (list, dict):
        return set()
    arguments = typing.get_args(hint)
    return set().union(*(_plain_kinds(part) for part in arguments)) if arguments else {hint}


def test_absent_null_and_a_value_are_three_things() -> None:
    absent, null, some = (
        msgspec.json.decode(text, type=objects.AudioInput) for text in ("{}", '{"turn_detection":null}', '{"turn_detection":{}}')
    )
    assert absent.turn_detection is msgspec.UNSET and null.turn_detection is None
    assert some.turn_detection == objects.TurnDetection("server_vad")
    assert [msgspec.json.encode(one) for one in (absent, null)] == [b"{}", b'{"turn_detection":null}']


@pytest.mark.parametrize("struct", _structs_of_objects(), ids=lambda struct: struct.__name__)
def test_objects_are_frozen(struct: type[msgspec.Struct]) -> None:
    assert struct.__struct_config__.frozen
