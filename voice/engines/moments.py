"""Times of day, as people say them for an alarm: "7 am", "half past six", "noon"; and how long it is until then."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from voice.engines.numbers import ONES, TEENS, TENS
from voice.engines.words import Words

_DAY_MIN = 24 * 60
_NUMBERS = {**ONES, **TEENS, **TENS}
_NAMED = {"noon": 720, "midday": 720, "midnight": 0}
_PAST = {"past": 1, "after": 1, "to": -1, "before": -1}
_HALVES = (
    (("a", "m"), False),
    (("p", "m"), True),
    (("am",), False),
    (("pm",), True),
    (("in", "the", "morning"), False),
    (("in", "the", "afternoon"), True),
    (("in", "the", "evening"), True),
    (("this", "afternoon"), True),
    (("this", "evening"), True),
    (("tonight",), True),
    (("at", "night"), True),
)


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time of day; without "am" or "pm" it is the next of the two."""

    minute: int
    """Minutes since midnight."""
    either_half: bool = False
    """True if it may as well be twelve hours later."""

    def next_after(self, moment: datetime) -> datetime:
        """When it is that time next, in the zone of `moment`; never now."""
        today = moment.replace(hour=self.minute // 60, minute=self.minute % 60, second=0, microsecond=0)
        step = timedelta(hours=12 if self.either_half else 24)
        while today <= moment:
            today += step
        return today


def read(words: Words, i: int) -> Iterator[tuple[int, TimeOfDay]]:
    """Every time of day that begins at word `i`, the longest first: (index behind it, time)."""
    texts = words.texts
    if texts[i : i + 1] and texts[i] in _NAMED:
        yield i + 1, TimeOfDay(_NAMED[texts[i]])
    for at, hour, minute in _clock(texts, i):
        behind = at + 1 if texts[at : at + 1] == ("o'clock",) else at
        for mark, is_late in _HALVES:
            if texts[behind : behind + len(mark)] == mark and 1 <= hour <= 12:
                yield behind + len(mark), TimeOfDay((hour % 12 * 60 + minute + (720 if is_late else 0)) % _DAY_MIN)
        yield behind, TimeOfDay((hour % 24 * 60 + minute) % _DAY_MIN, either_half=1 <= hour <= 12)


def _clock(texts: Sequence[str], i: int) -> Iterator[tuple[int, int, int]]:
    """The hour and the minutes, which may be negative: (index behind, hour, minute)."""
    for at, first in _small(texts, i):
        if texts[at : at + 1] == (":",) and at + 1 < len(texts) and len(texts[at + 1]) == 2:
            yield from ((end, first, minute) for end, minute in _small(texts, at + 1) if first < 24)
        if at < len(texts) and texts[at] in _PAST:
            yield from ((end, hour, _PAST[texts[at]] * first) for end, hour in _small(texts, at + 1) if 1 <= hour <= 12)
        if first < 24:
            behind = at + 1 if texts[at : at + 1] == ("oh",) else at
            yield from ((end, first, minute) for end, minute in _small(texts, behind) if minute >= 10 or behind > at)
            yield at, first, 0
    for name, minute in (("half", 30), ("quarter", 15)):
        start = i + 1 if texts[i : i + 1] == ("a",) else i
        if texts[start : start + 1] == (name,) and start + 1 < len(texts) and texts[start + 1] in _PAST:
            yield from ((end, hour, _PAST[texts[start + 1]] * minute) for end, hour in _small(texts, start + 2) if 1 <= hour <= 12)


def _small(texts: Sequence[str], i: int) -> Iterator[tuple[int, int]]:
    """A whole number under 60, in words or digits, the longest first."""
    if i >= len(texts):
        return
    word = texts[i]
    if word in TENS and i + 1 < len(texts) and ONES.get(texts[i + 1]) and TENS[word] < 60:
        yield i + 2, TENS[word] + ONES[texts[i + 1]]
    if word.isascii() and word.isdecimal() and len(word) <= 2 and int(word) < 60:
        yield i + 1, int(word)
    elif _NUMBERS.get(word, 60) < 60:
        yield i + 1, _NUMBERS[word]
