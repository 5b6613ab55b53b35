"""Units of measure: reading their names, converting exactly, rounding for the ear. The table is `voice/data/units.toml`."""

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources

from voice.engines import numbers
from voice.engines.words import Words, split


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit; two of the same kind can be converted."""

    kind: str
    one: str
    many: str
    size: Fraction
    """In the first unit of its kind."""
    zero: Fraction
    """Where its scale begins, in the first unit of its kind: other than 0 for temperatures only."""
    heard: tuple[str, ...]
    """Names that the recogniser listens for, lower case."""
    korean: tuple[str, ...]
    """Korean names, the one to say first."""

    def name(self, number: Fraction) -> str:
        """The name that goes with a number: "1 foot", "2 feet", "0.5 feet"."""
        return self.one if abs(number) == 1 else self.many


@functools.cache
def table() -> tuple[Unit, ...]:
    """All units, in the order of the table."""
    return tuple(_unit(entry) for entry in _entries())


@functools.cache
def _entries() -> tuple[Mapping[str, object], ...]:
    return tuple(tomllib.loads(resources.files("voice.data").joinpath("units.toml").read_text("utf-8"))["unit"])


def _unit(entry: Mapping[str, object]) -> Unit:
    names = (str(entry["one"]).lower(), str(entry["many"]).lower(), *_texts(entry, "also"))
    return Unit(
        kind=str(entry["kind"]),
        one=str(entry["one"]),
        many=str(entry["many"]),
        size=Fraction(str(entry["size"])),
        zero=Fraction(str(entry.get("zero", "0"))),
        heard=tuple(dict.fromkeys(names)) if entry.get("heard", True) else (),
        korean=(str(entry["ko"]), *_texts(entry, "ko_also")),
    )


def _texts(entry: Mapping[str, object], key: str) -> tuple[str, ...]:
    found = entry.get(key, ())
    return tuple(str(text) for text in found) if isinstance(found, list) else ()


@functools.cache
def _names() -> Mapping[tuple[str, ...], tuple[Unit, ...]]:
    """From the words of a name to the units that it may mean ("k": none but kelvin)."""
    names = dict[tuple[str, ...], tuple[Unit, ...]]()
    for entry, unit in zip(_entries(), table(), strict=True):
        for name in dict.fromkeys((unit.one.lower(), unit.many.lower(), *_texts(entry, "also"), *_texts(entry, "typed"))):
            key = split(name).texts
            names[key] = (*names.get(key, ()), unit)
    return names


@functools.cache
def _longest() -> int:
    return max(map(len, _names()))


def spans(words: Words, i: int) -> Iterator[tuple[int, Unit]]:
    """Every unit whose name begins at word `i`, the longest name first: (index behind it, unit)."""
    for end in range(min(len(words), i + _longest()), i, -1):
        for unit in _names().get(words.texts[i:end], ()):
            yield end, unit


def convert(number: Fraction, source: Unit, target: Unit) -> Fraction:
    """Exact. Both are of one kind."""
    return (number * source.size + source.zero - target.zero) / target.size


def is_possible(number: Fraction, unit: Unit) -> bool:
    """False below absolute zero, and below zero for everything else that cannot be negative."""
    return number * unit.size + unit.zero >= 0 if unit.kind == "temperature" else number >= 0 or unit.kind == "speed"


def for_the_ear(number: Fraction) -> Fraction:
    """Two places behind the point; below 1, as many as give three significant figures, or all if they are few."""
    if abs(number) >= 1 or not number:
        return numbers.rounded(number, 2)
    return number if numbers.is_finite(number, 4) else numbers.significant(number, 3)
