"""Extra sound between two samples: in step with the voice, without a jump, never where a sound sets in."""

import numpy as np
import pytest

from tests.support import signals
from voice.audio.elastic import MOST_LAG_MS, Elastic
from voice.audio.pcm import Samples, samples_in

RATES_HZ = [8_000, 16_000, 24_000, 44_100, 48_000]


def around(elastic: Elastic, sound: Samples, at: int) -> Samples:
    return sound[at - elastic.back : at + elastic.ahead]


def voice(rate_hz: int, pitch_hz: float, length_ms: int = 200) -> Samples:
    """Like a vowel: many harmonics."""
    times = np.arange(samples_in(length_ms, rate_hz)) / rate_hz
    wave = sum(np.sin(2 * np.pi * pitch_hz * harmonic * times) / harmonic for harmonic in range(1, 11))
    return np.rint(6000 * wave).astype(np.int16)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("pitch_hz", [73.0, 111.0, 190.0, 320.0])
def test_a_voice_is_extended_by_whole_periods(rate_hz: int, pitch_hz: float) -> None:
    """A vowel that is longer is that vowel: at most as far from it as a sample's place can be."""
    elastic, sound = Elastic(rate_hz), voice(rate_hz, pitch_hz)
    at = samples_in(101, rate_hz)
    extra = elastic.stretched(around(elastic, sound, at))
    periods = len(extra) * pitch_hz / rate_hz
    assert 10 <= len(extra) * 1000 / rate_hz <= MOST_LAG_MS + 1000 * 9 / rate_hz
    assert abs(periods - round(periods)) < 0.6 * pitch_hz / rate_hz * 2
    longer = np.concatenate((sound[:at], extra, sound[at:])).astype(int)
    ideal = voice(rate_hz, pitch_hz, 240)[: len(longer)].astype(int)
    error = np.square((longer - ideal)[: at + len(extra)]).mean() / np.square(ideal).mean()
    assert error < 0.06, "in step with the same vowel, had it been held longer"
    assert np.abs(np.diff(longer)).max() <= 1.05 * np.abs(np.diff(sound.astype(int))).max()


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_both_ends_are_smooth(rate_hz: int) -> None:
    """The first extra sample is all but the one that would have come, the last one is the one before the place."""
    elastic = Elastic(rate_hz)
    ramp = np.arange(elastic.back + elastic.ahead, dtype=np.int16)
    for extra in (elastic.rested(ramp), elastic.stretched(ramp)):
        assert abs(int(extra[0]) - elastic.back) <= 2 + elastic.back // elastic.ahead
        assert extra[-1] == elastic.back - 1


def test_where_sound_sets_in_or_stops_there_is_none() -> None:
    elastic, loud = Elastic(24_000), signals.white_noise(24_000)
    still = np.zeros(24_000, np.int16)
    assert not len(elastic.stretched(np.concatenate((still[: elastic.back], loud[: elastic.ahead]))))
    assert not len(elastic.stretched(np.concatenate((loud[: elastic.back], still[: elastic.ahead]))))
    assert len(elastic.stretched(loud[: elastic.back + elastic.ahead])), "the noise of an s may be longer"


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("pitch_hz", [73.0, 111.0, 320.0])
def test_a_voice_that_breaks_off_goes_on_in_step(rate_hz: int, pitch_hz: float) -> None:
    elastic, sound = Elastic(rate_hz), voice(rate_hz, pitch_hz)
    at, length = samples_in(101, rate_hz), samples_in(40, rate_hz)
    going = elastic.continued(sound[at - elastic.back - elastic.ahead : at], length).astype(int)
    true = sound[at : at + length].astype(int)
    assert len(going) == length
    assert np.square(going - true).mean() < 0.15 * np.square(true).mean()


def test_what_has_no_period_does_not_go_on() -> None:
    elastic, noise = Elastic(24_000), signals.white_noise(24_000)
    assert not len(elastic.continued(noise[: elastic.back + elastic.ahead], 960))


@pytest.mark.parametrize("rate_hz", [*RATES_HZ, 1, 99, 1000, 11_025, 192_000])
def test_a_constant_stays_one_at_any_rate(rate_hz: int) -> None:
    elastic = Elastic(rate_hz)
    for level in (-32768, -1, 0, 32767):
        sound = np.full(elastic.back + elastic.ahead, level, np.int16)
        for extra in (elastic.stretched(sound), elastic.rested(sound)):
            assert len(extra) and (extra == level).all()
