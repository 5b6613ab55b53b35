"""A key taken out of what a server says, should the server repeat it: in an error, in a refusal, in a close reason, in any event.

A short key (`any`, as test servers are given) is a word like others, and no secret: it is taken out only where a server would complain of a key,
or show it under a name that says that it is one.
"""

import json
import re
from typing import Any

import msgspec

MASK = "********"
LEAST_KEY = 16
"""Characters. No service gives out shorter keys (OpenAI's have 51 and more, Azure's 32)."""
_TROUBLE = ("error", "status_details")
"""What is under them tells of a failure, whatever it is."""
_REASONS = ("message", "reason")
"""So does a text of this name."""
_FREE = ("tools", "metadata")
"""What is under them is the client's own, whatever it is called."""
_SHOWN = re.compile(r"(?i)key|secret|token(?!s)|authorization|password")
"""Names of settings whose values are keys."""
_HINTS = (*_TROUBLE, *_REASONS, "session")
"""Without one of these words an event is not looked into: most are sound."""


class Redactor:
    """Takes a key out of texts, written as it is or in any way that JSON allows; a short one where it stands as a word of its own."""

    def __init__(self, key: str | None) -> None:
        escaped = json.dumps(key)[1:-1] if key else ""
        self._forms = tuple(sorted({key, escaped, escaped.replace("/", "\\/")}, key=len, reverse=True)) if key else ()
        self._word = _as_word(key) if key and len(key) < LEAST_KEY else None

    def clean(self, text: str) -> str:
        """A refusal, a close reason or the like, without the key."""
        return self._word.sub(MASK, text) if self._word is not None else self._everywhere(text)

    def clean_event(self, text: str) -> str:
        """An event without the key; a short key is taken out only of what tells a failure, or a key."""
        return self._errors(text, self._word) if self._word is not None else self._everywhere(text)

    def clean_bytes(self, data: bytes) -> bytes:
        """A binary message; a short key stays in it."""
        if self._word is not None:
            return data
        for form in self._forms:
            data = data.replace(form.encode(), MASK.encode())
        return data

    def _everywhere(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return self._unescaped(text) if self._forms and "\\u" in text else text

    def _unescaped(self, text: str) -> str:
        r"""The key may hide behind escapes: \u0073k-..."""
        try:
            plain = msgspec.json.encode(msgspec.json.decode(text)).decode()
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return text
        cleaned = plain
        for form in self._forms:
            cleaned = cleaned.replace(form, MASK)
        return text if cleaned == plain else cleaned

    def _errors(self, text: str, word: re.Pattern[str]) -> str:
        """An `error`, or what tells of a failure in another event: a response or a transcript that failed. And settings that are keys."""
        if not ("\\" in text or (any(hint in text for hint in _HINTS) and any(form in text for form in self._forms))):
            return text
        try:
            event = msgspec.json.decode(text)
            cleaned = _masked(event, word, isinstance(event, dict) and event.get("type") == "error")
            if isinstance(event, dict) and isinstance(event.get("session"), dict):
                cleaned["session"] = _without_keys(cleaned["session"], word)
            return text if cleaned == event else msgspec.json.encode(cleaned).decode()
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return text


def _as_word(key: str) -> re.Pattern[str]:
    before, behind = r"(?<!\w)" if re.match(r"\w", key) else "", r"(?!\w)" if re.search(r"\w\Z", key) else ""
    return re.compile(before + re.escape(key) + behind)


def _masked(value: Any, word: re.Pattern[str], told: bool) -> Any:
    """`told`: this is of a failure, whose texts are masked. Its type and `event_id` are none of its words."""
    match value:
        case dict():
            return {
                key: inner if _untouched(key, told) else _masked(inner, word, told or _tells(key, inner)) for key, inner in value.items()
            }
        case list():
            return [_masked(inner, word, told) for inner in value]
        case str() if told:
            return word.sub(MASK, value)
        case _:
            return value


def _untouched(name: str, told: bool) -> bool:
    return name in ("type", "event_id") or (name in _FREE and not told)


def _tells(name: str, value: Any) -> bool:
    return name in _TROUBLE or (name in _REASONS and isinstance(value, str))


def _without_keys(settings: dict[str, Any], word: re.Pattern[str]) -> dict[str, Any]:
    return {name: _masked(value, word, True) if _SHOWN.search(name) else value for name, value in settings.items()}
