"""The made coughs, throats and doors: each another one, of the length and level of real ones."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.noises import PEOPLE, THINGS, cough, in_a_room, loudest_dbfs
from voice.audio.pcm import RATE_HZ, Samples, ms_in

SEEDS = range(20)
LENGTH_MS = {
    "cough": (130, 2_000),
    "throat": (200, 1_100),
    "sneeze": (700, 1_100),
    "breath": (1_000, 2_800),
    "laugh": (500, 1_500),
    "mm-hm": (150, 700),
    "keys": (300, 3_500),
    "door": (500, 700),
    "knock": (200, 1_300),
}


@pytest.mark.parametrize("name", PEOPLE | THINGS)
def test_each_is_of_its_length_at_the_level_asked_for_and_another_for_another_seed(name: str) -> None:
    make: Callable[..., Samples] = (PEOPLE | THINGS)[name]
    made = [make(seed, level_dbfs=-25.0) for seed in SEEDS]
    least_ms, most_ms = LENGTH_MS[name]
    assert all(least_ms <= ms_in(len(each)) <= most_ms for each in made)
    assert all(abs(loudest_dbfs(each) + 25.0) < 1.0 for each in made)
    assert len({each.tobytes() for each in made}) == len(SEEDS)
    assert (make(3, level_dbfs=-25.0) == made[3]).all()


def test_a_cough_begins_at_once_and_has_its_sound_below_5_khz() -> None:
    for seed in SEEDS:
        sound = cough(seed).astype(np.float64)
        assert np.abs(sound[: RATE_HZ // 20]).max() > 0.2 * np.abs(sound).max()
        power = np.abs(np.fft.rfft(sound)) ** 2
        hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
        assert power[(hz > 200) & (hz < 5_000)].sum() > 0.9 * power.sum()


def test_a_room_adds_its_sound_behind() -> None:
    dry = cough(1)
    wet = in_a_room(dry, seed=1)
    assert 295 <= ms_in(len(wet) - len(dry)) <= 300 and np.abs(wet[len(dry) :].astype(int)).max() > 10
    assert (wet == in_a_room(dry, seed=1)).all() and (wet != in_a_room(dry, seed=2)).any()
