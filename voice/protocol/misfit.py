"""Why the arguments of a call do not fit a function: a sentence for the model that wrote them, which may then write better ones.

It names the argument, what it must be and what it was. Pure; used by `signature.py`.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_AT = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
_FIELD = re.compile(r"(?P<how>missing required|unknown) field `(?P<field>[^`]*)`")
_TYPES = re.compile(r"^Expected `(?P<wanted>[^`]*)`(?:, got `[^`]*`)?(?P<bound> .*)?$")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_NAMES = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "an array",
    "null": "null",
    "bytes": "a base64 string",
}
SHOWN_LETTERS = 80
"""Of a value in a sentence about it."""


def misfit(exc: Exception, text: str, schema: Mapping[str, Any]) -> tuple[str, str | None]:
    """(sentence, path of the argument) for what msgspec raised over `text`, the arguments of a function with this schema."""
    if isinstance(exc, RecursionError):
        return "The arguments are nested too deeply.", None
    if not isinstance(exc, msgspec.ValidationError):
        reason = "they are not valid Unicode" if isinstance(exc, UnicodeError) else str(exc).removeprefix("JSON is malformed: ")
        return f"The arguments are not valid JSON: {reason[:1].lower()}{reason[1:]}.", None
    message = str(exc)
    at = _AT.search(message)
    path = at["path"] if at else ""
    why = message[: at.start()] if at else message
    if found := _FIELD.search(why):
        path = f"{path}.{found['field']}" if path else found["field"]
        if found["how"] != "unknown":
            return f"The argument '{path}' is missing.", path
        known = "" if at else _listed(schema.get("properties", {}), "; the arguments are ", " (there are no arguments)")
        return f"There is no argument '{path[:SHOWN_LETTERS]}'{known}.", path
    if not path:
        return "The arguments must be a JSON object, one value for each argument by its name.", None
    wanted = _wanted(why, schema, path)
    return f"The argument '{path[:SHOWN_LETTERS]}' {wanted}; it was {_shown(text, path)}.", path


def _wanted(why: str, schema: Mapping[str, Any], path: str) -> str:
    """What must be there."""
    choices = schema.get("properties", {}).get(path, {}).get("enum")
    if isinstance(choices, list):
        return f"must be {' or '.join(msgspec.json.encode(choice).decode() for choice in choices)}"
    types = _TYPES.match(why)
    if types is None:
        return f"does not fit ({why[:1].lower()}{why[1:].replace('`', '')})"
    bound = (types["bound"] or "").replace("`", "'")
    return "must be " + " or ".join(_NAMES.get(name, f"a {name}") for name in types["wanted"].split(" | ")) + bound


def _shown(text: str, path: str) -> str:
    """The value at that path, as far as it can be found; as it stood there if it is a number that no float can hold."""
    raw = msgspec.Raw(text.encode())
    try:
        for name, index in _STEP.findall(path):
            raw = (
                msgspec.json.decode(raw, type=dict[str, msgspec.Raw])[name]
                if name
                else msgspec.json.decode(raw, type=list[msgspec.Raw])[int(index)]
            )
        stood = bytes(raw).decode()
    except (ValueError, KeyError, IndexError, RecursionError):
        return "something else"
    try:
        shown = msgspec.json.encode(msgspec.json.decode(stood)).decode()
    except (ValueError, RecursionError):
        shown = stood
    return shown[:SHOWN_LETTERS]


def _listed(names: Mapping[str, Any], before: str, none: str) -> str:
    return before + ", ".join(f"'{name}'" for name in names) if names else none
