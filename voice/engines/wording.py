"""What the offline engine says: sentences of `voice/data/answers.toml` with their slots filled, and moments in words."""

import functools
import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib import resources

from voice.engines import durations
from voice.engines.base import Said

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAYS_KO = "월화수목금토일"
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
_LONGEST = 300
"""Characters of a person's own words that are said back: more is no pleasure to hear."""


@functools.cache
def answers() -> Mapping[str, Mapping[str, str]]:
    """By language, then by name: the sentences of the table."""
    table: Mapping[str, Mapping[str, str]] = tomllib.loads(resources.files("voice.data").joinpath("answers.toml").read_text("utf-8"))
    return table


def say(name: str, language: str = "en", **slots: object) -> Said:
    """The sentence `name` in a language, its first letter large. Raises: KeyError on an unknown name or slot."""
    text = answers()[language][name].format(**slots)
    return Said(text[:1].upper() + text[1:], language)


def shortened(text: str) -> str:
    """A person's words for saying back: cut at a word, without the mark at its end."""
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rsplit(" ", 1)[0] + " and so on"
    return text.rstrip(" .!?,;:\u3002\uff1f\uff01")


def time_of_day(moment: datetime, language: str = "en") -> str:
    """ "4:10 PM", "4 PM" at the full hour; "오후 4시 10분"."""
    hour = moment.hour % 12 or 12
    if language == "ko":
        minute = f" {moment.minute}분" if moment.minute else ""
        return f"{'오전' if moment.hour < 12 else '오후'} {hour}시{minute}"
    minute = f":{moment.minute:02d}" if moment.minute else ""
    return f"{hour}{minute} {'AM' if moment.hour < 12 else 'PM'}"


def date(moment: datetime, language: str = "en") -> str:
    """ "Friday, November 20th, 2026"; "2026년 11월 20일 금요일"."""
    if language == "ko":
        return f"{moment.year}년 {moment.month}월 {moment.day}일 {day(moment, 'ko')}"
    return f"{day(moment)}, {MONTHS[moment.month - 1]} {moment.day}{_ordinal(moment.day)}, {moment.year}"


def day(moment: datetime, language: str = "en") -> str:
    """The day of the week."""
    return f"{_DAYS_KO[moment.weekday()]}요일" if language == "ko" else _DAYS[moment.weekday()]


def month(moment: datetime, language: str = "en") -> str:
    """The month, with its year in English."""
    return f"{moment.month}월" if language == "ko" else f"{MONTHS[moment.month - 1]} {moment.year}"


def year(moment: datetime, language: str = "en") -> str:
    """The year."""
    return f"{moment.year}년" if language == "ko" else f"{moment.year}"


def duration(seconds: int, language: str = "en") -> str:
    """ "1 hour and 30 minutes"; "1시간 30분"."""
    return durations.said_in_korean(seconds) if language == "ko" else durations.said(seconds)


def _ordinal(number: int) -> str:
    return "th" if 10 < number < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
