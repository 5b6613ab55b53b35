"""A slow digital gain: speech goes up as loud as speech usually is, behind the detector, which wants levels that stay.

Only what is speech, by the detector's word and by its level, teaches: neither noise nor silence is ever turned up because nobody speaks. The
gain rises by 3 dB in a second of speech and falls faster; a peak that it would clip lowers it at once. It is a factor, not a compressor:
within a word nothing changes that anybody could hear.
"""

import math

import numpy as np

from voice.audio.pcm import FRAME_SAMPLES, SILENT_DBFS, Samples, clip_int16, dbfs

TARGET_DBFS = -23.0
"""RMS of speech, pauses left out. Recognisers are trained on some -26 to -20 dBFS; peaks of speech are 12 to 18 dB above, and fit."""
MOST_DB, LEAST_DB = 24.0, -12.0
"""A microphone that needs more is broken, or far away: what it gives is its own noise."""
RISE_DB, FALL_DB = 3.0, 12.0
"""In a second of speech."""
SOFTEST_DBFS = -60.0
"""Softer frames teach nothing: a whisper through a quiet microphone is above."""
PAUSE_DB = 15.0
"""Frames so far under the level of speech are the gaps between its words."""
MEMORY_FRAMES, FIRST_FRAMES = 150, 15
"""The level of speech is that of its last 3 s; nothing is changed before 0.3 s of it."""
PEAK = 32_000.0


class SlowGain:
    """See the top of the file. One for a microphone."""

    def __init__(self) -> None:
        self._gain_db = 0.0
        self._power = 0.0
        self._frames = 0

    @property
    def gain_db(self) -> float:
        """What is applied now."""
        return self._gain_db

    def push(self, samples: Samples, speech: bool) -> Samples:
        """The same samples, louder or softer: int16, mono, 16 kHz, any length. `speech`: the detector's word of them, or of those just before."""
        pieces = [self._piece(samples[at : at + FRAME_SAMPLES], speech) for at in range(0, len(samples), FRAME_SAMPLES)]
        return pieces[0] if len(pieces) == 1 else np.concatenate([samples[:0], *pieces])

    def _piece(self, piece: Samples, speech: bool) -> Samples:
        before_db = self._gain_db
        level_db = dbfs(piece)
        if speech and self._teaches(level_db):
            self._learn(level_db, len(piece) / FRAME_SAMPLES)
        peak = float(np.abs(piece.astype(np.int32)).max(initial=0))
        # Both ends of the ramp must fit.
        fits_db = 20 * math.log10(PEAK / peak) if peak > PEAK * 10 ** (-MOST_DB / 20) else MOST_DB
        self._gain_db, before_db = min(self._gain_db, max(fits_db, LEAST_DB)), min(before_db, max(fits_db, LEAST_DB))
        if self._gain_db == before_db == 0.0:
            return piece
        ramp = np.linspace(10 ** (before_db / 20), 10 ** (self._gain_db / 20), len(piece), dtype=np.float32)
        return clip_int16(piece * ramp)

    def _teaches(self, level_db: float) -> bool:
        return level_db > max(SOFTEST_DBFS, self._speech_dbfs() - PAUSE_DB)

    def _speech_dbfs(self) -> float:
        return 10 * math.log10(self._power) if self._frames else SILENT_DBFS

    def _learn(self, level_db: float, frames: float) -> None:
        self._frames += 1
        self._power += (10 ** (level_db / 10) - self._power) * min(1.0, frames / min(self._frames, MEMORY_FRAMES))
        if self._frames < FIRST_FRAMES:
            return
        wanted_db = min(MOST_DB, max(LEAST_DB, TARGET_DBFS - self._speech_dbfs()))
        rise_db, fall_db = (step * frames / 50 for step in (RISE_DB, FALL_DB))
        self._gain_db += min(rise_db, max(-fall_db, wanted_db - self._gain_db))
