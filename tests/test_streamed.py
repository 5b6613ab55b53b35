"""From a model's letters to what is said: soon, and the same however they come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.engines.base import Said
from voice.engines.sentences import sentences
from voice.engines.streamed import CLAUSE_REST, Streamed

LONG = "The capital of France is Paris, a city on the river Seine with two million people. It is old. 서울은 대한민국의 수도입니다."


def said(*deltas: str) -> list[str]:
    streamed = Streamed()
    return [item.text for delta in deltas for item in streamed.push(delta)] + [item.text for item in streamed.flush()]


def letters_until_first(text: str) -> int:
    """How many letters have to come before the first thing is said."""
    streamed = Streamed()
    return next((n for n, letter in enumerate(text, 1) if streamed.push(letter)), len(text) + 1)


def test_sentences_come_each_in_its_language() -> None:
    streamed = Streamed()
    found = streamed.push("Hello. 안녕하세요. 10:30. ") + streamed.push("Привет. Bye now.") + streamed.flush()
    assert found == [Said("Hello.", "en"), Said("안녕하세요.", "ko"), Said("10:30.", "ko"), Said("Привет.", "ru"), Said("Bye now.", "en")]
    assert streamed.letters == len("Hello. 안녕하세요. 10:30. Привет. Bye now.")


def test_latin_letters_are_in_the_language_of_the_conversation() -> None:
    streamed = Streamed("fr")
    assert streamed.push("Ça va. ") + streamed.flush() == [Said("Ça va.", "fr")]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (LONG, ["The capital of France is Paris,", "a city on the river Seine with two million people.", "It is old.", "서울은 대한민국의 수도입니다."]),
        # Only the first sentence is cut, and only once.
        ("Yes. The capital of France is Paris, a city on the river Seine.", ["Yes.", "The capital of France is Paris, a city on the river Seine."]),
        # Too short a clause, too short a rest.
        ("Well, that depends on the weather in the mountains.", ["Well, that depends on the weather in the mountains."]),
        ("That depends on the weather in the mountains, I know.", ["That depends on the weather in the mountains, I know."]),
        (f"That depends on the weather in the mountains, yes{' ' * 40}", ["That depends on the weather in the mountains, yes"]),
        # The first clause is too short, the second is not.
        ("Well, that depends on the weather there, and on those who come.", ["Well, that depends on the weather there,", "and on those who come."]),
        # A number is no clause.
        ("The answer to your question is 12,345,678 which is a large number.", ["The answer to your question is 12,345,678 which is a large number."]),
        ("서울의 인구는 약 구백사십만 명이며, 대한민국에서 가장 큰 도시입니다.", ["서울의 인구는 약 구백사십만 명이며,", "대한민국에서 가장 큰 도시입니다."]),
        ("  \n The capital of France is Paris, a city on the Seine in Europe.", ["The capital of France is Paris,", "a city on the Seine in Europe."]),
        # The sentence ends just behind the mark: no stump.
        ("That depends on the weather there now, yes. And on the people.", ["That depends on the weather there now, yes.", "And on the people."]),
        # So far that the splitter still waits for what comes behind the full stop.
        (f"That depends on the weather there now, yes.{' ' * 15}And on the people.", ["That depends on the weather there now, yes.", "And on the people."]),
        ("", []),
        ("  \n ", []),
    ],
)  # fmt: skip
def test_a_long_first_sentence_is_begun_at_its_first_clause(text: str, want: list[str]) -> None:
    assert said(text) == want
    assert said(*text) == want
    for at in range(len(text)):
        assert said(text[:at], text[at:]) == want, at


def test_the_clause_is_said_before_the_sentence_is_complete() -> None:
    assert letters_until_first(LONG) == len("The capital of France is Paris,") + CLAUSE_REST
    assert letters_until_first("Yes. And so on and on and on.") <= len("Yes. A")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("<think>The user wants Paris. Easy.</think>\n\nParis.", ["Paris."]),
        ("\n<thinking>a < b, </think> no</thinking>It is 5.", ["It is 5."]),
        ("<think></think>Yes.", ["Yes."]),
        # A thought that never ends is no answer.
        ("<think>and on and on", []),
        ("<thin", ["<thin"]),
        ("<b>Yes.</b>", ["<b>Yes.</b>"]),
        ("I say <think>aloud</think>.", ["I say <think>aloud</think>."]),
        ("<", ["<"]),
    ],
)
def test_thoughts_are_not_said(text: str, want: list[str]) -> None:
    assert said(text) == want
    assert said(*text) == want


def test_a_long_thought_is_not_kept() -> None:
    streamed = Streamed()
    streamed.push("<think>")
    for _ in range(1000):
        assert streamed.push("x" * 1000) == []
    assert len(streamed._thoughts._held) < 100
    assert streamed.push("</think>Yes. N") == [Said("Yes.")]
    assert streamed.letters == len("Yes. N")


PIECES = st.sampled_from(
    [
        "word ",
        "a, ",
        "Well; ",
        ". ",
        "! ",
        "3.14 ",
        "Dr. ",
        "e.g. ",
        "\n",
        "- ",
        "안녕하세요 ",
        "다. ",
        "。",
        "， ",
        "— ",
        "<think>",
        "</think>",
        "x" * 40 + " ",
        " ",
    ]
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=40).map("".join), st.lists(st.integers(0, 400), max_size=6))
def test_any_pieces_of_any_text_give_the_same(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    whole = said(text)
    assert said(*(text[start:stop] for start, stop in zip(places, places[1:], strict=False))) == whole
    assert said(*text) == whole
    if "think>" not in text:
        assert "".join("".join(whole).split()) == "".join("".join(sentences(text)).split())
    assert all(item and item == item.strip() for item in whole)
