"""Sample rates: exact lengths, the same samples however a stream is cut, no aliases, no clock in the result."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import signals
from voice.audio.pcm import Samples, dbfs, empty
from voice.audio.resample import Resampler, resample

RATES_HZ = (8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000)


def streamed(samples: Samples, from_hz: int, to_hz: int, cuts: list[int]) -> Samples:
    resampler = Resampler(from_hz, to_hz)
    pieces = np.split(samples, sorted(min(cut, len(samples)) for cut in cuts))
    return np.concatenate([*(resampler.push(piece) for piece in pieces), resampler.flush()])


def gain_db(tone_hz: float, from_hz: int, to_hz: int) -> float:
    """What a stream does to the level of a tone; its ends, where the filter fills and empties, left out."""
    sound = signals.tone(1000, tone_hz, -9.0, from_hz)
    middle = streamed(sound, from_hz, to_hz, list(range(0, len(sound), from_hz // 50)))[to_hz // 10 : -to_hz // 10]
    return dbfs(middle) - dbfs(sound)


@pytest.mark.parametrize("from_hz", RATES_HZ)
@pytest.mark.parametrize("to_hz", (16_000, 24_000))
@pytest.mark.parametrize("count", (1, 2, 319, 12_345))
def test_length_is_exact(from_hz: int, to_hz: int, count: int) -> None:
    want = (2 * count * to_hz + from_hz) // (2 * from_hz)
    sound = signals.white_noise(2000)[:count]
    assert len(streamed(sound, from_hz, to_hz, [7, 7, 320, 9000])) == want
    assert len(resample(sound, from_hz, to_hz)) == want


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2500), max_size=12), st.sampled_from([(44_100, 16_000), (16_000, 24_000), (48_000, 16_000)]))
def test_any_split_gives_the_same_samples(cuts: list[int], rates: tuple[int, int]) -> None:
    sound = signals.white_noise(2000)[:2500]
    assert np.array_equal(streamed(sound, *rates, cuts), streamed(sound, *rates, []))


def test_silence_stays_silence() -> None:
    assert not streamed(np.zeros(44_100, np.int16), 44_100, 16_000, [441]).any()
    assert not resample(np.zeros(44_100, np.int16), 44_100, 16_000).any()


@pytest.mark.parametrize(("from_hz", "to_hz"), [(48_000, 16_000), (44_100, 16_000), (16_000, 24_000), (24_000, 16_000)])
def test_speech_band_passes_and_nothing_folds_back(from_hz: int, to_hz: int) -> None:
    assert gain_db(100, from_hz, to_hz) == pytest.approx(0.0, abs=0.05)
    assert gain_db(3_400, from_hz, to_hz) == pytest.approx(0.0, abs=0.1)
    if to_hz < from_hz:
        assert gain_db(from_hz / 2 - 400, from_hz, to_hz) < -75.0


def test_live_delay_is_small() -> None:
    resampler = Resampler(48_000, 16_000)
    out = sum(len(resampler.push(piece)) for piece in np.split(signals.tone(1000, rate_hz=48_000), 50))
    assert 16_000 - out <= 10 * 16


def test_overload_is_clipped_not_wrapped() -> None:
    square = np.where(np.arange(16_000) % 80 < 40, 32767, -32768).astype(np.int16)
    out = streamed(square, 16_000, 24_000, [])
    at = np.arange(len(out)) % 120
    assert out[(at > 10) & (at < 50)].min() > 25_000
    assert (out.max(), out.min()) == (32767, -32768)


def test_equal_rates_are_the_identity() -> None:
    sound = signals.tone(50)
    resampler = Resampler(16_000, 16_000)
    assert resampler.push(sound) is sound
    assert len(resampler.flush()) == 0
    assert resample(sound, 16_000, 16_000) is sound


def test_no_samples_give_no_samples_and_leave_the_stream_alone() -> None:
    resampler = Resampler(16_000, 24_000)
    assert len(resampler.push(empty())) == 0
    assert len(resample(empty(), 16_000, 24_000)) == 0


def test_a_flushed_stream_begins_anew() -> None:
    sound = signals.white_noise(300)
    resampler = Resampler(16_000, 24_000)
    first = np.concatenate((resampler.push(sound), resampler.flush()))
    second = np.concatenate((resampler.push(sound), resampler.flush()))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("rates", [(0, 16_000), (16_000, -1)])
def test_rates_are_positive(rates: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        Resampler(*rates)
    with pytest.raises(ValueError, match="positive"):
        resample(empty(), *rates)


@pytest.mark.parametrize(
    "rates", [(48_000, 16_000), (44_100, 16_000), (8_000, 16_000), (24_000, 48_000), (24_000, 44_100), (22_050, 16_000)]
)
def test_fewer_samples_than_it_wants_bring_nothing(rates: tuple[int, int]) -> None:
    resampler, chance = Resampler(*rates), np.random.default_rng(1)
    unneeded = 0
    for piece in chance.integers(1, rates[0] // 50, 3_000):
        wanted = resampler.wanted
        ready = resampler.push(np.zeros(piece, np.int16))
        assert not len(ready) or piece >= wanted
        unneeded += not len(ready) and piece >= wanted
    assert unneeded < 300, "it soon knows"
    resampler.flush()
    assert resampler.wanted == 1, "the first block of a stream takes longer"


def test_without_a_change_of_rate_every_sample_is_wanted() -> None:
    resampler = Resampler(16_000, 16_000)
    resampler.push(np.zeros(100, np.int16))
    assert resampler.wanted == 1
