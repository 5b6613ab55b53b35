"""Reads off the sound of a loudspeaker which words of the twin's tones came out of it, and how much of each."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from voice.audio.pcm import Samples
from voice.engines.tones import GAP_MS, LOWEST_HZ, RATE_HZ, TONES, WORD_MS

TONE_MS = WORD_MS - GAP_MS
LOUD = 200
APART_MS = 5
"""Silence between two tones; within one there is less, unless playback rests in it."""
LEAST_MS = 15
"""Of less nobody can tell the tone."""
SHORT_MS = 40
LONGEST_MS = 200
"""A word that playback has stretched (to 0.85x, and some)."""
EDGE_MS = 12
"""Two fades of 5 ms, and what is not loud of them."""


@dataclass(frozen=True, slots=True)
class Burst:
    """A tone without a break."""

    hz: float
    ms: float

    def is_of(self, word: str) -> bool:
        """Whether it may be a piece of the word; of a short one nobody can tell the tone so well."""
        return abs(self.hz - tone_hz(word)) < (5 if self.ms > SHORT_MS else 15)


def bursts(sound: Samples) -> Iterator[Burst]:
    """The tones in what came out, at `RATE_HZ`."""
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > LOUD)
    for piece in np.split(loud, np.flatnonzero(np.diff(loud) > APART_MS * RATE_HZ // 1000) + 1):
        if piece.size and (ms := (piece[-1] - piece[0]) * 1000 / RATE_HZ) >= LEAST_MS:
            wave = sound[piece[0] : piece[-1] + 1].astype(np.float64)
            power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 1 << 16))
            yield Burst(float(np.argmax(power)) * RATE_HZ / (1 << 16), ms)


def tone_hz(word: str) -> int:
    """The tone of a word."""
    return LOWEST_HZ + 10 * (zlib.crc32(word.lower().encode()) % TONES)


class Listener:
    """Follows the sound of a whole conversation, reply by reply."""

    def __init__(self, sound: Samples) -> None:
        self._bursts = list(bursts(sound))
        self._at = 0

    def hear(self, reply: Sequence[str], kept: int) -> None:
        """Of the words of a reply so many are told as heard: they were, and of the next one at most a part. Raises: AssertionError."""
        heard_ms = TONE_MS
        for word in reply[:kept]:
            heard_ms = self._take(word)
            assert heard_ms >= TONE_MS - EDGE_MS, f"of '{word}', told as heard, {heard_ms:.0f} ms were: {reply[:kept]}"
        stretched = heard_ms > TONE_MS + EDGE_MS
        for word in reply[kept : kept + 1]:
            extra_ms = self._take(word)
            most_ms = LONGEST_MS if stretched else TONE_MS + EDGE_MS / 2
            assert extra_ms <= most_ms, f"{extra_ms:.0f} ms of '{word}' after {reply[:kept]}, of which nothing is told"

    def ends(self) -> None:
        """There was nothing else. Raises: AssertionError."""
        assert self._at == len(self._bursts), f"nobody told of {self._bursts[self._at :][:5]}"

    def _take(self, word: str) -> float:
        """How much of the word is next in the sound, in ms: in one piece, or in several if playback rested in it."""
        total_ms = 0.0
        while self._at < len(self._bursts) and (burst := self._bursts[self._at]).is_of(word):
            if total_ms + burst.ms > LONGEST_MS:
                break
            total_ms += burst.ms
            self._at += 1
        return total_ms
