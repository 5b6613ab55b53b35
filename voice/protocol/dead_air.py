"""The silence while a function runs: who speaks, since when nothing is heard, and what is said then.

A filler ("One moment, please.") is said once for the calls that run, when for so long nobody has spoken, nothing is being answered and
what was answered has been played, as far as that can be told: sound comes faster than it is played, so its length counts from its arrival.
The model says it, in its own voice and as a part of the conversation. Times are monotonic seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from voice.protocol.objects import ResponseParams

HOLD_S = 30.0
"""Nobody talks longer in one go; a server that has heard somebody begin and nobody end has lost count."""
LOOK_AGAIN_S = 0.25
SAY = 'Say exactly this, and nothing else: "{words}"'
WORDS = {
    "en": "One moment, please.",
    "de": "Einen Moment, bitte.",
    "es": "Un momento, por favor.",
    "fr": "Un instant, s'il vous plaît.",
    "it": "Un momento, per favore.",
    "ja": "少々お待ちください。",
    "ko": "잠시만 기다려 주세요.",
    "nl": "Een ogenblik, alstublieft.",
    "pt": "Um momento, por favor.",
    "ru": "Одну минуту, пожалуйста.",
    "zh": "请稍等。",
}
"""By language; English for all others."""


@dataclass(frozen=True, slots=True)
class Filler:
    """What is said instead of nothing while a function runs."""

    after_s: float | None = 2.0
    """Seconds of silence; None: nothing is ever said."""
    words: str = ""
    """The words; "" means those of `WORDS` in the language of the session."""


class DeadAir:
    """See the top of the file. `language`: the session's, "" if it is not known. `speaking`: our own detector has a turn open."""

    def __init__(self, filler: Filler, language: Callable[[], str], speaking: Callable[[], bool]) -> None:
        self._filler = filler
        self._language = language
        self._speaking = speaking
        self._waits: dict[str, float] = {}
        self._now = 0.0
        self._heard_s = 0.0
        self._talks_since: float | None = None
        self._asked = False

    @property
    def talking(self) -> bool:
        """Somebody is in the middle of a sentence."""
        return self._talks_since is not None or self._speaking()

    def speech(self, begun: bool, now: float) -> None:
        """The server has heard somebody begin, or end."""
        self._talks_since = now if begun else None
        self.heard(now)

    def heard(self, now: float, sound_s: float = 0.0) -> None:
        """Something was said: so much of an answer's sound has come, or an answer begins or ends."""
        self._now = max(self._now, now)
        self._heard_s = max(self._heard_s, now) + sound_s

    def interrupted(self) -> None:
        """The user has stopped what was being played, and wants no such words now."""
        self._heard_s = self._now
        self._waits.clear()

    def started(self, call_id: str, now: float) -> None:
        """A function runs."""
        self._waits[call_id] = now

    def finished(self, call_id: str) -> None:
        """It does not any more."""
        self._waits.pop(call_id, None)

    def began(self, now: float) -> bool:
        """An answer begins; whether it is the one that was asked for here, which answers nothing."""
        self.heard(now)
        ours, self._asked = self._asked, False
        return ours

    def unheard(self) -> None:
        """The wish of `words` was refused or lost."""
        self._asked = False

    def words(self, now: float) -> ResponseParams | None:
        """What to ask for now; None if it is not the moment."""
        self._now = max(self._now, now)
        if self._talks_since is not None and now >= self._talks_since + HOLD_S:
            self._talks_since = None
        due = self._due()
        if due is None or now < due or self.talking or self._asked:
            return None
        self._waits.clear()
        return self._say({"en": self._filler.words} if self._filler.words else WORDS)

    def announce(self, words: Mapping[str, str]) -> ResponseParams | None:
        """What to ask for so that this is said now, in the language of the session; None while somebody speaks, or such words are on their way."""
        return None if self.talking or self._asked else self._say(words)

    def deadline(self, pending: bool) -> float | None:
        """When to look again, if nothing happens; None: never. `pending`: something waits for the end of a sentence."""
        due = self._due()
        if self.talking and (pending or due is not None):
            return self._now + LOOK_AGAIN_S
        return due

    def _say(self, words: Mapping[str, str]) -> ResponseParams:
        self._asked = True
        said = words.get(self._language().lower().split("-")[0], words["en"])
        return ResponseParams(instructions=SAY.format(words=said), tool_choice="none")

    def _due(self) -> float | None:
        if self._filler.after_s is None or not self._waits or self._asked:
            return None
        return max(self._heard_s, *self._waits.values()) + self._filler.after_s


def language_of(text: str) -> str:
    """The language that the letters of a text tell; "" where several are written in them."""
    for letter in text:
        if "\uac00" <= letter <= "\ud7a3":
            return "ko"
        if "\u3040" <= letter <= "\u30ff":
            return "ja"
    return "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else ""
