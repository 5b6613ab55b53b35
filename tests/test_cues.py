"""Which reply of a script comes next."""

import pytest

from voice.engines.cues import Cue, Cues, Question, question
from voice.engines.script import read_script
from voice.protocol.conversation import message
from voice.protocol.objects import Content, Item


def cues(text: str) -> Cues:
    return Cues(read_script(text, "s.toml"))


def say(*texts: str) -> str:
    return "".join(f"[[reply]]\nsay = '{text}'\n" for text in texts)


def answers(of: Cues, *asked: Question | str) -> list[str | None]:
    found = [of.answer(Question(one) if isinstance(one, str) else one) for one in asked]
    return [cue and cue.reply.say for cue in found]


def test_replies_follow_each_other_and_start_over() -> None:
    assert answers(cues(say("a", "b")), "x", "y", "z") == ["a", "b", "a"]
    third = cues(say("a", "b"))
    assert [cue.use for cue in (third.answer(Question()) for _ in range(5)) if cue] == [0, 0, 1, 1, 2]


def test_a_reply_with_a_condition_goes_before_the_others_and_takes_none_of_their_places() -> None:
    text = say("a", "b") + "[[reply]]\nwhen = {heard = 'order'}\nsay = 'o'\n[[reply]]\nwhen = {output_of = 'f'}\nsay = 'f'\n"
    output = Question(None, (("f", "1"),))
    assert answers(cues(text), "hi", "my order", "hi", output, "orders", "hi") == ["a", "o", "b", "f", "o", "a"]


def test_the_first_condition_that_fits_wins_and_equal_ones_take_turns() -> None:
    rules = ["x", "x", "xy", "x"]
    text = "".join(f"[[reply]]\nwhen = {{heard = '{rule}'}}\nsay = '{number}'\n" for number, rule in enumerate(rules))
    assert answers(cues(text), "x", "xy", "xy", "x", "y") == ["0", "1", "3", "0", None]


def test_a_turn_takes_the_reply_that_says_its_words_and_no_other() -> None:
    text = "[[reply]]\nsay = 'a'\nheard = 'one'\n[[reply]]\nsay = 'b'\n"
    found = cues(text)
    first = found.hear()
    assert first is not None and first.reply.heard == "one"
    assert found.hear() is None and found.hear() is None
    assert answers(found, "x") == ["b"]
    assert [cue and cue.reply.heard for cue in (found.hear(), found.hear())] == ["one", None]


def test_where_nothing_is_answered_each_turn_takes_the_next_reply() -> None:
    found = cues("[[reply]]\nsay = 'a'\nheard = 'one'\n[[reply]]\nsay = 'b'\n[[reply]]\nheard = 'three'\n")
    heard = [found.hear(answered=False) for _ in range(4)]
    assert [cue and cue.reply.heard for cue in heard] == ["one", None, "three", "one"]


def test_a_reply_that_only_says_what_was_heard_answers_nothing() -> None:
    text = "[[reply]]\nheard = 'my order'\n[[reply]]\nwhen = {heard = 'order'}\nsay = 'o'\n"
    found = cues(text)
    assert isinstance(found.hear(), Cue)
    assert answers(found, "my order", "hello") == ["o", None]
    assert answers(cues(text + say("a")), "hello", "hello") == ["a", "a"]


def typed(item_id: str, text: str, role: str = "user", status: str = "completed") -> Item:
    return message(item_id, role, [Content("input_text" if role == "user" else "output_text", text=text)], status)


def call(call_id: str, name: str) -> Item:
    return Item(type="function_call", id=f"c_{call_id}", status="completed", call_id=call_id, name=name, arguments="{}")


def output(call_id: str, text: str) -> Item:
    return Item(type="function_call_output", id=f"o_{call_id}", call_id=call_id, output=text)


SPOKEN = message("u", "user", [Content("input_audio", transcript=None)], "completed")


@pytest.mark.parametrize(
    ("items", "want"),
    [
        ([], Question()),
        ([typed("u", "hi")], Question("hi", (), "u")),
        ([typed("u", "hi"), typed("a", "yes", "assistant")], Question(None, (), "a")),
        ([typed("u", "hi"), typed("a", "ye", "assistant", "in_progress")], Question("hi", (), "u")),
        ([SPOKEN], Question("spoken", (), "u")),
        ([call("1", "f"), output("1", "x")], Question(None, (("f", "x"),), "o_1")),
        (
            [call("1", "f"), call("2", "g"), output("2", "y"), output("1", "x")],
            Question(None, (("g", "y"), ("f", "x")), "o_1"),
        ),
        ([call("1", "f"), output("1", "x"), typed("u", "hi")], Question("hi", (), "u")),
        ([output("9", "x")], Question(None, (("", "x"),), "o_9")),
    ],
)
def test_what_a_conversation_asks(items: list[Item], want: Question) -> None:
    assert question(items, {"u": "spoken"} if SPOKEN in items else {}) == want


def test_a_message_of_words_and_sound_says_both() -> None:
    both = message("u", "user", [Content("input_text", text="typed"), Content("input_audio", transcript="old")], "completed")
    assert question([both], {"u": "spoken"}).heard == "typed spoken"
    assert question([both], {"u": ""}).heard == "typed"
    assert question([both], {}).heard == "typed old"


def test_a_text_quotes_what_was_said_and_what_came_of_calls() -> None:
    asked = Question("hi {output}", (("f", "1"), ("g", "2")))
    assert asked.filled('{"a": "{output}"} {heard} {other}') == '{"a": "2"} hi {output} {other}'
    assert Question().filled("<{heard}|{output}>") == "<|>"
    assert asked.filled("{{heard}} {{x}} {{x y}} {}") == "{heard} {x} {{x y}} {}"
