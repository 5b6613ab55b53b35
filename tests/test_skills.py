"""Sentences as people say and type them, and the intents that they are; sentences that are none."""

import tomllib
from fractions import Fraction
from pathlib import Path

import pytest

from voice.engines import skills
from voice.engines.arithmetic import Sum
from voice.engines.skills import Intent, match
from voice.engines.units import Unit

SENTENCES = tomllib.loads((Path(__file__).parent / "support" / "sentences.toml").read_text("utf-8"))
NOTHING = SENTENCES.pop("nothing")


@pytest.mark.parametrize(("skill", "text"), [(skill, line) for skill, said in SENTENCES.items() for line in said])
def test_what_people_say(skill: str, text: str) -> None:
    found = match(text)
    assert found is not None and found.skill == skill


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_command(text: str) -> None:
    assert match(text) is None


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("set a Pasta timer for an hour and a half", {"label": "Pasta", "duration": Fraction(5400)}),
        ("remind me in ten minutes to call Mom!", {"duration": Fraction(600), "task": "call Mom"}),
        ("remind me to call Mom in ten minutes", {"duration": Fraction(600), "task": "call Mom"}),
        ("Please remember that My Keys are in the kitchen.", {"fact": "My Keys are in the kitchen"}),
        ("could you please repeat after me: Hello, World", {"what": "Hello, World"}),
        ("cancel the egg timer please", {"label": "egg"}),
        ("remember to feed the cat", {"todo": "feed the cat"}),
        ("Don't forget to write!", {"todo": "write"}),
        ("what time is it", {}),
    ],
)
def test_slots(text: str, slots: dict[str, object]) -> None:
    found = match(text)
    assert found is not None and dict(found.slots) == slots


def test_slots_of_sums_and_units() -> None:
    found = match("what's seven times eight, please?")
    assert found == Intent("arithmetic", {"sum": Sum("times", (Sum("", (), Fraction(7)), Sum("", (), Fraction(8))))})
    found = match("how many feet are there in two meters")
    assert found is not None
    source, target = found.slots["from"], found.slots["to"]
    assert isinstance(source, Unit) and isinstance(target, Unit)
    assert (found.slots["n"], source.many, target.many) == (2, "meters", "feet")


def test_units_of_two_kinds_are_no_conversion() -> None:
    assert match("how many miles are in an hour") is None
    assert match("convert ten pounds to liters") is None


def test_every_template_can_be_read() -> None:
    assert len(skills.table().skills) > 40
    assert all(skill.say or skill.typed for skill in skills.table().skills)


@pytest.mark.parametrize("n", [1, 12, 40, 100, 1999, 100_000])
def test_words_without_end_are_no_command(n: int) -> None:
    for word in ("a ", "set ", "what is ", "minus ", "(", "five ", "please ", "and a half ", "\u202e", "\U0001f600", "9", "plus "):
        assert match(word * n) is None or n < 100
