"""The limit of a response: nothing is sent beyond it, words are whole, and their sound is there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.policy.usage import Tokens, spoken_tokens, text_tokens
from voice.protocol.conversation import SpokenWord
from voice.protocol.heard import LETTER_MS
from voice.protocol.ration import MAX_LETTERS, UNTIMED_MS, Ration

HZ = 24_000


def ms(milliseconds: int) -> int:
    return milliseconds * HZ // 1000


def test_without_a_limit_nothing_waits() -> None:
    ration = Ration(None, HZ)
    assert (ration.say("Hel"), ration.say("lo"), ration.sound(480, []), ration.call("x" * 9_999)) == ("Hel", "lo", ("", 480), "x" * 9_999)
    assert ration.rest() == "" and not ration.full
    assert ration.tokens == Tokens(text_tokens("Hello" + "x" * 9_999), 1) and ration.told == 5


@pytest.mark.parametrize(
    ("limit", "pieces", "want", "full"),
    [
        (3, ["Hello there"], "Hello there", False),
        (2, ["Hello there"], "Hello", True),
        (1, ["Hello there"], "", True),
        (3, ["Hel", "lo the", "re"], "Hello there", False),
        (2, ["Hel", "lo the", "re"], "Hello", True),
        (4, ["Hello   ", " there   "], "Hello    there", False),
        (1, ["a b c d e f"], "a b", True),
        (3, ["안녕 하세요"], "안녕", True),
        (4, ["안녕 하"], "안녕 하", False),
        (3, ["你好吗朋友"], "你好吗", True),
        (5, ["x" * 100], "", True),
        (1, [""], "", False),
        (2, ["\n\n  "], "", False),
    ],
)
def test_written_words(limit: int, pieces: list[str], want: str, full: bool) -> None:
    ration = Ration(limit, 0)
    given = ""
    for piece in pieces:
        given += ration.say(piece)
        if ration.full:
            break
    else:
        given += ration.rest()
    assert (given, ration.full) == (want, full)
    assert ration.tokens == Tokens(text_tokens(want), 0)


def test_a_word_goes_out_when_its_end_is_known() -> None:
    ration = Ration(100, HZ)
    assert ration.say("One two.") == ""
    assert ration.sound(ms(100), [SpokenWord(150, 3)]) == ("One", ms(100))
    assert ration.sound(ms(100), []) == ("", ms(100))
    assert ration.sound(ms(200), [SpokenWord(400, 7)]) == (" two", ms(200))
    assert ration.say(" Three.") == ".", "the sentence before has had its sound"
    assert ration.rest() == " Three." and not ration.full


def test_the_sound_stops_behind_the_last_word_that_fits() -> None:
    ration = Ration(9, HZ)
    ration.say("Four words are here")
    # "Four words" are 3 tokens and 300 ms 6; "are" would be 1 and 3 more.
    words = [SpokenWord(150, 4), SpokenWord(300, 10), SpokenWord(450, 14), SpokenWord(600, 19)]
    assert ration.sound(ms(200), words) == ("Four words", ms(200)) and not ration.full
    assert ration.sound(ms(200), []) == ("", ms(100)) and ration.full
    assert ration.tokens == Tokens(3, 6)


def test_a_voice_that_ends_before_its_words_do() -> None:
    """Its times were wrong: the words that were to come are lost, and that is told."""
    ration = Ration(9, HZ)
    ration.say("Four words are here")
    ration.sound(ms(100), [SpokenWord(300, 10), SpokenWord(450, 14)])
    assert not ration.full
    assert ration.rest() == "" and ration.full


def test_silence_behind_the_last_word_is_cut_at_the_limit() -> None:
    ration = Ration(5, HZ)
    ration.say("Yes.")
    assert ration.sound(ms(200), [SpokenWord(200, 3)]) == ("Yes", ms(200))
    assert ration.sound(ms(300), []) == ("", 0) and ration.full


def test_a_voice_that_tells_no_times() -> None:
    ration = Ration(40, HZ)
    ration.say("one two three four five six seven eight nine ten")
    assert ration.sound(ms(UNTIMED_MS), []) == ("", ms(UNTIMED_MS))
    text, count = ration.sound(ms(100), [])
    assert text.startswith("one two three") and not text.endswith(" ") and count == ms(100)
    assert text_tokens(text) + -(-len(text) * LETTER_MS // 50) <= 40
    while not ration.full:
        more, count = ration.sound(ms(100), [])
        assert more == ""
    assert abs(ration.samples - ms(len(text) * LETTER_MS)) <= ms(50)


def test_a_short_sentence_without_times_is_told_by_its_end() -> None:
    ration = Ration(40, HZ)
    ration.say("Yes.")
    assert ration.sound(ms(300), []) == ("", ms(300))
    assert ration.rest() == "Yes." and not ration.full


def test_a_name_goes_whole_or_not_at_all() -> None:
    ration = Ration(3, 0)
    assert ration.call("get_weather", whole=True) == "get_weather" and not ration.full
    assert ration.call("x", whole=False) == "x"
    assert ration.call("more", whole=True) == "" and ration.full
    assert ration.tokens == Tokens(3, 0)
    other = Ration(3, 0)
    assert other.call('{"city": "Berlin"}') == '{"city": "Be' and other.full


WORDS = st.lists(st.text("abcde.,!안녕你好 \n", max_size=9), max_size=12)
SOUNDS = st.lists(st.tuples(st.integers(0, 900), st.booleans()), max_size=12)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(1, 60), st.booleans(), WORDS, SOUNDS, st.text("{}ab", max_size=12))
def test_never_more_than_the_limit(limit: int, spoken: bool, texts: list[str], sounds: list[tuple[int, bool]], call: str) -> None:
    ration = Ration(limit, HZ if spoken else 0)
    said = told = called = ""
    samples = 0
    for n in range(max(len(texts), len(sounds))):
        if n < len(texts):
            said += texts[n]
            told += ration.say(texts[n])
        if spoken and n < len(sounds):
            length, timed = sounds[n]
            words = [SpokenWord(samples * 1000 // HZ + length, len(said))] if timed else []
            text, count = ration.sound(ms(length), words)
            told, samples = told + text, samples + count
        if ration.full:
            break
    else:
        told += ration.rest()
        called = ration.call(call) if not ration.full else ""
    assert ration.samples == samples and ration.tokens == Tokens(text_tokens(told + called), spoken_tokens(samples, HZ))
    assert ration.tokens.text + ration.tokens.audio <= limit
    assert said.startswith(told.rstrip()) and call.startswith(called)
    if not ration.full:
        assert told.rstrip() == said.rstrip() and called == call


def test_a_model_that_goes_on_for_ever_comes_to_an_end() -> None:
    ration = Ration(None, HZ)
    told = ""
    while not ration.full:
        told += ration.say("word " * 777)
    assert len(told) == MAX_LETTERS and ration.say("more") == ration.call("{}") == ""
    other = Ration(None, 0)
    assert other.call("f", whole=True) == "f" and not other.full
    assert len(other.call("x" * 10**6)) == MAX_LETTERS - 1 and other.full


def test_words_that_are_timed_when_they_were_told() -> None:
    ration = Ration(9, HZ)
    ration.say("One two.")
    ration.sound(ms(100), [])
    assert ration.say(" Three.") == "One two."
    assert ration.sound(ms(100), [SpokenWord(150, 3), SpokenWord(900, 8)]) == ("", ms(100)) and not ration.full
