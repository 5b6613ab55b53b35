"""Sums: read by their precedence, and said again."""

from fractions import Fraction

import pytest

from voice.engines import arithmetic, reckoning
from voice.engines.words import split


def read(text: str) -> arithmetic.Sum:
    words = split(text)
    [(end, found)] = arithmetic.read(words, 0)
    assert end == len(words), text
    return found


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("twenty three times seventeen", "391", "23 times 17"),
        ("12/5", "12/5", "12 divided by 5"),
        ("2+3*4", "14", "2 plus 3 times 4"),
        ("(2+3)*4", "20", "(2 plus 3) times 4"),
        ("10-3-2", "5", "10 minus 3 minus 2"),
        ("10-(3-2)", "9", "10 minus (3 minus 2)"),
        ("2^3^2", "512", "2 to the power of (3 to the power of 2)"),
        ("-3^2", "-9", "minus 3 to the power of 2"),
        ("minus five plus three", "-2", "minus 5 plus 3"),
        ("fifteen percent of two hundred", "30", "15 percent of 200"),
        ("20% of 80", "16", "20 percent of 80"),
        ("the square root of sixteen plus nine", "13", "the square root of 16 plus 9"),
        ("sqrt(16+9)", "5", "the square root of (16 plus 9)"),
        ("seven squared", "49", "7 squared"),
        ("cube root of -27", "-3", "the cube root of minus 27"),
        ("half of ten", "5", "0.5 times 10"),
        ("two thirds of nine", "6", "2 over 3 times 9"),
        ("0.1 + 0.2", "3/10", "0.1 plus 0.2"),
        ("17 mod 5", "2", "17 modulo 5"),
        ("ten to the third power", "1000", "10 to the power of 3"),
        ("2 to the 8th", "256", "2 to the power of 8"),
        ("five factorial", "120", "5 factorial"),
        ("8 to the power of minus one", "1/8", "8 to the power of minus 1"),
    ],
)
def test_sums(text: str, value: str, said: str) -> None:
    found = read(text)
    assert reckoning.work_out(found) == reckoning.Result(Fraction(value))
    assert arithmetic.said(found) == said


@pytest.mark.parametrize("text", ["five", "-5", "plus", "5 plus", "(5 + 3", "apples plus pears", "", "times seven"])
def test_what_is_no_sum(text: str) -> None:
    words = split(text)
    assert not [end for end, _ in arithmetic.read(words, 0) if end == len(words)]


def test_deep_brackets_end() -> None:
    words = split("(" * 900 + "1")
    assert list(arithmetic.read(words, 0)) == []
