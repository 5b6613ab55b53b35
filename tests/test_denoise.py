"""The denoiser: every sample keeps its place, noise goes, speech stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.audio.denoise import CLEAN_DB, Denoiser, measure
from voice.audio.pcm import RATE_HZ, Samples, silence

_TIME_S = np.arange(2 * RATE_HZ) / RATE_HZ
# A vowel-like tone of 200 ms, 200 ms of silence, and so on: syllables.
SYLLABLES: Samples = np.rint(
    8000 * (np.sin(2 * np.pi * 220 * _TIME_S) + np.sin(2 * np.pi * 660 * _TIME_S)) / 2 * (np.floor(_TIME_S / 0.2) % 2)
).astype(np.int16)


def hiss(rms: float, count: int = 2 * RATE_HZ) -> Samples:
    return np.rint(np.random.default_rng(4).normal(0, rms, count)).astype(np.int16)


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def denoise(noisy: Samples, sizes: tuple[int, ...] = (1600,)) -> Samples:
    noise = measure(noisy[:RATE_HZ])
    assert noise is not None
    stream, out, start = Denoiser(noise), [], 0
    while start < len(noisy):
        for size in sizes:
            out.append(stream.push(noisy[start : start + size]))
            start += size
    return np.concatenate([*out, stream.flush()])


@pytest.mark.parametrize(("noise_rms", "low_db", "high_db"), [(1.0, 50, 90), (100.0, 29, 35), (400.0, 17, 23)])
def test_noise_is_measured_between_the_words(noise_rms: float, low_db: float, high_db: float) -> None:
    noise = measure(SYLLABLES + hiss(noise_rms))
    assert noise is not None and low_db < noise.snr_db < high_db


def test_nothing_can_be_said_of_a_moment_or_of_silence() -> None:
    assert measure(silence(99)) is None
    quiet = measure(silence(1000))
    assert quiet is not None and quiet.snr_db < CLEAN_DB
    assert not denoise(silence(1000)).any()


def test_noise_goes_and_speech_stays() -> None:
    out = denoise(SYLLABLES + hiss(400.0))
    gaps = np.floor(_TIME_S / 0.2) % 2 == 0
    gaps[: RATE_HZ // 2] = False
    assert rms(out[gaps]) < 0.3 * 400
    assert 0.8 < rms(out[~gaps]) / rms((SYLLABLES + hiss(400.0))[~gaps]) < 1.05
    assert np.corrcoef(out[RATE_HZ:], SYLLABLES[RATE_HZ:])[0, 1] > 0.98


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=5), st.integers(RATE_HZ // 10, RATE_HZ))
def test_cuts_change_nothing_and_no_sample_is_lost(sizes: list[int], count: int) -> None:
    noisy = (SYLLABLES + hiss(300.0))[:count]
    out = denoise(noisy, tuple(sizes))
    assert len(out) == count
    assert np.array_equal(out, denoise(noisy))


def test_loud_samples_do_not_wrap() -> None:
    square = np.where(np.floor(_TIME_S * 300) % 2, 32767, -32768).astype(np.int16)
    out = denoise(np.concatenate([hiss(500.0, RATE_HZ), square]))
    assert np.mean(np.sign(out[RATE_HZ + 1600 :].astype(int)) == np.sign(square[1600:].astype(int))) > 0.95
