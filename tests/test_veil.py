"""What is added to settings, and taken out again."""

import pytest

from voice.errors import ProtocolError
from voice.protocol.tools import Tool, declared
from voice.protocol.untrusted import Quotation, quoted
from voice.protocol.veil import Veil

TOOL = Tool("ours", "Does it.", {"type": "object", "properties": {"n": {"type": "integer"}}})
THEIRS = {"type": "function", "name": "theirs"}
ABOUT = quoted({"basket": "apple"}, "m4rk")
VEIL = Veil((TOOL,), {"ours", "asleep"}, ABOUT)


def test_a_tool_is_declared_as_clients_declare_theirs() -> None:
    assert declared(TOOL) == {"type": "function", "name": "ours", "description": "Does it.", "parameters": TOOL.parameters}
    assert declared(Tool("bare"))["parameters"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("given", "tools", "instructions"),
    [
        ({"tools": [THEIRS], "instructions": "Be brief."}, [THEIRS, declared(TOOL)], f"Be brief.\n\n{ABOUT.words}"),
        ({"tools": [], "instructions": ""}, [declared(TOOL)], ABOUT.words),
        ({"tools": None, "instructions": None}, None, None),
        ({}, "absent", "absent"),
    ],
)
def test_what_a_client_sets_is_added_to(given: dict[str, object], tools: object, instructions: object) -> None:
    added = VEIL.added(given)
    assert (added.get("tools", "absent"), added.get("instructions", "absent")) == (tools, instructions)
    assert VEIL.shown(added) == given


@pytest.mark.parametrize(
    ("given", "choice", "names"),
    [
        ({"tools": [THEIRS]}, "required", ["theirs"]),
        ({"tools": [THEIRS], "tool_choice": {"type": "function", "name": "theirs"}}, "auto", ["theirs"]),
        ({"tool_choice": "required"}, "auto", ["theirs"]),
        ({"tool_choice": "auto"}, "required", ["theirs", "ours"]),
        ({"tools": [THEIRS], "tool_choice": "none"}, "required", ["theirs", "ours"]),
        ({"tools": []}, None, ["ours"]),
        ({"speed": 1}, "required", None),
    ],
)
def test_who_forces_a_call_gets_one_of_its_own(given: dict[str, object], choice: object, names: list[str] | None) -> None:
    added = VEIL.added(given, [THEIRS], choice)
    assert (None if names is None else [tool["name"] for tool in added["tools"]]) == names


def test_a_new_session_keeps_what_it_begins_with() -> None:
    first = VEIL.first({"tools": [THEIRS], "instructions": "Be kind.", "voice": "x"})
    assert first == {"type": "realtime", "tools": [THEIRS, declared(TOOL)], "instructions": f"Be kind.\n\n{ABOUT.words}"}
    assert Veil().first({"tools": [], "instructions": "Be kind."}) == {"type": "realtime"}


@pytest.mark.parametrize("text", [f"{ABOUT.words[:-9]} apple", ABOUT.words.replace("\n", " "), "m4rk apple"])
def test_words_that_came_back_changed_are_not_shown_at_all(text: str) -> None:
    assert VEIL.shown({"instructions": text}) == {"instructions": ""}


def test_text_without_the_words_is_left_alone() -> None:
    assert VEIL.without("an apple") == "an apple" and Veil().without("m4rk") == "m4rk"


def test_words_without_a_mark_are_taken_out_too() -> None:
    plain = Veil(about=Quotation("Be the shop."))
    assert plain.added({"instructions": "Be brief."}) == {"instructions": "Be brief.\n\nBe the shop."}
    assert plain.shown({"instructions": "Be brief.\n\nBe the shop."}) == {"instructions": "Be brief."}


@pytest.mark.parametrize("name", ["ours", "asleep"])
def test_names_of_ours_are_refused_also_of_tools_that_are_not_offered_now(name: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        VEIL.check({"tools": [THEIRS, {"type": "function", "name": name}]}, "session")
    assert refused.value.param == "session.tools[1].name"
    assert str(refused.value) == f"Invalid 'session.tools[1].name': '{name}' is a function of the server's own.", (
        "as our own engine says it"
    )
    with pytest.raises(ProtocolError) as refused:
        VEIL.check({"tool_choice": {"type": "function", "name": name}}, "response")
    assert refused.value.param == "response.tool_choice"


@pytest.mark.parametrize("fields", [{}, {"tools": "x", "tool_choice": "ours"}, {"tools": [7, THEIRS], "tool_choice": {"name": "theirs"}}])
def test_what_is_not_ours_to_refuse(fields: dict[str, object]) -> None:
    VEIL.check(fields, "session")


MCP = {"type": "mcp", "server_label": "x", "server_url": "https://tools.example/mcp", "require_approval": "never"}


@pytest.mark.parametrize("path", ["session", "response"])
@pytest.mark.parametrize(
    ("given", "param"),
    [({"tools": [THEIRS, MCP]}, "tools[1].type"), ({"tool_choice": {"type": "mcp", "server_label": "x"}}, "tool_choice.type")],
)
def test_no_client_names_an_mcp_server_behind_the_stage(path: str, given: dict[str, object], param: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        VEIL.check(given, path)
    message = "Invalid value: 'mcp'. Supported values are: 'function'. MCP servers are named in the server's configuration."
    assert (str(refused.value), refused.value.code, refused.value.param) == (message, "invalid_value", f"{path}.{param}")
