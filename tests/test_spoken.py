"""What the synthesiser reads of a reply, and which words of the reply that is."""

import time
import unicodedata

import pytest

from voice.engines.spoken import spoken

MARKUP = [
    ("**Bold** and _it_ `code` [text](http://x.y/z)", "Bold and it code text", "Bold and it code text"),
    ("# Title", "Title", "Title"),
    ("- item one", "item one", "item one"),
    ("> quoted", "quoted", "quoted"),
    ("<b>hi</b> <break time='5s'/> there <!-- no -->you", "hi there you", "hi there you"),
    ("[[h@'loU]] there", "h@'loU there", "h@'loU there"),
    ("😀 hi 👩‍👩‍👧 you 👍🏽", "hi you", "hi you"),
    ("“Hello,” she said — it’s fine", "Hello, she said, it's fine", "Hello she said it’s fine"),
    ("no!!!! aaaaaaaaaah", "no! aaah", "no aaaaaaaaaah"),
    ("a\x00b \x1b[31m red\x07", "a b red", "ab red"),
    ("x | y", "x, y", "x y"),
    ("ｆｕｌｌ ﬁne", "full ﬁne", "ｆｕｌｌ ﬁne"),
    ("cafe\u0301", "café", "cafe\u0301"),
    ("\u1100\u1161\u11a8\u1112\u1161", "각하", "\u1100\u1161\u11a8\u1112\u1161"),
    ("#hashtag snake_case", "hashtag snake case", "hashtag snake_case"),
]
SILENT = ["", " ", "\n", "...", "***", "😀", "👍🏽👍🏽", "\x00\x01", "---", "<br>", "\ud800", "\u202e\u200d", "?!", "[[]]", "``` ```"]
HOSTILE = [
    *("*" * 300, "a_" * 150, "1 " * 150, "[(" * 150, "1-" * 150, "<a" * 150, "1," * 150, "http://" + "a." * 146, "x=5 " * 75, "((((" * 75),
    *("[a](" * 75, "a@" * 150, "1:" * 150, "$1 " * 100, "1/" * 150, "<!--" * 75, "\u0301" * 300, "a" + "\u0301" * 299, "\ud83d" * 300),
    *("[[" * 150, "**a" * 100, "_ " * 150, "-1" * 150, ".5" * 150, "\u1161" * 300, "^<>|=" * 60, "0" * 300, "x" * 300, "가" * 300),
]


@pytest.mark.parametrize(("text", "want", "words"), MARKUP)
def test_markup_and_pictures(text: str, want: str, words: str) -> None:
    said = spoken(text)
    assert said.text == want
    assert [word.text for word in said.words] == words.split()


@pytest.mark.parametrize("text", SILENT)
def test_nothing_to_say(text: str) -> None:
    assert spoken(text).text == ""
    assert spoken(text).words == ()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("language", ["en", "ko", "xx"])
def test_hostile_text_is_read_quickly_and_safely(text: str, language: str) -> None:
    begun = time.process_time()
    spoken(text * 10, language)
    assert time.process_time() - begun < 30  # an expression that tries every way of reading it takes for ever
    said = spoken(text, language)
    assert len(said.text) <= 12 * len(text)
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in said.text)
    assert not any(mark in said.text for mark in ("[[", "]]", "<a", "\\"))
    assert max(map(len, said.text.split()), default=0) <= 75
    assert said.text.encode().decode() == said.text


def test_words_are_in_order_and_begin_where_they_are_read() -> None:
    text = "At 10:05 am, 5 km cost $2.10 (25% of -3)."
    said = spoken(text)
    assert said.text == "At 10 oh 5 A M, 5 kilometers cost 2 dollars and 10 cents (25 percent of minus 3)."
    assert [(word.text, said.text[word.at :].split()[0]) for word in said.words] == [
        *[("At", "At"), ("10:05", "10"), ("am", "A"), ("5", "5"), ("km", "kilometers"), ("cost", "cost"), ("$2.10", "2")],
        *[("25%", "(25"), ("of", "of"), ("-3", "minus")],
    ]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Well, yes: it's 10:30. (Really?)", ["Well,", "yes:", "it's", "10:30.", "(Really?)"]),
        ("Hello 😀 there!", ["Hello", "😀 there!"]),
        ("你好，世界。", ["你", "好，", "世", "界。"]),
        ("안녕하세요, 세계!", ["안녕하세요,", "세계!"]),
        ("see [the page](http://x.y/z) now", ["see", "[the", "page](http://x.y/z)", "now"]),
    ],
)
def test_a_word_closes_the_text_with_the_punctuation_behind_it(text: str, want: list[str]) -> None:
    ends = [word.closes for word in spoken(text).words]
    assert [text[start:end].strip() for start, end in zip([0, *ends], ends, strict=False)] == want


def test_scripts_without_spaces_are_told_by_character() -> None:
    assert [word.text for word in spoken("你好，世界 ok", "zh").words] == ["你", "好", "世", "界", "ok"]


def test_the_words_of_a_long_word_and_number_stay_one() -> None:
    for text in ("12345678901234567890", "ab" * 60):
        assert [word.text for word in spoken(text).words] == [text]
        assert " " in spoken(text).text
