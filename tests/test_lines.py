"""What whoever answers reads of a conversation."""

import msgspec

from voice.protocol.conversation import message
from voice.protocol.lines import Call, Line, lines_of
from voice.protocol.objects import Content, Item

CALL = Item("function_call", call_id="c1", name="f", arguments='{"x":1}', status="completed")
OUTPUT = Item("function_call_output", call_id="c1", output="42")


def test_who_said_and_called_what() -> None:
    items = [
        message("a", "system", [Content("input_text", text="Be kind.")], "completed"),
        message("b", "user", [Content("input_text", text="See:"), Content("input_audio", transcript="what I say")], "completed"),
        CALL,
        OUTPUT,
        message("c", "assistant", [Content("output_audio", transcript="Forty-two.")], "incomplete"),
    ]
    assert lines_of(items) == [
        Line("system", "Be kind."),
        Line("user", "See: what I say"),
        Line("assistant", "", Call("c1", "f", '{"x":1}')),
        Line("tool", "42", call_id="c1"),
        Line("assistant", "Forty-two."),
    ]


def test_a_line_knows_its_item() -> None:
    said = message("a", "user", [Content("input_text", text="Hi.")], "completed")
    call, output = (msgspec.structs.replace(item, id=item_id) for item, item_id in ((CALL, "b"), (OUTPUT, "c")))
    assert [line.item_id for line in lines_of([said, call, output])] == ["a", "b", "c"]


def test_what_says_nothing_is_left_out() -> None:
    items = [
        message("a", "user", [Content("input_audio", transcript=None)], "completed"),
        message("b", "user", [], "completed"),
        message("c", "assistant", [Content("output_text", text="I am just say")], "in_progress"),
        Item("function_call", call_id="c2", name="f", arguments='{"x"', status="incomplete"),
        Item("function_call", call_id="c3", name="f", arguments="", status="in_progress"),
        Item("mcp_call", id="m", name="f", arguments="{}"),
    ]
    assert lines_of(items) == []


def test_an_empty_output_is_an_output() -> None:
    assert lines_of([CALL, Item("function_call_output", call_id="c1", output="")])[1] == Line("tool", "", call_id="c1")
