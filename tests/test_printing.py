"""Text for terminals."""

from voice.commands.printing import pad, printable, table, width


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    assert printable("a\x1b[31mb\r\n\u202ec\ud55c") == "a [31mb   c\ud55c"


def test_columns_are_as_wide_as_a_terminal_shows_them() -> None:
    assert table([["a", "1", "x"], ["\ud55c\uad6d", "22", ""]]) == ["a     1   x", "\ud55c\uad6d  22"]
    assert table([]) == [] and table([["alone"]]) == ["alone"]
    assert (width("\ud55c\uae00"), width("e\u0301"), width("abc"), width("")) == (4, 1, 3, 0)
    assert pad("\ud55c", 4) + "|" == "\ud55c  |"
