"""A microphone whose loudspeaker's echo has been taken out, as far as that can be; it says how far that is."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from voice.audio.echo import EchoMeter, EchoReading
from voice.devices.base import Frame, Microphone
from voice.devices.canceller import Canceller

AWAY_FRAMES = 3
"""After a gap the echo comes at another time: a stream that stumbled is late ever after, one that is opened again is gone for 100 ms at least and has
another delay. What was measured is not known any more, and until it is the answer would interrupt itself."""


class ClearMicrophone:
    """Another microphone's frames, processed. One canceller for the whole call: it outlives replies, links and devices that are opened again."""

    def __init__(self, microphone: Microphone, canceller: Canceller | None) -> None:
        self._microphone = microphone
        self._canceller = canceller
        self._meter = EchoMeter()
        self._dropped = 0

    @property
    def name(self) -> str:
        """The microphone's."""
        return self._microphone.name

    @property
    def latency_s(self) -> float:
        """The microphone's: a canceller adds some milliseconds."""
        return self._microphone.latency_s

    @property
    def ended(self) -> bool:
        """The microphone's."""
        return self._microphone.ended

    @property
    def echo(self) -> EchoReading | None:
        """What is heard of the loudspeaker, by the frames so far."""
        return self._meter.reading

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """The microphone's, each with `captured` if it was processed."""
        async with aclosing(self._microphone.frames()) as frames:
            async for frame in frames:
                yield self._clear(frame)

    def _clear(self, frame: Frame) -> Frame:
        self._dropped = self._dropped + 1 if frame.dropped else 0
        if self._dropped == AWAY_FRAMES:
            self._meter = EchoMeter()
        if frame.played is None or frame.dropped:
            return frame
        clear = frame.samples
        if self._canceller is not None:
            clear = self._canceller.process(frame.samples, frame.played, frame.delay_ms)
        self._meter.push(frame.samples, clear, frame.played)
        return frame if self._canceller is None else replace(frame, samples=clear, captured=frame.samples)
