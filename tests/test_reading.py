"""Numbers, units, signs and addresses in words."""

import pytest

from voice.engines.spoken import spoken

ENGLISH = {
    "16.09 kilometers": "16.09 kilometers",
    "It is 10:30.": "It is 10 30.",
    "10:05, 7:00 p.m., 16:00": "10 oh 5, 7 P M, 16 o'clock",
    "10:30:05": "10 30 and 5 seconds",
    "8 am": "8 A M",
    "99:30": "99:30",
    "-3 degrees": "minus 3 degrees",
    "−3°C": "minus 3 degrees Celsius",
    "-40 °F = -40 °C": "minus 40 degrees Fahrenheit equals minus 40 degrees Celsius",
    "25% of it": "25 percent of it",
    "$2.10": "2 dollars and 10 cents",
    "$1.00": "1 dollar",
    "$0.99": "99 cents",
    "£1.01": "1 pound and 1 penny",
    "€5": "5 euros",
    "¥500": "500 yen",
    "$2.5 million": "2.5 million dollars",
    "$1,234.50": "1,234 dollars and 50 cents",
    "5 km at 60 km/h": "5 kilometers at 60 kilometers per hour",
    "1 km, 2 m, 3 lbs, 1 oz": "1 kilometer, 2 meters, 3 pounds, 1 ounce",
    "5km": "5 kilometers",
    "5 minutes in 5 mins": "5 minutes in 5 mins",
    "23 x 17 = 391": "23 times 17 equals 391",
    "3+4=7": "3 plus 4 equals 7",
    "10 - 4 = 6": "10 minus 4 equals 6",
    "3 - -4": "3 minus minus 4",
    "12 ÷ 5 = 2.4": "12 divided by 5 equals 2.4",
    "2^3": "2 to the power of 3",
    "5²": "5 squared",
    "√2": "the square root of 2",
    "3 < 5": "3 is less than 5",
    "1/2 and 3/4": "1 half and 3 quarters",
    "7/9": "7 over 9",
    "½ or 2½": "one half or 2 and one half",
    "2026-11-20": "November 20, 2026",
    "5-10 and 5–10": "5 to 10 and 5 to 10",
    "555-1234": "5 5 5, 1 2 3 4",
    "Version 3.11.2": "Version 3 dot 11 dot 2",
    "See https://www.example.com/path?x=1.": "See example dot com.",
    "www.example.org/a": "example dot org",
    "mail a.b@c.com now": "mail a dot b at c dot com now",
    "e.g. this, i.e. that, etc.": "for example this, that is that, et cetera",
    "No. 5 and #6": "number 5 and number 6",
    "salt & pepper": "salt and pepper",
    "~5": "about 5",
    ".5": "0.5",
    "1,000,000": "1,000,000",
    "and/or": "and or",
    "I have 3 apples - and 4 pears.": "I have 3 apples - and 4 pears.",
    "well-known twenty-one C++": "well-known twenty-one C++",
}
KOREAN = {
    "지금은 10:30입니다.": "지금은 열시 30분입니다.",
    "3시 5분, 3시간": "세 시 5분, 세 시간",
    "15시": "15시",
    "사과 5개, 20살": "사과 다섯 개, 스무 살",
    "5 km는 3.11 마일입니다.": "5 킬로미터는 3 점 1 1 마일입니다.",
    "-3도 25%": "마이너스 3도 25 퍼센트",
    "$2": "2 달러",
    "3+4=7": "3 더하기 4 는 7",
    "2026-11-20": "2026년 11월 20일",
    "1,000원": "1000원",
    "www.example.com": "example 닷 com",
}


@pytest.mark.parametrize(("text", "want"), ENGLISH.items())
def test_english(text: str, want: str) -> None:
    assert spoken(text).text == want


@pytest.mark.parametrize(("text", "want"), KOREAN.items())
def test_korean(text: str, want: str) -> None:
    assert spoken(text, "ko-KR").text == want


def test_other_languages_are_read_as_written() -> None:
    assert spoken("5 km für $2", "de").text == "5 km für $2"
