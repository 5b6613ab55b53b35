"""Tools: what is refused, and what may be called."""

from typing import Any

import pytest

from voice.errors import ProtocolError
from voice.protocol.tools import Tool, Toolbox, check_choice, check_tools, declared, is_name, refuse_taken, toolbox

WEATHER = {"type": "function", "name": "get_weather", "description": "Now.", "parameters": {"type": "object", "properties": {}}}
CLOCK = {"type": "function", "name": "clock"}
MCP = {"type": "mcp", "server_label": "files", "server_url": "https://example.com"}
NAMED = {"type": "function", "name": "clock"}


def test_functions_are_found_among_the_tools() -> None:
    box = toolbox([WEATHER, MCP, CLOCK], "auto", None)
    assert box == Toolbox((Tool("get_weather", "Now.", WEATHER["parameters"]), Tool("clock")))  # type: ignore[arg-type]
    assert toolbox(None, None, False) == Toolbox(parallel=False)


@pytest.mark.parametrize(
    ("choice", "usable", "must"),
    [
        ("auto", ["get_weather", "clock"], False),
        ("none", [], False),
        ("required", ["get_weather", "clock"], True),
        (NAMED, ["clock"], True),
        ({"type": "function", "name": "gone"}, ["get_weather", "clock"], False),
        ({"type": "mcp", "server_label": "files"}, ["get_weather", "clock"], False),
        (None, ["get_weather", "clock"], False),
    ],
)
def test_the_choice(choice: Any, usable: list[str], must: bool) -> None:
    box = toolbox([WEATHER, CLOCK], choice, True)
    assert ([tool.name for tool in box.usable], box.must) == (usable, must)


def test_nothing_must_be_called_where_nothing_is() -> None:
    assert not toolbox([], "required", True).must and not toolbox([MCP], NAMED, True).must


@pytest.mark.parametrize(
    ("tool", "code", "param"),
    [
        ({}, "missing_required_parameter", "session.tools[1].type"),
        ({"type": 7}, "invalid_type", "session.tools[1].type"),
        ({"type": "web_search"}, "invalid_value", "session.tools[1].type"),
        ({"type": "function"}, "missing_required_parameter", "session.tools[1].name"),
        ({"type": "function", "function": {"name": "f"}}, "unknown_parameter", "session.tools[1].function"),
        (MCP, "invalid_value", "session.tools[1].type"),
        ({"type": "function", "name": "two words"}, "invalid_value", "session.tools[1].name"),
        ({"type": "function", "name": "x" * 65}, "invalid_value", "session.tools[1].name"),
        ({"type": "function", "name": 7}, "invalid_type", "session.tools[1].name"),
        ({"type": "function", "name": "f", "parameters": []}, "invalid_type", "session.tools[1].parameters"),
        ({"type": "function", "name": "f", "description": {}}, "invalid_type", "session.tools[1].description"),
    ],
)
def test_tools_that_are_refused(tool: Any, code: str, param: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        check_tools([WEATHER, tool], "session.tools")
    assert (caught.value.code, caught.value.param) == (code, param)


@pytest.mark.parametrize("tools", [None, [], [WEATHER, CLOCK], [{**CLOCK, "parameters": None, "description": None}]])
def test_tools_that_are_taken(tools: Any) -> None:
    check_tools(tools, "session.tools")


@pytest.mark.parametrize(
    ("choice", "code", "param"),
    [
        ("maybe", "invalid_value", "r.tool_choice"),
        ({}, "missing_required_parameter", "r.tool_choice.type"),
        ({"type": "function"}, "missing_required_parameter", "r.tool_choice.name"),
        ({"type": "function", "name": "gone"}, "invalid_value", "r.tool_choice"),
        ({"type": "tool", "name": "clock"}, "invalid_value", "r.tool_choice.type"),
        ({"type": "mcp", "server_label": "files"}, "invalid_value", "r.tool_choice.type"),
    ],
)
def test_choices_that_are_refused(choice: Any, code: str, param: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        check_choice(choice, [WEATHER, CLOCK], "r.tool_choice")
    assert (caught.value.code, caught.value.param) == (code, param)


@pytest.mark.parametrize("choice", ["auto", "none", "required", NAMED, None])
def test_choices_that_are_taken(choice: Any) -> None:
    check_choice(choice, [CLOCK], "r.tool_choice")
    check_choice({"type": "function", "name": "later"}, None, "session.tool_choice")


def test_an_mcp_server_is_not_for_a_client_to_name() -> None:
    with pytest.raises(ProtocolError, match="'mcp'.*server's configuration"):
        check_tools([MCP], "session.tools")


def test_the_server_s_own_names_are_taken() -> None:
    refuse_taken([WEATHER, CLOCK], {"order_state"}, "session.tools")
    refuse_taken(None, {"clock"}, "session.tools")
    with pytest.raises(ProtocolError, match="'clock' is a function of the server's own") as caught:
        refuse_taken([WEATHER, CLOCK], {"clock"}, "response.tools")
    assert (caught.value.code, caught.value.param) == ("invalid_value", "response.tools[1].name")


def test_a_function_is_declared_as_it_is_read() -> None:
    tool = Tool("a", "b", {"type": "object", "properties": {"c": {}}})
    assert toolbox([declared(tool)], None, None).tools == (tool,)
    assert declared(Tool("a"))["parameters"] == {"type": "object", "properties": {}}
    assert is_name("a-B_9") and not is_name("a b") and not is_name("")
