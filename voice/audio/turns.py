"""When somebody's turn begins and ends: a detector's frames, debounced, with exact edges.

    quiet --3 speech frames within 5 (60 of 100 ms)--> speaking        SpeechStarted
    speaking --silence_duration_ms after the last speech--> quiet      SpeechStopped
    speaking --STEADY_S without level modulation--> steady             SpeechStopped (a fan, not a person)
    steady --the detector falls silent, or the level rises--> quiet

With patience (`semantic_vad`) a silence is first a pause, and somebody else judges by the words how long it may be:

    speaking --silence_duration_ms after the last speech--> paused     SpeechPaused
    paused --speech--> speaking
    paused --as long as `judged` has said, or else the wait for what is not known--> quiet    SpeechStopped

The detector decides whether there is speech; when it began and ended is read off the sound's level (`edges.py`), so
that the detector's own delay is in neither. The silence is counted from that exact end: no turn ends later because a detector
hangs over. Time is the count of samples pushed: the same samples give the same events, however they are cut.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from voice.audio.edges import End, Window, end_edge, start_edge
from voice.audio.patience import Patience, Thought
from voice.audio.pcm import FRAME_MS, FRAME_SAMPLES, Framer, Samples, dbfs, empty, ms_in, samples_in
from voice.audio.vad import Detector

START_FRAMES, WITHIN_FRAMES = 3, 5
"""On after 60 ms of speech within 100 ms."""
KEPT_FRAMES = 70
"""Sound kept to find edges in: 1.4 s, for the background before and the speech after an edge."""
START_REACH_MS, END_REACH_MS = 300, 400
"""How far before a detector's word an edge may lie."""
SETTLE_MS = 160
"""The end of speech is looked for when the detector has said "none" for so long, and the background can be heard."""
STEADY_FRAMES = 250
"""A turn may be without modulation for 5 s: nobody holds a vowel so long."""
STEADY_CHECK_FRAMES = 25
STEADY_DB = 3.0
"""Steady noise stays within 1 dB in 20 ms frames, speech in noise at 0 dB SNR spreads over more than 4 dB."""
LOUDER_DB = 6.0
"""So much above a steady noise somebody may speak."""


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """The numbers of the wire's `server_vad`."""

    threshold: float = 0.5
    """0..1: how sure the detector must be."""
    prefix_padding_ms: int = 300
    """Sound before the speech that belongs to the turn."""
    silence_duration_ms: int = 500
    """Silence after the speech that ends the turn, or is a pause in it."""
    patience: Patience | None = None
    """How long pauses may be; None: there are none."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody has begun to speak. Times are ms from the first sample ever pushed."""

    voiced_start_ms: int
    """Where the speech begins."""
    audio_start_ms: int
    """Where the turn's sound begins: prefix padding earlier, not before 0, the turn before or the last reset."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The turn is over. Times are ms from the first sample ever pushed."""

    voiced_end_ms: int
    """Where the speech ends."""
    audio_end_ms: int
    """`voiced_end_ms` plus `silence_duration_ms`, as on the wire. The silence that was waited for beyond it is not in the turn."""


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """Speech has stopped, and may go on: `TurnDetector.judged` is to be told what to think of it."""

    voiced_end_ms: int
    """Where the speech before the pause ends; ms from the first sample ever pushed."""


TurnEvent = SpeechStarted | SpeechPaused | SpeechStopped


@runtime_checkable
class Tunable(Protocol):
    """A detector whose threshold can be changed while it works, as those of `make_detector` can."""

    def tune(self, threshold: float) -> None:
        """Changes the threshold, 0..1, and forgets nothing."""


class TurnDetector:
    """Turns in a stream of int16 mono 16 kHz samples, pushed in pieces of any length."""

    def __init__(self, settings: TurnSettings, detector: Detector) -> None:
        """`detector` is this stream's own, already made for `settings.threshold`."""
        self._settings = settings
        self._detector = detector
        self._framer = Framer()
        self._position = 0
        self._sound = _Sound()
        self._earliest = 0
        self._recent: deque[bool] = deque(maxlen=WITHIN_FRAMES)
        self._turn: _Turn | None = None
        self._steady = _Steady()
        self.heard_ms = 0
        """In how much of all sound there was speech: grows by 20 for each such frame, whether or not it is enough for a turn."""

    @property
    def speaking(self) -> bool:
        """True between SpeechStarted and SpeechStopped."""
        return self._turn is not None

    @property
    def left_ms(self) -> int | None:
        """How much more silence ends the turn, where there is patience; before a pause the longest there can be. None: there is no such turn."""
        patience, turn = self._settings.patience, self._turn
        if patience is None or turn is None:
            return None
        wait_ms = patience.unfinished_ms if turn.wait_ms is None else turn.wait_ms
        return max(0, wait_ms - ms_in(self._sound.framed - turn.silent_since()))

    @property
    def position_ms(self) -> int:
        """Time of all samples pushed, in whole ms."""
        return ms_in(self._position)

    def push(self, samples: Samples) -> list[TurnEvent]:
        """What the samples (any length, 0 too) bring about, in order; mostly nothing."""
        self._position += len(samples)
        events = (self._hear(frame) for frame in self._framer.push(samples))
        return [event for event in events if event is not None]

    def judged(self, thought: Thought) -> SpeechStopped | None:
        """How finished what was said before the pause seems; ends the turn if it has waited long enough for that. Nothing outside a pause."""
        patience, turn = self._settings.patience, self._turn
        if patience is None or turn is None or turn.wait_ms is None:
            return None
        turn.wait_ms = patience.wait_ms(thought)
        return self._stop_if_silent(turn)

    def finish(self) -> SpeechStopped | None:
        """The end of the stream: ends a turn in progress where its speech ended. More may be pushed afterwards."""
        self._sound.keep(self._framer.flush())
        if self._turn is None:
            return None
        end = self._turn.end or end_edge(self._sound.window(), self._turn.speech_end, samples_in(END_REACH_MS))
        return self._stop(end.position)

    def update(self, settings: TurnSettings) -> None:
        """Other settings from here on, also for a turn in progress. A detector that can be tuned gets the threshold."""
        if settings.threshold != self._settings.threshold and isinstance(self._detector, Tunable):
            self._detector.tune(settings.threshold)
        self._settings = settings

    def reset(self) -> None:
        """Forgets a turn in progress and the sound so far, as after a commit or a clear by hand; the position stays."""
        self._sound.keep(self._framer.flush())
        self._sound.forget()
        self._recent.clear()
        self._turn = None
        self._steady = _Steady()
        self._earliest = self._position
        self._detector.reset()

    def _hear(self, frame: Samples) -> TurnEvent | None:
        heard = self._detector.push(frame)
        self._sound.keep(frame)
        heard = self._steady.above(frame, heard, any(self._recent))
        self._recent.append(heard)
        self.heard_ms += FRAME_MS * heard
        if self._turn is None:
            return self._start() if sum(self._recent) >= START_FRAMES else None
        self._turn.hear(heard, sum(self._recent), self._sound.framed)
        return self._stop_if_silent(self._turn) or self._pause(self._turn) or self._stop_if_steady(self._turn, frame)

    def _start(self) -> SpeechStarted:
        said = self._sound.framed - (len(self._recent) - self._recent.index(True)) * FRAME_SAMPLES
        begin = max(self._earliest, start_edge(self._sound.window(), said, samples_in(START_REACH_MS)))
        self._turn = _Turn(begin, self._sound.framed)
        audio_start = max(self._earliest, begin - samples_in(self._settings.prefix_padding_ms))
        return SpeechStarted(ms_in(begin), ms_in(audio_start))

    def _stop_if_silent(self, turn: "_Turn") -> SpeechStopped | None:
        wait_ms = self._settings.silence_duration_ms if self._settings.patience is None else turn.wait_ms
        end = turn.silent_for(self._sound, wait_ms, any(self._recent)) if wait_ms is not None else None
        return self._stop(end) if end is not None else None

    def _pause(self, turn: "_Turn") -> SpeechPaused | None:
        patience = self._settings.patience
        if patience is None or turn.wait_ms is not None:
            return None
        end = turn.silent_for(self._sound, self._settings.silence_duration_ms, any(self._recent))
        if end is None:
            return None
        turn.wait_ms = patience.wait_ms(Thought.UNKNOWN)
        return SpeechPaused(ms_in(end))

    def _stop_if_steady(self, turn: "_Turn", frame: Samples) -> SpeechStopped | None:
        if turn.wait_ms is not None:
            return None  # the silence of a pause is steady, too
        turn.levels_db.append(dbfs(frame))
        if len(turn.levels_db) < STEADY_FRAMES or self._sound.framed // FRAME_SAMPLES % STEADY_CHECK_FRAMES:
            return None
        if not self._steady.is_noise(turn.levels_db):
            return None
        return self._stop(self._sound.framed - STEADY_FRAMES * FRAME_SAMPLES)

    def _stop(self, end: int) -> SpeechStopped:
        assert self._turn is not None
        end = max(end, self._turn.begin)
        audio_end = end + samples_in(self._settings.silence_duration_ms)
        self._earliest = min(audio_end, self._position)
        self._turn = None
        self._recent.clear()
        return SpeechStopped(ms_in(end), ms_in(end) + self._settings.silence_duration_ms)


class _Sound:
    """The newest frames, to find edges in."""

    def __init__(self) -> None:
        self.framed = 0
        """Samples, from the first one on."""
        self._kept: deque[Samples] = deque(maxlen=KEPT_FRAMES)

    def keep(self, frame: Samples) -> None:
        """One more, of any length."""
        if len(frame):
            self._kept.append(frame)
            self.framed += len(frame)

    def forget(self) -> None:
        """All but the count."""
        self._kept.clear()

    def window(self) -> Window:
        """All that is kept."""
        samples = np.concatenate(self._kept) if self._kept else empty()
        return Window(samples, self.framed - len(samples))


class _Steady:
    """Noise without modulation: a fan, not a person."""

    def __init__(self) -> None:
        self._level_db: float | None = None

    def is_noise(self, levels_db: Sequence[float]) -> bool:
        """Whether these are levels of such noise; if so it is remembered."""
        low, middle, high = np.quantile(levels_db, (0.1, 0.5, 0.9))
        if high - low >= STEADY_DB:
            return False
        self._level_db = float(middle)
        return True

    def above(self, frame: Samples, heard: bool, lately: bool) -> bool:
        """After noise was taken for a turn: what no more than equals it is not heard, until the detector is quiet, `lately` too."""
        if self._level_db is None:
            return heard
        if not heard and not lately:
            self._level_db = None
            return False
        return heard and dbfs(frame) > self._level_db + LOUDER_DB


class _Turn:
    """A turn in progress; positions in samples."""

    def __init__(self, begin: int, now: int) -> None:
        self.begin = begin
        self.speech_end = now
        """Behind the last frame that the detector heard."""
        self.end: End | None = None
        """Where the speech really ended; None while it goes on or is not known."""
        self.wait_ms: int | None = None
        """The silence that ends the turn, in a pause."""
        self.levels_db: deque[float] = deque(maxlen=STEADY_FRAMES)
        self._voiced = True

    def hear(self, heard: bool, of_recent: int, now: int) -> None:
        """One more frame. After 100 ms of silence a stray frame is no speech: resuming takes as much as starting."""
        if heard and (self._voiced or of_recent >= START_FRAMES):
            self._voiced = True
            self.speech_end = now
            self.end = self.wait_ms = None
        elif not of_recent:
            self._voiced = False

    def silent_for(self, sound: _Sound, wait_ms: int, stray: bool) -> int | None:
        """Where the speech has ended, if the silence after it has lasted so long.

        `stray`: there are speech frames too few to count yet. They are waited for, since they may be the beginning of more.
        """
        window = samples_in(wait_ms)
        if self.end is None:
            if sound.framed - self.speech_end < min(samples_in(SETTLE_MS), window):
                return None
            self.end = end_edge(sound.window(), self.speech_end, samples_in(END_REACH_MS))
        return None if stray or sound.framed < self.silent_since() + window else self.end.position

    def silent_since(self) -> int:
        """What the silence counts from. In noise the detector's word: the edge may be a weak consonant too early."""
        if self.end is None:
            return self.speech_end
        return self.end.position if self.end.clear else self.speech_end
