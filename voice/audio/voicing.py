"""What a background is, and what sets a voice apart from other loud sound: for the detectors of `vad.py`.

Waves here are float32, mono, 16 kHz, high-passed, on the int16 scale.
"""

import math

import numpy as np
from numpy.typing import NDArray

from voice.audio.edges import highpass
from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, Samples, silence

HANN = np.hanning(2 * FRAME_SAMPLES).astype(np.float32)
HANN_SAME = np.correlate(HANN, HANN, "full")[2 * FRAME_SAMPLES - 1 :] / float(np.dot(HANN, HANN))
"""The window's own correlation, which that of the sound is divided by."""
PITCH_LAGS = slice(RATE_HZ // 400, RATE_HZ // 70)
LEAST_PITCH = 0.66
"""Of a perfect 1. Measured, voiced frames of 13 speakers: 0.9-1.0, in white noise at 10 dB SNR 0.8-0.9; noise and clicks at most 0.63."""
TONE_BINS = 3
MOST_ONE_TONE = 0.85
"""Share of the power in the strongest 7 bins of 12.5 Hz: 0.93-1.0 for a sine, under 0.8 in nine of ten frames of speech."""
LEAST_FLOOR_DB = 12.0
"""The noise floor is never tracked below an RMS of 4 (dB of an RMS of 1)."""


class Floor:
    """The level of the background: falls at once, rises 4 dB a second, so that the gaps between syllables hold it down."""

    RISE_DB = 4.0 * 0.02

    def __init__(self) -> None:
        self._floor_db = math.inf

    def rise(self, level_db: float) -> float:
        """How far a frame's level is above the floor. The first frame of a stream is background."""
        floor_db = max(LEAST_FLOOR_DB, min(self._floor_db, level_db)) if math.isinf(self._floor_db) else self._floor_db
        self._floor_db = max(LEAST_FLOOR_DB, min(level_db, floor_db + self.RISE_DB))
        return level_db - floor_db


class Voice:
    """Whether frames have a voice, each together with the one before it: a wheeze has none, nor has most of a cough."""

    def __init__(self) -> None:
        self._before = silence(0)

    def push(self, frame: Samples, asked: bool) -> bool:
        """Of the next 320 samples (int16, mono, 16 kHz); False, at no cost, if it is not `asked`."""
        before, self._before = self._before, frame
        return asked and len(before) == len(frame) and has_voice(np.concatenate((highpass(before), highpass(frame))))


def has_voice(wave: NDArray[np.float32]) -> bool:
    """Whether 40 ms of sound (640 samples at 16 kHz) have a pitch of 70-400 Hz and more than one overtone.

    Noise and clicks have no pitch, a whistle or a hum has no overtones in the band of speech.
    """
    power = np.abs(np.fft.rfft(wave * HANN, 2 * len(wave))) ** 2
    total = float(power.sum())
    if total <= 0.0:
        return False
    same = np.fft.irfft(power)[: len(wave)]
    pitch = float(np.max(same[PITCH_LAGS] / HANN_SAME[PITCH_LAGS])) / float(same[0])
    strongest = int(np.argmax(power))
    one_tone = float(power[max(0, strongest - TONE_BINS) : strongest + TONE_BINS + 1].sum()) / total
    return pitch > LEAST_PITCH and one_tone < MOST_ONE_TONE


def level_db(wave: NDArray[np.float32]) -> float:
    """Level in dB of an RMS of 1."""
    return 10.0 * math.log10(float(np.dot(wave, wave)) / len(wave) + 1e-9)
