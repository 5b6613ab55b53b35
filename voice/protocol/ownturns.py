"""Turns that the talking side ends itself: what is worth sending of a microphone, and when to commit it.

    QUIET --- our detector hears speech ---> OPEN: the pre-roll and all that follows is sent
    OPEN ---- our detector hears the end --> QUIET: commit

While QUIET only the pre-roll is kept; the rest is silence that nobody pays for.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from voice.audio.pcm import FRAME_MS, Framer, Samples, ms_in, samples_in
from voice.audio.turns import SpeechStarted, SpeechStopped, TurnDetector, TurnEvent

KEPT_MS = 1_000
"""Beside the prefix padding: what a detector may need to make up its mind."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this now; `start` is where it was captured, in samples."""

    samples: Samples
    start: int


@dataclass(frozen=True, slots=True)
class Commit:
    """All of the turn has been sent; it is the sound from here to there."""

    start_ms: int
    end_ms: int


class OwnTurns:
    """See the top of the file."""

    def __init__(self, detector: TurnDetector, prefix_padding_ms: int) -> None:
        self._detector = detector
        self._framer = Framer()
        self._kept: deque[Samples] = deque()
        self._kept_limit_ms = KEPT_MS + prefix_padding_ms
        self._position = 0
        self._start_ms: int | None = None

    @property
    def open_ms(self) -> int | None:
        """Where the open turn begins; None: none is open."""
        return self._start_ms

    def push(self, samples: Samples) -> Iterator[Send | Commit | TurnEvent]:
        """More sound (int16, mono, 16 kHz, any length): what to do, in order, and what was heard."""
        for frame in self._framer.push(samples):
            self._position += frame.size
            if self._start_ms is not None:
                yield Send(frame, self._position - frame.size)
            else:
                self._kept.append(frame)
            for event in self._detector.push(frame):
                yield event
                match event:
                    case SpeechStarted() if self._start_ms is None:
                        yield from self._open(event.audio_start_ms)
                    case SpeechStopped() if self._start_ms is not None:
                        yield Commit(self._start_ms, ms_in(self._position))
                        self._start_ms = None
            while len(self._kept) * FRAME_MS > self._kept_limit_ms:
                self._kept.popleft()

    def _open(self, audio_start_ms: int) -> Iterator[Send]:
        start = self._position - sum(frame.size for frame in self._kept)
        while len(self._kept) > 1 and start + self._kept[0].size <= samples_in(audio_start_ms):
            start += self._kept.popleft().size
        self._start_ms = ms_in(start)
        while self._kept:
            frame = self._kept.popleft()
            yield Send(frame, start)
            start += frame.size
