"""Longer and shorter speech: its length, its pitch, its level, and where a sound goes."""

import numpy as np
import pytest

from tests.support.signals import speech_like, tone
from voice.audio.pcm import Samples, dbfs, empty
from voice.audio.stretch import SEARCH_MS, Stretch

FACTORS = [0.5, 0.67, 1.0, 1.37, 1.9, 2.5]


def stretched(samples: Samples, factor: float, step: int = 1000, rate_hz: int = 16_000) -> Samples:
    stretch = Stretch(rate_hz, factor)
    pieces = [stretch.push(samples[start : start + step]) for start in range(0, len(samples), step)]
    return np.concatenate([*pieces, stretch.flush()])


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("length", [0, 1, 100, 5000, 16_001])
def test_the_length_is_exact_however_it_is_cut(factor: float, length: int) -> None:
    sound = speech_like(1100)[:length]
    want = stretched(sound, factor)
    assert len(want) == round(length * factor) and want.dtype == np.int16
    for step in (1, 320, 99_999) if length <= 5000 else (321, 99_999):
        assert np.array_equal(stretched(sound, factor, step), want)


@pytest.mark.parametrize("factor", FACTORS)
def test_pitch_and_level_stay(factor: float) -> None:
    sound = tone(1000, 220)
    made = stretched(sound, factor)[400:-1200]
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made))))
    assert abs(np.argmax(spectrum) * 16_000 / len(made) - 220) < 4
    assert abs(dbfs(made) - dbfs(sound)) < 0.5
    assert abs(dbfs(stretched(speech_like(2000), factor)) - dbfs(speech_like(2000))) < 1.0


@pytest.mark.parametrize("factor", FACTORS)
def test_a_sound_stays_in_its_place(factor: float) -> None:
    sound = np.zeros(32_000, np.int16)
    for at in (3000, 12_000, 25_000):
        sound[at : at + 1600] = tone(100, 300)
    made = stretched(sound, factor)
    loud = np.abs(made.astype(int)) > 200
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(int), [0]])))
    # Zero crossings are no edges of a sound.
    begins = [edge for edge, before in zip(edges[::2], [-9999, *edges[1::2]], strict=False) if edge - before > 800]
    assert len(begins) == 3
    tolerance = (SEARCH_MS + 14) * 16 * max(factor, 1.0)
    assert all(abs(begin - at * factor) < tolerance for begin, at in zip(begins, (3000, 12_000, 25_000), strict=True))


def test_silence_stays_silence_and_nothing_is_nothing() -> None:
    assert not stretched(np.zeros(8000, np.int16), 1.7).any()
    assert Stretch(16_000, 2.0).push(empty()).size == 0 == Stretch(16_000, 2.0).flush().size


def test_memory_does_not_grow() -> None:
    stretch = Stretch(16_000, 2.0)
    for _ in range(200):
        stretch.push(speech_like(100))
    assert stretch._held.size < 3200
