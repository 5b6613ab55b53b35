"""Text for terminals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.printing import cut, folded, pad, printable, table, width


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    assert printable("a\x1b[31mb\r\n\u202ec\ud55c") == "a [31mb   c\ud55c"


def test_columns_are_as_wide_as_a_terminal_shows_them() -> None:
    assert table([["a", "1", "x"], ["\ud55c\uad6d", "22", ""]]) == ["a     1   x", "\ud55c\uad6d  22"]
    assert table([]) == [] and table([["alone"]]) == ["alone"]
    assert (width("\ud55c\uae00"), width("e\u0301"), width("abc"), width("")) == (4, 1, 3, 0)
    assert (width("\u0e01\u0e31\u0e19"), width("\u1112\u1161\u11ab"), width("\u0915\u0941"), width("1\u20dd")) == (2, 2, 1, 1)
    assert pad("\ud55c", 4) + "|" == "\ud55c  |"


@pytest.mark.parametrize(
    ("text", "columns", "want"),
    [
        ("", 10, [""]),
        ("one two three", 80, ["one two three"]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 6, ["one", "two", "three"]),
        ("incomprehensible", 6, ["incomp", "rehens", "ible"]),
        ("an incomprehensible word", 6, ["an", "incomp", "rehens", "ible", "word"]),
        ("\ud55c\uad6d\uc5b4 \ubc1b\uc544\uc4f0\uae30", 6, ["\ud55c\uad6d\uc5b4", "\ubc1b\uc544\uc4f0", "\uae30"]),
        ("\ud55c\uad6d", 3, ["\ud55c", "\uad6d"]),
        ("\ud55c\uad6d", 1, ["\ud55c", "\uad6d"]),
        ("a  b", 80, ["a  b"]),
    ],
)
def test_text_is_folded_at_blanks(text: str, columns: int, want: list[str]) -> None:
    assert folded(text, columns) == want


@given(st.text(alphabet="ab \ud55c\uae00\u0301", max_size=40), st.integers(2, 12))
def test_what_is_folded_fits_and_loses_nothing(text: str, columns: int) -> None:
    lines = folded(text, columns)
    assert all(width(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_what_is_cut_fits() -> None:
    assert (cut("\ud55c\uad6d", 3), cut("abc", 2), cut("abc", 9), cut("", 2), cut("\ud55c", 1)) == ("\ud55c", "ab", "abc", "", "\ud55c")
