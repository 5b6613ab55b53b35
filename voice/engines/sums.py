"""Answers to sums and conversions: pure sentences from numbers and units."""

from collections.abc import Mapping
from fractions import Fraction

from voice.engines import arithmetic, korean_words, numbers, reckoning, units
from voice.engines.arithmetic import Sum
from voice.engines.base import Said
from voice.engines.wording import say

_PLAIN = {"plus": "plus", "minus": "minus", "times": "times", "over": "over"}
PLACES = 4
"""Places behind the point of a result that does not come out even: more cannot be followed by ear."""
EXACT_PLACES = 6
"""A result with no more places is said in full."""


def sum_answer(slots: Mapping[str, object], language: str) -> Said:
    """What a sum comes to, or why it cannot be said."""
    sum_, spoken = _asked(slots, language)
    try:
        result = reckoning.work_out(sum_)
    except ZeroDivisionError:
        return say("by_zero", language)
    except OverflowError:
        return say("too_large", language)
    except ValueError:
        return say("not_real", language, sum=_topic(spoken, language))
    if abs(result.value) >= numbers.LIMIT:
        return say("too_large", language)
    if numbers.is_finite(result.value, EXACT_PLACES) and result.exact:
        return say("result", language, sum=_topic(spoken, language), result=_percent(slots, result.value, language))
    rounded = numbers.rounded(result.value, PLACES) if abs(result.value) >= 1 else numbers.significant(result.value, PLACES)
    if abs(rounded) < Fraction(1, 10**9):
        return say("tiny", language, sum=_topic(spoken, language))
    return say("about", language, sum=_topic(spoken, language), result=_percent(slots, rounded, language))


def _asked(slots: Mapping[str, object], language: str) -> tuple[Sum, str]:
    """The sum to work out, and how it is said back."""
    match slots:
        case {"sum": Sum() as sum_}:
            return sum_, _said(sum_, language)
        case {"a": Fraction() as a, "b": Fraction() as b, "do": str() as do}:
            pass
        case _:
            raise ValueError(f"no sum in {slots}")
    left, right = arithmetic.number(a), arithmetic.number(b)
    if do in _PLAIN:
        sum_ = Sum(do, (left, right))
        return sum_, _said(sum_, language)
    a_said, b_said = arithmetic.fraction(a), arithmetic.fraction(b)
    if do == "share":
        return Sum("over", (Sum("times", (left, arithmetic.number(Fraction(100)))), right)), a_said
    part = Sum("percent", (right, left))
    if do == "percent":
        return part, _said(part, language)
    if do == "off":
        return Sum("minus", (left, part)), f"{b_said} percent off {a_said}"
    return Sum("plus", (left, part)), f"{a_said} plus {b_said} percent"


def _said(sum_: Sum, language: str) -> str:
    return korean_words.sum_said(sum_) if language == "ko" else arithmetic.said(sum_)


def _topic(spoken: str, language: str) -> str:
    return korean_words.with_topic(spoken) if language == "ko" else spoken


def _percent(slots: Mapping[str, object], number: Fraction, language: str) -> str:
    """The number; for a share with what it is a share of: "20 is 25 percent of 80"."""
    if language == "ko":
        return korean_words.number_text(number)
    whole = slots.get("b")
    if slots.get("do") == "share" and isinstance(whole, Fraction):
        return f"{numbers.text(number)} percent of {arithmetic.fraction(whole)}"
    return numbers.text(number)


def conversion_answer(slots: Mapping[str, object], language: str) -> Said:
    """One measure in another unit. A conversion without a source is one between the two common temperatures."""
    number, target = slots["n"], slots["to"]
    source = slots.get("from")
    if not isinstance(number, Fraction) or not isinstance(target, units.Unit):
        raise ValueError(f"no conversion in {slots}")
    if not isinstance(source, units.Unit):
        source = next(unit for unit in units.table() if unit.kind == "temperature" and unit is not target)
    if not units.is_possible(number, source):
        return say("too_cold", language)
    exact = units.convert(number, source, target)
    more, plus = slots.get("m"), slots.get("plus")
    if isinstance(more, Fraction) and isinstance(plus, units.Unit):
        exact += units.convert(more, plus, target)
    found = units.for_the_ear(exact)
    given = number if numbers.is_finite(number, EXACT_PLACES) else numbers.rounded(number, PLACES)
    if max(abs(found), abs(number)) >= numbers.LIMIT:
        return say("too_large", language)
    if language == "ko":
        return say(
            "converted", "ko", source=korean_words.with_topic(measure_in_korean(given, source)), target=measure_in_korean(found, target)
        )
    asked = _measure(given, source)
    if isinstance(more, Fraction) and isinstance(plus, units.Unit):
        asked += f" {_measure(more, plus)}"
    return say("converted", source=asked, target=_measure(found, target))


def _measure(number: Fraction, unit: units.Unit) -> str:
    return f"{numbers.text(number)} {unit.name(number)}"


def measure_in_korean(number: Fraction, unit: units.Unit) -> str:
    """ "10마일", "섭씨 21.11도", "섭씨 영하 3도"."""
    if unit.kind == "temperature" and unit.korean[0] != "켈빈":
        below = "영하 " if number < 0 else ""
        return f"{unit.korean[0]} {below}{numbers.text(abs(number))}도"
    prefix, _, name = unit.korean[0].rpartition(" ")
    return f"{prefix + ' ' if prefix else ''}{korean_words.number_text(number)}{name}"
