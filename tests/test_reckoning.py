"""Sums worked out: exact, or honest about it, and bounded."""

from fractions import Fraction

import pytest

from voice.engines import arithmetic
from voice.engines.reckoning import Result, work_out
from voice.engines.words import split


def read(text: str) -> arithmetic.Sum:
    [(_, found)] = arithmetic.read(split(text), 0)
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/3 + 1/6", "1/2"),
        ("0.1 * 3", "3/10"),
        ("square root of 1.44", "1.2"),
        ("square root of 0", "0"),
        ("cube root of 0.001", "0.1"),
        ("4 ^ 0.5", "2"),
        ("2 ^ -2", "1/4"),
        ("-1 ^ 1000000", "-1"),
        ("0 factorial", "1"),
        ("-7 mod 3", "2"),
    ],
)
def test_exact(text: str, value: str) -> None:
    assert work_out(read(text)) == Result(Fraction(value))


def test_a_root_that_does_not_come_out_even_is_not_exact() -> None:
    result = work_out(read("square root of 2"))
    assert not result.exact and abs(result.value**2 - 2) < Fraction(1, 10**20)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("5 / 0", ZeroDivisionError),
        ("5 mod 0", ZeroDivisionError),
        ("0 ^ -1", ZeroDivisionError),
        ("square root of minus 4", ValueError),
        ("2 ^ 1000000", OverflowError),
        ("9 ^ 9 ^ 9 ^ 9", OverflowError),
        ("1000000000000000 + 1", OverflowError),
        ("100 factorial", OverflowError),
        ("2.5 factorial", ValueError),
        ("999999999999 ^ 999.5", OverflowError),
    ],
)
def test_what_cannot_be_worked_out(text: str, trouble: type[Exception]) -> None:
    with pytest.raises(trouble):
        work_out(read(text))
