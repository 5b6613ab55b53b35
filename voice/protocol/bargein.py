"""Speech over a reply: what to do at once, and what once it is known how long it lasts. Pure; one call a frame of 20 ms.

    QUIET ---- speech begins (2 of 5 frames) ----------------------------------> SPEAKING
    SPEAKING - a reply is given (already, or it begins now) -------------------> DUCKED    DUCK
    DUCKED --- evidence enough ------------------------------------------------> STOPPED   STOP
    DUCKED --- words that say something ---------------------------------------> STOPPED   STOP
    DUCKED --- silent for `PAUSE_MS`, or after `WINDOW_MS` for `GAP_MS` -------> QUIET     RESUME
    DUCKED --- the reply is over by itself, or was stopped ---------------------> SPEAKING  RESUME
    SPEAKING, STOPPED --- silent for `PAUSE_MS`, or their turn is over ---------> QUIET

DUCK silences the loudspeaker and loses nothing, RESUME plays on from the same sample, STOP is for good. Evidence is the length of the
speech, which leaks away in a pause between words and is gone behind a longer one (two "mm-hm"s are no interruption). It takes as much as
`needed_ms` says (`audio/evidence.py`: how far the microphone can be trusted; infinite means not at all, nothing is ducked or stopped then), and
never less than a cough or an "mm-hm" lasts. What is too short to tell "stop" from "yes" by its length is told by its words, once they are
known (`overspoken.py`).
"""

import enum
import math
from collections import deque

from voice.audio.pcm import FRAME_MS

START_FRAMES, WITHIN_FRAMES = 2, 5
"""Speech has begun with 40 ms of it within 100 ms: 20 ms before `audio/turns.py` begins a turn, because a duck can be taken back. In 36 rooms
(`bench/echo.py`) as many false ducks as with 60 ms, and what is said over an echo is heard sooner."""
LEAST_MS = 700.0
"""By length alone nothing shorter stops a reply: "mm-hm" is up to 700 ms of speech to the detector, coughs up to 560 with a longest run of 320,
two words to a sentence 800 and more (`bench/interjections.py`)."""
ALONE_MS = 420.0
"""The same where nobody writes down what is said, so that length has to decide between "stop" and "mm-hm": a run of 400 ms is no cough."""
LEAK = 0.25
"""So much of each ms of silence is taken off the evidence: a word, a breath and another word add up, one cough a second does not."""
PAUSE_MS = 200
"""A pause between words is mostly shorter; the detector goes on for some 150 ms after a sound."""
WINDOW_MS, GAP_MS = 600, 60
"""From the duck on, and from here on a shorter pause will do: nobody waits longer for an answer to go on after a cough."""


class Move(enum.Enum):
    """What to do with the loudspeaker."""

    STAY = "stay"
    DUCK = "duck"
    STOP = "stop"
    RESUME = "resume"


class _State(enum.Enum):
    QUIET = "quiet"
    SPEAKING = "speaking"
    DUCKED = "ducked"
    STOPPED = "stopped"


class BargeIn:
    """See the top of the file."""

    def __init__(self) -> None:
        self.words_come = True
        """Somebody writes down what is said."""
        self._state = _State.QUIET
        self._recent: deque[bool] = deque(maxlen=WITHIN_FRAMES)
        self._evidence_ms = 0.0
        self._silent_ms = 0
        self._ducked_ms = 0
        self._needed_ms = math.inf

    @property
    def overruling(self) -> bool:
        """Somebody who has stopped a reply still speaks: one that begins now is as little wanted."""
        return self._state is _State.STOPPED

    @property
    def least_ms(self) -> float:
        """Of speech, before its length alone stops a reply."""
        return LEAST_MS if self.words_come else ALONE_MS

    @property
    def ducked(self) -> bool:
        """The loudspeaker rests while it is being decided."""
        return self._state is _State.DUCKED

    def frame(self, speech: bool, answering: bool, needed_ms: float) -> Move:
        """20 ms of the microphone. `speech`: our detector hears somebody; `answering`: a reply is played or made; `needed_ms`: see the top."""
        self._hear(speech)
        if math.isfinite(needed_ms):
            self._needed_ms = needed_ms
        if self._state is _State.QUIET and sum(self._recent) >= START_FRAMES:
            self._state = _State.SPEAKING
        match self._state:
            case _State.DUCKED:
                return self._decide(answering)
            case _State.SPEAKING | _State.STOPPED if self._silent_ms >= PAUSE_MS:
                self._state = _State.QUIET
            case _State.SPEAKING if answering and math.isfinite(needed_ms):
                self._ducked_ms = 0
                return self._stop() if self._enough() else self._to(_State.DUCKED, Move.DUCK)
            case _:
                pass
        return Move.STAY

    def words(self) -> Move:
        """What is being said has words that say something."""
        return self._stop() if self._state is _State.DUCKED else Move.STAY

    def stopped(self) -> None:
        """The reply was stopped otherwise: by a key, by the server."""
        if self._state is _State.DUCKED:
            self._state = _State.STOPPED

    def turn_over(self) -> None:
        """What was said is a turn, which is answered: the next reply is the answer to it."""
        if self._state is not _State.DUCKED:
            self._state = _State.QUIET
            self._evidence_ms = 0.0

    def _hear(self, speech: bool) -> None:
        self._recent.append(speech)
        self._evidence_ms = self._evidence_ms + FRAME_MS if speech else max(0.0, self._evidence_ms - LEAK * FRAME_MS)
        # A stray frame in a silence is no speech yet.
        self._silent_ms = 0 if speech and sum(self._recent) > 1 else self._silent_ms + FRAME_MS
        if self._silent_ms >= PAUSE_MS:
            self._evidence_ms = 0.0

    def _decide(self, answering: bool) -> Move:
        self._ducked_ms += FRAME_MS
        if not answering:
            return self._to(_State.SPEAKING, Move.RESUME)
        if self._enough():
            return self._stop()
        if self._silent_ms >= (PAUSE_MS if self._ducked_ms < WINDOW_MS else GAP_MS):
            return self._to(_State.QUIET, Move.RESUME)
        return Move.STAY

    def _enough(self) -> bool:
        return self._evidence_ms >= max(self._needed_ms, self.least_ms)

    def _stop(self) -> Move:
        return self._to(_State.STOPPED, Move.STOP)

    def _to(self, state: _State, move: Move) -> Move:
        self._state = state
        return move
