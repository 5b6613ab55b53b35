"""Text as words to match: lower case, contractions written out, digits and operators apart from letters.

Any text is taken: unknown characters only part words, and only the first `LONGEST_CHARS` are looked at.
"""

import re
import unicodedata
from dataclasses import dataclass

LONGEST_CHARS = 2000
"""Longer texts are no commands; the bound keeps the answer quick whatever comes in."""

_ALIKE = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u02bc\u0060\u00b4\u2032", "'"),
        **dict.fromkeys("\u2212\u2013\u2014\u2010\u2011\ufe63\uff0d", "-"),
        **dict.fromkeys("\u00d7\u2715\u2062", "*"),
        **dict.fromkeys("\u00b7\u22c5\u2219", "*"),
        **dict.fromkeys("\u00f7\u2215\u2044", "/"),
        "\u00b2": "^2 ",
        "\u00b3": "^3 ",
        "\u00b0": " degrees ",
        "\u2103": " degrees celsius ",
        "\u2109": " degrees fahrenheit ",
        "\u00bd": " 1/2",
        "\u00bc": " 1/4",
        "\u00be": " 3/4",
    }
)
_WORD = re.compile(
    r"\d+(?:,\d{3}(?!\d))+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"  # 1,000.5  12  3.5  .5
    r"|[^\W\d_]+(?:'[^\W\d_]+)*"  # letters of any script, with apostrophes inside
    r"|-(?=\s*[\d(.\u221a])"  # a minus is in front of a number; between letters a hyphen parts words
    r"|[+*/^%=()\u221a:]"
)
_CONTRACTIONS = {
    "let's": "let us", "can't": "can not", "cannot": "can not", "won't": "will not", "o'clock": "o'clock", "gonna": "going to", "wanna": "want to",
    "whats": "what is", "hows": "how is", "wheres": "where is", "whos": "who is", "dont": "do not", "im": "i am", "lets": "let us", "y'all": "you",
    "i'd": "i would", "you'd": "you would",
}  # fmt: skip
_ENDINGS = {"'s": "is", "'re": "are", "'m": "am", "'ll": "will", "'ve": "have", "n't": "not"}
_SUBJECTS = {
    "what",
    "where",
    "who",
    "how",
    "when",
    "that",
    "it",
    "here",
    "there",
    "time",
    "date",
    "name",
    "i",
    "you",
    "we",
    "they",
    "he",
    "she",
    "which",
}
_CONTROL = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence in words; word `n` comes from `source[starts[n]:stops[n]]`."""

    texts: tuple[str, ...]
    starts: tuple[int, ...]
    stops: tuple[int, ...]
    source: str

    def __len__(self) -> int:
        return len(self.texts)

    def original(self, start: int, stop: int) -> str:
        """Words `start` to `stop` (not included) as they were written."""
        return self.source[self.starts[start] : self.stops[stop - 1]] if start < stop else ""


def split(text: str) -> Words:
    """The words of any text."""
    source = clean(text)
    texts, starts, stops = list[str](), list[int](), list[int]()
    for found in _WORD.finditer(source):
        for word in expand(found.group().casefold()):
            texts.append(word)
            starts.append(found.start())
            stops.append(found.end())
    return Words(tuple(texts), tuple(starts), tuple(stops), source)


def clean(text: str) -> str:
    """Bounded, without invisible and control characters, quotes and signs in one form, spaces single."""
    text = unicodedata.normalize("NFKC", _CONTROL.sub("", text[:LONGEST_CHARS]).translate(_ALIKE))[:LONGEST_CHARS]
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def expand(word: str) -> tuple[str, ...]:
    """A word with its contraction written out: "what's" -> what, is. A possessive stays ("today's", "mother's")."""
    if word in _CONTRACTIONS:
        return tuple(_CONTRACTIONS[word].split())
    if word[:1].isdecimal() or word[:1] == ".":
        return (("0" if word[0] == "." else "") + word.replace(",", ""),) if word.isascii() else (word,)
    for ending, full in _ENDINGS.items():
        subject = word.removesuffix(ending)
        if subject != word and subject and (ending == "n't" or subject in _SUBJECTS):
            return (subject, full)
    return (word,)
