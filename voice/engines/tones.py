"""A voice that needs nothing: each word is a tone of its own, exactly as long as every other word.

For the twin, where it matters when a word is heard and not how it sounds. The same word has the same tone wherever it stands.
"""

import zlib
from collections.abc import AsyncGenerator, Iterator, Sequence

import numpy as np

from voice.audio.pcm import Samples, clip_int16, samples_in
from voice.engines.base import Manner, Speech, WordTime
from voice.engines.spoken import spoken

RATE_HZ = 24_000
"""What sessions send unless they are told otherwise: nothing is resampled then."""
WORD_MS = 200
"""About the length of an English word."""
GAP_MS = 50
"""Of that, silence behind the tone."""
LOWEST_HZ, TONES = 300, 61
"""Tones are 10 Hz apart: 300 to 900 Hz."""
PEAK = 8_000
FADE_MS = 5


class Tones:
    """See the top of the file; a `Synthesizer`."""

    name = "tones"
    licence = "ours"

    def voices(self) -> Sequence[str]:
        """There is one."""
        return ()

    def speak(self, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
        """A tone for each word that would be read."""
        return self.speak_as(Manner(), text, language)

    async def speak_as(self, manner: Manner, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
        """The same, faster or slower."""
        length_ms, gap_ms = (round(ms / manner.speed) for ms in (WORD_MS, GAP_MS))
        for number, word in enumerate(spoken(text, language).words):
            hz = LOWEST_HZ + 10 * (zlib.crc32(word.text.lower().encode()) % TONES)
            start_ms = number * length_ms
            time = WordTime(word.text, start_ms, start_ms + length_ms - gap_ms, word.closes)
            yield Speech(np.concatenate([tone(length_ms - gap_ms, hz), np.zeros(samples_in(gap_ms, RATE_HZ), np.int16)]), RATE_HZ, (time,))


def tone(length_ms: int, hz: int) -> Samples:
    """A tone of this length at `RATE_HZ`, without a click at its ends."""
    count = samples_in(length_ms, RATE_HZ)
    return _sine(0, count, count, hz)


def long_tone(length_ms: int, hz: int = 440) -> Iterator[Samples]:
    """The same in pieces of a second."""
    count = samples_in(length_ms, RATE_HZ)
    for start in range(0, count, RATE_HZ):
        yield _sine(start, min(start + RATE_HZ, count), count, hz)


def _sine(start: int, stop: int, count: int, hz: int) -> Samples:
    """A part of a tone of `count` samples."""
    at = np.arange(start, stop)
    ramp = np.minimum(1.0, np.minimum(at, count - 1 - at) / samples_in(FADE_MS, RATE_HZ))
    return clip_int16(PEAK * ramp * np.sin(at * (2 * np.pi * hz / RATE_HZ)))
