"""The arguments of a call: what the words make obvious, and what is rather asked for."""

from typing import Any

import pytest

from tests.test_calling import BOX, HOME
from voice.engines.arguments import filled, name_words, value_of
from voice.engines.calling import by_name
from voice.engines.words import split
from voice.protocol.tools import Tool


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("Please set lamp in the kitchen to 40", {"room": "kitchen", "brightness": 40}),
        ("please set the lamp in the living room to 40 percent, please", {"room": "living room", "brightness": 40}),
        ("call set_lamp room kitchen to 40", {"room": "kitchen", "brightness": 40}),
        ("set lamp to 40 in the kitchen", {"room": "kitchen", "brightness": 40}),
        ("set lamp room to 40", {"brightness": 40}),
        ("set lamp brightness 40 room kitchen", {"room": "kitchen", "brightness": 40}),
        ("dim the kitchen to forty", {"room": "kitchen", "level": 40}),
        ("set lamp kitchen 40 and bedroom 20", {}),
        ("set lamp in the kitchen to 40 for my dinner", {"brightness": 40}),
        ("paint room five at 5", {"room": "five at 5"}),
        ("What is it like in Oslo? Use get_weather for Oslo", {"city": "Oslo"}),
        ("To find out how warm it is, call get_weather for Oslo", {"city": "Oslo"}),
        ("call set lamp. What does it do?", {}),
        ("call set lamp and explain what it does", {}),
        ("get the weather in St. Louis", {"city": "St. Louis"}),
        ("send message I am late and I cannot call. Sorry", {"text": "I am late and I cannot call. Sorry"}),
    ],
)
def test_what_could_be_two_things_is_left_out(text: str, arguments: dict[str, Any]) -> None:
    [wanted] = by_name(text, HOME)
    assert wanted.arguments == arguments


@pytest.mark.parametrize(
    ("text", "name", "property_name", "want"),
    [
        ("Paris.", "get_weather", "city", "Paris"),
        ("in New York, please", "get_weather", "city", "New York"),
        ("twenty two", "add", "a", 22),
        ("I do not know", "add", "a", None),
        ("the living room", "set-light", "room", "living_room"),
        ("the garden", "set-light", "room", None),
        ("off", "set-light", "on", False),
        ("", "get_weather", "city", None),
    ],
)
def test_an_answer_for_one_property(text: str, name: str, property_name: str, want: Any) -> None:
    [chosen] = [tool for tool in BOX.tools if tool.name == name]
    assert value_of(text, chosen, property_name) == want


@pytest.mark.parametrize(
    ("name", "want"),
    [("get_weather", ["get", "weather"]), ("getHTTPStatus2", ["get", "http", "status", "2"]), ("a-b", ["a", "b"]), ("__", []), ("", [])],
)
def test_names(name: str, want: list[str]) -> None:
    assert name_words(name) == want


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
@pytest.mark.parametrize("kinds", [["integer", "null"], ["null", "integer"], ["integer"]])
def test_a_number_or_null_is_a_number(union: str, kinds: list[str]) -> None:
    tool = Tool("look_up_order", "", {"properties": {"number": {union: [{"type": kind} for kind in kinds], "default": None}}})
    words = split("look up order one thousand three")
    assert filled(tool, words, range(3, len(words))) == {"number": 1003}


@pytest.mark.parametrize("union", [[], "x", [7], [{"type": "null"}], [{"type": "integer"}, {"type": "string"}]])
def test_any_union_is_taken(union: object) -> None:
    tool = Tool("look_up_order", "", {"properties": {"number": {"anyOf": union}}})
    words = split("look up order seven")
    filled(tool, words, range(3, len(words)))
