"""Functions that a sentence asks for by name: which, with what, and when rather not."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.engines.calling import at_any_rate, by_name, by_subject
from voice.protocol.tools import Tool, Toolbox

TEXT, NUMBER, WHOLE, FLAG = ({"type": kind} for kind in ("string", "number", "integer", "boolean"))


def tool(name: str, required: list[str] | None = None, description: str = "", **properties: Any) -> Tool:
    schema = {"type": "object", "properties": properties, "required": list(properties) if required is None else required}
    return Tool(name, description, schema)


WEATHER = tool("get_weather", city=TEXT)
BOX = Toolbox(
    (
        WEATHER,
        tool("add", a=NUMBER, b=NUMBER),
        tool("sendMessage", to=TEXT, text=TEXT),
        tool("set-light", room={"enum": ["kitchen", "living_room"]}, on=FLAG),
        tool("search", query={"type": ["null", "string"]}),
        tool("roll_dice", [], sides=WHOLE, count=WHOLE),
        tool("play_music", ["song"], song=TEXT, volume=WHOLE),
        Tool("ping"),
        tool("plugin-read_file", path=TEXT),
        tool("home__open_door"),
        tool("book_flight", origin=TEXT, destination=TEXT, date=TEXT),
        tool("forecast", place=TEXT, unit={**TEXT, "default": "celsius"}),
        tool("convert", value=NUMBER, **{"from": TEXT, "to": TEXT}),
    )
)


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("call get weather", "get_weather", {}),
        ("Call get_weather for Paris.", "get_weather", {"city": "Paris"}),
        ("call getWeather with city Paris", "get_weather", {"city": "Paris"}),
        ("get the weather in New York, please", "get_weather", {"city": "New York"}),
        ("could you get weather for the city of Berlin?", "get_weather", {"city": "Berlin"}),
        ("can you please run the get weather function for London?", "get_weather", {"city": "London"}),
        ("call get_weather (city: Oslo)", "get_weather", {"city": "Oslo"}),
        ("I would like you to call get weather with the city as São Paulo", "get_weather", {"city": "São Paulo"}),
        ("add 2 and 3", "add", {"a": 2, "b": 3}),
        ("please add seventeen and two and a half", "add", {"a": 17, "b": 2.5}),
        ("call add with a 2 and b minus 3.5", "add", {"a": 2, "b": -3.5}),
        ("add 2", "add", {}),
        ("send message to Bob saying I am late", "sendMessage", {"to": "Bob", "text": "I am late"}),
        ("sendMessage to Bob text I am late", "sendMessage", {"to": "Bob", "text": "I am late"}),
        ("set light room living room on false", "set-light", {"room": "living_room", "on": False}),
        ("set light kitchen on", "set-light", {"room": "kitchen", "on": True}),
        ("search for cats and dogs", "search", {"query": "cats and dogs"}),
        ("use the search tool to find good pizza", "search", {"query": "find good pizza"}),
        ("roll dice sides 20", "roll_dice", {"sides": 20}),
        ("roll dice 20", "roll_dice", {}),
        ("roll dice sides 2.5", "roll_dice", {}),
        ("play music Yesterday volume 7", "play_music", {"song": "Yesterday", "volume": 7}),
        ("run ping now", "ping", {}),
        ("get_weather 서울 호출해 줘", "get_weather", {}),
        ("book flight from Oslo to New York on Monday", "book_flight", {"origin": "Oslo", "destination": "New York", "date": "Monday"}),
        ("call forecast for Oslo", "forecast", {"place": "Oslo", "unit": "celsius"}),
        ("call forecast for Oslo in kelvin", "forecast", {"place": "Oslo", "unit": "kelvin"}),
        ("call forecast in Oslo unit kelvin", "forecast", {"place": "Oslo", "unit": "kelvin"}),
        ("read file notes.txt", "plugin-read_file", {"path": "notes.txt"}),
        ("call plugin read file path a.txt", "plugin-read_file", {"path": "a.txt"}),
        ("open the door", "home__open_door", {}),
        ("convert 5 from miles to meters", "convert", {"value": 5, "from": "miles", "to": "meters"}),
    ],
)
def test_by_name(text: str, name: str, arguments: dict[str, Any]) -> None:
    [wanted] = by_name(text, BOX)
    assert (wanted.tool.name, wanted.arguments) == (name, arguments)


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", "don't call get weather", "never call get weather", "what does get_weather do", "I went to get weather stripping"),
        *("get_weather 는 뭐야", "the ping was slow", "my add is broken", "weather", "call me"),
    ],
)
def test_rather_not(text: str) -> None:
    assert by_name(text, BOX) == ()


LAMP, DIMMED, PLAIN = (
    tool("set_lamp", room=TEXT, brightness=NUMBER),
    tool("dim", ["room"], room=TEXT, level=WHOLE),
    tool("paint", room=TEXT),
)
HOME = Toolbox((LAMP, DIMMED, PLAIN, WEATHER, Tool("ping"), tool("send_message", text=TEXT)))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Can you explain what set lamp does?",
            "explain how to use set lamp",
            "what happens if I call set lamp",
            "how do I call set_lamp",
        ),
        *("did you call set lamp", "why did you call set lamp", "should I call set lamp", "set lamp does not work", "Set lamp is broken"),
        *("I would like to know what happens when you call set lamp", "please describe to me in detail when to use ping"),
    ],
)
def test_talk_about_a_function_calls_none(text: str) -> None:
    assert by_name(text, HOME) == () and by_subject(text, HOME) is None


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (
            "call set_lamp room kitchen and call set_lamp room bedroom",
            [("set_lamp", {"room": "kitchen"}), ("set_lamp", {"room": "bedroom"})],
        ),
        (
            "set lamp in the kitchen to 40 and then set the lamp in the hall to 5",
            [("set_lamp", {"room": "kitchen", "brightness": 40}), ("set_lamp", {"room": "hall", "brightness": 5})],
        ),
        ("Please call ping, then get the weather in Oslo", [("ping", {}), ("get_weather", {"city": "Oslo"})]),
        ("call ping and do not call get_weather", [("ping", {})]),
        ("call ping and explain how to use get_weather", [("ping", {})]),
        ("send message saying please do not call ping", [("send_message", {"text": "please do not call ping"})]),
    ],
)
def test_several_orders_are_several_calls(text: str, want: list[tuple[str, dict[str, Any]]]) -> None:
    assert [(wanted.tool.name, wanted.arguments) for wanted in by_name(text, HOME)] == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("what is the weather in Tokyo?", {"city": "Tokyo"}),
        ("What's the weather like in São Paulo today?", {"city": "São Paulo"}),
        ("can you tell me how the weather is", {}),
        ("the weather is fine", None),
        ("what does get_weather mean", None),
        ("is it not nice weather", None),
        ("what is music", None),
        ("what is in the file at notes.txt", {"path": "notes.txt"}),
    ],
)
def test_by_subject(text: str, want: dict[str, Any] | None) -> None:
    wanted = by_subject(text, BOX)
    assert (None if wanted is None else wanted.arguments) == want


def test_two_functions_on_a_subject_are_one_too_many() -> None:
    assert by_subject("what is the weather in Tokyo", Toolbox((WEATHER, tool("find_weather_station")))) is not None
    assert by_subject("what is the weather in Tokyo", Toolbox((WEATHER, tool("show_weather", city=TEXT)))) is None


def test_only_what_may_be_called_is() -> None:
    assert by_name("call ping", Toolbox(BOX.tools, "none")) == ()
    named = Toolbox(BOX.tools, named="ping")
    assert by_name("call get weather", named) == ()
    assert [wanted.tool.name for text in ("call get weather", "hello", "") if (wanted := at_any_rate(text, named))] == ["ping"] * 3
    assert at_any_rate("hello", Toolbox()) is None


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("What's it like in Paris?", "get_weather", {"city": "Paris"}),
        ("hello", "get_weather", {}),
        ("I want to hear music", "play_music", {}),
        ("call ping", "ping", {}),
        ("find me good pizza", "lookup", {"query": "find me good pizza"}),
    ],
)
def test_where_one_must_be_called(text: str, name: str, arguments: dict[str, Any]) -> None:
    box = Toolbox((WEATHER, BOX.tools[6], BOX.tools[7], tool("lookup", query=TEXT, description="Finds a good place.")), "required")
    wanted = at_any_rate(text, box)
    assert wanted is not None and (wanted.tool.name, wanted.arguments) == (name, arguments)


def test_what_is_missing_and_what_was_ordered() -> None:
    [ordered], [asked] = by_name("call get weather", BOX), by_name("get the weather", BOX)
    assert (ordered.ordered, ordered.missing, asked.ordered, asked.missing) == (True, ("city",), False, ("city",))


SCALAR = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
JSON = SCALAR | st.lists(SCALAR | st.lists(SCALAR, max_size=2), max_size=3)
SCHEMA = st.dictionaries(
    st.sampled_from(["type", "enum", "required", "properties", "x"]), JSON | st.dictionaries(st.text(max_size=4), JSON), max_size=4
)
ODD = st.builds(
    lambda name, properties, required: Tool(name, "", {"properties": properties, "required": required}),
    st.sampled_from(["get_x", "x", "_", "a1"]),
    st.dictionaries(st.sampled_from(["x", "q", "to", "", "__"]), SCHEMA, max_size=4) | JSON,
    JSON,
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.text("call get x to 1 on _\u00e9\uac00.", max_size=30), st.lists(ODD, max_size=3))
def test_any_text_and_any_schema_is_taken(text: str, tools: list[Tool]) -> None:
    for choice in ("auto", "required"):
        box = Toolbox(tuple(tools), choice)
        for wanted in (*by_name(text, box), by_subject(text, box), at_any_rate(text, box)):
            assert wanted is None or isinstance(wanted.missing, tuple)
        assert (at_any_rate(text, box) is None) == (not tools)


def test_a_long_sentence_and_a_large_schema_are_quick() -> None:
    large = tool("get_things", **{f"thing_{n}": [TEXT, NUMBER, {"enum": [f"e{k}" for k in range(50)]}][n % 3] for n in range(200)})
    begun = time.process_time()
    assert by_name("call get things " + "thing 1 2 3 word " * 400, Toolbox((large,) * 20)) != ()
    assert time.process_time() - begun < 1


def test_a_number_behind_the_subject_is_meant() -> None:
    box = Toolbox((Tool("look_up_order", "", {"properties": {"number": {"type": "integer"}, "note": {"type": "string"}}}),))
    for text in ("where is my order 1003", "what about order number 1003 please", "where is order one thousand three"):
        wanted = by_subject(text, box)
        assert wanted is not None and wanted.arguments == {"number": 1003}
    wanted = by_subject("where is my order now", box)
    assert wanted is not None and wanted.arguments == {}
