"""A key taken out of what a server says, should the server repeat it: in an error, in a refusal, in a close reason."""

import json

import msgspec

MASK = "********"


class Redactor:
    """Takes a key out of texts, written as it is or in any way that JSON allows."""

    def __init__(self, key: str | None) -> None:
        escaped = json.dumps(key)[1:-1] if key else ""
        self._forms = tuple(sorted({key, escaped, escaped.replace("/", "\\/")}, key=len, reverse=True)) if key else ()

    def clean(self, text: str) -> str:
        """The text without the key."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return self._unescaped(text) if self._forms and "\\u" in text else text

    def clean_bytes(self, data: bytes) -> bytes:
        """The same for a binary message."""
        for form in self._forms:
            data = data.replace(form.encode(), MASK.encode())
        return data

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
