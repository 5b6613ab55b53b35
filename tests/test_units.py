"""Units: exact conversions, names, and rounding for the ear."""

from fractions import Fraction

import pytest

from voice.engines import units
from voice.engines.words import split


def unit(name: str) -> units.Unit:
    words = split(name)
    found = [u for end, u in units.spans(words, 0) if end == len(words)]
    assert found, name
    return found[0]


@pytest.mark.parametrize(
    ("number", "source", "target", "want"),
    [
        ("10", "miles", "kilometers", "16.09344"),
        ("1", "foot", "inches", "12"),
        ("1", "mile", "feet", "5280"),
        ("1", "pound", "ounces", "16"),
        ("1", "stone", "lbs", "14"),
        ("1", "gallon", "quarts", "4"),
        ("1", "cup", "tablespoons", "16"),
        ("1", "tbsp", "tsp", "3"),
        ("212", "fahrenheit", "celsius", "100"),
        ("-40", "c", "f", "-40"),
        ("0", "celsius", "kelvin", "273.15"),
        ("1", "week", "hours", "168"),
        ("36", "km/h", "meters per second", "10"),
        ("1", "knot", "kph", "1.852"),
        ("1", "GB", "MB", "1000"),
        ("1", "byte", "bits", "8"),
        ("1", "hectare", "square meters", "10000"),
        ("1", "acre", "square feet", "43560"),
    ],
)
def test_convert_is_exact_and_comes_back(number: str, source: str, target: str, want: str) -> None:
    found = units.convert(Fraction(number), unit(source), unit(target))
    assert found == Fraction(want)
    assert units.convert(found, unit(target), unit(source)) == Fraction(number)


def test_names_are_read_the_longest_first() -> None:
    words = split("miles per hour")
    assert [(end, u.kind) for end, u in units.spans(words, 0)] == [(3, "speed"), (1, "length")]
    assert list(units.spans(split("bananas"), 0)) == []


def test_one_and_many() -> None:
    foot = unit("feet")
    assert [foot.name(Fraction(n)) for n in ("1", "-1", "2", "0.5", "0")] == ["foot", "foot", "feet", "feet", "feet"]


def test_an_ounce_of_water_is_a_volume_too() -> None:
    assert {u.kind for _, u in units.spans(split("ounces"), 0)} == {"mass", "volume"}


@pytest.mark.parametrize(
    ("number", "want"),
    [("16.09344", "16.09"), ("0.3048", "0.3048"), ("0.0352739619", "0.0353"), ("0", "0"), ("100", "100"), ("-0.123456", "-0.123")],
)
def test_for_the_ear(number: str, want: str) -> None:
    assert units.for_the_ear(Fraction(number)) == Fraction(want)


def test_nothing_is_colder_than_absolute_zero() -> None:
    assert not units.is_possible(Fraction(-274), unit("celsius"))
    assert not units.is_possible(Fraction(-460), unit("fahrenheit"))
    assert units.is_possible(Fraction("-459.67"), unit("fahrenheit"))


def test_every_unit_has_a_size_and_a_korean_name() -> None:
    assert all(u.size > 0 and u.korean[0] for u in units.table())
    assert {u.kind for u in units.table()} >= {"length", "mass", "volume", "temperature", "time", "speed", "data"}
