"""Which words were heard where nobody tells their times: letters spread over the sound that followed them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.heard import LETTER_MS, MAX_REPLIES, WIDE_MS, Received, Spread, said_ms, whole_words

TEXT = "one two three four"


def spread(*steps: tuple[int, int], finished: bool = True) -> Spread:
    """(letters, sound before them in ms)."""
    made = Spread(finished)
    for letters, sound_ms in steps:
        made.write(letters, sound_ms)
    return made


@pytest.mark.parametrize(
    ("heard_ms", "want"),
    [(-5, ""), (0, ""), (166, ""), (167, "one"), (388, "one"), (389, "one two"), (1000, TEXT), (2000, TEXT)],
)
def test_one_stretch_of_letters_is_spread_over_all_of_the_sound(heard_ms: int, want: str) -> None:
    assert spread().until(TEXT, heard_ms, 1000) == want
    assert spread((len(TEXT), 0)).until(TEXT, heard_ms, 1000) == want


def test_an_emoji_is_one_letter_as_in_the_page() -> None:
    """tests/web/session.test.mjs has the same numbers."""
    text = "\U0001f600" * 6 + " one two three four five"
    steps = spread((len(text), 0), (len(text) + 16, 1000))
    cuts = [steps.until(text + " six seven eight", ms, 3000) for ms in (150, 199, 200, 400, 1000)]
    assert cuts == ["", "", text[:6], text[:10], text]


def test_letters_belong_to_the_sound_that_came_behind_them() -> None:
    """The first two words took 900 ms, the others 100."""
    steps = spread((7, 0), (len(TEXT), 900))
    assert [steps.until(TEXT, ms, 1000) for ms in (300, 450, 899, 900, 960, 999)] == [
        "",
        "one",
        "one",
        "one two",
        "one two three",
        "one two three",
    ]


def test_words_before_any_sound_count_from_its_start() -> None:
    assert spread((3, 0), (7, 0), (18, 500)).until(TEXT, 499, 1000) == "one"


def test_words_that_come_behind_their_sound_are_spread_over_it() -> None:
    assert [spread((18, 400)).until(TEXT, ms, 1000) for ms in (166, 167, 389)] == ["", "one", "one two"]


def test_what_broke_off_may_have_had_no_sound() -> None:
    """Eighteen letters take more than the 200 ms that have come."""
    assert spread((18, 0), finished=False).until(TEXT, 200, 200) == "one"
    assert spread((18, 0), finished=True).until(TEXT, 200, 200) == TEXT
    assert spread((18, 0), finished=False).until(TEXT, 18 * LETTER_MS, 18 * LETTER_MS) == TEXT


@given(
    st.lists(st.tuples(st.text("ab 가你\n", max_size=12), st.integers(0, 900)), max_size=8),
    st.booleans(),
    st.lists(st.integers(-10, 8000), min_size=2, max_size=6),
)
def test_whoever_hears_more_keeps_more(deltas: list[tuple[str, int]], finished: bool, heard: list[int]) -> None:
    """Whatever comes in which order: what is kept is a beginning of the text, whole words of it, and grows with what was heard."""
    text, sound_ms, steps = "", 0, Spread()
    for delta, more_ms in deltas:
        text += delta
        steps.write(len(text), sound_ms)
        sound_ms += more_ms
    steps.finished = finished
    kept = [steps.until(text, ms, sound_ms) for ms in sorted(heard)]
    for one, two in zip(kept, kept[1:], strict=False):
        assert two.startswith(one)
    for part in kept:
        assert text.startswith(part)
        rest = text[len(part) :]
        assert not part or not rest or rest[0] in " \n" or part[-1] == "你" or rest[0] == "你", "a word is not cut"


def test_syllables_take_longer_than_letters() -> None:
    korean = "안녕하세요 세계"
    assert said_ms(korean) == 7 * WIDE_MS + LETTER_MS and said_ms("hello") == 5 * LETTER_MS
    assert [spread((8, 0), finished=False).until(korean, ms, ms) for ms in (500, 850, 900, 1500)] == ["", "", "안녕하세요", korean]


def test_what_has_come_of_several_replies() -> None:
    heard = Received()
    heard.words("a", "one two ", False)
    heard.sound("a", 4800, 24_000)
    heard.sound("a", 4800, 24_000)
    heard.sound("b", 8000, 8_000)
    heard.words("a", "three", False)
    assert ("a" in heard, "c" in heard, heard.sound_ms("a"), heard.sound_ms("b"), heard.sound_ms("c")) == (True, False, 400, 1000, 0)
    assert heard.unfinished() == {"a": "one two three"} and heard.text("b") == heard.text("c") == ""
    assert [heard.until("a", ms) for ms in (0, 200, 399, 400)] == ["", "one", "one two", "one two"]
    heard.words("a", "One, two, three.", True)
    assert heard.unfinished() == {} and heard.until("a", 400) != "One, two, three."
    heard.finish("a")
    heard.finish("nobody")
    assert heard.until("a", 400) == "One, two, three." and heard.until("b", 500) == heard.until("c", 500) == ""
    for n in range(MAX_REPLIES):
        heard.sound(f"more{n}", 1, 8000)
    assert "a" not in heard and "more0" in heard


def test_a_text_that_was_cut_before_is_cut_shorter_or_not_at_all() -> None:
    steps = spread((7, 0), (18, 500))
    assert [steps.until("one two", ms, 600) for ms in (600, 599, 450, 300)] == ["one two", "one two", "one", "one"]


@pytest.mark.parametrize(
    ("text", "letters", "want"),
    [
        ("one two", 3, "one"),
        ("one two", 6, "one"),
        ("one two", 7, "one two"),
        ("one  two", 5, "one"),
        ("one", 2, ""),
        ("", 0, ""),
        ("안녕하세요 세계", 6, "안녕하세요"),
        ("你好，世界", 1, "你"),
        ("你好，世界", 3, "你好"),
        ("你好 ok", 4, "你好"),
    ],
)
def test_whole_words(text: str, letters: int, want: str) -> None:
    assert whole_words(text, letters) == want
