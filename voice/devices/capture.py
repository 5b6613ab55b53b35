"""The queue between a device's callback, on a thread of its own, and the event loop: a microphone does not wait.

Bounded: when it is full the oldest block goes, is counted, and becomes silence of its length, so that time stays right.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator

import numpy as np
from numpy.typing import NDArray

from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, Framer, Samples, clip_int16, samples_in
from voice.audio.resample import Resampler
from voice.devices.base import Frame

MAX_MS = 2_000
"""Sound that waits for the loop; older sound is no conversation any more."""

Block = NDArray[np.int16]
"""(frames, channels)"""


class Capture:
    """See the top of the file: `push` is the callback's, `frames` the loop's. A lock between them is held for an append."""

    def __init__(self, rate_hz: int, loop: asyncio.AbstractEventLoop, max_ms: int = MAX_MS) -> None:
        self.late_s = 0.0
        """How late the newest block came, as the callback sets it."""
        self._loop = loop
        self._rate_hz = rate_hz
        self._max_samples = samples_in(max_ms, rate_hz)
        self._lock = threading.Lock()
        self._queue: deque[Block] = deque()
        self._queued = 0
        self._gone = 0
        self._there = asyncio.Event()
        self._resampler = Resampler(rate_hz, RATE_HZ)
        self._framer = Framer()

    def push(self, block: Block) -> None:
        """A block from the device, ours to keep. For the audio callback."""
        with self._lock:
            self._queue.append(block)
            self._queued += len(block)
            while self._queued > self._max_samples and len(self._queue) > 1:
                oldest = len(self._queue.popleft())
                self._queued -= oldest
                self._gone += oldest
        self._wake()

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Frames of 20 ms at 16 kHz, mono, from now on: what was said before anybody listened is not heard. Without end."""
        with self._lock:
            self._queue.clear()
            self._queued = self._gone = 0
        while True:
            self._there.clear()
            while self._queue:
                for frame in self._fetch():
                    yield frame
            await self._there.wait()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._there.set)
        except RuntimeError:
            # The loop is closed: the program is ending, and nobody listens any more. A callback raises nothing.
            return

    def _fetch(self) -> list[Frame]:
        """The frames that the oldest block completes; before them silence for what was dropped."""
        with self._lock:
            block = self._queue.popleft()
            self._queued -= len(block)
            gone, self._gone = self._gone, 0
        silent = self._silence(gone) if gone else []
        return silent + [Frame(samples) for samples in self._framer.push(self._resampler.push(_mono(block)))]

    def _silence(self, gone: int) -> list[Frame]:
        """Whole frames for so many samples of the device; the beginning of a frame that lies before the gap goes too."""
        gone += len(self._framer.flush()) * self._rate_hz // RATE_HZ
        self._resampler.flush()
        frames = round(gone * RATE_HZ / (self._rate_hz * FRAME_SAMPLES))
        return [Frame(np.zeros(FRAME_SAMPLES, np.int16), dropped=True)] * max(1, frames)


def _mono(block: Block) -> Samples:
    return block[:, 0] if block.shape[1] == 1 else clip_int16(block.mean(axis=1))
