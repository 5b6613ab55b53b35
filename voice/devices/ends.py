"""The microphone and the loudspeaker of a card, as a conversation knows them: the same two for its whole life, whatever device is behind them.

Without a device the microphone gives silence, so that time goes on, and the loudspeaker keeps what it has: a reply goes on from the
sample where it was. The next device may have another rate.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

import numpy as np

from voice.audio.ourselves import Ourselves
from voice.audio.pcm import FRAME_MS, FRAME_SAMPLES, Samples, empty
from voice.audio.resample import Resampler
from voice.devices.base import Frame
from voice.devices.capture import Capture
from voice.devices.player import Player

FRAME_S = FRAME_MS / 1000
LONGEST_GAP_S = 10.0
"""Silence that is given at once, where the event loop stood still for longer it is as if it had been shorter."""
SHUT_S, PAUSE_S = 10.0, 60.0
"""So many zeros from the beginning, or after sound, are no pause."""
STRANDED_S = 10.0
"""A reply waits so long for another loudspeaker; then it is over, and what was heard of it is told."""
LEAST_RATE_HZ = 24_000
"""Of the playback buffer, replies come at this rate: a telephone's is not kept for the device that follows."""


class CardMicrophone:
    """See the top of the file. From the event loop only."""

    ended = False
    echo = None

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = ""
        self._clock = clock
        self._least_s = 0.0
        self._capture: Capture | None = None
        self._changed = asyncio.Event()
        self._ourselves = Ourselves()
        self._zeros = 0
        self._sounded = False

    def connect(self, name: str, capture: Capture, latency_s: float) -> None:
        """A device is behind it from now on."""
        self.disconnect()
        self.name, self._capture, self._least_s = name, capture, latency_s
        self._ourselves, self._zeros, self._sounded = Ourselves(), 0, False
        self._changed.set()

    def disconnect(self) -> None:
        """None is, for now; what it gave is heard to its end."""
        if self._capture is not None:
            self._capture.end()
        self._capture = None
        self._changed.clear()

    @property
    def there(self) -> bool:
        """Whether a device is behind it."""
        return self._capture is not None

    @property
    def ours(self) -> bool:
        """It hears nothing but what we play ourselves, not from the air: nobody hears that."""
        return self._ourselves.ours

    @property
    def shut(self) -> bool:
        """It has given nothing but zeros for long, as no open microphone does; but one behind a noise gate, in pauses."""
        return self._zeros * FRAME_S > (PAUSE_S if self._sounded else SHUT_S)

    @property
    def latency_s(self) -> float:
        """What the card names, or more: a sound server that has stumbled may be late ever after."""
        return self._least_s if self._capture is None else max(self._least_s, self._capture.late_s)

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """What is said, and silence (`dropped`) where there is no device; without end."""
        last_s: float | None = None
        while True:
            capture = self._capture
            if capture is None:
                last_s = self._clock() if last_s is None else last_s
                await self._rest()
                for silent in _gap(self._clock() - last_s):
                    last_s += FRAME_S
                    yield silent
                last_s = max(last_s, self._clock() - FRAME_S)
                continue
            async with aclosing(capture.frames(from_now=last_s is None)) as frames:
                first = True
                async for frame in frames:
                    if first and last_s is not None:
                        for silent in _gap(self._clock() - last_s):
                            yield silent
                    first = False
                    yield self._heard(frame)
                    last_s = self._clock()

    def _heard(self, frame: Frame) -> Frame:
        """The frame, or silence if it is our own sound."""
        if frame.samples.any():
            self._zeros, self._sounded = 0, True
        elif not frame.dropped:
            self._zeros += 1
        if frame.dropped or frame.played is None or not self._ourselves.push(frame.samples, frame.played, frame.delay_ms):
            return frame
        return replace(frame, samples=np.zeros(FRAME_SAMPLES, np.int16), dropped=True)

    async def _rest(self) -> None:
        """A frame's time, or until there is a device."""
        try:
            async with asyncio.timeout(FRAME_S):
                await self._changed.wait()
        except TimeoutError:
            return


class CardSpeaker(Player):
    """A `Player` that a card's callback takes from."""

    def __init__(self, name: str, rate_hz: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(max(rate_hz, LEAST_RATE_HZ), clock=clock)
        self.name = name
        self._gone_s: float | None = clock()
        self._device_hz = self.rate_hz
        self._behind = Resampler(self.rate_hz, self.rate_hz)
        self._rest = empty()
        self._on_the_way = 0.0

    def connect(self, rate_hz: int) -> None:
        """A device of this rate takes from now on: no callback does yet."""
        self._device_hz = rate_hz
        self._behind = Resampler(self.rate_hz, rate_hz)
        self._rest = empty()
        self._on_the_way = 0.0

    @property
    def there(self) -> bool:
        """Whether a device is behind it."""
        return self._gone_s is None

    @there.setter
    def there(self, there: bool) -> None:
        if there != self.there:
            self._gone_s = None if there else self._clock()

    @property
    def stranded(self) -> bool:
        """A reply waits for a device that does not come."""
        return self._gone_s is not None and self._clock() - self._gone_s > STRANDED_S and self.busy

    def give(self, count: int) -> Samples:
        """The next samples at the device's rate. For its callback, as `take`."""
        if self._device_hz == self.rate_hz:
            return self.take(count)
        while len(self._rest) < count:
            piece = -(-(count - len(self._rest)) * self.rate_hz // self._device_hz)
            self._on_the_way += piece / self.rate_hz
            self._rest = np.concatenate((self._rest, self._behind.push(self.take(piece))))
        out, self._rest = self._rest[:count], self._rest[count:].copy()
        self._on_the_way -= count / self._device_hz
        return out

    def late_by(self, device_s: float) -> None:
        """So long after `give` a sample is in the air."""
        self.delayed_by(device_s + self._on_the_way)


def _gap(gap_s: float) -> list[Frame]:
    """Silence for what lies between two frames, but for the second one."""
    count = round(min(gap_s, LONGEST_GAP_S) / FRAME_S) - 1
    return [Frame(np.zeros(FRAME_SAMPLES, np.int16), dropped=True)] * max(0, count)
