"""Sound of the wire's rate becomes frames of 20 ms at 16 kHz; each sample once, however it was cut and whatever the rate becomes."""

from voice.audio.pcm import RATE_HZ, Framer, Samples
from voice.audio.resample import Resampler


class Inlet:
    """See the first line."""

    def __init__(self, rate_hz: int) -> None:
        self._framer = Framer()
        self._given = self._framed = 0
        self._set_rate(rate_hz)

    @property
    def pending(self) -> int:
        """Samples at 16 kHz that were given and are in no frame yet."""
        return self._given * RATE_HZ // self.rate_hz - self._framed

    def push(self, samples: Samples) -> list[Samples]:
        """More sound (int16, mono, any length): the frames that are complete now."""
        self._given += samples.size
        return self._frames(self._resampler.push(samples))

    def change(self, rate_hz: int) -> list[Samples]:
        """From here on another rate: the frames that what was held back completes."""
        if rate_hz == self.rate_hz:
            return []
        frames = self._frames(self._resampler.flush())
        begun = self.pending
        self._set_rate(rate_hz)
        self._given, self._framed = 0, -begun
        return frames

    def rest(self) -> list[Samples]:
        """All that is left; the last frame may be short."""
        frames = [*self._framer.push(self._resampler.flush()), self._framer.flush()]
        self._given = self._framed = 0
        return [frame for frame in frames if frame.size]

    def _set_rate(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._resampler = Resampler(rate_hz, RATE_HZ)

    def _frames(self, samples: Samples) -> list[Samples]:
        frames = self._framer.push(samples)
        self._framed += sum(frame.size for frame in frames)
        return frames
