"""Text for terminals, and tables."""

import unicodedata
from collections.abc import Sequence


def printable(text: str) -> str:
    """Text from outside without the control characters that a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines with aligned columns; the last column is as long as it is."""
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]) - 1)] if rows else []
    return ["  ".join([*(pad(cell, size) for cell, size in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows]


def pad(text: str, columns: int) -> str:
    """The text with blanks behind it."""
    return text + " " * (columns - width(text))


def width(text: str) -> int:
    """How many columns of a terminal it takes: Hangul and the like take two, marks on other letters none."""
    if text.isascii():
        return len(text)
    return sum(0 if _mark(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _mark(character: str) -> bool:
    """Shown on the letter before it: accents, vowel signs (also those of Hangul that is spelled out)."""
    return unicodedata.category(character) in ("Mn", "Me") or "\u1160" <= character <= "\u11ff"


def folded(text: str, columns: int) -> list[str]:
    """The text as lines of so many columns at most (2 or more), broken at blanks where there are any; one line at least."""
    lines, line = [], ""
    for word in text.split(" "):
        while True:
            joined = f"{line} {word}" if line else word
            if width(joined) <= columns:
                line = joined
                break
            if line:
                lines.append(line)
                line = ""
            else:
                head = cut(word, columns)
                lines.append(head)
                word = word[len(head) :]
    return [*lines, line] if line or not lines else lines


def cut(text: str, columns: int) -> str:
    """As much of its beginning as fits, one character at least."""
    taken = 0
    for at, character in enumerate(text):
        taken += width(character)
        if taken > columns and at:
            return text[:at]
    return text
