"""A sentence of a reply as a synthesiser should read it: no markup, no control characters, numbers and signs as words.

Pure. Every character that is read remembers which character of the reply it came from, so that the words that are heard
can be told as the reply has them ("$2.10", not "two", "dollars", ...). Language rules are in `reading.py`.
"""

import bisect
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from voice.engines.pieces import ReadWord
from voice.engines.reading import RULES, Rule

_SCRIPT_OF_ITS_OWN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_TOKEN = re.compile(rf"[{_SCRIPT_OF_ITS_OWN}]|[^\s{_SCRIPT_OF_ITS_OWN}]+")
_MARKUP = re.compile(r"[<>]|\]\(")
_EDGES = " \t\r\n\"'“”‘’«»‹›()[]{}<>.,;:!?…*_`~#|、。！？，；：「」『』（）《》〈〉【】-–—"
_LONGEST_WORD = 60
"""Characters without a space; the rest of a longer word is read as another word. (German compounds have some 40.)"""

_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_HEADING = r"(?m)^[ \t]*(?:#{1,6}|>+|[-*+•])[ \t]+"
_CLEAN: Sequence[Rule] = (
    (re.compile(r"```\w*|`+"), " "),
    (re.compile(r"!?\[([^\[\]]{1,300})\]\((?:[^()\s]{0,2000})\)"), r"\1"),
    (re.compile(r"<(?:!--[^<>]{0,300}--|[/!?]?[A-Za-z][^<>]{0,300})>"), " "),
    (re.compile(_HEADING), ""),
    (re.compile(r"(?m)^[ \t]*(?:[-*_=][ \t]*){3,}$"), " "),
    (re.compile(r"(?<!\w)([*_~]{1,3})(?=\S)([^*_~]{1,300}?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"\[\[|\]\]|[\[\]{}\\]"), " "),
    (re.compile(r"[“”„«»\"]"), ""),
    (re.compile(r"[‘’`´ʼ]"), "'"),
    (re.compile(r"(?<=\w)[ \t]*[—―][ \t]*|[ \t]+–[ \t]+"), ", "),
    (re.compile(r"[ \t]*\|[ \t]*"), ", "),
    (re.compile(r"([!?.,;:])\1+"), r"\1"),
    (re.compile(r"([^\W\d_])\1{3,}"), r"\1\1\1"),
)
_LATE: Sequence[Rule] = (
    (re.compile(r"(?<!\w)[*_~#^<>=|]+(?!\w)|[*_~^|<>=]+"), " "),
    (re.compile(r"(?<!\w)#(?=\w)"), ""),
    (re.compile(r"^[ \t]+|[ \t]+$|[ \t]+(?=[ \t,.;:!?])"), ""),
    (re.compile(rf"(\S{{{_LONGEST_WORD}}})(?=\S)"), r"\1 "),
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the synthesiser reads."""

    text: str
    """"" if there is nothing to say."""
    words: tuple[ReadWord, ...]
    """The words of the reply in it, in order."""


class _Traced:
    """Text under repair: each character with the index of the reply's character that it stands for."""

    def __init__(self, text: str, origins: list[int]) -> None:
        self.text = text
        self.origins = origins

    def apply(self, rules: Sequence[Rule]) -> None:
        """Each rule in turn, over the whole text."""
        for pattern, put in rules:
            self._replace(pattern, put)

    def _replace(self, pattern: re.Pattern[str], put: str | Callable[[re.Match[str]], str]) -> None:
        pieces: list[str] = []
        origins: list[int] = []
        done = 0
        for match in pattern.finditer(self.text):
            new = match.expand(put) if isinstance(put, str) else put(match)
            pieces += (self.text[done : match.start()], new)
            origins += self.origins[done : match.start()]
            origins += self._trace(match.start(), match.group(), new)
            done = match.end()
        if done or pieces:
            self.text = "".join((*pieces, self.text[done:]))
            self.origins = origins + self.origins[done:]

    def _trace(self, start: int, old: str, new: str) -> list[int]:
        """Where the new characters come from: unchanged ones at both ends from themselves, the rest from what they replace."""
        if new and (at := old.find(new)) >= 0:
            return self.origins[start + at : start + at + len(new)]
        shorter = min(len(old), len(new))
        head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
        tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
        before, after = start + head, start + len(old) - tail
        fresh = len(new) - head - tail
        # In proportion: "10:05 am" read as "10 oh 5 A M" keeps its two words apart.
        sources = [before + n * (after - before) // fresh for n in range(fresh)]
        last = start + max(len(old) - 1, 0)
        origins = [self.origins[min(self._solid(source, after), last)] for source in sources]
        return [*self.origins[start:before], *origins, *self.origins[after : start + len(old)]]

    def _solid(self, index: int, end: int) -> int:
        """The first character from `index` on that is not a space."""
        while index < end - 1 and self.text[index].isspace():
            index += 1
        return index


def spoken(text: str, language: str = "en") -> Spoken:
    """One sentence (or any text of its size) as it is to be read in this language (BCP 47)."""
    traced = _plain(_ANSI.sub(lambda match: "\0" * len(match.group()), text))
    traced.apply(_CLEAN)
    traced.apply(RULES.get(language.lower().replace("_", "-").split("-")[0], ()))
    traced.apply(_LATE)
    if not any(character.isalnum() for character in traced.text):
        return Spoken("", ())
    return Spoken(traced.text, tuple(_words(text, traced)))


def _plain(text: str) -> _Traced:
    """Composed, without control characters, emoji and other pictures."""
    pieces: list[str] = []
    origins: list[int] = []
    for index, cluster in _clusters(text):
        kept = "".join(_character(c) for c in _composed(cluster))
        pieces.append(kept)
        origins += [index] * len(kept)
    return _Traced("".join(pieces), origins)


def _clusters(text: str) -> list[tuple[int, str]]:
    """Characters with the combining marks (and conjoining Hangul letters) behind them."""
    found: list[tuple[int, str]] = []
    for index, character in enumerate(text):
        joins = unicodedata.combining(character) or "\u1160" <= character <= "\u11ff"
        if joins and found and len(found[-1][1]) < 8:
            found[-1] = (found[-1][0], found[-1][1] + character)
        elif not joins:
            found.append((index, character))
    return found


def _composed(cluster: str) -> str:
    """Composed (NFC); full-width forms, ligatures and styled letters as plain ones. Fractions and powers are rules' work."""
    composed = unicodedata.normalize("NFC", cluster)
    return "".join(unicodedata.normalize("NFKC", c) if unicodedata.decomposition(c).split(" ")[0] in _PLAIN_FORMS else c for c in composed)


_PLAIN_FORMS = {"<wide>", "<narrow>", "<font>", "<noBreak>", "<circle>"}
_SPACES = {"Zs", "Zl", "Zp"}
_DROPPED = {"Cf", "Co", "Cn", "Cs", "Mn", "Me", "So", "Sk"}
_CLOSING = {"Po", "Pe", "Pf"}
_KEPT = "°℃℉№™\u0301`^´"


def _character(character: str) -> str:
    category = unicodedata.category(character)
    if character in "\n\t" or category == "Cc":
        return "\n" if character == "\n" else " "
    if category in _SPACES:
        return " "
    if character in _KEPT or character.isascii():
        return character
    if category in {"Cf", "Mn"} and not _picture(character):
        # Marks that no composed letter has (Thai, Hindi vowels) are letters to the synthesiser.
        return character if category == "Mn" and character > "\u036f" else ""
    return " " if category in _DROPPED else character


def _picture(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or character >= "\U0001f000"


def _words(text: str, traced: _Traced) -> list[ReadWord]:
    """The reply's words that are read, each where its reading begins."""
    tokens = list(_TOKEN.finditer(text))
    starts = [token.start() for token in tokens]
    found: list[ReadWord] = []
    last = -1
    for token in _TOKEN.finditer(traced.text):
        read = [traced.origins[n] for n in range(*token.span()) if traced.text[n].isalnum()]
        if not read:
            continue
        index = bisect.bisect_right(starts, read[0]) - 1
        if index > last:
            word = _as_written(tokens[index].group(), text[read[0] : read[-1] + 1])
            found.append(ReadWord(token.start(), word, _closed(text, tokens[index].end())))
            last = index
    return found


def _closed(text: str, end: int) -> int:
    """The end of the punctuation that follows a word at once, in scripts without spaces too."""
    while end < len(text) and unicodedata.category(text[end]) in _CLOSING:
        end += 1
    return end


def _as_written(token: str, read: str) -> str:
    """A word without the punctuation around it; signs that are read stay ("25%", "$2.10", "-3"), markup does not."""
    if _MARKUP.search(token) and read:
        return _visible(read)
    edges = _EDGES if "(" not in token[1:] else _EDGES.replace(")", "")
    bare = _visible(token).strip(edges)
    if token[:1] in "-–" and bare[:1].isdigit():
        bare = "-" + bare
    return bare or _visible(token)


def _visible(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character)[0] != "C")
