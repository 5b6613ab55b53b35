"""What a loudspeaker plays, by the clock: for a microphone that shares no card with it, and is told nothing of it.

A device takes sound in blocks, a little early or late; their times say where the first one lies, and each of the others lies behind the one
before it, unless the clock says that much more or less time has passed.
"""

import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

import numpy as np

from voice.audio.echo import EchoReading
from voice.audio.pcm import FRAME_MS, RATE_HZ, Samples, empty, samples_in
from voice.audio.resample import Resampler
from voice.devices.base import Frame, Microphone

LAG_MS = 20
"""What is asked for lies so far back: a resampler gives the newest samples with the next block only."""
LEAP_MS = 30
"""A time that is further off than this is believed: the loudspeaker, or who asks, has stood still."""
MOST_BLOCKS = 500
"""Blocks that nobody asks for: 5 s and more."""


class Airing:
    """See the top of the file. `put` is for the audio callback, `take` for the event loop. Times are monotonic seconds."""

    def __init__(self, bring: Callable[[], None] = lambda: None) -> None:
        """`bring`: asks the loudspeaker to take what is due, where that is not a device's affair."""
        self._bring = bring
        self._lock = threading.Lock()
        self._blocks: deque[tuple[Samples, int, float]] = deque(maxlen=MOST_BLOCKS)
        self._line = empty()
        self._start = 0
        """Where the line begins, in samples of the clock."""
        self._end: float | None = None
        """Where the next block is expected."""
        self._rate_hz = RATE_HZ
        self._resampler = Resampler(RATE_HZ, RATE_HZ)
        self._next: int | None = None

    def put(self, samples: Samples, rate_hz: int, at_s: float) -> None:
        """A block (int16, mono, ours to keep) whose first sample is in the air at `at_s`."""
        with self._lock:
            self._blocks.append((samples, rate_hz, at_s))

    def take(self, at_s: float, count: int) -> Samples:
        """What was in the air from `LAG_MS` before `at_s` on: so many samples at 16 kHz, silence where nothing was. Times never go back."""
        self._bring()
        with self._lock:
            blocks = list(self._blocks)
            self._blocks.clear()
        for block in blocks:
            self._lay(*block)
        wanted = round(at_s * RATE_HZ) - samples_in(LAG_MS)
        if self._next is None or abs(wanted - self._next) > samples_in(LEAP_MS):
            self._next = wanted
        begin, self._next = self._next, self._next + count
        out = np.zeros(count, np.int16)
        first, last = max(begin, self._start), min(self._next, self._start + len(self._line))
        if first < last:
            out[first - begin : last - begin] = self._line[first - self._start : last - self._start]
        gone = max(0, min(self._next - self._start, len(self._line)))
        self._line, self._start = self._line[gone:], self._start + gone
        return out

    def _lay(self, samples: Samples, rate_hz: int, at_s: float) -> None:
        """Put a block where it belongs."""
        at = at_s * RATE_HZ
        if self._end is None or rate_hz != self._rate_hz or abs(at - self._end) > samples_in(LEAP_MS):
            self._line = np.concatenate((self._line, self._resampler.flush()))
            self._resampler, self._rate_hz = Resampler(rate_hz, RATE_HZ), rate_hz
            # What came before lies where it was; a gap is silence.
            here = self._start + len(self._line)
            if round(at) - here > MOST_BLOCKS * samples_in(LEAP_MS) or not len(self._line):
                self._line, self._start = empty(), round(at)
            else:
                self._line = np.concatenate((self._line[: max(0, round(at) - self._start)], np.zeros(max(0, round(at) - here), np.int16)))
            self._end = at
        self._line = np.concatenate((self._line, self._resampler.push(samples)))
        self._end += len(samples) * RATE_HZ / rate_hz


class AiredMicrophone:
    """A card's microphone whose frames say what a loudspeaker elsewhere plays meanwhile."""

    def __init__(self, microphone: Microphone, airing: Airing, clock: Callable[[], float] = time.monotonic) -> None:
        self._microphone = microphone
        self._airing = airing
        self._clock = clock

    @property
    def name(self) -> str:
        """The microphone's."""
        return self._microphone.name

    @property
    def latency_s(self) -> float:
        """The microphone's."""
        return self._microphone.latency_s

    @property
    def ended(self) -> bool:
        """The microphone's."""
        return self._microphone.ended

    @property
    def echo(self) -> EchoReading | None:
        """The microphone's."""
        return self._microphone.echo

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """The microphone's, each with what was in the air with it, as far as the time at which it comes tells."""
        async with aclosing(self._microphone.frames()) as frames:
            async for frame in frames:
                at_s = self._clock() - self._microphone.latency_s - FRAME_MS / 1000
                yield replace(frame, played=self._airing.take(at_s, len(frame.samples)), delay_ms=-LAG_MS)
