"""Answers to sums and conversions, from the sentence that asks."""

from collections.abc import Callable, Mapping

import pytest

from voice.engines import sums
from voice.engines.base import Said
from voice.engines.skills import match


@pytest.mark.parametrize(
    ("asked", "want"),
    [
        ("what is twenty three times seventeen", "23 times 17 is 391."),
        ("twelve divided by five", "12 divided by 5 is 2.4."),
        ("1/3 + 1/3", "1 divided by 3 plus 1 divided by 3 is about 0.6667."),
        ("5 / 0", "I cannot divide by zero."),
        ("five minus eight", "5 minus 8 is minus 3."),
        ("0.1 + 0.2", "0.1 plus 0.2 is 0.3."),
        ("square root of two", "The square root of 2 is about 1.4142."),
        ("square root of minus two", "The square root of minus 2 is not a number that I can give you."),
        ("2 ^ 100", "That number is too large for me to say."),
        ("10 ^ 20", "That number is too large for me to say."),
        ("1 / 1000000", "1 divided by 1000000 is 0.000001."),
        ("1 / 3000000", "1 divided by 3000000 is about 0.0000003333."),
        ("1 / 1000000 / 1000000", "1 divided by 1000000 divided by 1000000 is almost zero."),
        ("subtract three from ten", "10 minus 3 is 7."),
        ("how many times does three go into twelve", "12 divided by 3 is 4."),
        ("20 percent off 80", "20 percent off 80 is 64."),
        ("80 plus 25 percent", "80 plus 25 percent is 100."),
        ("what percent of 80 is 20", "20 is 25 percent of 80."),
        ("what's a 15 percent tip on 80 dollars", "15 percent of 80 is 12."),
        ("$5 + $3", "5 plus 3 is 8."),
        ("what percent of 0 is 20", "I cannot divide by zero."),
    ],
)
def test_sum_answer(asked: str, want: str) -> None:
    intent = match(asked)
    assert intent is not None and sums.sum_answer(intent.slots, "en").text == want


@pytest.mark.parametrize(
    ("asked", "want"),
    [
        ("convert ten miles to kilometers", "10 miles is 16.09 kilometers."),
        ("how many feet are in a meter", "1 meter is 3.28 feet."),
        ("12 inches to feet", "12 inches is 1 foot."),
        ("seventy degrees fahrenheit in celsius", "70 degrees Fahrenheit is 21.11 degrees Celsius."),
        ("convert minus forty celsius to fahrenheit", "Minus 40 degrees Celsius is minus 40 degrees Fahrenheit."),
        ("convert minus 300 celsius to kelvin", "Nothing can be colder than absolute zero, which is minus 273.15 degrees Celsius."),
        ("convert 50 degrees to celsius", "50 degrees Fahrenheit is 10 degrees Celsius."),
        ("how many centimeters are in 5 feet 6 inches", "5 feet 6 inches is 167.64 centimeters."),
        ("half a mile in meters", "0.5 miles is 804.67 meters."),
        ("1 inch in feet", "1 inch is 0.0833 feet."),
        ("a third of a mile in miles", "0.3333 miles is 0.333 miles."),
        ("how many ounces are in a cup", "1 cup is 8 fluid ounces."),
        ("900000000000000 km in mm", "That number is too large for me to say."),
    ],
)
def test_conversion_answer(asked: str, want: str) -> None:
    intent = match(asked)
    assert intent is not None and sums.conversion_answer(intent.slots, "en").text == want


@pytest.mark.parametrize("answer", [sums.sum_answer, sums.conversion_answer])
def test_slots_of_something_else_are_our_mistake(answer: Callable[[Mapping[str, object], str], Said]) -> None:
    with pytest.raises(ValueError, match="no "):
        answer({"n": 1, "to": 2}, "en")
