"""Synthetic signals for tests: int16 mono at 16 kHz unless a rate is given, always the same for the same arguments.

Levels are in dB below full scale by RMS (`level_dbfs`), as `voice.audio.pcm.dbfs` measures them.
"""

import numpy as np
from numpy.typing import NDArray

from voice.audio.pcm import RATE_HZ, Samples, clip_int16, dbfs, samples_in, silence

Wave = NDArray[np.float64]


def tone(duration_ms: int, tone_hz: float = 440.0, level_dbfs: float = -20.0, rate_hz: int = RATE_HZ) -> Samples:
    """A sine."""
    return at_level(np.sin(2 * np.pi * tone_hz * _seconds(duration_ms, rate_hz)), level_dbfs)


def hum(duration_ms: int, level_dbfs: float = -30.0) -> Samples:
    """Mains: 50 Hz with its odd harmonics up to 350 Hz."""
    at_s = _seconds(duration_ms)
    return at_level(sum((np.sin(2 * np.pi * 50 * k * at_s) / k for k in (1, 3, 5, 7)), np.zeros(len(at_s))), level_dbfs)


def white_noise(duration_ms: int, level_dbfs: float = -30.0, seed: int = 1) -> Samples:
    """Equal power at all frequencies."""
    return at_level(np.random.default_rng(seed).standard_normal(samples_in(duration_ms)), level_dbfs)


def pink_noise(duration_ms: int, level_dbfs: float = -30.0, seed: int = 1) -> Samples:
    """Equal power in each octave, from 20 Hz on: a fan, rain, a far road."""
    count = samples_in(duration_ms)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20.0))
    return at_level(np.fft.irfft(spectrum, count), level_dbfs)


def clicks(duration_ms: int, per_s: float = 6.0, level_dbfs: float = -35.0, seed: int = 1) -> Samples:
    """A keyboard: two short bursts of noise for each key (down, up), 40-90 ms apart, at uneven times."""
    rng = np.random.default_rng(seed)
    wave = np.zeros(samples_in(duration_ms))
    at_ms = 50.0
    while at_ms < duration_ms - 150:
        for offset_ms, gain in ((0.0, 1.0), (rng.uniform(40, 90), 0.4)):
            burst = rng.standard_normal(samples_in(12)) * np.exp(-np.arange(samples_in(12)) / samples_in(2))
            start = samples_in(int(at_ms + offset_ms))
            wave[start : start + len(burst)] += gain * burst
        at_ms += rng.uniform(0.6, 1.4) * 1000 / per_s
    return at_level(wave, level_dbfs)


def speech_like(duration_ms: int, level_dbfs: float = -20.0, pitch_hz: float = 120.0) -> Samples:
    """Voiced syllables, 4 a second: a gliding pulse train through three formants. Sound from its first to its last sample."""
    at_s = _seconds(duration_ms)
    pitch = pitch_hz * (1 + 0.12 * np.sin(2 * np.pi * 0.7 * at_s))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    vowel = 0.5 + 0.5 * np.sin(2 * np.pi * 1.9 * at_s)
    wave = np.zeros(len(at_s))
    for harmonic in range(1, 30):
        hz = harmonic * pitch
        formants = ((450 + 300 * vowel, 90.0, 1.0), (1900 - 800 * vowel, 130.0, 0.5), (2600.0, 200.0, 0.25))
        gain = sum((g / (1 + ((hz - f) / w) ** 2) for f, w, g in formants), np.full(len(at_s), 0.01))
        wave += gain * np.sin(harmonic * phase)
    return at_level(wave * (0.35 + 0.65 * np.sin(2 * np.pi * 2 * at_s + 0.8) ** 2), level_dbfs)


def add_noise(samples: Samples, snr_db: float, seed: int = 1) -> Samples:
    """The samples with white noise, so many dB below the level of their louder half (so that pauses do not count)."""
    blocks = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    loud = sorted((dbfs(block) for block in blocks), reverse=True)[: max(1, len(blocks) // 2)]
    speech_dbfs = 10 * np.log10(np.mean([10 ** (level / 10) for level in loud]))
    noise = white_noise(len(samples) * 1000 // RATE_HZ + 1, float(speech_dbfs) - snr_db, seed)
    return clip_int16(samples.astype(np.float64) + noise[: len(samples)])


def padded(samples: Samples, before_ms: int = 1000, after_ms: int = 1000) -> Samples:
    """The samples with digital silence around them."""
    return np.concatenate((silence(before_ms), samples, silence(after_ms)))


def at_level(wave: Wave, level_dbfs: float) -> Samples:
    """A wave of any scale as samples of that RMS level, clipped where it must be."""
    rms = float(np.sqrt(np.mean(wave**2))) if len(wave) else 0.0
    return clip_int16(wave * (32768.0 * 10 ** (level_dbfs / 20) / rms if rms else 0.0))


def _seconds(duration_ms: int, rate_hz: int = RATE_HZ) -> Wave:
    return np.arange(samples_in(duration_ms, rate_hz)) / rate_hz
