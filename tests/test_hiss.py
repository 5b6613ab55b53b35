"""The floor under sound that has none."""

import numpy as np
import pytest

from voice.audio.pcm import RATE_HZ, Samples, empty, silence
from voice.audio.resample import resample
from voice.workers.hiss import FLOOR_DB, Hiss


def speech(level: float = 3000.0, floor: float = 0.0) -> Samples:
    """Bursts of broad sound with pauses of the given floor."""
    random, time_s = np.random.default_rng(1), np.arange(2 * RATE_HZ) / RATE_HZ
    loud = random.normal(0, level, len(time_s)) * (time_s % 0.5 < 0.3)
    samples: Samples = np.rint(loud + random.normal(0, floor, len(time_s)) if floor else loud).clip(-32768, 32767).astype(np.int16)
    return samples


def test_silence_between_words_gets_a_floor_that_is_so_far_under_the_speech() -> None:
    head = speech()
    pause = Hiss(head).push(silence(1000)).astype(float)
    assert 20 * np.log10(3000 / pause.std()) == pytest.approx(FLOOR_DB, abs=1.0)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(empty(), id="nothing"),
        pytest.param(silence(1000), id="silence"),
        pytest.param(np.ones(100, np.int16), id="less than a frame"),
        pytest.param(speech(floor=100.0), id="a floor of its own"),
        pytest.param(resample(resample(speech(), RATE_HZ, 8000), 8000, RATE_HZ), id="a telephone's width"),
    ],
)
def test_what_needs_none_stays_as_it_is(head: Samples) -> None:
    sound = speech()
    assert np.array_equal(Hiss(head).push(sound), sound)


def test_the_same_sound_gets_the_same_floor_and_is_never_wrapped_round() -> None:
    head, full = speech(), np.full(3000, 32767, np.int16)
    one, other = Hiss(head), Hiss(head)
    pieces = [other.push(full[:1000]), other.push(full[1000:])]
    assert np.array_equal(one.push(full), np.concatenate(pieces)) and min(piece.min() for piece in pieces) > 30_000
