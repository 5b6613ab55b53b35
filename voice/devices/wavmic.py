"""A WAV as the microphone: its sound comes in real time, and after its end there is silence."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

import numpy as np

from voice.audio.pcm import FRAME_MS, FRAME_SAMPLES
from voice.devices.airing import LAG_MS, Airing
from voice.devices.base import Frame
from voice.devices.wavfile import StrPath, wav_duration_ms, wav_frames

LATEST_S = 0.5
"""Behind by more than this (the machine slept, or was stopped) it does not catch up: nobody can speak faster."""


class WavMicrophone:
    """See the top of the file."""

    latency_s = 0.0
    echo = None

    def __init__(self, path: StrPath, note: Callable[[str], None] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """`note` is told if the file is truncated. Raises: UsageError if there is no sound to read."""
        self.name = str(path)
        self.length_ms = wav_duration_ms(path)
        self._sound = wav_frames(path, note)
        self.airing: Airing | None = None
        """What is played meanwhile, where it is to come with the frames."""
        self._clock = clock
        self._ended = False

    @property
    def ended(self) -> bool:
        """The file is at its end."""
        return self._ended

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """One frame each 20 ms. Raises: UsageError if the file breaks off inside a compressed block."""
        next_s = self._clock()
        while True:
            # A frame is there when all of it has been said.
            next_s = max(next_s + FRAME_MS / 1000, self._clock() - LATEST_S)
            await asyncio.sleep(max(0.0, next_s - self._clock()))
            samples = None if self._ended else next(self._sound, None)
            self._ended = samples is None
            played = None if self.airing is None else self.airing.take(next_s - FRAME_MS / 1000, FRAME_SAMPLES)
            said = np.zeros(FRAME_SAMPLES, np.int16) if samples is None else samples
            yield Frame(said, played=played, delay_ms=0 if played is None else -LAG_MS)
