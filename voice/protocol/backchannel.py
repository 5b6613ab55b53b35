"""Whether words ask for anything: "uh-huh", said over an answer, only says that somebody listens; "stop" is always meant.

Pure; the words themselves come in.

A recogniser's note of a noise ("[cough]", "*laughs*") is no word at all.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

MOST_WORDS = 6
"""More than these are a sentence, whatever is in it."""
_NOTE = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>|\*[^*]*\*|（[^）]*）|【[^】]*】|♪[^♪]*♪?")
_APART = re.compile(r"[^\w']+", re.UNICODE)
_DRAWN = re.compile(r"(\w)\1{2,}")
_AGAIN = re.compile(r"(\w{1,4}?)\1+")
LONGEST = 500
"""Letters of a text that is looked into: longer ones say something. (Brackets without an end take quadratic time.)"""
MOST_LETTERS = 40
"""Nobody draws a word out further; a longer one is something else."""


class Backchannels:
    """What says nothing, in any of the languages: `{"en": {"words": [...], "phrases": [...], "calls": [...]}}`."""

    def __init__(self, languages: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        tables = languages.values()
        self._words = frozenset(_plain(word) for table in tables for word in table.get("words", ()))
        self._phrases = frozenset(_plain(phrase) for table in tables for phrase in table.get("phrases", ()))
        self._calls = frozenset(_plain(word) for table in tables for word in table.get("calls", ()))

    def only(self, text: str) -> bool:
        """Whether there is nothing else in a text; of one without words, too."""
        if len(text) > LONGEST:
            return False
        words = spoken(text)
        if not words:
            return True
        if len(words) > MOST_WORDS:
            return False
        return " ".join(words) in self._phrases or self._covered(words)

    def calls(self, text: str) -> bool:
        """Whether a text has a word that nobody says but to interrupt."""
        return not self._calls.isdisjoint(spoken(text[:LONGEST]))

    def _covered(self, words: list[str]) -> bool:
        """Whether words and phrases make up all of it."""
        if not words:
            return True
        if not self._words.isdisjoint(_forms(words[0])) and self._covered(words[1:]):
            return True
        return any(" ".join(words[:count]) in self._phrases and self._covered(words[count:]) for count in range(1, len(words) + 1))


def spoken(text: str) -> list[str]:
    """The words of a text, plain; none if it has nothing but notes of noises."""
    return _plain(_NOTE.sub(" ", text)).split()


def _forms(word: str) -> set[str]:
    """A word as it is, with drawn-out letters told once, and what is said over and over told once: "yeahh", "yeah"; "hahaha", "ha"."""
    if len(word) > MOST_LETTERS:
        return {word}
    once = re.sub(r"(\w)\1+", r"\1", word)
    return {word, once, _AGAIN.sub(r"\1", word)} if _AGAIN.fullmatch(word) else {word, once}


def _plain(text: str) -> str:
    """Lower case, no punctuation, letters that are told more than twice told twice: "Mmmm-hm!" is "mm hm"."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold()).replace("’", "'")
    words = (word.strip("'_") for word in _APART.sub(" ", folded).split())
    return " ".join(_DRAWN.sub(r"\1\1", word) for word in words if word)
