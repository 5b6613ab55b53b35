"""Tokens of the embedded engine, counted by the published rules of thumb of the paid service.

One token for each 100 ms heard, for each 50 ms spoken, and for about four letters of English text: so a program that
budgets by usage sees figures of the right size when it is tested offline.
"""

from dataclasses import dataclass

HEARD_MS_PER_TOKEN, SPOKEN_MS_PER_TOKEN, LETTERS_PER_TOKEN = 100, 50, 4
FIRST_WIDE = 0x2E80
"""From here on (CJK, Hangul, emoji) a letter is a token."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one response cost."""

    text_in: int
    audio_in: int
    text_out: int
    audio_out: int


def text_tokens(text: str) -> int:
    """About so many tokens of text; Hangul and the like count one a letter."""
    wide = sum(ord(letter) >= FIRST_WIDE for letter in text)
    return wide + -(-(len(text) - wide) // LETTERS_PER_TOKEN)


def response_tokens(text_in: str, heard_ms: int, text_out: str, spoken_ms: int) -> Tokens:
    """The tokens of one response: what it read and heard, what it said. A token that was begun counts."""
    return Tokens(
        text_tokens(text_in),
        -(-heard_ms // HEARD_MS_PER_TOKEN),
        text_tokens(text_out),
        -(-spoken_ms // SPOKEN_MS_PER_TOKEN),
    )
