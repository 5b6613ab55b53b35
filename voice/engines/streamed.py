"""What a language model writes, letter by letter, into what is said: sentences, each in its language, the first of them soon.

Pure. However the text is cut on its way in, what is said is the same.
A long first sentence is begun at its first clause: who has asked hears the answer while the model still writes it.
"""

import re
import unicodedata
from collections.abc import Sequence

from voice.engines.base import Said
from voice.engines.scripts import LATIN, language_of
from voice.engines.sentences import SentenceSplitter

CLAUSE_WIDTH = 30
"""A clause is worth a breath of its own from here on: about 2 s of speech. A Hangul syllable counts two, as it is shown."""
CLAUSE_REST = 10
"""So many characters have to follow in the same sentence; fewer would be a stump."""
LOOK = 18
"""So far behind a full stop the splitter has decided whether it ends the sentence (it looks at 16 characters)."""
_MARK = re.compile(r"[,;:](?=\s)|[，、；]|\s[-–—](?=\s)|—")
_STOP = re.compile(r"[.!?…。！？｡\n][^\w\s]*")
_THOUGHT = re.compile(r"\s*<(think|thinking|thought|reasoning)>")
_OPENINGS = ("<think>", "<thinking>", "<thought>", "<reasoning>")
LONGEST_LEAD = 200
"""White space in front of an answer; more is no lead to a thought."""


class Streamed:
    """One answer. `latin`: which language Latin letters are spoken in."""

    def __init__(self, latin: str = LATIN) -> None:
        self._thoughts = _Thoughts()
        self._first = _FirstSentence()
        self._splitter = SentenceSplitter()
        self._latin = latin
        self._language = latin
        self.letters = 0
        """Characters of the answer so far, thoughts not counted."""
        self.spoke = False
        """Whether anything was said."""

    def push(self, delta: str) -> list[Said]:
        """More text; what can be said now."""
        text = self._thoughts.push(delta)
        if not text:
            return []
        self.letters += len(text)
        return self._said(self._first.push(text, self._splitter.push(text)))

    def flush(self) -> list[Said]:
        """The end of the text; the rest of it."""
        text = self._thoughts.flush()
        self.letters += len(text)
        sentences = self._splitter.push(text) + self._splitter.flush()
        return self._said(self._first.push(text, sentences))

    def _said(self, texts: Sequence[str]) -> list[Said]:
        said = []
        for text in texts:
            self._language = language_of(text, self._latin, unclear=self._language)
            said.append(Said(text, self._language))
            self.spoke = True
        return said


class _FirstSentence:
    """Cuts the first sentence behind its first clause, as soon as it is certain that it has one."""

    def __init__(self) -> None:
        self._text: str | None = ""
        """The beginning of the answer; None once its first sentence is over."""
        self._told = 0
        """Characters of the first sentence that have been said."""

    def push(self, text: str, sentences: list[str]) -> list[str]:
        """`text`: what has come; `sentences`: what the splitter has made of all that came. Returns what to say."""
        if self._text is None:
            return sentences
        self._text = (self._text + text).lstrip()
        if not sentences:
            return self._early()
        first, *rest = sentences
        self._text = None
        if not self._told and (end := _clause_end(first, final=True)) is not None:
            return [first[:end], first[end:].strip(), *rest]
        remains = first[self._told :].strip()
        return [remains, *rest] if remains else rest

    def _early(self) -> list[str]:
        if self._told or self._text is None or (end := _clause_end(self._text, final=False)) is None:
            return []
        self._told = end
        return [self._text[:end]]


def _clause_end(text: str, final: bool) -> int | None:
    """Where the first clause of a sentence ends; None if there is none worth it, or if it is not certain yet.

    `final`: `text` is the whole sentence; else it is its beginning, which may go on with other sentences.
    """
    for mark in _MARK.finditer(text):
        end = mark.end()
        if _width(text[:end]) < CLAUSE_WIDTH:
            continue
        if final:
            return end if len(text) >= end + CLAUSE_REST else None
        if len(text.rstrip()) < end + CLAUSE_REST:
            return None
        # A full stop before or just behind the mark may end the sentence there; the splitter will tell.
        stop = max((found.end() for found in _STOP.finditer(text, 0, end + CLAUSE_REST)), default=-LOOK)
        return end if len(text) >= stop + LOOK else None
    return None


def _width(text: str) -> int:
    return len(text) + sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)


class _Thoughts:
    """Leaves out what a reasoning model thinks before it answers: `<think> ... </think>` at the very beginning."""

    def __init__(self) -> None:
        self._held = ""
        self._end = ""
        """The tag that ends the thought; "" while there is none."""
        self._open = True
        """Whether a thought may still begin, or goes on."""

    def push(self, text: str) -> str:
        """More text; what of it is the answer."""
        if not self._open:
            return text
        self._held += text
        if not self._end and (found := _THOUGHT.match(self._held)):
            self._end = f"</{found[1]}>"
            self._held = self._held[found.end() :]
        if self._end:
            return self._thinking()
        lead = self._held.lstrip()
        if len(self._held) < LONGEST_LEAD and any(tag.startswith(lead) for tag in _OPENINGS):
            return ""
        return self._release(self._held)

    def flush(self) -> str:
        """What was held back at the end: nothing of a thought."""
        return "" if self._end or not self._open else self._release(self._held)

    def _thinking(self) -> str:
        _, tag, answer = self._held.partition(self._end)
        if tag:
            return self._release(answer)
        self._held = self._held[-len(self._end) :]
        return ""

    def _release(self, text: str) -> str:
        self._open, self._held, self._end = False, "", ""
        return text
