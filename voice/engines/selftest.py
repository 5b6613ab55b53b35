"""Do the models of the embedded engine really work here? One sentence is spoken, and heard. For `voice doctor`."""

import contextlib
import time
from dataclasses import dataclass

import numpy as np

from voice.audio.pcm import RATE_HZ, Samples, empty
from voice.audio.resample import resample
from voice.engines.base import Synthesizer, Transcriber

SENTENCE = "what can you do"
"""Of the sentences that the skills know, the one that our recogniser understands best from our synthesiser."""
SILENCE_MS = 200


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a synthesiser made."""

    samples: Samples
    """int16, mono, 16 kHz."""
    length_ms: int
    took_ms: float
    peak: int
    """Of the samples; 0 is silence."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a recogniser made of it."""

    text: str
    took_ms: float


async def speak(synthesizer: Synthesizer, text: str = SENTENCE) -> Spoken:
    """Have a sentence spoken. Raises: WorkerDied, MissingError."""
    started = time.monotonic()
    pieces, rate_hz = [empty()], RATE_HZ
    async with contextlib.aclosing(synthesizer.speak(text)) as speech:
        async for piece in speech:
            pieces.append(piece.samples)
            rate_hz = piece.rate_hz
    samples = resample(np.concatenate(pieces), rate_hz, RATE_HZ)
    peak = int(np.abs(samples.astype(np.int32)).max()) if len(samples) else 0
    return Spoken(samples, len(samples) * 1000 // RATE_HZ, (time.monotonic() - started) * 1000, peak)


async def hear(transcriber: Transcriber, samples: Samples) -> Understood:
    """Have 16 kHz speech understood. Raises: WorkerDied."""
    started = time.monotonic()
    quiet: Samples = np.zeros(RATE_HZ * SILENCE_MS // 1000, np.int16)
    hearing = transcriber.listen()
    hearing.feed(np.concatenate((quiet, samples, quiet)))
    heard = await hearing.finish()
    return Understood(heard.text, (time.monotonic() - started) * 1000)
