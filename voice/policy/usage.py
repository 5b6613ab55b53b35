"""Tokens of the embedded engine, counted by the published rules of thumb of the paid service.

One token for each 100 ms heard, for each 50 ms spoken, and for about four letters of English text: so a program that
budgets by usage sees figures of the right size when it is tested offline.
"""

from dataclasses import dataclass

import numpy as np

HEARD_MS_PER_TOKEN, SPOKEN_MS_PER_TOKEN, LETTERS_PER_TOKEN = 100, 50, 4
FIRST_WIDE = 0x2E80
"""From here on (CJK, Hangul, emoji) a letter is a token."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of a text by what they cost. They add up, however the text was cut."""

    narrow: int = 0
    wide: int = 0
    """Hangul and the like."""

    def __add__(self, other: "Letters") -> "Letters":
        return Letters(self.narrow + other.narrow, self.wide + other.wide)

    @property
    def tokens(self) -> int:
        """About so many; a token that was begun counts."""
        return self.wide + -(-self.narrow // LETTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a response read and heard, or what it said."""

    text: int = 0
    audio: int = 0


def letters(text: str) -> Letters:
    """The letters of a text."""
    if text.isascii():
        return Letters(len(text))
    # A conversation of megabytes is counted at every answer: not letter by letter.
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    wide = int(np.count_nonzero(codes >= FIRST_WIDE))
    return Letters(len(codes) - wide, wide)


def text_tokens(text: str) -> int:
    """About so many tokens of text; Hangul and the like count one a letter."""
    return letters(text).tokens


def heard_tokens(heard_ms: int) -> int:
    """What listening costs."""
    return -(-heard_ms // HEARD_MS_PER_TOKEN)


def spoken_tokens(samples: int, rate_hz: int) -> int:
    """What so many samples of speech cost."""
    return -(-samples * 1000 // (rate_hz * SPOKEN_MS_PER_TOKEN))


def samples_for(tokens: int, rate_hz: int) -> int:
    """The most samples of speech that cost no more than that."""
    return tokens * rate_hz * SPOKEN_MS_PER_TOKEN // 1000
