"""Times of day for an alarm, and when they come next."""

from datetime import UTC, datetime

import pytest

from voice.engines.moments import TimeOfDay, read
from voice.engines.words import split


@pytest.mark.parametrize(
    ("text", "hour", "minute", "either_half"),
    [
        ("7 am", 7, 0, False),
        ("7:30 PM", 19, 30, False),
        ("7 a.m.", 7, 0, False),
        ("seven", 7, 0, True),
        ("seven o'clock", 7, 0, True),
        ("seven thirty in the evening", 19, 30, False),
        ("six forty five", 6, 45, True),
        ("six oh five p m", 18, 5, False),
        ("half past six", 6, 30, True),
        ("quarter to eight", 7, 45, True),
        ("a quarter past twelve pm", 12, 15, False),
        ("ten to one am", 0, 50, False),
        ("twenty past nine", 9, 20, True),
        ("12 am", 0, 0, False),
        ("18:05", 18, 5, False),
        ("noon", 12, 0, False),
        ("midnight", 0, 0, False),
    ],
)
def test_read(text: str, hour: int, minute: int, either_half: bool) -> None:
    words = split(text)
    found = [time for end, time in read(words, 0) if end == len(words)]
    assert found[:1] == [TimeOfDay(hour * 60 + minute, either_half)]


@pytest.mark.parametrize("text", ["25:00", "7:99", "soon", "seven five", "half past", "", "70"])
def test_what_is_no_time(text: str) -> None:
    words = split(text)
    assert [time for end, time in read(words, 0) if end == len(words)] == []


@pytest.mark.parametrize(
    ("time", "want"),
    [
        (TimeOfDay(7 * 60), "2026-11-21T07:00"),
        (TimeOfDay(7 * 60, True), "2026-11-20T19:00"),
        (TimeOfDay(16 * 60 + 9), "2026-11-21T16:09"),
        (TimeOfDay(16 * 60 + 10), "2026-11-20T16:10"),
        (TimeOfDay(4 * 60, True), "2026-11-21T04:00"),
    ],
)
def test_the_next_one_comes(time: TimeOfDay, want: str) -> None:
    now = datetime(2026, 11, 20, 16, 9, tzinfo=UTC)
    assert time.next_after(now) == datetime.fromisoformat(want + "+00:00")
