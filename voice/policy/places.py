"""Where the keys of a TOML text stand: line numbers for who is told of a mistake in it.

`tomllib` gives values without places. This reads the same text once more and only so far: table headers, keys at the beginning of a statement,
and the keys of inline tables in its value, over strings, comments and brackets. It is for texts that `tomllib` has read; of any other it says
something or nothing, and never raises.
"""

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]
"""The way to a value: ("fault", 2, "on", "event") is the key `event` of `on` in the third [[fault]]."""

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r]+)
    | (?P<comment>\#[^\n]*)
    | (?P<line>\n)
    | (?P<text>\"\"\"(?:[^\\]|\\.)*?\"{3,5}|'''.*?'{3,5}|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')
    | (?P<word>[A-Za-z0-9_+:-]+)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")

_Token = tuple[str, str, int]
"""Kind, text, line."""


def places(text: str) -> Mapping[Path, int]:
    """The line of every key and table, from 1; of an array of tables also that of each entry."""
    return _Reader(text).found


def last_key(text: str) -> tuple[Path, int]:
    """The key or table of the last statement, and the line above it on which it is given already; if it is not, what it is in (at last ())."""
    reader = _Reader(text)
    key = reader.last
    while key and reader.found.get(key, reader.last_line) >= reader.last_line:
        key = key[:-1]
    return key, reader.found.get(key, 1)


def long_number(text: str, digits: int) -> int | None:
    """The line of the first number with more digits than these; None: there is none."""
    words = (token for token in _tokens(text) if token[0] == "word" and token[1].lstrip("+-")[:1].isdigit())
    return next((line for _, word, line in words if sum(map(str.isdigit, word)) > digits), None)


class _Reader:
    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {}
        self.last: Path = ()
        """What the last statement gave, or began, and its line."""
        self.last_line = 1
        self._counts: dict[Path, int] = {}
        self._table: Path = ()
        self._tokens = _tokens(text)
        self._at = 0
        while self._at < len(self._tokens):
            self._statement()

    def _statement(self) -> None:
        """One header, one key with its value, or an empty line."""
        kind, sign, line = self._tokens[self._at]
        if kind != "line":
            self.last_line = line
        if kind == "line":
            self._at += 1
        elif sign == "[":
            double = self._sign(self._at + 1) == "["
            self._at += 2 if double else 1
            self._header(self._key(), line, double)
            self._rest_of_line()
        elif kind in ("word", "text"):
            self.last = self._pair(self._table)
            self._rest_of_line()
        else:
            self._rest_of_line()

    def _header(self, names: Path, line: int, double: bool) -> None:
        for end in range(1, len(names)):
            self.found.setdefault(self._inside(names[:end]), line)
        path = self._inside(names[:-1]) + names[-1:]
        self.found.setdefault(path, line)
        if double:
            number = self._counts.get(path, 0)
            self._counts[path] = number + 1
            path = (*path, number)
            self.found[path] = line
        else:
            path = self._inside(names)
        self._table = self.last = path

    def _inside(self, names: Path) -> Path:
        """The way to a table as a header names it: of an array, its last entry is meant."""
        path: Path = ()
        for name in names:
            path = (*path, name)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, table: Path) -> Path:
        line = self._tokens[self._at][2]
        path = table
        for name in self._key():
            path = (*path, name)
            self.found.setdefault(path, line)
        if self._sign(self._at) == "=":
            self._at += 1
            self._value(path)
        return path

    def _key(self) -> Path:
        """`a.b."c d"`: its names."""
        names: list[str] = []
        while self._at < len(self._tokens):
            kind, text, _ = self._tokens[self._at]
            if kind == "text":
                names.append(_unquoted(text))
            elif kind == "word":
                names.append(text)
            elif text != ".":
                break
            self._at += 1
        return tuple(names)

    def _value(self, path: Path) -> None:
        opening = self._sign(self._at)
        if opening not in ("{", "["):
            # A number or a time may be several tokens.
            while self._at < len(self._tokens) and self._tokens[self._at][0] != "line" and self._sign(self._at) not in (",", "]", "}"):
                self._at += 1
            return
        self._at += 1
        number = 0
        while self._at < len(self._tokens):
            kind, sign, line = self._tokens[self._at]
            if sign == ("}" if opening == "{" else "]") and kind == "sign":
                self._at += 1
                return
            if kind == "line" or sign == ",":
                self._at += 1
            elif opening == "{":
                before = self._at
                self._pair(path)
                self._at = max(self._at, before + 1)
            else:
                before = self._at
                self.found[(*path, number)] = line
                self._value((*path, number))
                self._at = max(self._at, before + 1)
                number += 1

    def _rest_of_line(self) -> None:
        while self._at < len(self._tokens) and self._tokens[self._at][0] != "line":
            self._at += 1

    def _sign(self, at: int) -> str:
        return self._tokens[at][1] if at < len(self._tokens) and self._tokens[at][0] == "sign" else ""


def _tokens(text: str) -> list[_Token]:
    tokens, line = [], 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind not in ("space", "comment"):
            tokens.append((kind, match[0], line))
        line += match[0].count("\n")
    return tokens


def _unquoted(text: str) -> str:
    """The name in quotation marks."""
    if text.startswith("'"):
        return text[1:-1]
    return _ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)), text[1:-1]).replace('\\"', '"').replace("\\\\", "\\")
