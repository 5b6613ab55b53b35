"""A conversation as chat endpoints want it: no call without its output, no output without its call."""

from hypothesis import given, settings
from hypothesis import strategies as st

from voice.engines.messages import LOST_CALL, NO_RESULT, messages_of
from voice.protocol.chat import FunctionCall, Message, ToolCall
from voice.protocol.lines import Call, Line


def user(text: str) -> Line:
    return Line("user", text)


def call(call_id: str, arguments: str = "{}") -> Line:
    return Line("assistant", "", Call(call_id, "f", arguments))


def output(call_id: str, text: str) -> Line:
    return Line("tool", text, call_id=call_id)


def asked(*call_ids: str, content: str | None = None) -> Message:
    return Message("assistant", content, [ToolCall(call_id, FunctionCall("f", "{}")) for call_id in call_ids])


def told(call_id: str, text: str) -> Message:
    return Message("tool", text, tool_call_id=call_id)


def test_lines_without_words_are_left_out() -> None:
    assert messages_of([user("Hi"), Line("assistant", ""), Line("system", "Be kind.")]) == [
        Message("user", "Hi"),
        Message("system", "Be kind."),
    ]


def test_a_call_and_its_output() -> None:
    lines = [user("Weather?"), call("a"), output("a", "rain"), Line("assistant", "It rains.")]
    want = [Message("user", "Weather?"), asked("a"), told("a", "rain"), Message("assistant", "It rains.")]
    assert messages_of(lines) == want


def test_calls_made_together_are_one_message_with_what_was_said_before_them() -> None:
    lines = [Line("assistant", "Let me see."), call("a"), call("b"), output("b", "two"), output("a", "one")]
    assert messages_of(lines) == [asked("a", "b", content="Let me see."), told("a", "one"), told("b", "two")]


def test_an_output_that_comes_late_stands_behind_its_call() -> None:
    lines = [call("a"), user("And now?"), Line("assistant", "Wait."), output("a", "42"), user("So?")]
    want = [asked("a"), told("a", "42"), Message("user", "And now?"), Message("assistant", "Wait."), Message("user", "So?")]
    assert messages_of(lines) == want


def test_a_call_still_at_work_has_no_result_yet() -> None:
    assert messages_of([call("a"), user("Hm?")]) == [asked("a"), told("a", NO_RESULT), Message("user", "Hm?")]


def test_an_output_whose_call_nobody_has() -> None:
    assert messages_of([output("x", "42"), user("So?")]) == [Message("user", LOST_CALL.format(output="42")), Message("user", "So?")]


def test_an_id_that_is_used_twice() -> None:
    lines = [call("a"), output("a", "1"), call("a"), output("a", "2"), output("a", "3")]
    want = [asked("a"), told("a", "1"), asked("a"), told("a", "2"), Message("user", LOST_CALL.format(output="3"))]
    assert messages_of(lines) == want


LINES = st.one_of(
    st.sampled_from(["user", "assistant", "system"]).flatmap(lambda role: st.sampled_from([Line(role, ""), Line(role, "words")])),
    st.sampled_from("abc").map(call),
    st.sampled_from("abcd").map(lambda call_id: output(call_id, "out")),
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(LINES, max_size=14))
def test_whatever_was_said_endpoints_take_it(lines: list[Line]) -> None:
    """The rule that they check: behind a message with calls comes exactly one output of each, and none anywhere else."""
    messages = messages_of(lines)
    place = 0
    while place < len(messages):
        message = messages[place]
        assert message.role != "tool"
        wanted = [one.id for one in message.tool_calls]
        answers = messages[place + 1 : place + 1 + len(wanted)]
        assert [answer.tool_call_id for answer in answers] == wanted and all(answer.role == "tool" for answer in answers)
        assert message.content or message.tool_calls
        place += 1 + len(wanted)
    assert sum(len(message.tool_calls) for message in messages) == sum(line.call is not None for line in lines)
    assert sum("out" in (message.content or "") for message in messages) == sum(line.role == "tool" for line in lines)
