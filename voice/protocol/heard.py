"""Which words of a reply lie in the first part of its sound, where nobody tells when each word ends: an estimate.

Pure; twin of web/heard.js. Words lead their sound: what is written when so much sound has come is spoken by the sound that comes
next. So the letters that came between two amounts of sound are spread evenly over the sound that followed them. Of a reply that
broke off, the last letters may have had no sound at all: they are given the time that it takes to say them. A word that was not
heard to its end is not heard.
"""

import re

LETTER_MS = 65
"""The time that a letter takes: espeak-ng and flite need 55 to 70 ms in English, pauses included (`bench/speech.py`)."""
_END = re.compile(r"[ \t\r\n\u3000]+[^ \t\r\n\u3000]*\Z")
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_LAST_ALONE = re.compile(rf"[{_ALONE}][^{_ALONE}]*\Z")


class Spread:
    """How the letters of one reply lie over its sound."""

    def __init__(self, finished: bool = False) -> None:
        self.finished = finished
        """All of its words and all of its sound have come."""
        self._steps: list[tuple[int, int]] = []

    def write(self, letters: int, sound_ms: int) -> None:
        """The reply's words are `letters` long now, and so much of its sound has come."""
        if self._steps and self._steps[-1][0] == sound_ms:
            self._steps[-1] = (sound_ms, letters)
        elif not self._steps or self._steps[-1][1] != letters:
            self._steps.append((sound_ms, letters))

    def until(self, text: str, heard_ms: int, sound_ms: int) -> str:
        """The whole words of `text` in the first `heard_ms` of its `sound_ms`."""
        if heard_ms <= 0:
            return ""
        if self.finished and heard_ms >= sound_ms:
            return text
        steps = self._steps or [(0, len(text))]
        at = next((at for at in range(len(steps) - 1, -1, -1) if steps[at][0] <= heard_ms), 0)
        begin_ms = steps[at][0]
        if begin_ms > heard_ms:
            return ""
        before = min(steps[at - 1][1], len(text)) if at else 0
        letters = min(steps[at][1], len(text)) - before
        if at + 1 < len(steps):
            end_ms = steps[at + 1][0]
        else:
            end_ms = sound_ms if self.finished else max(sound_ms, begin_ms + letters * LETTER_MS)
        share = letters * (heard_ms - begin_ms) // max(end_ms - begin_ms, 1)
        return whole_words(text, before + min(share, letters))


def whole_words(text: str, letters: int) -> str:
    """The first `letters` of a text without a word that is cut; the blank behind the last letter ends it."""
    if letters >= len(text):
        return text
    alone = _LAST_ALONE.search(text[:letters])
    blank = _END.search(text[: letters + 1])
    return text[: max(alone.start() + 1 if alone else 0, blank.start() if blank else 0)]
