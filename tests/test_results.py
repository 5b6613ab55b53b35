"""What came of a call, for the ear."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.engines.base import Said
from voice.engines.results import LONGEST, told


def heard(*outputs: str) -> str:
    return " ".join(said.text for said in told(outputs))


@pytest.mark.parametrize(
    ("output", "want"),
    [
        ("It is 18 degrees and sunny. Take a hat.", "It is 18 degrees and sunny. Take a hat."),
        ('{"temperature": 18.5, "feels_like": "cold", "isRaining": false}', "temperature: 18.5, feels like: cold, is raining: no."),
        ('{"result": "Sunny"}', "Sunny."),
        ('{"data": {"city": "Oslo", "now": {"temp": 3}}}', "city: Oslo, now: temp: 3."),
        ('"just text"', "just text."),
        ('{"sum": 7}', "The sum is 7."),
        ('{"text": "7 or 8."}', "7 or 8."),
        ("{'temperature': 21, 'sky': None, 'wind': ('west', 3), 'dry': True}", "temperature: 21, wind: west and 3, dry: yes."),
        ("{1: 'a\\d', (2, 3): b'x', 'z': {4}}", "1: a\\d, z: {4}."),
        ("{'sky': __import__('os')}", "{'sky': __import__('os')}"),
        ("(in the kitchen)", "(in the kitchen)"),
        ("42", "42."),
        ("-0.5", "-0.5."),
        ("true", "Yes."),
        ("false", "No."),
        ('["a", "b", "c"]', "a, b and c."),
        ('[{"name": "Ann"}, {"name": "Bob"}]', "name: Ann. name: Bob."),
        ('{"error": "no such city"}', "That went wrong: no such city."),
        ('{"error": null, "ok": true}', "ok: yes."),
        ("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", "1, 2, 3, 4, 5, 6, 7, 8 and 2 more."),
    ],
)
def test_an_output(output: str, want: str) -> None:
    assert heard(output) == want


@pytest.mark.parametrize("output", ["", "  ", "null", "{}", "[]", '""', "[" * 50_000, "(" * 19_000, '{"result": null}'])
def test_an_output_that_says_nothing(output: str) -> None:
    if output.startswith(("[[", "((")):
        # No JSON that can be read: it is text, which is cut.
        assert len(heard(output)) <= LONGEST + 20
    else:
        assert heard(output) == "That is done."


def test_several_outputs() -> None:
    assert heard("Rain.", '{"time": "noon"}', "") == "Rain. The time is noon."
    assert heard("", "null") == "That is done."


def test_each_sentence_has_its_language() -> None:
    assert told(["It rains. 비가 옵니다."]) == [Said("It rains.", "en"), Said("비가 옵니다.", "ko")]


def test_a_long_output_is_cut_at_a_word() -> None:
    text = heard("word " * 5_000)
    assert len(text) <= LONGEST + 20 and text.endswith("word and so on.")


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
FLAT = SCALAR | st.lists(SCALAR, max_size=5) | st.dictionaries(st.text(max_size=8), SCALAR, max_size=5)
JSON = FLAT | st.lists(FLAT, max_size=5) | st.dictionaries(st.text(max_size=8), FLAT, max_size=5)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(JSON | st.text(max_size=50))
def test_any_output_is_told(value: Any) -> None:
    output = value if isinstance(value, str) else json.dumps(value)
    said = told([output])
    assert said and all(one.text.strip() for one in said)
