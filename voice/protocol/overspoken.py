"""What becomes of a turn that was spoken over an answer: it is answered, its words decide, or it is as if it had not been.

Whoever ends turns does so by sound alone, so a cough, an "mm-hm" and what is left of an echo become turns like any other. Here is kept, for
the last minute, in which frames something was being answered and in which our own detector heard somebody; turns are judged by that.

    nothing was being answered ----------------------> ANSWER
    or not while a good part of it was spoken -------> ANSWER
    the speech has stopped an answer (`bargein.py`) -> ANSWER
    our detector heard next to nothing in it --------> DROP
    else --------------------------------------------> DOUBT, until its words are known (`said`)

Times are ms of the sound captured. Pure.
"""

import enum
from collections import deque
from dataclasses import dataclass
from itertools import takewhile

from voice.audio.pcm import FRAME_MS
from voice.protocol.backchannel import Backchannels, spoken

KEPT_FRAMES = 3_000
"""A minute: a turn may be sent again after a broken link."""
LEAST_HEARD_MS = 60
"""As much as begins a turn. A server that has heard somebody where we have not has heard the echo, or a noise."""
LEAST_VOICE_MS, ASSENT_VOICE_MS = 220, 120
"""Recognisers hear words in coughs (the embedded one in half of them). No cough of 100 has so much of a voice, and 93 have less than for a "yes", which
is short; of 13 people's words all have more."""
CLEAR_MS = 400
"""So much speech while nothing is answered was addressed to us, whatever begins or ends meanwhile: a detector goes on for some 150 ms after the echo of an
answer's last word, and a voice is looked for over answers only."""
SPOKEN_VOICE_MS = 700
"""A turn with so much of a voice is answered even if nobody tells its words: longer than any cough or "mm-hm" (`bargein.py`)."""
BEFORE_MS, BEHIND_MS = 200, 600
"""A detector's word comes later than the sound; an interruption is decided while it goes on, or a moment later."""
NEAR_END_MS = 1_000
""""Yes" over the last words of an answer is a reply to it; over its middle it says that somebody listens."""


class Ending(enum.Enum):
    """See the top of the file."""

    ANSWER = "answer"
    DOUBT = "doubt"
    DROP = "drop"


class Words(enum.Enum):
    """What the words of a turn in doubt ask for."""

    NOTHING = "nothing"
    REPLY = "an answer, behind the one that is heard"
    REQUEST = "an answer, now"


@dataclass(frozen=True, slots=True)
class Span:
    """The sound of a turn, without padding and silence."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """One frame that ends there."""

    at_ms: int
    speech: bool
    voice: bool
    playing: bool
    answering: bool


class Overspoken:
    """See the top of the file."""

    def __init__(self, backchannels: Backchannels) -> None:
        self._backchannels = backchannels
        self._frames: deque[_Seen] = deque(maxlen=KEPT_FRAMES)
        self._stops: deque[int] = deque(maxlen=64)

    def frame(self, at_ms: int, speech: bool, voice: bool, playing: bool, answering: bool) -> None:
        """20 ms that end there. `speech`: our detector hears somebody; `voice`: who has a pitch, as far as that was looked at; `playing`: a reply
        is heard, or would be if it were not held; `answering`: that, or one is made."""
        self._frames.append(_Seen(at_ms, speech, voice, playing, answering))

    def stopped(self, at_ms: int) -> None:
        """A reply was stopped, by what was said or by hand."""
        self._stops.append(at_ms)

    def ending(self, span: Span) -> Ending:
        """What becomes of a turn, as far as its sound tells."""
        frames = self._within(span)
        if not any(seen.answering for seen in frames):
            return Ending.ANSWER
        if any(span.start_ms - BEFORE_MS <= stop <= span.end_ms + BEHIND_MS for stop in self._stops):
            return Ending.ANSWER
        if FRAME_MS * sum(seen.speech and not seen.answering for seen in frames) >= CLEAR_MS:
            return Ending.ANSWER
        heard_ms = FRAME_MS * sum(seen.speech for seen in frames)
        return Ending.DROP if heard_ms < LEAST_HEARD_MS else Ending.DOUBT

    def said(self, span: Span, text: str | None, left_ms: int | None) -> Words:
        """What the words of a turn in doubt ask for (None: nobody has written any down). `left_ms`: so much of the reply is still to be heard;
        None: more of it may come."""
        frames = self._within(span)
        voice_ms = FRAME_MS * sum(seen.voice for seen in frames)
        if text is None:
            return Words.REPLY if voice_ms >= SPOKEN_VOICE_MS else Words.NOTHING
        if not spoken(text):
            return Words.NOTHING
        if not self._backchannels.only(text):
            return Words.REQUEST if voice_ms >= LEAST_VOICE_MS or self._backchannels.calls(text) else Words.NOTHING
        if voice_ms < ASSENT_VOICE_MS:
            return Words.NOTHING
        heard_over = any(seen.playing for seen in frames)
        near_end = left_ms is not None and left_ms <= NEAR_END_MS
        return Words.REPLY if near_end or not heard_over else Words.NOTHING

    def only_listens(self, text: str) -> bool:
        """Whether words, so far, show no more than that somebody listens."""
        return self._backchannels.only(text)

    def _within(self, span: Span) -> list[_Seen]:
        """The newest first."""
        start_ms, end_ms = span.start_ms - BEFORE_MS, span.end_ms + BEFORE_MS
        newest = takewhile(lambda seen: seen.at_ms > start_ms, reversed(self._frames))
        return [seen for seen in newest if seen.at_ms <= end_ms]
