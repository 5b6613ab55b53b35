"""The arguments of a call, from the words behind the name of a function and the schema: for an engine without a language model.

What is obvious is filled in: a value behind the name of its property, one of an enumeration, as many numbers as there are properties
for them, and the rest for the one text that is wanted. What could be meant in two ways is left out, so that it is asked for.
Pure; any words and any schema is taken.
"""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voice.engines import numbers
from voice.engines.words import Words, split
from voice.protocol.tools import Tool

BETWEEN = frozenset("the a an my our your me us some this that current tool function".split())
LINKS = frozenset("for in at of on about to with from near called named that saying is as the a an and using by".split())
PLACES = frozenset("for in at of on about to with from near".split())
_TRAILS = frozenset("please now today right me".split())
_ENDS = _TRAILS | {"and", "then", "also", "with", "for"}
_UNITS = frozenset({"percent", "%", "degrees"})
_FILLING = LINKS | _ENDS | _UNITS
_FREE_TEXT = frozenset({"query", "question", "text", "message", "input", "prompt", "q", "search", "content"})
_TRUE, _FALSE = frozenset({"yes", "true", "on"}), frozenset({"no", "false", "off"})
_ROLES = {
    "from": frozenset("from origin source start departure sender".split()),
    "to": frozenset("to destination target end arrival recipient receiver".split()),
    **dict.fromkeys(("in", "for", "at", "near"), frozenset("city town place location where address country area region".split())),
    "on": frozenset("date day when".split()),
    "about": frozenset("topic subject about theme".split()),
    **dict.fromkeys(("called", "named"), frozenset("name title".split())),
}
"""Which word stands in front of the value of which property, where the property itself is not named: "from Oslo to Bergen"."""
_EQUALS = frozenset({"is", "as", "to", "equals", "=", ":"})
_NAME_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
MOST_PROPERTIES = 50
"""Of a schema that are looked at."""


def filled(tool: Tool, words: Words, area: range, rest: bool = True) -> dict[str, Any]:
    """The arguments that the words of `area` give. `rest`: what is left of them may be the one text that is wanted."""
    sheet = _Sheet(properties(tool), words, area.stop, set(area))
    required = set(required_of(tool))
    marks = _marks(sheet)
    for mark in marks:
        sheet.take_named(mark, {mark.name for mark in marks})
    sheet.take_choices()
    sheet.take_numbers()
    if rest:
        sheet.take_rest(required)
    # Strict schemas require everything, and say what it is where nobody says it.
    defaults = {name: schema["default"] for name, schema in sheet.properties.items() if name in required and "default" in schema}
    return {**defaults, **sheet.found}


def value_of(text: str, tool: Tool, name: str) -> Any:
    """What an answer to "which one?" says of one property; None if it says nothing."""
    words = split(text)
    schema = properties(tool).get(name, {})
    start = next((place for place, word in enumerate(words.texts) if word not in LINKS | {"it"}), 0)
    found = _value(schema, words, start, len(words))
    if found is None and start < len(words) and _is_text(schema):
        return _trimmed(words, start, len(words))
    return found[1] if found is not None else None


def name_words(name: str) -> list[str]:
    """The words of a name: get_weather, getWeather, get-weather."""
    return [word.lower() for word in _NAME_WORD.findall(name)]


def places(words: Words, name: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where a name stands in a sentence; as one word, too, and with articles between its words."""
    for start in range(len(words)):
        if name and words.texts[start] == "".join(name):
            yield start, start + 1
            continue
        stop = start
        for word in name:
            while stop > start and stop < len(words) and words.texts[stop] in BETWEEN and words.texts[stop] != word:
                stop += 1
            if stop >= len(words) or words.texts[stop] != word:
                break
            stop += 1
        else:
            if name:
                yield start, stop


def properties(tool: Tool) -> Mapping[str, Mapping[str, Any]]:
    given = tool.parameters.get("properties")
    pairs = list(given.items())[:MOST_PROPERTIES] if isinstance(given, dict) else []
    return {name: _without_null(schema) if isinstance(schema, dict) else {} for name, schema in pairs}


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What may be left out is often written as "a number or null": a sentence says the number or nothing."""
    others = schema.get("anyOf", schema.get("oneOf"))
    some = [other for other in others if isinstance(other, dict) and other.get("type") != "null"] if isinstance(others, list) else []
    return {**schema, **some[0]} if len(some) == 1 else schema


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "string" if "enum" in schema else "")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind != "null" and isinstance(kind, str):
            return kind
    return ""


def required_of(tool: Tool) -> list[str]:
    """The properties that a schema requires."""
    given = tool.parameters.get("required")
    return [name for name in given if isinstance(name, str)] if isinstance(given, list) else []


def takes_text(name: str) -> bool:
    """Whether a property is for free words, by its name."""
    return name_words(name)[-1:] != [] and name_words(name)[-1] in _FREE_TEXT


def _is_text(schema: Mapping[str, Any]) -> bool:
    return _kind(schema) == "string" and "enum" not in schema


def _is_number(schema: Mapping[str, Any]) -> bool:
    return _kind(schema) in ("number", "integer") and "enum" not in schema


@dataclass(frozen=True, slots=True, order=True)
class _Mark:
    """Where a sentence names a property."""

    start: int
    name: str
    behind: int
    """Where its value begins."""
    stop: int
    """Where its value must end."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The arguments of one call while they are filled in."""

    properties: Mapping[str, Mapping[str, Any]]
    words: Words
    stop: int
    """Where the words of this call end."""
    free: set[int]
    """Words that belong to no argument yet."""
    found: dict[str, Any] = field(default_factory=dict)

    def take_named(self, mark: _Mark, named: set[str]) -> None:
        """The value of a property that the sentence names. `named`: all those."""
        schema = self.properties[mark.name]
        value = _value(schema, self.words, mark.behind, mark.stop)
        if value is None and _is_text(schema) and mark.behind < mark.stop:
            stop = mark.stop
            if not takes_text(mark.name) and any(_is_number(other) for name, other in self.properties.items() if name not in named):
                stop = _before_number(self.words, mark.behind, mark.stop)
            # "The living room to 40": nothing but the number is left, which is another property's.
            value = (stop, _trimmed(self.words, mark.behind, stop)) if stop > mark.behind else None
        if value is not None and value[1] != "":
            self._keep(mark.name, value[1], range(mark.start, value[0]))

    def take_choices(self) -> None:
        """A property of which one value, and only one, is said."""
        for name, schema in self._open():
            if "enum" not in schema:
                continue
            hits = {hit[1]: range(at, hit[0]) for at in sorted(self.free) if (hit := _one_of(schema, self.words, at)) is not None}
            if len(hits) == 1:
                [(value, places)] = hits.items()
                self._keep(name, value, places)

    def take_numbers(self) -> None:
        """As many numbers as there are properties for them: one each, in their order."""
        names = [name for name, schema in self._open() if _is_number(schema)]
        values, at = list[tuple[range, Any]](), 0
        while at < self.stop:
            hit = _value({"type": "number"}, self.words, at, self.stop) if at in self.free else None
            values += [(range(at, hit[0]), hit[1])] if hit is not None else []
            at = hit[0] if hit is not None else at + 1
        for name, (places, value) in zip(names, values, strict=True) if len(names) == len(values) else ():
            if _kind(self.properties[name]) == "number" or isinstance(value, int):
                self._keep(name, value, places)

    def take_rest(self, required: set[str]) -> None:
        """The words that are left, for the one text that is wanted; none where they could be more than one thing."""
        texts = [name for name, schema in self._open() if _is_text(schema)]
        wanted = [name for name in texts if name in required and "default" not in self.properties[name]] or texts
        if len(wanted) != 1 or not self.free:
            return
        runs = [(min(self.free), max(self.free) + 1)] if takes_text(wanted[0]) else self._runs()
        if len(runs) == 1 and (text := _trimmed(self.words, *runs[0], self.free)) and split(text).texts != tuple(name_words(wanted[0])):
            self.found[wanted[0]] = text

    def _open(self) -> list[tuple[str, Mapping[str, Any]]]:
        return [(name, schema) for name, schema in self.properties.items() if name not in self.found]

    def _keep(self, name: str, value: Any, places: range) -> None:
        self.found[name] = value
        self.free.difference_update(places)

    def _runs(self) -> list[tuple[int, int]]:
        """What is left in one piece each: (begin, end). None if numbers are left that no property has taken."""
        runs = list[tuple[int, int]]()
        for place in sorted(self.free):
            if runs and runs[-1][1] == place:
                runs[-1] = (runs[-1][0], place + 1)
            else:
                runs.append((place, place + 1))
        runs = [(start, stop) for start, stop in runs if not _FILLING.issuperset(self.words.texts[start:stop])]
        wanting = any(_is_number(schema) for _, schema in self._open())
        unclear = wanting and any(numbers.is_digits(word) for start, stop in runs for word in self.words.texts[start:stop])
        return [] if unclear else runs


def _marks(sheet: _Sheet) -> list[_Mark]:
    """The properties that a sentence names, in its order; each value ends where the next begins."""
    marks = sorted(mark for name in sheet.properties if (mark := _mark(name, sheet)) is not None)
    ends = [mark.start for mark in marks[1:]] + [sheet.stop]
    return [replace(mark, stop=min(mark.stop, end)) for mark, end in zip(marks, ends, strict=False)]


def _mark(name: str, sheet: _Sheet) -> _Mark | None:
    """Where a property is named; None if nowhere."""
    texts, last = sheet.words.texts, set(name_words(name)[-1:])
    roles = [[word] for word, names in _ROLES.items() if last & names]
    for alike in ([name_words(name)], [["saying"]] if takes_text(name) else [], roles):
        found = [place for said in alike for place in places(sheet.words, said)]
        found = [place for place in found if sheet.free.issuperset(range(*place)) and not _is_part(sheet.words, *place)]
        if not found:
            continue
        start, behind = min(found)
        if behind + 1 < sheet.stop and texts[behind] in _EQUALS:
            behind += 1
        # A value behind a role ends with the next such word: "for Oslo in celsius".
        links = (place for place in range(behind + 1, sheet.stop) if texts[place] in PLACES) if alike is roles else iter(())
        return _Mark(start, name, behind, next(links, sheet.stop))
    return None


def _before_number(words: Words, start: int, stop: int) -> int:
    """Where a text ends behind which a number is set: "kitchen" in "kitchen to 40"."""
    end = stop
    while end > start and words.texts[end - 1] in _TRAILS | _UNITS:
        end -= 1
    texts = words.texts[:end]
    for place in range(start, end):
        if (place == start or texts[place - 1] in ("to", "at")) and any(behind == end for behind, _ in numbers.spans(texts, place)):
            return max(place - 1, start)
    return stop


def _is_part(words: Words, start: int, stop: int) -> bool:
    """Whether a name is rather the article of a number: "a half", "a hundred"."""
    behind = words.texts[stop] if stop < len(words) else ""
    return words.texts[start:stop] in (("a",), ("an",)) and (behind in numbers.PARTS or behind in numbers.OTHER or behind in numbers.SCALES)


def _value(schema: Mapping[str, Any], words: Words, start: int, stop: int) -> tuple[int, Any] | None:
    """A value of that kind at word `start`, and where it ends; None if there is none. A plain text is none."""
    if start >= stop:
        # "with the light on": a property that is true or false is true where it is named.
        return (start, True) if _kind(schema) == "boolean" else None
    if "enum" in schema:
        return _one_of(schema, words, start)
    kind = _kind(schema)
    if kind == "boolean" and words.texts[start] in _TRUE | _FALSE:
        return start + 1, words.texts[start] in _TRUE
    if kind in ("number", "integer"):
        for end, number in numbers.spans(words.texts[:stop], start):
            if number.denominator == 1 or kind == "number":
                return end, int(number) if number.denominator == 1 else float(number)
    return None


def _one_of(schema: Mapping[str, Any], words: Words, start: int) -> tuple[int, Any] | None:
    values = schema["enum"] if isinstance(schema["enum"], list) else []
    for value in sorted((value for value in values if isinstance(value, str)), key=len, reverse=True):
        for same in _said_as(value):
            if same and words.texts[start : start + len(same)] == same:
                return start + len(same), value
    return None


@functools.lru_cache(4096)
def _said_as(value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """How a value of an enumeration may be said: as it is written, and as the words of a name."""
    return split(value).texts, tuple(name_words(value))


def _trimmed(words: Words, start: int, stop: int, free: set[int] | None = None) -> str:
    """The words of a value as they were written, without what only ties them to the sentence."""
    free = set(range(start, stop)) if free is None else free
    while start < stop and (_is_link(words, start) or start not in free):
        start += 1
    # In front of another value a link belongs to that: "the kitchen to" 40.
    tied = _ENDS | LINKS if stop < len(words) and stop not in free else _ENDS
    while stop > start and (words.texts[stop - 1] in tied or stop - 1 not in free):
        stop -= 1
    return words.original(start, stop).strip(" \"'.!?,;:()[]{}")


def _is_link(words: Words, place: int) -> bool:
    """Whether a word only ties what follows to the sentence; not the beginning of something longer ("a.txt")."""
    behind = words.source[words.stops[place] : words.stops[place] + 1]
    return words.texts[place] in LINKS and (not behind or behind.isspace() or behind in ",:")
