"""Any text as words: contractions, digits, signs, and what must never hurt."""

import pytest

from voice.engines.words import LONGEST_CHARS, clean, expand, split


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("What's the time, please?", "what is the time please"),
        ("WHAT\u2019S 5+7?", "what is 5 + 7"),
        ("I'm fine - don't!", "i am fine do not"),
        ("twenty-three", "twenty three"),
        ("5-3 and -2", "5 - 3 and - 2"),
        ("10-minute timer", "10 minute timer"),
        ("1,000.50 or .5", "1000.50 or 0.5"),
        ("1,23", "1 23"),
        ("72\u00b0F in \u2103", "72 degrees f in degrees celsius"),
        ("3\u00d74\u00f72\u22121", "3 * 4 / 2 - 1"),
        ("10km", "10 km"),
        ("5\u00b2", "5 ^ 2"),
        ("\uff11\uff12 \uff41", "12 a"),
        ("mother's at today's", "mother's at today's"),
        ("can't won't cannot", "can not will not can not"),
        ("\u202eabc\u200b\x00def", "abcdef"),
        ("\U0001f600 \u0627\u0644\u0648\u0642\u062a", "\u0627\u0644\u0648\u0642\u062a"),
        ("\ud800 ok", "ok"),
        ("", ""),
    ],
)
def test_split(text: str, want: str) -> None:
    assert list(split(text).texts) == want.split()


def test_words_remember_how_they_were_written() -> None:
    words = split("  Remember:  My Keys, it's Red. ")
    assert words.texts == ("remember", ":", "my", "keys", "it", "is", "red")
    assert words.original(2, 4) == "My Keys"
    assert words.original(4, 7) == "it's Red"
    assert words.original(2, 2) == ""


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert len(clean("a" * 100_000)) == LONGEST_CHARS
    assert sum(map(len, split("9" * 100_000).texts)) == LONGEST_CHARS


def test_a_possessive_is_no_contraction() -> None:
    assert expand("what's") == ("what", "is")
    assert expand("anna's") == ("anna's",)
