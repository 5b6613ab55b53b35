"""Sentences out of whole and streamed text."""

import random
import time

import pytest

from voice.engines.sentences import MAX_CHARS, SentenceSplitter, sentences

CASES = [
    ("Hello there. How are you? I am fine!", ["Hello there.", "How are you?", "I am fine!"]),
    ("Dr. Smith paid $2.10. He left at 10 a.m. today.", ["Dr. Smith paid $2.10.", "He left at 10 a.m. today."]),
    ("wait... and then? Go…yes", ["wait... and then?", "Go…yes"]),
    ('"Stop!" he said. "Go." Then he went.', ['"Stop!" he said.', '"Go."', "Then he went."]),
    ("He said “Hi.” And left.", ["He said “Hi.”", "And left."]),
    ("What else?  (Really.) Yes.", ["What else?", "(Really.)", "Yes."]),
    ("안녕하세요. 잘 지내세요? 네.그렇습니다.", ["안녕하세요.", "잘 지내세요?", "네.", "그렇습니다."]),
    ("今日は晴れ。明日は「雨。」です！", ["今日は晴れ。", "明日は「雨。」", "です！"]),
    ("Version 3.11.2 is out. See a.b.com. Ok", ["Version 3.11.2 is out.", "See a.b.com.", "Ok"]),
    ("J. Smith met U.S. troops. No. 5 is alive. No. Then", ["J. Smith met U.S. troops.", "No. 5 is alive.", "No.", "Then"]),
    ("He lives in the U.S. He is old.", ["He lives in the U.S.", "He is old."]),
    ("The cat sat. The sun. It was I. Yes", ["The cat sat.", "The sun.", "It was I.", "Yes"]),
    ("See e.g. This one, i.e. That.", ["See e.g. This one, i.e. That."]),
    ("- one\n- two\n\nPara\ngoes on. 1. First\n2. Second", ["- one", "- two", "Para\ngoes on.", "1. First", "2. Second"]),
    ("It is 391. What?", ["It is 391.", "What?"]),
    ("what?! ok", ["what?!", "ok"]),
    ("", []),
    (" \n\n ", []),
    ("...", ["..."]),
]
HOSTILE = [
    "x" * 1000,
    "word " * 200,
    "a, " * 300,
    ". " * 500,
    "." * 1000,
    "a." + " " * 1000 + "b",
    "a\n" * 500,
    "\n" * 800 + "x",
    "e\u0301" * 400,
    "1. " * 300,
]


@pytest.mark.parametrize(("text", "want"), CASES)
def test_sentences(text: str, want: list[str]) -> None:
    assert sentences(text) == want


@pytest.mark.parametrize("text", [text for text, _ in CASES] + HOSTILE)
def test_however_it_is_split_the_sentences_are_the_same(text: str) -> None:
    for seed in range(20):
        chance = random.Random(seed)
        splitter, found, at = SentenceSplitter(), [], 0
        while at < len(text):
            step = chance.choice([1, 2, 3, 5, 20, 400])
            found += splitter.push(text[at : at + step])
            at += step
        assert found + splitter.flush() == sentences(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_is_lost_and_no_sentence_is_too_long(text: str) -> None:
    found = sentences(text)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert max(map(len, found)) <= MAX_CHARS


def test_a_long_sentence_is_cut_where_it_hurts_least() -> None:
    words = "word " * 40 + "and so on, " + "word " * 40
    assert sentences(words)[0].endswith("and so on,")
    assert not any("\u0301" == sentence[0] for sentence in sentences("ae\u0301" * 400))


def test_a_sentence_comes_as_soon_as_the_next_one_begins() -> None:
    splitter = SentenceSplitter()
    assert splitter.push("It is ten. ") == []
    assert splitter.push("A") == ["It is ten."]
    assert splitter.flush() == ["A"]
    assert splitter.flush() == []


def test_a_megabyte_takes_linear_time() -> None:
    begun = time.process_time()
    assert len(sentences("No stop here " * 40_000)) > 1000
    assert len(sentences(". " * 100_000)) == 100_000
    assert time.process_time() - begun < 5
