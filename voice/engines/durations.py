"""Lengths of time, as people say them: "an hour and a half", "90 seconds", "1h 30m"."""

from collections.abc import Iterator
from fractions import Fraction

from voice.engines import numbers
from voice.engines.words import Words

SECONDS = {
    **dict.fromkeys(("second", "seconds", "sec", "secs", "s"), 1),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), 60),
    **dict.fromkeys(("hour", "hours", "hr", "hrs", "h"), 3600),
    **dict.fromkeys(("day", "days"), 86_400),
    **dict.fromkeys(("week", "weeks"), 604_800),
}
_PARTS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_KOREAN = {"day": "일", "hour": "시간", "minute": "분", "second": "초"}


def amounts(words: Words, i: int) -> Iterator[tuple[int, Fraction]]:
    """A number, or "a" and "an" for one; the longest first."""
    yield from numbers.spans(words.texts, i)
    if words.texts[i : i + 1] in (("a",), ("an",)):
        yield i + 1, Fraction(1)


def read(words: Words, i: int) -> Iterator[tuple[int, Fraction]]:
    """Every length of time that begins at word `i`, the longest first: (index behind it, seconds)."""
    for at, first, size in _pieces(words, i):
        yield from _more(words, at, first, size)
        if words.texts[at : at + 3] == ("and", "a", "half"):
            yield at + 3, first + Fraction(size, 2)
        yield at, first


def _more(words: Words, at: int, so_far: Fraction, size: int) -> Iterator[tuple[int, Fraction]]:
    """Smaller pieces behind a piece of `size` seconds: "... [and] thirty minutes [and] ten seconds"."""
    behind = at + 1 if words.texts[at : at + 1] == ("and",) else at
    for end, piece, smaller in _pieces(words, behind):
        if smaller < size:
            yield from _more(words, end, so_far + piece, smaller)
            yield end, so_far + piece
    for end, number in numbers.spans(words.texts, behind):
        if size == 3600 and behind == at and end == len(words) and number < 60:
            yield end, so_far + number * 60  # "1h 30"


def _pieces(words: Words, i: int) -> Iterator[tuple[int, Fraction, int]]:
    """One number with its unit: (index behind, seconds, seconds of the unit)."""
    for at, number in amounts(words, i):
        behind = at + 1 if words.texts[at : at + 1] == ("of",) else at
        name = words.texts[behind] if behind < len(words) else ""
        size = 60 if name == "m" else SECONDS.get(name)
        if size is not None:
            yield behind + 1, number * size, size


def said(seconds: int) -> str:
    """In words: "1 hour and 30 minutes", "1 day, 2 hours and 5 seconds"; 0 is "0 seconds"."""
    parts = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in _parts(seconds)]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def said_in_korean(seconds: int) -> str:
    """In Korean words: "1시간 30분"; 0 is "0초"."""
    return " ".join(f"{count}{_KOREAN[name]}" for count, name in _parts(seconds))


def _parts(seconds: int) -> list[tuple[int, str]]:
    parts = list[tuple[int, str]]()
    for size, name in _PARTS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append((count, name))
    return parts or [(0, "second")]
