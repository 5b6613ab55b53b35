"""Lengths of time, read and said."""

import pytest

from voice.engines import durations
from voice.engines.words import split


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("five minutes", 300),
        ("ten seconds", 10),
        ("one hour and thirty minutes", 5400),
        ("an hour and a half", 5400),
        ("two and a half hours", 9000),
        ("half an hour", 1800),
        ("a quarter of an hour", 900),
        ("a minute", 60),
        ("90 secs", 90),
        ("1h30m", 5400),
        ("1h 30", 5400),
        ("2 hours, 5 minutes and 10 seconds", 7510),
        ("a couple of minutes", 120),
        ("one and a half minutes", 90),
        ("3 days", 259_200),
    ],
)
def test_read(text: str, seconds: int) -> None:
    words = split(text)
    assert [value for end, value in durations.read(words, 0) if end == len(words)][:1] == [seconds]


@pytest.mark.parametrize("text", ["five", "minutes", "thirty minutes and one hour", "five miles", ""])
def test_what_is_no_length_of_time(text: str) -> None:
    words = split(text)
    assert not [value for end, value in durations.read(words, 0) if end == len(words)]


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0, "0 seconds", "0\ucd08"),
        (1, "1 second", "1\ucd08"),
        (5400, "1 hour and 30 minutes", "1\uc2dc\uac04 30\ubd84"),
        (90_061, "1 day, 1 hour, 1 minute and 1 second", "1\uc77c 1\uc2dc\uac04 1\ubd84 1\ucd08"),
    ],
)
def test_said(seconds: int, english: str, korean: str) -> None:
    assert durations.said(seconds) == english
    assert durations.said_in_korean(seconds) == korean
