"""What the decoder says about a client's event, in the words of the service: no name of a Python type reaches a client."""

import re

import msgspec

_AT = re.compile(r" - at `(?P<key>key in )?\$\.?(?P<path>[^`]*)`")
_FIELD = re.compile(r"missing required field `(?P<field>[^`]*)`")
_TYPES = re.compile(r"^Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`$")
_HALF = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")
_NAMES = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "object": "an object",
    "array": "an array",
    "null": "null",
    "bytes": "a base64 string",
}
_PLAIN = {
    "Invalid base64 encoded string": "expected base64-encoded audio",
    "Integer value out of range": "the integer is too large",
    "Number out of range": "the number is too large",
}
NOT_JSON = "We could not parse the JSON of this event"
SHOWN_LETTERS = 200


def complaint(exc: Exception, text: str | bytes = "") -> tuple[str, str, str | None]:
    """(sentence, code, path of the parameter) for what msgspec raised over `text`."""
    if isinstance(exc, RecursionError):
        return f"{NOT_JSON}: it is nested too deeply.", "invalid_json", None
    if isinstance(exc, UnicodeError):
        return f"{NOT_JSON}: it is not valid UTF-8.", "invalid_json", None
    message = str(exc)
    if not isinstance(exc, msgspec.ValidationError):
        reason = message.removeprefix("JSON is malformed: ").rstrip(".")
        if "surrogate" in message or _has_half(text if isinstance(text, str) else text.decode(errors="replace")):
            # msgspec calls a text "truncated" in which the second half of a pair is missing.
            reason = "it is not valid Unicode, half of a \\u pair stands alone"
        return f"{NOT_JSON}: {reason}.", "invalid_json", None
    at = _AT.search(message)
    path = at["path"].replace("[...]", "") if at else ""
    if missing := _FIELD.search(message):
        param = f"{path}.{missing['field']}" if path else missing["field"]
        return f"Missing required parameter: '{param}'.", "missing_required_parameter", param
    why = _AT.sub("", message)
    if path == "type" and why.startswith("Invalid value '"):
        # The decoder was chosen by the last of them.
        return "Invalid value for 'type': there are two in this event, and they differ.", "invalid_value", path
    if types := _TYPES.match(why):
        why = f"expected {_listed(types['wanted'])}, but got {_name(types['got'])} instead"
    else:
        why = _PLAIN.get(why, "the value cannot be read")
    if not path:
        return f"Invalid type for the event: {why}.", "invalid_type", None
    # The service calls audio that is no base64 an invalid value, and everything else of the wrong kind an invalid type.
    code = "invalid_value" if why == _PLAIN["Invalid base64 encoded string"] else "invalid_type"
    return f"Invalid {'value' if code == 'invalid_value' else 'type'} for '{path[:SHOWN_LETTERS]}': {why}.", code, path


def _has_half(text: str) -> bool:
    """Whether the first half of a pair of escapes stands alone; behind an even number of backslashes it is no text about one."""
    for half in _HALF.finditer(text):
        start = half.start()
        while start and text[start - 1] == "\\":
            start -= 1
        if (half.start() - start) % 2 == 0:
            return True
    return False


def _name(kind: str) -> str:
    return _NAMES.get(kind, "another kind of value")


def _listed(kinds: str) -> str:
    """ "a string, an object or null", without one named twice."""
    names = list(dict.fromkeys(_name(kind) for kind in kinds.split(" | ")))
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
