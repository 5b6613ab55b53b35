"""Bytes of the wire become frames of 20 ms at 16 kHz; each sample once, however it was cut and whatever the format becomes."""

from voice.audio.encoding import Encoding
from voice.audio.pcm import RATE_HZ, Framer, Samples
from voice.audio.resample import Resampler


class Inlet:
    """See the first line."""

    def __init__(self, encoding: Encoding) -> None:
        self._framer = Framer()
        self._given = self._framed = 0
        self._encoding = encoding
        self._resampler = Resampler(encoding.rate_hz, RATE_HZ)

    @property
    def pending(self) -> int:
        """Samples at 16 kHz that were given and are in no frame yet."""
        return self._given * RATE_HZ // self._encoding.rate_hz - self._framed

    def samples_in(self, size_bytes: int) -> int:
        """How many samples at 16 kHz so many bytes are."""
        return size_bytes // self._encoding.sample_bytes * RATE_HZ // self._encoding.rate_hz

    def push(self, data: bytes) -> list[Samples]:
        """More sound, any length: the frames that are complete now. Raises: ValueError if it ends within a sample; then nothing is taken."""
        samples = self._encoding.decode(data)
        self._given += samples.size
        return self._frames(self._resampler.push(samples))

    def change(self, encoding: Encoding) -> list[Samples]:
        """From here on another format: the frames that what was held back completes."""
        before, self._encoding = self._encoding, encoding
        if encoding.rate_hz == before.rate_hz:
            return []
        frames = self._frames(self._resampler.flush())
        begun = self._given * RATE_HZ // before.rate_hz - self._framed
        self._resampler = Resampler(encoding.rate_hz, RATE_HZ)
        self._given, self._framed = 0, -begun
        return frames

    def rest(self) -> list[Samples]:
        """All that is left; the last frame may be short."""
        frames = [*self._framer.push(self._resampler.flush()), self._framer.flush()]
        self._given = self._framed = 0
        return [frame for frame in frames if frame.size]

    def _frames(self, samples: Samples) -> list[Samples]:
        frames = self._framer.push(samples)
        self._framed += sum(frame.size for frame in frames)
        return frames
