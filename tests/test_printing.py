"""Text for terminals."""

from voice.commands.printing import printable


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    assert printable("a\x1b[31mb\r\n\u202ec\ud55c") == "a [31mb   c\ud55c"
