"""What an upstream's event says although it is not quite what its type says; used by `codec.py`.

Two things. Numbers that are written as words, words that are numbers, and null where there must be a value are understood or left out, so
that the rest of the event counts. And fields of items that are not known here are kept, under `extra`, so that a program that knows them finds them.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from voice.protocol.objects import EXTRA, Content, Item

MAX_MENDED = 64
"""Parts of one event; what differs in more is not what its type says."""
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
_EXPECTED = re.compile(r"^Expected `(?P<types>[^`]*)`")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_ITEM_FIELDS = frozenset(Item.__struct_encode_fields__)
_PART_FIELDS = frozenset(Content.__struct_encode_fields__)

E = TypeVar("E", bound=msgspec.Struct)


def converted(raw: Any, event: type[E]) -> E:
    """`raw` (which is changed) as this event. Raises: msgspec.ValidationError if it lacks what the event is about."""
    fold(raw)
    for _ in range(MAX_MENDED):
        try:
            return msgspec.convert(raw, event)
        except msgspec.ValidationError as exc:
            if not _mend(raw, str(exc)):
                raise
    return msgspec.convert(raw, event)


def _mend(raw: Any, complaint: str) -> bool:
    """Put right, or leave out, what the complaint is about; False if there is no such place."""
    at = _AT.search(complaint)
    if at is None:
        return False
    steps = [name or (int(index) if index.isdigit() else None) for name, index in _STEP.findall(at["path"])]
    if None in steps:
        # "[...]": a value of a dictionary, whose key msgspec does not tell. The dictionary goes.
        steps = steps[: steps.index(None)]
    inner = raw
    try:
        for step in steps[:-1]:
            inner = inner[step]
        expected = _EXPECTED.match(complaint)
        value = _understood(inner[steps[-1]], expected["types"].split(" | ") if expected else [])
        if value is None:
            del inner[steps[-1]]
        else:
            inner[steps[-1]] = value
    except (IndexError, KeyError, TypeError):
        # A key with a dot in it: the path does not lead there.
        return False
    return True


def _understood(value: Any, types: list[str]) -> Any:
    """The value in one of the types that were expected, if it can only mean that; None if it cannot."""
    if isinstance(value, str) and ("int" in types or "float" in types):
        try:
            value = float(value)
        except ValueError:
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if "float" in types:
        return float(value) if math.isfinite(value) else None
    if "int" in types:
        return round(value) if math.isfinite(value) and abs(value) < 2**53 else None
    return str(value) if "str" in types else None


def fold(raw: Any) -> None:
    """Move the fields of items that are not known here under one name, in place."""
    for item in _items(raw):
        _fold(item, _ITEM_FIELDS)
        content = item.get("content")
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict):
                _fold(part, _PART_FIELDS)


def _fold(fields: dict[str, Any], known: frozenset[str]) -> None:
    unknown = fields.keys() - known
    if EXTRA in fields or unknown:
        fields.pop(EXTRA, None)
        fields[EXTRA] = {name: fields.pop(name) for name in sorted(unknown)}


def unfold(value: Any) -> Any:
    """The opposite of `fold`, anywhere in `value`; a new value."""
    if isinstance(value, list):
        return [unfold(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    extra = value.get(EXTRA)
    known = {name: unfold(entry) for name, entry in value.items() if name != EXTRA}
    return {**extra, **known} if isinstance(extra, dict) else known


def _items(raw: Any) -> Iterator[dict[str, Any]]:
    """The items in an event."""
    if not isinstance(raw, dict):
        return
    response = raw.get("response")
    output = response.get("output") if isinstance(response, dict) else None
    for item in (raw.get("item"), *(output if isinstance(output, list) else ())):
        if isinstance(item, dict):
            yield item
