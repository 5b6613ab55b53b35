"""Korean numbers, particles and sums."""

from fractions import Fraction

import pytest

from voice.engines import arithmetic, korean_words
from voice.engines.words import split


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("십이", 12),
        ("이백삼십", 230),
        ("천", 1000),
        ("만", 10_000),
        ("이만삼천사백오십육", 23_456),
        ("억이천만", 120_000_000),
        ("공", 0),
        ("삼점일사", Fraction(314, 100)),
        ("마이너스오", -5),
        ("영하3", -3),
        ("스물다섯", 25),
        ("열", 10),
        ("한", 1),
        ("아흔아홉", 99),
        ("12", 12),
        ("1,000", 1000),
        ("3.5", Fraction(7, 2)),
        ("3만", 30_000),
    ],
)
def test_value(text: str, want: Fraction | int) -> None:
    assert korean_words.value(text) == want


@pytest.mark.parametrize("text", ["", "사과", "삼사", "십점", "점오", "-", "하나만둘"])
def test_what_is_no_number(text: str) -> None:
    assert korean_words.value(text) is None


@pytest.mark.parametrize(
    ("text", "want"), [("3", "3은"), ("5", "5는"), ("10", "10은"), ("미터", "미터는"), ("제곱근", "제곱근은"), ("2.4", "2.4는")]
)
def test_the_topic_particle_goes_with_the_last_sound(text: str, want: str) -> None:
    assert korean_words.with_topic(text) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("3 + 5", "3 더하기 5"),
        ("(2 + 3) * 4", "(2 더하기 3) 곱하기 4"),
        ("2 + 3 * 4", "2 더하기 (3 곱하기 4)"),
        ("2 * 3 + 4", "2 곱하기 3 더하기 4"),
        ("square root of 16", "16의 제곱근"),
        ("cube root of 27", "27의 세제곱근"),
        ("5 squared", "5의 제곱"),
        ("5 cubed", "5의 세제곱"),
        ("2 ^ 10", "2의 10제곱"),
        ("10 percent of 200", "200의 10퍼센트"),
        ("-3 - 1", "마이너스 3 빼기 1"),
        ("-3 ^ 2", "마이너스 3의 2제곱"),
        ("twice 4", "4의 두 배"),
        ("one third * 3", "3분의 1 곱하기 3"),
    ],
)
def test_sum_said(text: str, want: str) -> None:
    [(_, sum_)] = arithmetic.read(split(text), 0)
    assert korean_words.sum_said(sum_) == want


@pytest.mark.parametrize(("number", "want"), [("16.09", "16.09"), ("-3", "마이너스 3"), ("1/3", "3분의 1"), ("0", "0")])
def test_number_text(number: str, want: str) -> None:
    assert korean_words.number_text(Fraction(number)) == want
