"""From words to intents: the one table of sentence templates (`voice/data/skills.toml`), read and matched.

`grammar.py` writes the same table as a grammar for the recogniser, so what is heard exactly is also understood.
"""

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from voice.engines import units
from voice.engines.slots import FREE, readers
from voice.engines.templates import Node, Reader, Slots, ends, parse, slots_in
from voice.engines.words import Words, split

LONGEST_WORDS = 40
"""A sentence of more words is a command only if its template ends in free words."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a sentence asks for."""

    skill: str
    slots: Mapping[str, object]
    """By name: Fraction for numbers and durations (seconds), Unit, Sum, str for labels and free words."""
    language: str = "en"
    """Which language it was asked in: "en" or "ko"."""


@dataclass(frozen=True, slots=True)
class Skill:
    """One entry of the table."""

    name: str
    do: str
    """The operation of an arithmetic template; "" elsewhere."""
    say: tuple[Node, ...]
    typed: tuple[Node, ...]
    often: float = 1.0
    """How often each sentence of `say` is said, next to those of others."""


@dataclass(frozen=True, slots=True)
class Table:
    """The whole table."""

    rules: Mapping[str, Node]
    skills: tuple[Skill, ...]
    leads: Mapping[str, Node]
    """What the grammar allows in front of ("lead") and behind ("trail") any sentence."""


@functools.cache
def table() -> Table:
    """The table, read once. Raises: ValueError, KeyError when it is malformed."""
    raw = tomllib.loads(resources.files("voice.data").joinpath("skills.toml").read_text("utf-8"))
    rules = dict[str, Node]()
    for name, template in raw["rules"].items():
        rules[name] = parse(template, rules)
    skills = tuple(_skill(entry, rules) for entry in raw["skill"])
    return Table(rules, skills, {name: parse(template, rules) for name, template in raw["leads"].items()})


def _skill(entry: Mapping[str, Any], rules: Mapping[str, Node]) -> Skill:
    say, typed = (tuple(parse(template, rules) for template in entry[key]) for key in ("say", "typed"))
    return Skill(entry["name"], entry.get("do", ""), say, typed, entry.get("often", 1.0))


@functools.cache
def _readers() -> Mapping[str, Reader]:
    return readers(table().rules)


@functools.cache
def _ordered() -> tuple[tuple[tuple[Skill, Node], ...], tuple[tuple[Skill, Node], ...]]:
    """All templates, in two lots: those with an end, and those that end in free words."""
    every = [(skill, node) for skill in table().skills for node in (*skill.say, *skill.typed)]
    free = [any(slot.kind in FREE for slot in slots_in(node)) for _, node in every]
    return tuple(e for e, f in zip(every, free, strict=True) if not f), tuple(e for e, f in zip(every, free, strict=True) if f)


def match_whole(text: str) -> Intent | None:
    """As `match`, but only if the skills know every word: none of a sentence that ends in free words."""
    closed, _ = _ordered()
    for candidate in _candidates(split(text)):
        if len(candidate) <= LONGEST_WORDS and (found := _first(closed, candidate)) is not None:
            return found
    return None


def match(text: str) -> Intent | None:
    """What a sentence asks for; None if it is none of the skills. Any text is taken; never raises."""
    if (found := match_whole(text)) is not None:
        return found
    words = split(text)
    _, free = _ordered()
    for candidate in _candidates(words):
        if (found := _first(free, candidate)) is not None:
            return found
    return None


def _first(templates: tuple[tuple[Skill, Node], ...], words: Words) -> Intent | None:
    for skill, node in templates:
        for end, slots in ends(node, words, 0, _readers()):
            if end == len(words) and (intent := _intent(skill, slots)) is not None:
                return intent
    return None


def _intent(skill: Skill, slots: Slots) -> Intent | None:
    """None where the slots do not go together: units of two kinds, nothing to count."""
    found: dict[str, object] = dict(slots)
    measures = [value for value in found.values() if isinstance(value, units.Unit)]
    if len({unit.kind for unit in measures}) > 1 or ("plus" in found and measures[0].kind == "temperature"):
        return None
    if skill.do:
        found["do"] = skill.do
    return Intent(skill.name, found)


def _candidates(words: Words) -> Iterator[Words]:
    """The sentence as it is, then without the courtesies in front of and behind it."""
    if not len(words):
        return
    yield words
    rules = table().rules
    start = 0
    for _ in range(3):
        behind = max((end for name in ("lead", "ask") for end, _ in ends(rules[name], words, start, _readers())), default=start)
        if behind == start:
            break
        start = behind
        if start < len(words):
            yield from _cut(words, start)
    yield from _cut(words, 0)


def _cut(words: Words, start: int) -> Iterator[Words]:
    """From word `start` on; then less what trails, up to three times."""
    stop = len(words)
    if start:
        yield _part(words, start, stop)
    for _ in range(3):
        shorter = next((i for i in range(max(start + 1, stop - 4), stop) if _trails(words, i, stop)), stop)
        if shorter == stop:
            return
        stop = shorter
        yield _part(words, start, stop)


def _trails(words: Words, i: int, stop: int) -> bool:
    return any(end == stop for end, _ in ends(table().rules["trail"], words, i, _readers()))


def _part(words: Words, start: int, stop: int) -> Words:
    source = words.source if stop == len(words) else words.source[: words.stops[stop - 1]]
    return Words(words.texts[start:stop], words.starts[start:stop], words.stops[start:stop], source)
