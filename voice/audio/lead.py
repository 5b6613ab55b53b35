"""What is done with a reply of which little is left to play while more is to come: for `jitter.py`, whose top tells the story.

The lead is what is there beyond what the device takes now. If it is low, pauses between words are made longer; if it is very low, the words
too, to 0.85 of their speed. A reply that is all there, and a pause before its first word, are left alone.
"""

from dataclasses import dataclass

import numpy as np

from voice.audio.arrivals import Past
from voice.audio.elastic import Elastic
from voice.audio.pcm import Samples, samples_in
from voice.audio.playing import Item
from voice.audio.tuning import LeadSettings

MOST_OWED_MS = 20
"""So much can be made up for where it could not be stretched."""
NONE: Samples = np.zeros(0, np.int16)


@dataclass(slots=True)
class _Place:
    """Where it is in the item that is played."""

    looked_at: int = 0
    """Sample at which it was looked last."""
    looks_at: int = 0
    """Sample before which it is not looked again."""
    owed: int = 0
    """By how much words may be stretched now, in 1/17 samples: 0.85 of the speed is 3 extra samples for 17."""
    pause_from: int = 0
    """First sample of the last pause."""
    rested: int = 0
    """What was added to it."""


class Lead:
    """Gives what is played next. Of its items only one is played at a time."""

    def __init__(self, settings: LeadSettings, rate_hz: int, past: Past) -> None:
        self.lengthened = 0
        """Samples by which pauses were made longer."""
        self.stretched = 0
        """Samples by which the rest was."""
        self._settings = settings
        self._rate_hz = rate_hz
        self._past = past
        self._elastic = Elastic(rate_hz)
        self._item: Item | None = None
        self._place = _Place()
        self._extra = NONE
        """What is played before the item goes on."""
        self._most_owed = 17 * samples_in(MOST_OWED_MS, rate_hz)

    def draw(self, item: Item, need: int) -> tuple[Samples, bool]:
        """The next samples, at most `need`, of those that the device takes now; and whether they are the item's."""
        if item is not self._item:
            self._item, self._place, self._extra = item, _Place(), NONE
        if not len(self._extra) and not item.ended:
            limit = self._look(item, item.left - need)
            if not len(self._extra):
                return item.draw(min(need, limit) if limit else need), True
        if len(self._extra):
            piece, self._extra = self._extra[:need], self._extra[need:]
            return piece, False
        return item.draw(need), True

    def rest(self) -> None:
        """Playback stops here: extra sound that is not played yet is not needed."""
        self._extra = NONE

    def dry(self, item: Item) -> Samples:
        """What may be heard, fading, where the item breaks off; none if its end fits nothing."""
        around = item.around(self._elastic.back + self._elastic.ahead, 0)
        return NONE if around is None else self._elastic.continued(around, samples_in(self._settings.conceal_ms, self._rate_hz))

    def _look(self, item: Item, lead: int) -> int:
        """Make longer what comes next, if that must be; after how many samples of the item to look again, 0: not now."""
        settings = self._settings
        needed_ms = max(self._past.needed_us, item.arrivals.needed_us) * settings.needed_percent // 100_000
        pause_ms = min(max(needed_ms, settings.pause_below_ms), settings.pause_below_most_ms)
        calm = not needed_ms and self._past.slow is False
        least_ms = settings.calm_below_ms if calm else settings.stretch_below_ms
        stretch_ms = min(max(needed_ms, least_ms), settings.stretch_below_most_ms)
        lead_ms = max(0, lead) * 1000 // self._rate_hz
        if lead_ms >= pause_ms and lead_ms >= stretch_ms:
            return 0
        at = item.played
        if at >= self._place.looks_at:
            step = samples_in(settings.look_ms, self._rate_hz)
            self._place.owed = min(self._place.owed + 3 * min(at - self._place.looked_at, step), self._most_owed)
            self._place.looked_at, self._place.looks_at = at, at + step
            if not (lead_ms < pause_ms and self._lengthen(item)) and lead_ms < stretch_ms and self._place.owed >= 0:
                self._stretch(item)
        return self._place.looks_at - at

    def _lengthen(self, item: Item) -> bool:
        """Whether a pause is made longer here."""
        at, back, ahead = item.played, self._elastic.back, self._elastic.ahead
        found = item.quiet.around(at)
        if found is None:
            return False
        first, last = found
        if first != self._place.pause_from:
            self._place.pause_from, self._place.rested = first, 0
        # A pause before the first word is none, and what is shorter is part of a word.
        if not first or last - first < samples_in(self._settings.pause_ms, self._rate_hz):
            return False
        if self._place.rested >= samples_in(self._settings.pause_most_ms, self._rate_hz) or at - first < back or last - at < ahead:
            return False
        around = item.around(back, ahead)
        if around is None:
            return False
        self._extra = self._elastic.rested(around)
        self._place.rested += len(self._extra)
        self.lengthened += len(self._extra)
        return True

    def _stretch(self, item: Item) -> None:
        around = item.around(self._elastic.back, self._elastic.ahead)
        if around is not None:
            self._extra = self._elastic.stretched(around)
            self.stretched += len(self._extra)
            self._place.owed -= 17 * len(self._extra)
