"""Which words of a reply lie in the first part of its sound, where nobody tells when each word ends: an estimate.

Pure; `Received` is for the talking side, twin of web/heard.js. Words lead their sound: what is written when so much sound has come is
spoken by the sound that comes next. So the letters that came between two amounts of sound are spread evenly over the sound that
followed them. Of a reply that broke off, the last letters may have had no sound at all: they are given the time that it takes to say
them. A word that was not heard to its end is not heard.
"""

import re
from dataclasses import dataclass, field

LETTER_MS = 65
"""The time that a letter takes: espeak-ng and flite need 55 to 70 ms in English, pauses included."""
WIDE_MS = 190
"""The same for a letter that is a syllable: espeak-ng needs 180 to 196 ms in Korean. Kana and Han, which take it longer, count as Hangul."""
MAX_REPLIES = 256
"""Replies that are remembered; an interruption concerns the newest ones."""
_END = re.compile(r"[ \t\r\n\u3000]+[^ \t\r\n\u3000]*\Z")
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WIDE = re.compile(rf"[{_ALONE}\uac00-\ud7a3]")
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
        at = next((at for at in range(len(steps) - 1, 0, -1) if steps[at][0] <= heard_ms), 0)
        # The first words may come behind their sound: they count from its start, and have all of it.
        begin_ms, behind = (steps[at][0], False) if at else (0, steps[0][0] > 0)
        before = min(steps[at - 1][1], len(text)) if at else 0
        letters = min(steps[at][1], len(text)) - before
        if at + 1 < len(steps):
            end_ms = steps[at + 1][0]
        else:
            said = text[before : before + letters]
            end_ms = sound_ms if self.finished or behind else max(sound_ms, begin_ms + said_ms(said))
        share = letters * (heard_ms - begin_ms) // max(end_ms - begin_ms, 1)
        return whole_words(text, before + min(share, letters))


def said_ms(text: str) -> int:
    """About how long it takes to say this."""
    return len(text) * LETTER_MS + len(_WIDE.findall(text)) * (WIDE_MS - LETTER_MS)


def whole_words(text: str, letters: int) -> str:
    """The first `letters` of a text without a word that is cut; the blank behind the last letter ends it."""
    if letters >= len(text):
        return text
    alone = _LAST_ALONE.search(text[:letters])
    blank = _END.search(text[: letters + 1])
    return text[: max(alone.start() + 1 if alone else 0, blank.start() if blank else 0)]


@dataclass(slots=True)
class _Reply:
    text: str = ""
    final: bool = False
    samples: int = 0
    sound_ms: int = 0
    spread: Spread = field(default_factory=Spread)


class Received:
    """What has come of the newest replies, by item: words and sound."""

    def __init__(self) -> None:
        self._replies: dict[str, _Reply] = {}

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._replies

    def words(self, item_id: str, text: str, final: bool) -> None:
        """More words of a reply (`final`: all of them, which replaces what was there)."""
        reply = self._reply(item_id)
        reply.text = text if final else reply.text + text
        reply.final = final
        reply.spread.write(len(reply.text), reply.sound_ms)

    def sound(self, item_id: str, samples: int, rate_hz: int) -> None:
        """More sound of it."""
        reply = self._reply(item_id)
        reply.samples += samples
        reply.sound_ms = reply.samples * 1000 // rate_hz

    def finish(self, item_id: str) -> None:
        """All of it has come: its last word is heard with its last sound."""
        if item_id in self._replies:
            self._replies[item_id].spread.finished = True

    def sound_ms(self, item_id: str) -> int:
        """How much sound of it has come."""
        return self._replies[item_id].sound_ms if item_id in self._replies else 0

    def text(self, item_id: str) -> str:
        """Its words so far."""
        return self._replies[item_id].text if item_id in self._replies else ""

    def until(self, item_id: str, heard_ms: int) -> str:
        """The words whose sound lies within the first `heard_ms`, as far as can be said without word times."""
        reply = self._replies.get(item_id)
        return reply.spread.until(reply.text, heard_ms, reply.sound_ms) if reply else ""

    def unfinished(self) -> dict[str, str]:
        """The words so far of replies of which not all words have come."""
        return {item_id: reply.text for item_id, reply in self._replies.items() if reply.text and not reply.final}

    def _reply(self, item_id: str) -> _Reply:
        if item_id not in self._replies:
            self._replies[item_id] = _Reply()
            if len(self._replies) > MAX_REPLIES:
                del self._replies[next(iter(self._replies))]
        return self._replies[item_id]
