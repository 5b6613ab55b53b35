"""What came of a call, for the ear: the output of a client's function, text or JSON, as sentences. Pure; any text is taken."""

import ast
import json
import warnings
from collections.abc import Sequence
from typing import Any

from voice.engines import korean
from voice.engines.arguments import name_words
from voice.engines.base import Said
from voice.engines.sentences import sentences
from voice.engines.wording import say

LONGEST = 1_000
"""Letters that are read aloud: about a minute. More is no pleasure to hear."""
LONGEST_LITERAL = 20_000
"""Letters of a Python literal that is read."""
MOST = 8
"""Fields of an object, or entries of a list, that are read aloud."""
_WRAPPERS = frozenset({"result", "results", "output", "answer", "response", "text", "message", "value", "data", "content"})
"""Names that say nothing, where an object has but one field."""


def told(outputs: Sequence[str]) -> list[Said]:
    """The outputs of the calls that were made last, in their order; at least one sentence."""
    said: list[Said] = []
    left = LONGEST
    for output in outputs:
        text = _text(output)
        for sentence in sentences(text) if text else []:
            if left <= 0:
                break
            cut = sentence if len(sentence) <= left else sentence[:left].rsplit(" ", 1)[0] + " and so on."
            left -= len(cut)
            said.append(Said(cut, "ko" if korean.is_korean(cut) else "en"))
    return said or [say("tool_done")]


def _text(output: str) -> str:
    """An output as text; "" if it says nothing but that the work is done."""
    try:
        value = _value(output)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return output.strip()
    try:
        if isinstance(value, dict) and len(value) == 1:
            [(name, only)] = value.items()
            if name.isascii() and name.lower() not in {*_WRAPPERS, "error"} and not isinstance(only, dict | list) and _inner(only):
                return _closed(say("tool_is", field=_label(name), value=_inner(only)).text)
        return _closed(_spoken(value))
    except RecursionError:
        return ""


def _value(output: str) -> Any:
    """What an output is made of. Raises: ValueError, SyntaxError, RecursionError, MemoryError if it is text."""
    try:
        return json.loads(output)
    except ValueError:
        if output.lstrip()[:1] not in ("{", "[", "(") or len(output) > LONGEST_LITERAL:
            raise
        # Clients written in Python often send `str` of what a function gave: {'sky': 'clear'}.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            literal = ast.literal_eval(output.strip())
        return json.loads(json.dumps(literal, skipkeys=True, default=str))


def _spoken(value: Any) -> str:
    if value in (None, "", {}, []):
        return ""
    match value:
        case bool():
            return say("tool_yes" if value else "tool_no").text
        case dict():
            return _object(value)
        case list():
            return _list(value)
    return str(value).strip()


def _object(fields: dict[str, Any]) -> str:
    [(name, only), *more] = fields.items()
    if not more and name.lower() in _WRAPPERS:
        return _spoken(only)
    error = fields.get("error")
    if error and not isinstance(error, bool):
        return say("tool_error", text=_spoken(error)).text
    return ", ".join(_cut([f"{_label(name)}: {_inner(value)}" for name, value in fields.items() if _inner(value)]))


def _list(values: list[Any]) -> str:
    if any(isinstance(value, dict) for value in values):
        return " ".join(_closed(text) for text in _cut([_spoken(value) for value in values]))
    texts = _cut([text for value in values if (text := _inner(value))])
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


def _inner(value: Any) -> str:
    """A value within an object or a list; no sentence of its own."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _spoken(value)


def _cut(texts: list[str]) -> list[str]:
    return texts if len(texts) <= MOST else [*texts[:MOST], f"{len(texts) - MOST} more"]


def _label(name: str) -> str:
    """The name of a field as words: feels_like, feelsLike."""
    return " ".join(name_words(name)) or name


def _closed(text: str) -> str:
    """With a mark at its end."""
    return text if not text or text[-1] in ".!?…。" else f"{text}."
