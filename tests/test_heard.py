"""Which words were heard where nobody tells their times: letters spread over the sound that followed them."""

import pytest

from voice.protocol.heard import LETTER_MS, Spread, whole_words

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


def test_words_behind_the_sound_that_was_heard_are_not_heard() -> None:
    assert spread((18, 400)).until(TEXT, 200, 1000) == ""


def test_what_broke_off_may_have_had_no_sound() -> None:
    """Eighteen letters take more than the 200 ms that have come."""
    assert spread((18, 0), finished=False).until(TEXT, 200, 200) == "one"
    assert spread((18, 0), finished=True).until(TEXT, 200, 200) == TEXT
    assert spread((18, 0), finished=False).until(TEXT, 18 * LETTER_MS, 18 * LETTER_MS) == TEXT


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
