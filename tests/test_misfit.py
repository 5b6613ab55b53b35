"""What a model is told of arguments that do not fit: which, what they must be, what they were; no name of a Python type."""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

import msgspec
import pytest

from voice.errors import ProtocolError
from voice.protocol.misfit import misfit
from voice.protocol.signature import described


@dataclass(frozen=True)
class Place:
    city: str
    near: "list[Place]" = field(default_factory=list)


def look(days: Annotated[int, msgspec.Meta(ge=1)], unit: Literal["celsius", "kelvin"] = "celsius", place: Place | None = None) -> None:
    """Parameters of several kinds."""


def none() -> None:
    """No parameters."""


def on(day: date, sure: bool, much: float | str | None) -> None:
    """Other kinds."""


NOT_JSON = "The arguments are not valid JSON: "
SENTENCES = [
    (look, "", "The argument 'days' is missing.", "days"),
    (look, "{", NOT_JSON, None),
    (look, "call me", NOT_JSON, None),
    (look, "\ud800", NOT_JSON + "they are not valid Unicode.", None),
    (look, "[1]", "The arguments must be a JSON object, one value for each argument by its name.", None),
    (look, '{"days":"three"}', "The argument 'days' must be an integer; it was \"three\".", "days"),
    (look, '{"days":0}', "The argument 'days' must be an integer >= 1; it was 0.", "days"),
    (look, '{"days":1,"unit":"C"}', 'The argument \'unit\' must be "celsius" or "kelvin"; it was "C".', "unit"),
    (look, '{"days":1,"day":2}', "There is no argument 'day'; the arguments are 'days', 'unit', 'place'.", "day"),
    (none, '{"day":2}', "There is no argument 'day' (there are no arguments).", "day"),
    (look, '{"days":1,"place":{}}', "The argument 'place.city' is missing.", "place.city"),
    (look, '{"days":1,"place":"x"}', "The argument 'place' must be an object or null; it was \"x\".", "place"),
    (look, '{"days":1,"place":{"city":"a","near":[{"city":[7]}]}}', "The argument 'place.near[0].city' must be a string; it was [7].",
     "place.near[0].city"),
    (on, '{"day":"tomorrow","sure":true,"much":1}', "The argument 'day' does not fit (invalid RFC3339 encoded date); it was \"tomorrow\".", "day"),
    (on, '{"day":"2026-01-02","sure":"yes","much":1}', "The argument 'sure' must be true or false; it was \"yes\".", "sure"),
    (on, '{"day":"2026-01-02","sure":true,"much":[]}', "The argument 'much' must be a number or a string or null; it was [].", "much"),
    (look, '{"days":1e400}', "The argument 'days' does not fit (number out of range); it was 1e400.", "days"),
    (look, '{"days":1,"place":{"city":"a","near":[{"city":"b"}, -1e999 ]}}',
     "The argument 'place.near[1]' does not fit (number out of range); it was -1e999.", "place.near[1]"),
    (look, '{"days":' + "9" * 400 + ".5}", f"The argument 'days' does not fit (number out of range); it was {'9' * 80}.", "days"),
    (look, '{"days":1.5}', "The argument 'days' must be an integer; it was 1.5.", "days"),
    (look, '{"days":1.0,"unit":2.0}', "The argument 'unit' must be \"celsius\" or \"kelvin\"; it was 2.0.", "unit"),
    (look, '{"days":0.0}', "The argument 'days' must be an integer >= 1; it was 0.0.", "days"),
    (look, '{"days":1e300}', "The argument 'days' must be an integer; it was 1e300.", "days"),
    (look, '{"days":' + "[" * 5000 + "]" * 5000 + "}", "The argument", "days"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "sentence", "path"), SENTENCES, ids=range(len(SENTENCES)))
def test_the_sentence(function: object, arguments: str, sentence: str, path: str | None) -> None:
    assert callable(function)
    with pytest.raises(ProtocolError) as caught:
        described(function).decode(arguments)
    assert str(caught.value).startswith(sentence)
    assert caught.value.param == path
    assert len(str(caught.value)) < 300
    assert not re.search(r"`|\bstr\b|\bint\b|codec|msgspec|surrogate|Error", str(caught.value))


def test_what_is_nested_without_end() -> None:
    assert misfit(RecursionError(), "[[", {}) == ("The arguments are nested too deeply.", None)


def test_a_value_that_cannot_be_found_again() -> None:
    told = misfit(msgspec.ValidationError("Expected `int`, got `str` - at `$.a.b[...]`"), '{"a.b":{"c":"d"}}', {})
    assert told == ("The argument 'a.b[...]' must be an integer; it was something else.", "a.b[...]")
