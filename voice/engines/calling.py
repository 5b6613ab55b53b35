"""Which of a client's functions a sentence asks for by its name, and with which arguments: for an engine without a language model.

A function is called when its name is what the sentence begins with or what it says to call ("call get weather for Oslo", "please get
the weather in Oslo"), and, where nothing else answers, when a question is about what a reading function is named after ("what is the
weather in Oslo"). Arguments are filled in where the schema makes it obvious: a value behind the name of its property, one of an
enumeration, as many numbers as there are properties for them, and the rest of the sentence for the one text that is wanted.
Pure; any text and any schema is taken.
"""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice.engines import numbers
from voice.engines.words import Words, split
from voice.protocol.tools import Tool, Toolbox

CALLS = frozenset({"call", "run", "use", "invoke", "execute", "try", "start", "trigger"})
_COURTESIES = frozenset(
    "please hey hi hello ok okay now and then so just kindly can could would will you i want need like to let us me go ahead".split()
)
_BETWEEN = frozenset("the a an my our your me us some this that current tool function".split())
_NOT = frozenset({"not", "never", "without", "stop"})
_READS = frozenset("get fetch show check find lookup look up read list query tell current retrieve".split())
_ASKS = frozenset("what which how when where who is are does do tell show give check read".split())
_LINKS = frozenset("for in at of on about to with from near called named that saying is as the a an and using by".split())
_PLACES = frozenset("for in at of on about to with from near".split())
_ABOUT_THE_TOOL = frozenset({"does", "mean", "means"})
_TRAILS = frozenset("please now today right me".split())
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
_EQUALS = {(word,) for word in ("is", "as", "to", "equals", "=", ":")}
_NAME_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_KOREAN_CALLS = re.compile("호출|실행|불러|사용|써 ?줘")
MOST_PROPERTIES = 50
"""Of a schema that are looked at."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A function that is to be called."""

    tool: Tool
    arguments: Mapping[str, Any] = field(default_factory=dict)
    ordered: bool = False
    """The sentence says in so many words to call it ("call get weather"), whatever it leaves out."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Properties that the schema requires, and of which the sentence says nothing."""
        required = self.tool.parameters.get("required")
        return (
            tuple(name for name in required if isinstance(name, str) and name not in self.arguments) if isinstance(required, list) else ()
        )


def by_name(text: str, toolbox: Toolbox) -> Wanted | None:
    """The function that a sentence names, the one with the longest name first; None if it names none, or says not to call it."""
    words = split(text)
    for tool in sorted(toolbox.usable, key=lambda tool: -len(tool.name)):
        places = [place for name in _said_names(tool.name) for place in _places(words, name)]
        for start, stop in places:
            if _HANGUL.search(text):
                if _KOREAN_CALLS.search(text):
                    return Wanted(tool, _filled(tool, words, range(len(words)), rest=False), ordered=True)
            elif (ordered := _is_ordered(words.texts[:start])) or _is_told(words.texts[:start]):
                while words.texts[stop : stop + 1] in (("tool",), ("function",)):
                    stop += 1
                return Wanted(tool, _filled(tool, words, range(stop, len(words))), ordered)
    return None


def by_subject(text: str, toolbox: Toolbox) -> Wanted | None:
    """The one reading function that a question is about; None if there is none, or more than one."""
    words = split(text)
    first = next((word for word in words.texts if word not in _COURTESIES), "")
    if first not in _ASKS or _NOT.intersection(words.texts) or _ABOUT_THE_TOOL.intersection(words.texts):
        return None
    found = []
    for tool in toolbox.usable:
        verb, *subject = _said_names(tool.name)[-1] or [""]
        subject = [word for word in subject if word not in _READS]
        ends = [_last(words.texts, word) for word in subject]
        if verb in _READS and subject and None not in ends:
            stop = max(end for end in ends if end is not None)
            link = next((place for place in range(stop, len(words)) if words.texts[place] in _PLACES), len(words))
            found.append(Wanted(tool, _filled(tool, words, range(link, len(words)))))
    return found[0] if len(found) == 1 else None


def at_any_rate(text: str, toolbox: Toolbox) -> Wanted | None:
    """The function that fits a sentence best, where one must be called; None if there is none."""
    if (found := by_name(text, toolbox) or by_subject(text, toolbox)) is not None or not toolbox.usable:
        return found
    words = split(text)
    said = set(words.texts)
    best = max(toolbox.usable, key=lambda tool: len(said & {*name_words(tool.name), *split(tool.description).texts} - _LINKS))
    last = max((place + 1 for place, word in enumerate(words.texts) if word in _PLACES - {"to"}), default=0)
    free = any(name_words(name)[-1:] and name_words(name)[-1] in _FREE_TEXT for name in _properties(best))
    if free:
        return Wanted(best, _filled(best, words, range(len(words))))
    return Wanted(best, _filled(best, words, range(last, len(words)), rest=last > 0))


def value_of(text: str, tool: Tool, name: str) -> Any:
    """What an answer to "which one?" says of one property; None if it says nothing."""
    words = split(text)
    schema = _properties(tool).get(name, {})
    start = next((place for place, word in enumerate(words.texts) if word not in _LINKS | {"it"}), 0)
    found = _value(schema, words, start, len(words))
    if found is None and start < len(words) and _kind(schema) == "string" and "enum" not in schema:
        return _trimmed(words, start, len(words))
    return found[1] if found is not None else None


def name_words(name: str) -> list[str]:
    """The words of a name: get_weather, getWeather, get-weather."""
    return [word.lower() for word in _NAME_WORD.findall(name)]


def _said_names(name: str) -> list[list[str]]:
    """How a name may be said: whole, and without the plugin or server in front of it ("weather-get_weather", "home__get_weather")."""
    names = [name_words(name)]
    for mark in ("__", "-"):
        own = name_words(name.rpartition(mark)[2])
        # A hyphen parts the words of a name, too.
        if mark in name and own and (mark == "__" or len(own) > 1):
            names.append(own)
            break
    return names


def _places(words: Words, name: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where a name stands in a sentence; as one word, too, and with articles between its words."""
    for start in range(len(words)):
        if name and words.texts[start] == "".join(name):
            yield start, start + 1
            continue
        stop = start
        for word in name:
            while stop > start and stop < len(words) and words.texts[stop] in _BETWEEN and words.texts[stop] != word:
                stop += 1
            if stop >= len(words) or words.texts[stop] != word:
                break
            stop += 1
        else:
            if name:
                yield start, stop


def _is_ordered(before: Sequence[str]) -> bool:
    """Whether what stands in front of a name says to call it."""
    verb = next((word for word in reversed(before) if word not in _BETWEEN), "")
    return verb in CALLS and not _NOT.intersection(before)


def _is_told(before: Sequence[str]) -> bool:
    """Whether nothing but courtesies stands in front of a name, so that the name itself is the order."""
    return all(word in _COURTESIES for word in before)


def _last(texts: Sequence[str], word: str) -> int | None:
    """Behind the last place of a word, in the singular or the plural."""
    alike = {word, f"{word}s", word.removesuffix("s")}
    return next((place + 1 for place in range(len(texts) - 1, -1, -1) if texts[place] in alike), None)


def _properties(tool: Tool) -> Mapping[str, Mapping[str, Any]]:
    given = tool.parameters.get("properties")
    pairs = list(given.items())[:MOST_PROPERTIES] if isinstance(given, dict) else []
    return {name: schema if isinstance(schema, dict) else {} for name, schema in pairs}


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "string" if "enum" in schema else "")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind != "null" and isinstance(kind, str):
            return kind
    return ""


def _filled(tool: Tool, words: Words, area: range, rest: bool = True) -> dict[str, Any]:
    """The arguments that the words of `area` give. `rest`: what is left of them may be the one text that is wanted."""
    properties = _properties(tool)
    found: dict[str, Any] = {}
    free = set(area)
    for name, begin, start, stop in _named(properties, words, free):
        value = _value(properties[name], words, start, stop)
        if value is None and _kind(properties[name]) == "string" and "enum" not in properties[name] and start < stop:
            value = (stop, _trimmed(words, start, stop))
        if value is not None and name not in found and value[1] != "":
            found[name] = value[1]
            free -= set(range(begin, value[0]))
    for name, schema in properties.items():
        if name not in found and "enum" in schema:
            hits = {value: (at, stop) for at in sorted(free) if (hit := _one_of(schema, words, at)) is not None for stop, value in [hit]}
            if len(hits) == 1:
                [(found[name], (at, stop))] = hits.items()
                free -= set(range(at, stop))
    _count(properties, words, free, found)
    given = tool.parameters.get("required")
    required = set(given) if isinstance(given, list) and all(isinstance(name, str) for name in given) else set()
    texts = [name for name, schema in properties.items() if name not in found and _kind(schema) == "string" and "enum" not in schema]
    wanted = [name for name in texts if name in required and "default" not in properties[name]] or texts
    if rest and len(wanted) == 1 and free and (text := _trimmed(words, min(free), max(free) + 1, free)):
        found[wanted[0]] = text
    # Strict schemas require everything, and say what it is where nobody says it.
    defaults = {name: schema["default"] for name, schema in properties.items() if name in required and "default" in schema}
    return {**defaults, **found}


def _named(properties: Mapping[str, Any], words: Words, free: set[int]) -> list[tuple[str, int, int, int]]:
    """The properties that a sentence names: (name, where that stands, where its value begins, where it must end)."""
    marks = []
    for name in properties:
        last = set(name_words(name)[-1:])
        roles = [[word] for word, names in _ROLES.items() if last & names]
        for alike in ([name_words(name)], [["saying"]] if last & _FREE_TEXT else [], roles):
            places = (place for texts in alike for place in _places(words, texts))
            first = min((place for place in places if set(range(*place)) <= free and not _is_part(words, *place)), default=None)
            if first is not None:
                behind = first[1] + (words.texts[first[1] : first[1] + 1] in _EQUALS and first[1] + 1 < len(words))
                links = (place for place in range(behind + 1, len(words)) if words.texts[place] in _PLACES)
                # A value behind such a word ends with the next of them: "for Oslo in celsius".
                marks.append((first[0], name, behind, next(links, len(words)) if alike is roles else len(words)))
                break
    marks.sort()
    starts = [start for start, *_ in marks[1:]] + [len(words)]
    return [(name, begin, behind, min(end, start)) for (begin, name, behind, end), start in zip(marks, starts, strict=False)]


def _is_part(words: Words, start: int, stop: int) -> bool:
    """Whether a name is rather the article of a number: "a half", "a hundred"."""
    behind = words.texts[stop] if stop < len(words) else ""
    return words.texts[start:stop] in (("a",), ("an",)) and (behind in numbers.PARTS or behind in numbers.OTHER or behind in numbers.SCALES)


def _count(properties: Mapping[str, Mapping[str, Any]], words: Words, free: set[int], found: dict[str, Any]) -> None:
    """As many numbers as there are properties for them: one each, in their order."""
    names = [
        name for name, schema in properties.items() if name not in found and "enum" not in schema and _kind(schema) in ("number", "integer")
    ]
    values, at = [], 0
    while at < len(words):
        hit = _value({"type": "number"}, words, at, len(words)) if at in free else None
        values += [(at, *hit)] if hit is not None else []
        at = hit[0] if hit is not None else at + 1
    if names and len(values) == len(names):
        for name, (start, stop, value) in zip(names, values, strict=True):
            if _kind(properties[name]) == "number" or isinstance(value, int):
                found[name] = value
                free -= set(range(start, stop))


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
    while start < stop and (_is_link(words, start) or (free is not None and start not in free)):
        start += 1
    while stop > start and (words.texts[stop - 1] in _TRAILS | {"and", "with", "for"} or (free is not None and stop - 1 not in free)):
        stop -= 1
    return words.original(start, stop).strip(" \"'.!?,;:()[]{}")


def _is_link(words: Words, place: int) -> bool:
    """Whether a word only ties what follows to the sentence; not the beginning of something longer ("a.txt")."""
    behind = words.source[words.stops[place] : words.stops[place] + 1]
    return words.texts[place] in _LINKS and (not behind or behind.isspace() or behind in ",:")
