"""Text into sentences, whole or as it streams in from a model.

Pure. However the text is split on its way in, the sentences are the same: a boundary is decided by the characters
around it alone, and where they have not come yet, the splitter waits for them.
"""

import re
from collections.abc import Iterator

MAX_CHARS = 300
"""No sentence is longer: about 20 s of speech. A longer one is cut at a comma, else at a space, else anywhere."""
_LOOK = 16
"""How far beyond a full stop a decision looks. More white space than this ends a sentence by itself."""

_OPENING = "\"'“‘«‹„‚([{「『（《〈【"
_CLOSING = "\"'”’»›)]}」』）》〉】*_"
_WIDE_STOPS = "。！？｡"
_STOP = re.compile(rf"[.!?…]+[{re.escape(_CLOSING)}]*|[{_WIDE_STOPS}]+[{re.escape(_CLOSING)}]*|\n")
_NEVER_LAST = frozenset("mr mrs ms dr prof mt ft capt lt sgt rev hon pres gov vs approx resp vol pp figs eds e.g i.e cf al ca".split())
_MAY_BE_LAST = frozenset(
    "etc inc ltd co corp jr sr st dept est no nos fig ed min max col gen sen rep a.m p.m u.s u.k u.n e.u ph.d b.c a.d "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun".split()
)
"""Abbreviations that often stand last, and those that are also words: a capital behind them begins a sentence."""
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+•#>]|\d{1,3}[.)])[ \t]|[ \t]*\n")
_LAST_WORD = re.compile(r"[^\s\"'“”‘’«»(\[{]*\Z")


class SentenceSplitter:
    """Sentences out of a stream of text. Bounded: never holds more than a sentence and a little."""

    def __init__(self) -> None:
        self._text = ""

    def push(self, delta: str) -> list[str]:
        """More text; the sentences that are now complete, without white space around them."""
        return self._drain(delta, final=False)

    def flush(self) -> list[str]:
        """The end of the text; what is left of it."""
        return self._drain("", final=True)

    def _drain(self, delta: str, final: bool) -> list[str]:
        text = self._text + delta
        found, start = [], 0
        while (end := _boundary(text, start, final)) is not None:
            if sentence := text[start:end].strip():
                found.append(sentence)
            start = end
        self._text = text[start:]
        return found


def sentences(text: str) -> list[str]:
    """All the sentences of a text."""
    return list(each_sentence(text))


def each_sentence(text: str) -> Iterator[str]:
    """The sentences of a text, found one at a time: nothing is read far ahead."""
    splitter = SentenceSplitter()
    step = 4 * MAX_CHARS
    for start in range(0, len(text), step):
        yield from splitter.push(text[start : start + step])
    yield from splitter.flush()


def _boundary(text: str, start: int, final: bool) -> int | None:
    """Where the sentence that begins at `start` ends; None if that cannot be said yet (or there is none)."""
    start += len(text[start : start + MAX_CHARS]) - len(text[start : start + MAX_CHARS].lstrip())
    limit = start + MAX_CHARS
    for stop in _STOP.finditer(text, start, min(limit, len(text))):
        if not final and len(text) < stop.end() + _LOOK + 1:
            # Near the end of what has come, only a decision that more text cannot change counts.
            decided = _early(text, start, stop)
            if decided is None:
                return None
            if decided:
                return stop.end()
        elif _ends(text, start, stop):
            return stop.end()
    if len(text) > limit:
        return _forced(text, start, limit)
    return len(text) if final and start < len(text) else None


def _early(text: str, start: int, stop: re.Match[str]) -> bool | None:
    """The decision, if what has come of the text behind the stop is enough for it; else None."""
    behind = text[stop.end() :]
    if not behind or (stop.group() != "\n" and behind.isspace()):
        return None
    if stop.group() == "\n" and not re.search(r"\S[\s\S]|\n", behind):
        return None
    if stop.group() == "\n" and re.fullmatch(r"[ \t]*\d{1,3}[.)]?", behind):
        return None
    return _ends(text, start, stop)


def _ends(text: str, start: int, stop: re.Match[str]) -> bool:
    """Whether the sentence ends with this stop, all that matters of the text being there."""
    behind = text[stop.end() : stop.end() + _LOOK]
    if stop.group() == "\n":
        return _LIST_ITEM.match(behind) is not None
    if stop.group()[0] in _WIDE_STOPS:
        return True
    if behind and not behind[0].isspace():
        return behind[0] in _OPENING[4:] or _is_wide(behind[0])
    following = behind.lstrip().lstrip(_OPENING)[:1]
    if following.islower() and (stop.group()[0] in ".…" or stop.group()[-1] in _CLOSING):
        return False
    if stop.group() == ".":
        return not _abbreviated(text[start : stop.start()], following)
    return True


def _abbreviated(before: str, following: str) -> bool:
    """Whether the full stop behind `before` belongs to an abbreviation, an initial or the number of a list item."""
    last = _LAST_WORD.search(before)
    word = last.group() if last else ""
    if word.isdigit():
        return word == before.strip() and len(word) <= 3 and bool(following)
    if len(word) == 1 and word.isalpha() and word.isupper():
        return word != "I" or before.strip() == word
    lower = word.lower()
    if lower in _MAY_BE_LAST:
        return bool(following) and not following.isupper()
    return lower in _NEVER_LAST and bool(following)


def _is_wide(character: str) -> bool:
    """Hangul, kana and Han follow a full stop without a space, where a name or a decimal would not."""
    return "\u1100" <= character <= "\u11ff" or "\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3"


def _forced(text: str, start: int, limit: int) -> int:
    """Where to cut a sentence that is too long: in its second half, at the best place there is."""
    half = start + MAX_CHARS // 2
    for marks in (";:—–", ",،、，", " \t\n"):
        at = max(text.rfind(mark, half, limit) for mark in marks)
        if at >= 0:
            return at + 1
    while limit > half and _joins(text[limit]):
        limit -= 1
    return limit


def _joins(character: str) -> bool:
    """A character that belongs to the one before it: combining marks, variation selectors, joiners, skin tones."""
    return "\u0300" <= character <= "\u036f" or character in "\u200d\ufe0f\ufe0e" or "\U0001f3fb" <= character <= "\U0001f3ff"
