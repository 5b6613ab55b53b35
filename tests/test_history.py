"""The conversation's lines stand in the conversation's order, whatever order the events come in."""

import pytest

from voice.protocol import history as module
from voice.protocol.history import History, HistoryLine
from voice.protocol.objects import Content, Item


def item(role: str, text: str | None = None, status: str = "completed") -> Item:
    kind = {"user": "input_audio", "assistant": "output_audio"}[role]
    return Item(type="message", role=role, status=status, content=[Content(kind, transcript=text)])


def brief(history: History) -> list[tuple[str, str]]:
    return [(line.item_id, line.text) for line in history]


def test_words_come_when_they_come() -> None:
    history = History()
    history.see(item("user"), "u", None)
    history.see(item("assistant", "", "in_progress"), "a", "u")
    assert list(history)[1] == HistoryLine("a", "assistant", "", "in_progress")
    history.write("a", "assistant", "Hello.")
    history.write("u", "user", "Hi")
    history.see(item("assistant", "Hello."), "a", "u")
    assert list(history) == [HistoryLine("u", "user", "Hi", "completed"), HistoryLine("a", "assistant", "Hello.", "completed")]
    history.see(item("user"), "u", None)
    assert brief(history) == [("u", "Hi"), ("a", "Hello.")], "what is known is not forgotten"


def test_a_guess_stays_one_until_the_words_are_known() -> None:
    history = History()
    history.write("a", "assistant", "It is", estimated=True)
    history.see(Item(type="message", role="assistant", status="incomplete", content=[]), "a", None)
    assert list(history) == [HistoryLine("a", "assistant", "It is", "incomplete", estimated=True)]
    history.write("a", "assistant", "It is ten")
    assert [line.estimated for line in history] == [False]
    history.write("a", "assistant", "It is", estimated=True)
    history.see(item("assistant", "It is ten."), "a", None)
    assert [(line.text, line.estimated) for line in history] == [("It is ten.", False)]


def test_words_before_their_item_find_their_place() -> None:
    history = History()
    history.see(item("user", "one"), "u1", None)
    history.see(item("assistant", "two"), "a1", "u1")
    history.write("u2", "user", "between")
    assert brief(history)[-1] == ("u2", "between")
    history.see(item("user"), "u2", "u1")
    assert brief(history) == [("u1", "one"), ("u2", "between"), ("a1", "two")]
    history.see(item("user"), "u2", "a1")
    assert brief(history)[1] == ("u2", "between"), "an item moves once"


def test_an_item_goes_behind_the_one_that_is_named() -> None:
    history = History()
    for name, after in (("a", None), ("b", "a"), ("c", "a"), ("d", "nobody"), ("e", "d")):
        history.see(item("user", name), name, after)
    assert [line.item_id for line in history] == ["a", "c", "b", "d", "e"]
    history.forget("c")
    history.forget("nobody")
    assert [line.item_id for line in history] == ["a", "b", "d", "e"]


def test_calls_are_no_lines() -> None:
    history = History()
    history.see(Item(type="function_call", name="f"), "f", None)
    assert list(history) == []


def test_an_item_without_a_role_keeps_the_one_it_had() -> None:
    history = History()
    history.write("a", "assistant", "Hello.")
    history.see(Item(type="message"), "a", None)
    assert list(history) == [HistoryLine("a", "assistant", "Hello.", "completed")]


def test_the_oldest_lines_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINES", 2)
    history = History()
    for name in "abc":
        history.write(name, "user", name)
    history.see(item("user", "d"), "d", "c")
    assert [line.item_id for line in history] == ["c", "d"]


def test_reading_while_it_changes() -> None:
    history = History()
    history.write("a", "user", "a")
    for _ in history:
        history.write("b", "user", "b")
    assert len(list(history)) == 2


def test_the_lines_beyond_the_newest() -> None:
    history = History()
    for name in "abc":
        history.write(name, "user", name)
    assert [history.beyond(count) for count in (0, 2, 3, 9)] == [["a", "b", "c"], ["a"], [], []]


def call(arguments: str | None = None, **more: object) -> Item:
    return Item(type="function_call", call_id="c1", name="look", **({} if arguments is None else {"arguments": arguments}), **more)  # type: ignore[arg-type]


def test_calls_stand_between_the_lines_and_are_none() -> None:
    history = History()
    history.see(item("user", "look"), "u", None)
    history.see(call("", status="in_progress"), "f", "u")
    history.see(item("assistant", "It is there."), "a", "f")
    history.see(call('{"a":1}', status="completed"), "f", "u")
    history.see(call("", status="completed"), "f", "u")
    history.see(Item(type="function_call", name="no id"), "g", "a")
    assert brief(history) == [("u", "look"), ("a", "It is there.")]
    assert "f" in history and "g" not in history
    assert history.entries()[1] == call('{"a":1}'), "what is known is not forgotten"
    assert history.beyond(1) == ["u", "f"]
    history.forget("f")
    assert [type(entry) for entry in history.entries()] == [HistoryLine, HistoryLine]


def test_an_output_stands_last_until_the_server_has_told_where() -> None:
    history = History()
    history.see(item("user", "look"), "u", None)
    history.expect(Item(type="function_call_output", call_id="c1", output="seen"), "o")
    history.see(item("user", "and?"), "v", "o2")
    history.see(Item(type="function_call_output", call_id="c1"), "o", "v")
    assert [getattr(entry, "item_id", "o") for entry in history.entries()] == ["u", "v", "o"]
    assert history.entries()[2] == Item(type="function_call_output", call_id="c1", output="seen")
