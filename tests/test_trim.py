"""History trimming: what is kept, and what is never split.

Conversations are written as one word a message: s system, u user, a assistant, cX a call, tX its output; every message costs 10.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.policy.trim import MESSAGE_TOKENS, message_tokens, trim
from voice.protocol.chat import FunctionCall, Message, ToolCall


def conversation(words: str) -> list[Message]:
    return [message(word) for word in words.split()]


def message(word: str) -> Message:
    match word[0]:
        case "c":
            return Message("assistant", None, tuple(ToolCall(call, FunctionCall("f", "{}")) for call in word[1:]))
        case "t":
            return Message("tool", word, tool_call_id=word[1:])
    return Message({"s": "system", "u": "user", "a": "assistant"}[word[0]], word)


def shown(words: str, budget: int) -> str:
    before = conversation(words)
    after = trim(before, budget, lambda _: 10)
    names = {id(item): word for item, word in zip(before, words.split(), strict=True)}
    return " ".join(names[id(item)] for item in after)


@pytest.mark.parametrize(
    ("words", "budget", "want"),
    [
        ("s u1 a1 u2 a2 u3", 60, "s u1 a1 u2 a2 u3"),
        ("s u1 a1 u2 a2 u3", 59, "s u2 a2 u3"),
        ("s u1 a1 u2 a2 u3", 40, "s u2 a2 u3"),
        ("s u1 a1 u2 a2 u3", 39, "s u3"),
        # The system message and the newest are kept whatever they cost.
        ("s u1 a1 u2 a2 u3", 0, "s u3"),
        ("u1", 0, "u1"),
        ("s", 0, "s"),
        ("", 0, ""),
        # A greeting before anybody spoke goes first.
        ("s a0 u1 a1 u2", 40, "s u1 a1 u2"),
        # System messages stay in their places.
        ("s1 u1 a1 s2 u2", 30, "s1 s2 u2"),
        # Lines in a row are one question; nobody has answered the first of them yet.
        ("u1 a1 u2 u3 a3 u4", 40, "u2 u3 a3 u4"),
        ("u1 a1 u2 u3 a3 u4", 39, "u4"),
        # A question, the call, its output and the answer are one.
        ("s u1 cX tX a1 u2", 50, "s u2"),
        ("s u1 cX tX a1 u2", 60, "s u1 cX tX a1 u2"),
        ("s u1 cXY tX tY a1 u2", 69, "s u2"),
        # The person spoke while the tool was at work: both exchanges are one.
        ("s u1 cX u2 tX a2 u3 a3 u4", 40, "s u3 a3 u4"),
        ("s u1 cX u2 tX a2 u3 a3 u4", 89, "s u3 a3 u4"),
        ("s u1 cX u2 tX a2 u3 a3 u4", 90, "s u1 cX u2 tX a2 u3 a3 u4"),
        ("s u1 cX u2 tX a2", 0, "s u1 cX u2 tX a2"),
        # No endpoint takes an output without its call.
        ("s tX u1 a1", 99, "s u1 a1"),
        ("s u1 tX cX u2", 99, "s u1 cX u2"),
    ],
)  # fmt: skip
def test_what_is_shown(words: str, budget: int, want: str) -> None:
    assert shown(words, budget) == want


def test_one_message_twice_is_two_messages() -> None:
    same = Message("user", "again")
    answer = Message("assistant", "yes")
    assert trim([same, answer, same, answer], 20, lambda _: 10) == [same, answer]


def test_the_estimate_counts_words_marks_and_calls() -> None:
    assert message_tokens(Message("user", "x" * 40)) == MESSAGE_TOKENS + 10
    assert message_tokens(Message("user", "안녕하세요")) == MESSAGE_TOKENS + 5
    plain = Message("assistant", None)
    assert message_tokens(plain) == MESSAGE_TOKENS
    assert message_tokens(Message("assistant", None, (ToolCall("c1", FunctionCall("f", "x" * 400)),))) > MESSAGE_TOKENS + 100


WORDS = st.lists(st.sampled_from("s u a cA cB cAB tA tB".split()), max_size=14).map(" ".join)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(WORDS, st.integers(0, 150))
def test_whatever_is_said(words: str, budget: int) -> None:
    before = conversation(words)
    after = trim(before, budget, lambda _: 10)
    # In order, and the very same objects.
    rest = iter(before)
    assert all(any(item is other for other in rest) for item in after)
    assert [item for item in after if item.role == "system"] == [item for item in before if item.role == "system"]
    assert any(item is before[-1] for item in after) or not before or before[-1].role == "tool"
    called = {call.id for item in after for call in item.tool_calls}
    assert all(item.tool_call_id in called for item in after if item.role == "tool")
    # What fits is not cut, but for outputs without a call.
    if 10 * len(before) <= budget:
        assert len(after) == len(trim(before, 10_000, lambda _: 10))
    # More room never shows less.
    assert len(trim(before, budget + 10, lambda _: 10)) >= len(after)
