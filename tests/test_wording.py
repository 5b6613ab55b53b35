"""Sentences of the table, and moments in words."""

import string
from datetime import UTC, datetime

import pytest

from voice.engines import wording
from voice.engines.base import Said

FRIDAY = datetime(2026, 11, 20, 16, 10, tzinfo=UTC)


def test_both_languages_have_the_same_sentences_with_the_same_slots() -> None:
    def slots(language: str) -> dict[str, set[str]]:
        table = wording.answers()[language]
        return {name: {field for _, field, _, _ in string.Formatter().parse(text) if field} for name, text in table.items()}

    english, korean = slots("en"), slots("ko")
    assert english.keys() == korean.keys()
    assert all(korean[name] <= english[name] for name in english)


def test_say_begins_large_and_keeps_braces() -> None:
    assert wording.say("recalled", fact="the {code} is {0}") == Said("The {code} is {0}.")
    with pytest.raises(KeyError):
        wording.say("no such sentence")


@pytest.mark.parametrize(
    ("hour", "minute", "english", "korean"),
    [
        (16, 10, "4:10 PM", "\uc624\ud6c4 4\uc2dc 10\ubd84"),
        (0, 5, "12:05 AM", "\uc624\uc804 12\uc2dc 5\ubd84"),
        (12, 0, "12 PM", "\uc624\ud6c4 12\uc2dc"),
        (9, 0, "9 AM", "\uc624\uc804 9\uc2dc"),
    ],
)
def test_time_of_day(hour: int, minute: int, english: str, korean: str) -> None:
    moment = FRIDAY.replace(hour=hour, minute=minute)
    assert (wording.time_of_day(moment), wording.time_of_day(moment, "ko")) == (english, korean)


@pytest.mark.parametrize(
    ("day", "want"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (20, "20th"), (21, "21st"), (22, "22nd")],
)
def test_ordinals(day: int, want: str) -> None:
    assert f"November {want}, 2026" in wording.date(FRIDAY.replace(day=day))


def test_dates() -> None:
    assert wording.date(FRIDAY) == "Friday, November 20th, 2026"
    assert wording.date(FRIDAY, "ko") == "2026\ub144 11\uc6d4 20\uc77c \uae08\uc694\uc77c"
    assert (wording.month(FRIDAY), wording.month(FRIDAY, "ko"), wording.year(FRIDAY)) == ("November 2026", "11\uc6d4", "2026")
    assert (wording.duration(65), wording.duration(65, "ko")) == ("1 minute and 5 seconds", "1\ubd84 5\ucd08")


def test_long_words_are_cut() -> None:
    assert wording.shortened("hello  there!?") == "hello there"
    long = wording.shortened("word " * 1000)
    assert len(long) < 320 and long.endswith("and so on")
    assert len(wording.shortened("x" * 100_000)) < 320
