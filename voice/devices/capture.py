"""The queue between a device's callback, on a thread of its own, and the event loop: a microphone does not wait.

Bounded: when it is full the oldest block goes, is counted, and becomes silence of its length, so that time stays right. With each block
goes what the loudspeaker was given at the same time: an echo canceller's reference.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator

import numpy as np
from numpy.typing import NDArray

from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, Framer, Samples, clip_int16, empty, samples_in
from voice.audio.reference import Reference
from voice.audio.resample import Resampler
from voice.devices.base import Frame

MAX_MS = 2_000
"""Sound that waits for the loop; older sound is no conversation any more."""

Block = NDArray[np.int16]
"""(frames, channels); without channels it is so many frames that nobody is to hear, and without both the end."""
Played = tuple[Samples, int]
"""What the loudspeaker was given (mono), and its rate in Hz."""


class Capture:
    """See the top of the file: `push` and `heard` are the callbacks', `frames` the loop's. A lock between them is held for an append."""

    def __init__(self, rate_hz: int, loop: asyncio.AbstractEventLoop, max_ms: int = MAX_MS) -> None:
        self.late_s = 0.0
        """How late the newest block came, as the callback sets it."""
        self.beside = Beside(rate_hz)
        """What the loudspeaker plays."""
        self._bell = Bell(loop)
        self._rate_hz = rate_hz
        self._max_samples = samples_in(max_ms, rate_hz)
        self._lock = threading.Lock()
        self._queue: deque[tuple[Block, Played | None]] = deque()
        self._queued = 0
        self._needed = 1
        """So much in the queue may complete a frame: the loop is not woken for less."""
        self._gone = 0
        self._resampler = Resampler(rate_hz, RATE_HZ)
        self._framer = Framer()

    def push(self, block: Block, played: Samples | None = None) -> None:
        """A block from the device, ours to keep. For the audio callback.

        `played`: what the loudspeaker was handed in the same callback, where the two share a stream: mono, as many samples. Else it is
        what `heard` was told.
        """
        with self._lock:
            self._queue.append((block, self.beside.take(len(block)) if played is None else (played, self._rate_hz)))
            self._queued += len(block)
            while self._queued > self._max_samples and len(self._queue) > 1:
                oldest = len(self._queue.popleft()[0])
                self._queued -= oldest
                self._gone += oldest
            enough = self._queued >= self._needed or not block.size
        if enough:
            self._bell.ring()

    def skip(self, samples: int) -> None:
        """So many samples of the device are too old to be heard: silence of their length. For the audio callback."""
        self.push(np.empty((samples, 0), np.int16))

    def end(self) -> None:
        """The device is gone: `frames` ends behind what it has given."""
        self.push(np.empty((0, 0), np.int16))

    def heard(self, played: Samples, rate_hz: int) -> None:
        """What the loudspeaker was handed by a stream of its own: mono, ours to keep. For that stream's callback."""
        with self._lock:
            self.beside.put(played, rate_hz)

    async def frames(self, from_now: bool = True) -> AsyncGenerator[Frame, None]:
        """Frames of 20 ms at 16 kHz, mono, until `end`. `from_now`: what was said before anybody listened is not heard."""
        if from_now:
            with self._lock:
                self._queue.clear()
                self._queued = self._gone = 0
        while True:
            self._bell.hush()
            while self._queue:
                frames = self._fetch()
                if frames is None:
                    return
                for frame in frames:
                    yield frame
            await self._bell.rings()

    def _fetch(self) -> list[Frame] | None:
        """The frames that the oldest block completes; before them silence for what was dropped. None at the end."""
        with self._lock:
            block, played = self._queue.popleft()
            self._queued -= len(block)
            gone, self._gone = self._gone, 0
            delay_s = self.late_s + self.beside.ahead_s
        if not block.size:
            return self._silence(gone + len(block), stale=True) if len(block) else None
        silent = self._silence(gone) if gone else []
        self.beside.bring(played)
        frames = self._framer.push(self._resampler.push(_mono(block)))
        self._needed = self._framer.wanted if self._rate_hz == RATE_HZ else self._resampler.wanted
        return silent + [Frame(samples, played=self.beside.frame(), delay_ms=round(delay_s * 1000)) for samples in frames]

    def _silence(self, gone: int, stale: bool = False) -> list[Frame]:
        """Whole frames for so many samples of the device; the beginning of a frame that lies before the gap goes too, and what is left
        over begins the next one."""
        silent = len(self._framer.flush()) + round(gone * RATE_HZ / self._rate_hz)
        self._resampler.flush()
        self._needed = 1
        self.beside.forget()
        self._framer.push(np.zeros(silent % FRAME_SAMPLES, np.int16))
        return [Frame(np.zeros(FRAME_SAMPLES, np.int16), dropped=True, stale=stale)] * (silent // FRAME_SAMPLES)


class Bell:
    """Wakes a loop from another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """From the other thread; never raises."""
        try:
            self._loop.call_soon_threadsafe(self._rung.set)
        except RuntimeError:
            # The loop is closed: the program is ending, and nobody listens any more.
            return

    def hush(self) -> None:
        """What has rung so far is known."""
        self._rung.clear()

    async def rings(self) -> None:
        """Wait until it rings, or has rung."""
        await self._rung.wait()


class Beside:
    """What the loudspeaker plays beside a microphone: queued where it has a stream of its own, and cut into the microphone's frames."""

    def __init__(self, microphone_hz: int) -> None:
        self._microphone_hz = microphone_hz
        self._stream_ahead_s = 0.0
        self._reference: Reference | None = None
        self._resampler = Resampler(RATE_HZ, RATE_HZ)
        self._rate_hz = 0
        self._rest = empty()

    @property
    def ahead_s(self) -> float:
        """From the moment when sound is paired with the microphone's to the air."""
        return self._stream_ahead_s + (self._reference.waiting_ms / 1000 if self._reference is not None else 0.0)

    @ahead_s.setter
    def ahead_s(self, from_callback_s: float) -> None:
        self._stream_ahead_s = from_callback_s

    def put(self, played: Samples, rate_hz: int) -> None:
        """From the loudspeaker's callback. Under the capture's lock, as `take`."""
        if self._reference is None or self._reference.rate_hz != rate_hz:
            self._reference = Reference(rate_hz, self._microphone_hz)
        self._reference.put(played)

    def take(self, count: int) -> Played | None:
        """What belongs to so many samples of the microphone; None where no loudspeaker has told anything."""
        return None if self._reference is None else (self._reference.take(count), self._reference.rate_hz)

    def bring(self, played: Played | None) -> None:
        """More of it, with the microphone's block. On the loop, as `frame` and `forget`."""
        if played is None:
            return
        samples, rate_hz = played
        if rate_hz != self._rate_hz:
            self._rate_hz, self._resampler = rate_hz, Resampler(rate_hz, RATE_HZ)
            if rate_hz != self._microphone_hz:
                # Resamplers give their samples in lumps, and these two not at the same time. The echo is later than this by far.
                self._rest = np.zeros(FRAME_SAMPLES, np.int16)
        self._rest = np.concatenate((self._rest, self._resampler.push(samples)))

    def frame(self) -> Samples | None:
        """Of the microphone's next 20 ms; None where nothing is known."""
        if not self._rate_hz:
            return None
        if len(self._rest) < FRAME_SAMPLES:
            self._rest = np.concatenate((np.zeros(FRAME_SAMPLES - len(self._rest), np.int16), self._rest))
        # A copy: a view would keep all that was brought in memory.
        frame, self._rest = self._rest[:FRAME_SAMPLES].copy(), self._rest[FRAME_SAMPLES:]
        return frame

    def forget(self) -> None:
        """The microphone's sound has a gap."""
        if self._rate_hz:
            self._resampler.flush()
        self._rest = empty()


def _mono(block: Block) -> Samples:
    return block[:, 0] if block.shape[1] == 1 else clip_int16(block.mean(axis=1))
