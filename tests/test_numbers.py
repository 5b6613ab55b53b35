"""Numbers in words and digits, both ways, and exact."""

from fractions import Fraction

import pytest

from voice.engines import numbers

TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()


def spelled(n: int) -> str:
    """An independent speller, to read back."""
    if n < 20:
        return SMALL[n]
    if n < 100:
        return TENS[n // 10] + (f" {SMALL[n % 10]}" if n % 10 else "")
    for size, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if n >= size:
            rest = f" {spelled(n % size)}" if n % size else ""
            return f"{spelled(n // size)} {name}{rest}"
    raise AssertionError(n)


@pytest.mark.parametrize("n", [*range(0, 1100, 7), 1001, 1100, 2026, 12_345, 100_000, 999_999, 1_000_000, 23_000_017, 7_654_321_098])
def test_every_spelled_number_is_read(n: int) -> None:
    assert numbers.value(spelled(n).split()) == n


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("two hundred and five", 205),
        ("a hundred", 100),
        ("a thousand and one", 1001),
        ("twenty five hundred", 2500),
        ("minus forty", -40),
        ("negative three point five", Fraction(-7, 2)),
        ("three point one four", Fraction(314, 100)),
        ("three point oh five", Fraction(305, 100)),
        ("point five", Fraction(1, 2)),
        ("two and a half", Fraction(5, 2)),
        ("three and three quarters", Fraction(15, 4)),
        ("two and a half million", 2_500_000),
        ("2.5 million", 2_500_000),
        ("5 thousand", 5000),
        ("half", Fraction(1, 2)),
        ("three quarters", Fraction(3, 4)),
        ("1 / 2", Fraction(1, 2)),
        ("2 1 / 2", Fraction(5, 2)),
        ("two dozen", 24),
        ("12.5", Fraction(25, 2)),
    ],
)
def test_value(text: str, want: Fraction | int) -> None:
    assert numbers.value(text.split()) == want


@pytest.mark.parametrize(
    "text",
    [
        "",
        "and",
        "a",
        "five six",
        "twenty eleven",
        "hundred hundred",
        "five thousand million",
        "point",
        "1 / 0",
        "one and",
        "cats",
        "\u0663",
    ],
)
def test_what_is_no_number(text: str) -> None:
    assert numbers.value(text.split()) is None


def test_spans_offers_the_longest_first() -> None:
    words = "add one hundred and five and seven".split()
    assert list(numbers.spans(words, 1)) == [(5, 105), (3, 100), (2, 1)]
    assert list(numbers.spans(words, 0)) == []


@pytest.mark.parametrize(
    ("number", "want"),
    [
        ("391", "391"),
        ("-3", "minus 3"),
        ("16.09", "16.09"),
        ("0.1", "0.1"),
        ("-0.25", "minus 0.25"),
        ("10000000000", "10000000000"),
        ("0", "0"),
    ],
)
def test_text(number: str, want: str) -> None:
    assert numbers.text(Fraction(number)) == want


def test_rounding_goes_away_from_zero() -> None:
    assert [numbers.rounded(Fraction(n), 1) for n in ("0.25", "-0.25", "0.24", "1.95")] == [
        Fraction(n) for n in ("0.3", "-0.3", "0.2", "2")
    ]
    assert numbers.significant(Fraction(1, 3), 3) == Fraction("0.333")
    assert numbers.significant(Fraction(0), 3) == 0
    assert numbers.is_finite(Fraction("1.25"), 2) and not numbers.is_finite(Fraction(1, 3), 12)
