"""Typed Korean: from a sentence to the same intents as in English. The table is `voice/data/skills_ko.toml`.

Spaces in Korean are often left out or misplaced, so sentences are compared without them; free words keep theirs.
"""

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources

from voice.engines import arithmetic, korean_words, numbers, units
from voice.engines.arithmetic import Sum
from voice.engines.korean_words import NUMBER
from voice.engines.skills import Intent
from voice.engines.words import Words, clean

LONGEST_CHARS = 200
"""Longer sentences are no commands; it also bounds the work of the expressions."""
_HANGUL = re.compile(r"[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]")
_LETTER = re.compile(r"[^\W\d_]")
_DROPPED = re.compile(r"[\s?!~\"';:\u2026\u3002\uff1f\uff01]|[.,](?!\d)|(?<!\d)[.,]")
_OPERATORS = {
    "더하기": "plus", "플러스": "plus", "+": "plus", "빼기": "minus", "마이너스": "minus", "-": "minus", "곱하기": "times", "곱": "times", "x": "times",
    "*": "times", "나누기": "over", "나누기는": "over", "/": "over", "(": "(", ")": ")", "^": "^",
}  # fmt: skip
_MARK = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence without spaces; letter `n` stands at `places[n]` in `source`."""

    letters: str
    places: tuple[int, ...]
    source: str

    def original(self, start: int, stop: int) -> str:
        return self.source[self.places[start] : self.places[stop - 1] + 1].strip(" :,.?!") if start < stop else ""


def is_korean(text: str) -> bool:
    """Whether a text is to be answered in Korean: a good part of its letters are Hangul."""
    head = text[:LONGEST_CHARS]
    hangul = len(_HANGUL.findall(head))
    return hangul > 0 and hangul * 3 >= len(_LETTER.findall(head))


def match(text: str) -> Intent | None:
    """What a Korean sentence asks for; None if it is none of the skills. Any text is taken; never raises."""
    if len(text) > LONGEST_CHARS:
        return None
    sentence = _compact(text)
    sum_ = _sum(sentence.letters)
    if sum_ is not None:
        return Intent("arithmetic", {"sum": sum_}, "ko")
    for name, do, pattern in _table():
        found = pattern.fullmatch(sentence.letters)
        slots = None if found is None else _slots(sentence, found, do)
        if slots is not None:
            return Intent(name, slots, "ko")
    return None


def _compact(text: str) -> _Sentence:
    source = clean(text).lower()
    dropped = {found.start() for found in _DROPPED.finditer(source)}
    places = tuple(n for n in range(len(source)) if n not in dropped)
    return _Sentence("".join(source[n] for n in places), places, source)


@functools.cache
def _table() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    raw = tomllib.loads(resources.files("voice.data").joinpath("skills_ko.toml").read_text("utf-8"))
    parts = {name: part.replace("\n", "") for name, part in raw["parts"].items()} | _parts()
    return tuple((entry["name"], entry.get("do", ""), re.compile(_filled(one, parts))) for entry in raw["skill"] for one in entry["any"])


def _filled(pattern: str, parts: Mapping[str, str]) -> str:
    return _MARK.sub(lambda found: parts.get(found[1], found[0]), pattern)


def _parts() -> dict[str, str]:
    names = "|".join(sorted({re.escape(name) for name, _ in _names()} | {"도"}, key=len, reverse=True))
    prefix = "섭씨|화씨|시속|초속"
    return {
        "a": f"(?P<a>{NUMBER})",
        "b": f"(?P<b>{NUMBER})",
        "duration": (
            f"(?P<duration>(?={NUMBER}(?:시간|분|초))(?:(?P<hours>{NUMBER})시간(?P<half_hour>반)?)?"
            f"(?:(?P<minutes>{NUMBER})분(?P<half_minute>반)?)?(?:(?P<seconds>{NUMBER})초)?)"
        ),
        "label": "(?P<label>[가-힣a-z]{1,10}?)",
        "task": "(?P<task>.{1,60}?[라다자])",
        "text": "(?P<text>.{1,200})",
        "fact": "(?P<fact>.{2,200}?)",
        "about": "(?P<about>.{1,60}?)",
        "source": f"(?P<source_prefix>{prefix})?(?P<n>{NUMBER})(?P<source>{names})",
        "target": f"(?:몇)?(?P<target_prefix>{prefix})?(?:(?:으로|로)?몇)?(?P<target>{names})?",
        "target_first": f"(?P<target_prefix>{prefix})?(?:몇)?(?P<target>{names})?",
    }


@functools.cache
def _names() -> tuple[tuple[str, units.Unit], ...]:
    """(name, unit) where the number stands right in front of the name."""
    return tuple(
        (name.replace(" ", ""), unit) for unit in units.table() for name in unit.korean if " " not in name and unit.kind != "temperature"
    )


def _units(prefix: str | None, name: str | None) -> Iterator[units.Unit]:
    """Every unit that a prefix and a name may mean: (시속, 킬로미터), (섭씨, 도), (None, 마일)."""
    for unit in units.table():
        if unit.kind == "temperature":
            if prefix == unit.korean[0] and name in (None, "도"):
                yield unit
        elif " " in unit.korean[0]:
            if prefix and name and unit.korean[0] == f"{prefix} {name}":
                yield unit
        elif prefix is None and name in unit.korean:
            yield unit


def _slots(sentence: _Sentence, found: re.Match[str], do: str) -> dict[str, object] | None:
    """The values of a match; None if they do not go together."""
    groups = found.groupdict()
    slots = dict[str, object]()
    if "source" in groups:
        pair = _pair(groups)
        number = korean_words.value(groups["n"])
        return None if pair is None or number is None else {"n": number, "from": pair[0], "to": pair[1]}
    if do:
        args = [korean_words.value(groups[name]) for name in ("a", "b") if name in groups]
        known = tuple(arithmetic.number(arg) for arg in args if arg is not None)
        ordered = known[::-1] if do == "percent" else known
        return {"sum": Sum(do, ordered)} if len(known) == len(args) else None
    if groups.get("duration"):
        slots["duration"] = _seconds(groups)
    for group, slot in (("label", "label"), ("task", "task"), ("about", "about"), ("text", "what"), ("fact", "fact")):
        if groups.get(group):
            slots[slot] = sentence.original(*found.span(group))
    if "what" in slots:
        slots["fact"] = slots["what"]
    return slots


def _pair(groups: Mapping[str, str | None]) -> tuple[units.Unit, units.Unit] | None:
    if groups["target"] is None and groups["target_prefix"] is None:
        return None
    for source in _units(groups["source_prefix"], groups["source"]):
        for target in _units(groups["target_prefix"], groups["target"]):
            if source.kind == target.kind and source is not target:
                return source, target
    return None


def _seconds(groups: Mapping[str, str | None]) -> Fraction:
    total = Fraction(0)
    for name, size in (("hours", 3600), ("minutes", 60), ("seconds", 1)):
        total += (korean_words.value(groups[name] or "") or 0) * size
    return total + (1800 if groups["half_hour"] else 0) + (30 if groups["half_minute"] else 0)


@functools.cache
def _marks() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    raw = tomllib.loads(resources.files("voice.data").joinpath("skills_ko.toml").read_text("utf-8"))["parts"]
    parts = {name: part.replace("\n", "") for name, part in raw.items()}
    operators = "|".join(sorted(map(re.escape, _OPERATORS), key=len, reverse=True))
    token = re.compile(f"(?P<op>{operators})|(?P<number>{NUMBER.replace('(?:마이너스|영하|-)?', '', 1)})")
    return re.compile(parts["lead"]), token, re.compile(f"(?:=|{parts['ask']})")


def _sum(letters: str) -> Sum | None:
    """A sum written in a row: "3더하기5는", "(2+3)*4"; None if it is something else."""
    lead, token, ending = _marks()
    found = lead.match(letters)
    at = found.end() if found else 0
    texts = list[str]()
    while (mark := token.match(letters, at)) is not None:
        if mark["op"]:
            texts.append({"plus": "plus", "minus": "-", "times": "times", "over": "over"}.get(_OPERATORS[mark["op"]], mark["op"]))
        else:
            value = korean_words.value(mark["number"])
            if value is None or not numbers.is_finite(value, 12):
                return None
            texts.append(numbers.text(value))
        at = mark.end()
    words = Words(tuple(texts), tuple(range(len(texts))), tuple(range(1, len(texts) + 1)), letters)
    for end, sum_ in arithmetic.read(words, 0):
        if end == len(texts) <= 40 and ending.fullmatch(letters, at):
            return sum_
    return None
