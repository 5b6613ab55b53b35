"""A TOML file that a person wrote, as a typed value: every mistake in it is named by file, line and key.

`tomllib` reads, `msgspec` checks, and `places.py` finds the lines, where there is something to tell.
"""

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from voice.errors import ConfigError
from voice.policy.places import Path as Place
from voice.policy.places import last_key, long_number, places

T = TypeVar("T", bound=msgspec.Struct)
LARGEST_BYTES = 1 << 20
LARGEST_BITS = 1024
"""Of a whole number in JSON; a float holds no larger one."""
NO_TEXT = "a text has half of a surrogate pair in it, which is no character"
MOST_DIGITS = 4300
"""Of a whole number, that Python reads (sys.int_info)."""
_NAMES = {
    "object": "table",
    "array": "list",
    "str": "text",
    "bool": "true or false",
    "int": "whole number",
    "float": "number",
    " | null": "",
}
"""What msgspec calls otherwise than people who write TOML."""
_KINDS = re.compile(r"\b(?:object|array|str|bool|int|float)\b| \| null")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """What a file says, and where."""

    value: T
    name: str
    """The file's, for messages."""
    text: str | None
    """None: it was no text, but values of a program; then mistakes are named by where they stand in these."""

    def mistake(self, what: str, *place: str | int) -> ConfigError:
        """What to raise about the value at this place."""
        return _error(_where(self.name, self.text, place), what)


def read_table(given: bytes | str | Mapping[str, Any], name: str, kind: type[T]) -> Table[T]:
    """A file's content, or what it would be read as, as a struct that forbids unknown fields. Raises: ConfigError."""
    text, values = (None, given) if isinstance(given, Mapping) else read_toml(given, name)
    if text is None:
        writable(values, name)
    try:
        return Table(msgspec.convert(values, kind, strict=True), name, text)
    except msgspec.ValidationError as exc:
        raise _refused(str(exc), name, text, kind) from None


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One table of a file that holds others too."""

    value: T
    name: str
    """The file's."""
    text: str
    place: Place
    """Where it stands in the file."""

    @property
    def where(self) -> str:
        """File and line."""
        return _where(self.name, self.text, self.place)

    def mistake(self, what: str, *place: str | int) -> ConfigError:
        """What to raise about the value at this place in it."""
        return _error(_where(self.name, self.text, (*self.place, *place)), what)


def entries(values: Mapping[str, Any], name: str, text: str, table: str, kind: type[T]) -> dict[str, Entry[T]]:
    """The tables `[table.NAME]` of a file that has been read, by name. Raises: ConfigError."""
    given = values.get(table, {})
    if not isinstance(given, dict):
        raise ConfigError(f"{_where(name, text, (table,))}: {table} is not a value, but tables: [{table}.NAME]")
    found = {}
    for key, value in given.items():
        try:
            found[key] = Entry(msgspec.convert(value, kind, strict=True), name, text, (table, key))
        except msgspec.ValidationError as exc:
            raise _refused(str(exc), name, text, kind, (table, key)) from None
    return found


def read_toml(raw: bytes | str, name: str) -> tuple[str, dict[str, Any]]:
    """A file's content as text, and its values. Raises: ConfigError."""
    text = _text(raw, name)
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise _no_toml(str(exc), text, name) from None
    except ValueError:
        what = f"a number has {MOST_DIGITS} digits at most"
        raise ConfigError(f"{name}:{long_number(text, MOST_DIGITS) or 1}: {what}") from None
    except RecursionError:
        raise ConfigError(f"{name}:1: this is not TOML that can be read: it is too deep") from None


def _no_toml(said: str, text: str, name: str) -> ConfigError:
    """What tomllib said, with the line; of a key that is given again also which one."""
    found = re.search(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", said)
    what, lines = (found[1] if found else said), text.split("\n")
    line = int(found[2]) if found and found[2] else len(text.splitlines()) if found else 1
    if re.match(r"Cannot (overwrite|declare) ", what):
        end = int(found[3]) - 1 if found and found[3] else None
        key, first = last_key("\n".join((*lines[: line - 1], lines[line - 1][:end])))
        if key:
            names = ".".join(step for step in key if isinstance(step, str))
            return _error(f"{name}:{line}", f"'{names[:80]}' is given already, on line {first}")
    return ConfigError(f"{name}:{line}: this is not TOML: {what}")


def _text(raw: bytes | str, name: str) -> str:
    if len(raw) > LARGEST_BYTES:
        raise ConfigError(f"'{name}' is too large: such a file has {LARGEST_BYTES} bytes at most")
    try:
        if isinstance(raw, bytes):
            return raw.decode("utf-8-sig")
        raw.encode()
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise ConfigError(f"{name}:{line}: this is not UTF-8") from None
    except UnicodeEncodeError as exc:
        line = exc.object[: exc.start].count("\n") + 1
        raise ConfigError(f"{name}:{line}: {NO_TEXT}") from None
    return raw


def writable(values: Any, name: str, place: Place = ()) -> None:
    """Objects of a program. Raises: ConfigError for a text that UTF-8 has no bytes for, which no file can hold and no client be sent."""
    try:
        if (bad := next(_surrogates(values, place), None)) is not None:
            raise _error(_where(name, None, bad), NO_TEXT)
    except RecursionError:
        raise ConfigError(f"{name}: it is too deep") from None


def _surrogates(value: Any, place: Place) -> Iterator[Place]:
    """The places of such texts."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            yield place
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _surrogates(key, (*place, "(a key)"))
            yield from _surrogates(inner, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _surrogates(inner, (*place, index))


def not_json(value: Any, place: Place = ()) -> tuple[Place, str] | None:
    """What JSON has no form for in objects, and where; None: nothing."""
    match value:
        case None | bool() | str():
            return None
        case int():
            # Digits beyond Python's limit cannot be written.
            return (place, "this number is too large") if value.bit_length() > LARGEST_BITS else None
        case float():
            return None if math.isfinite(value) else (place, f"JSON has no {value}")
        case Mapping():
            if (odd := next((key for key in value if not isinstance(key, str)), None)) is not None:
                return place, f"a key is a text, not {odd!r:.80}"
            return next((found for key, inner in value.items() if (found := not_json(inner, (*place, key)))), None)
        case list() | tuple():
            return next((found for index, inner in enumerate(value) if (found := not_json(inner, (*place, index)))), None)
        case date() | time():
            return place, f'JSON has no dates and times: write it as a text, "{value}"'
        case _:
            return place, f"JSON has no {type(value).__name__}"


def _refused(said: str, name: str, text: str | None, kind: Any, above: Place = ()) -> ConfigError:
    """msgspec's complaint, with file, line and key. `above`: where what it complains of stands in the file."""
    what, _, path = said.partition(" - at `$")
    place: Place = tuple(key or int(index) for key, index in _STEP.findall(path.partition("[...]")[0]))
    key = next((step for step in reversed((*above, *place)) if isinstance(step, str)), "")
    where = _where(name, text, (*above, *place))
    if unknown := re.search(r"unknown field `(.*)`", what):
        where = _where(name, text, (*above, *place, unknown[1]))
        return _error(where, f"no key '{unknown[1][:80]}' here{near(unknown[1], _keys(kind, place))}")
    if missing := re.search(r"missing required field `(.*)`", what):
        return _error(where, f"{key} has no '{missing[1]}'")
    if choice := re.search(r"Invalid enum value (.*)", what):
        what = f"is one of {', '.join(_choices(kind, place))}, not {choice[1]}"
    else:
        what = in_words(what)
    return _error(where, f"{key}: {what}")


def in_words(said: str) -> str:
    """msgspec's complaint about a value in the words of people who write TOML: "expected whole number, got text"."""
    return _KINDS.sub(lambda kind: _NAMES[kind[0]], said[:1].lower() + said[1:]).replace("`", "")


def _error(where: str, what: str) -> ConfigError:
    """One line, whatever it quotes."""
    return ConfigError(f"{where}: {''.join(letter if letter.isprintable() else ' ' for letter in what)}")


def near(name: str, known: Sequence[str]) -> str:
    """The rest of a sentence that says that there is no such name."""
    close = difflib.get_close_matches(name.replace("-", "_"), known, 1)
    return f": did you mean '{close[0]}'?" if close else f"; there are {', '.join(known)}"


def _kind_at(kind: Any, place: Place) -> Iterator[Any]:
    """The types that a value at this place may have."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    inner = get_args(kind)
    if inner and get_origin(kind) not in (list, tuple, dict) and not isinstance(inner[0], str):
        for one in inner:
            yield from _kind_at(one, place)
    elif not place:
        yield kind
    elif isinstance(place[0], int):
        if get_origin(kind) in (list, tuple):
            yield from _kind_at(inner[0], place[1:])
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = get_type_hints(kind, include_extras=True)
        if place[0] in hints:
            yield from _kind_at(hints[place[0]], place[1:])


def _keys(kind: Any, place: Place) -> list[str]:
    """The keys of the table at this place."""
    structs = [one for one in _kind_at(kind, place) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return [field for struct in structs for field in struct.__struct_encode_fields__]


def _choices(kind: Any, place: Place) -> list[str]:
    """The words that the value at this place may be."""
    return [str(word) for one in _kind_at(kind, place) for word in get_args(one)]


def _where(name: str, text: str | None, place: Place) -> str:
    """File and line of a value; the line of the nearest thing around it that has one."""
    if text is None:
        return name + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    found = places(text)
    while place and place not in found:
        place = place[:-1]
    return f"{name}:{found.get(place, 1)}"
