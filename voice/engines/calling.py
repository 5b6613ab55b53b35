"""Which of a client's functions a sentence asks for by its name: for an engine without a language model.

A function is called when its name is what the sentence begins with or what it says to call ("call get weather for Oslo", "please get
the weather in Oslo"), and, where nothing else answers, when a question is about what a reading function is named after ("what is the
weather in Oslo"). A sentence about a function ("what happens if you call get weather") calls none. `arguments.py` fills in the rest.
Pure; any text and any schema is taken.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice.engines.arguments import BETWEEN, LINKS, PLACES, filled, name_words, places, properties, required_of, takes_text
from voice.engines.words import Words, split
from voice.protocol.tools import Tool, Toolbox

CALLS = frozenset({"call", "run", "use", "invoke", "execute", "try", "start", "trigger"})
_COURTESIES = frozenset(
    "please hey hi hello ok okay now and then so just kindly can could would will you i want need like to let us me go ahead".split()
)
_NOT = frozenset({"not", "never", "without", "stop"})
_READS = frozenset("get fetch show check find lookup look up read list query tell current retrieve".split())
_ASKS = frozenset("what which how when where who is are does do tell show give check read".split())
_ABOUT_THE_TOOL = frozenset({"does", "mean", "means"})
_TOLD_OF_IT = _ABOUT_THE_TOOL | frozenset("do did work works worked is was has".split())
"""Behind its name: the sentence is about the function."""
_WONDERS = frozenset("what how why when whether if explain describe happens happened about do does did should who which cannot".split())
"""In front of "call" and a name: nobody says to call it."""
_JOINS = frozenset({"and", "then", "also"})
_HANGUL = re.compile("[\uac00-\ud7a3]")
_KOREAN_CALLS = re.compile("호출|실행|불러|사용|써 ?줘")


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
        return tuple(name for name in required_of(self.tool) if name not in self.arguments)


@dataclass(frozen=True, slots=True)
class _Order:
    """Where a sentence says to call a function."""

    start: int
    """Where the order begins: "call" in "and call get weather"."""
    stop: int
    """Behind the name."""
    tool: Tool
    ordered: bool


def by_name(text: str, toolbox: Toolbox) -> tuple[Wanted, ...]:
    """The functions that a sentence names, in its order; none if it says not to call one, or only talks about it."""
    words = split(text)
    if _HANGUL.search(text):
        named = _names_in(words, toolbox) if _KOREAN_CALLS.search(text) else []
        return tuple(Wanted(tool, filled(tool, words, range(len(words)), rest=False), ordered=True) for _, _, tool in named[:1])
    orders = list(_orders(words, toolbox))
    ends = [order.start for order in orders[1:]] + [len(words)]
    return tuple(
        Wanted(order.tool, filled(order.tool, words, range(order.stop, end), _goes_on(words, order.stop)), order.ordered)
        for order, end in zip(orders, ends, strict=False)
    )


def _names_in(words: Words, toolbox: Toolbox) -> list[tuple[int, int, Tool]]:
    """Where functions are named: (begin, end, function), in the order of the sentence, the longer name first."""
    found = [(start, stop, tool) for tool in toolbox.usable for name in _said_names(tool.name) for start, stop in places(words, name)]
    return sorted(found, key=lambda name: (name[0], -name[1]))


def _orders(words: Words, toolbox: Toolbox) -> Iterator[_Order]:
    """The orders of a sentence. Behind the first one, only what begins anew is another: "... and call", not "... saying call me"."""
    done = 0
    for start, stop, tool in _names_in(words, toolbox):
        if start < done or words.texts[stop : stop + 1] and words.texts[stop] in _TOLD_OF_IT:
            continue
        begin = _begin(words.texts, start)
        ordered = _is_ordered(words.texts[:start], _clause(words, start))
        if not (_is_anew(words, begin) if done else ordered or _is_told(words.texts[:start])):
            continue
        while words.texts[stop : stop + 1] in (("tool",), ("function",)):
            stop += 1
        yield _Order(begin, stop, tool, ordered)
        done = stop


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
            link = next((place for place in range(stop, len(words)) if words.texts[place] in PLACES), len(words))
            linked = link < len(words)
            # "Where is order 7": what has no link in front of it is a value only where nothing else could be meant.
            found.append(Wanted(tool, filled(tool, words, range(link if linked else stop, len(words)), rest=linked)))
    return found[0] if len(found) == 1 else None


def at_any_rate(text: str, toolbox: Toolbox) -> Wanted | None:
    """The function that fits a sentence best, where one must be called; None if there is none."""
    if (named := by_name(text, toolbox)) or not toolbox.usable:
        return named[0] if named else None
    if (found := by_subject(text, toolbox)) is not None:
        return found
    words = split(text)
    said = set(words.texts)
    best = max(toolbox.usable, key=lambda tool: len(said & {*name_words(tool.name), *split(tool.description).texts} - LINKS))
    last = max((place + 1 for place, word in enumerate(words.texts) if word in PLACES - {"to"}), default=0)
    free = any(takes_text(name) for name in properties(best))
    if free:
        return Wanted(best, filled(best, words, range(len(words))))
    return Wanted(best, filled(best, words, range(last, len(words)), rest=last > 0))


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


def _clause(words: Words, place: int) -> int:
    """Where the part of the sentence begins in which a word stands."""
    while place and not _is_parted(words, place):
        place -= 1
    return place


def _is_parted(words: Words, place: int) -> bool:
    """Whether a sign stands between a word and the one before it."""
    between = words.source[words.stops[place - 1] : words.starts[place]] if 0 < place < len(words) else ""
    return any(sign in between for sign in ".,;!?")


def _begin(texts: Sequence[str], place: int) -> int:
    """Where the order for the name at `place` begins: its verb and the courtesies in front of it."""
    while place and texts[place - 1] in BETWEEN:
        place -= 1
    if place and texts[place - 1] in CALLS:
        place -= 1
    while place and texts[place - 1] in _COURTESIES - _JOINS:
        place -= 1
    return place


def _is_anew(words: Words, place: int) -> bool:
    """Whether something new begins at a word, which no value of what stands before runs into."""
    return _is_parted(words, place) or (place > 0 and words.texts[place - 1] in _JOINS)


def _goes_on(words: Words, place: int) -> bool:
    """Whether what stands behind a name may belong to the call without being named."""
    behind = words.source[words.stops[place - 1] :].lstrip("\"' )")
    return behind[:1] not in (".", "!", "?", ";") and words.texts[place : place + 1] not in {(word,) for word in _JOINS}


def _is_ordered(before: Sequence[str], clause: int) -> bool:
    """Whether what stands in front of a name says to call it. `clause`: where the part of the sentence begins in which that is."""
    verb = next((word for word in reversed(before) if word not in BETWEEN), "")
    return verb in CALLS and not _NOT.intersection(before) and not _WONDERS.intersection(before[clause:])


def _is_told(before: Sequence[str]) -> bool:
    """Whether nothing but courtesies stands in front of a name, so that the name itself is the order."""
    return all(word in _COURTESIES for word in before)


def _last(texts: Sequence[str], word: str) -> int | None:
    """Behind the last place of a word, in the singular or the plural."""
    alike = {word, f"{word}s", word.removesuffix("s")}
    return next((place + 1 for place in range(len(texts) - 1, -1, -1) if texts[place] in alike), None)
