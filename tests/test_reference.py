"""What the loudspeaker played, taken as fast as the microphone gives, from callbacks that come when they like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.audio.pcm import Samples
from voice.audio.reference import KEPT_MS, LEAP_MS, MOST_MS, Reference


def count(first: int, length: int) -> Samples:
    """Samples that say where they stand, from 1 on: silence in a gap is 0."""
    return (np.arange(first, first + length) % 30_000 + 1).astype(np.int16)


def test_as_much_is_taken_as_the_microphone_gives_in_order() -> None:
    reference = Reference(16_000, 16_000)
    reference.put(count(0, 160))
    reference.put(count(160, 160))
    assert np.array_equal(reference.take(200), count(0, 200))
    assert np.array_equal(reference.take(120), count(200, 120))
    assert reference.waiting_ms == 0


def test_what_is_not_there_yet_is_silence_and_comes_later() -> None:
    reference = Reference(16_000, 16_000)
    reference.put(count(0, 100))
    assert np.array_equal(reference.take(160), np.concatenate([count(0, 100), np.zeros(60, np.int16)]))
    reference.put(count(100, 160))
    assert np.array_equal(reference.take(160), count(100, 160)), "later by what was missing, and whole"


@pytest.mark.parametrize(("rate_hz", "taker_hz"), [(48_000, 44_100), (44_100, 48_000), (24_000, 16_000), (48_000, 16_000)])
def test_other_rates_keep_step_to_the_sample(rate_hz: int, taker_hz: int) -> None:
    reference = Reference(rate_hz, taker_hz)
    taken = 0
    for _ in range(1_000):
        reference.put(np.zeros(rate_hz // 100, np.int16))
        taken += len(reference.take(taker_hz // 100))
    assert abs(taken - 10 * rate_hz) <= 1


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 2_000)), max_size=200))
def test_it_is_bounded_and_nothing_is_out_of_order(calls: list[tuple[bool, int]]) -> None:
    reference = Reference(16_000, 16_000)
    at = last = 0
    for put, length in calls:
        if put:
            reference.put(count(at, length))
            at += length
        else:
            taken = reference.take(length)
            assert len(taken) == length
            there = taken[taken > 0]
            assert (np.diff(there) > 0).all() or at > 30_000
            if len(there) and at < 30_000:
                assert there[0] > last
                last = int(there[-1])
        assert reference.waiting_ms <= MOST_MS


@pytest.mark.parametrize("drift_ppm", [100, 500, -100, -500])
def test_clocks_that_drift_apart_do_not_drift_ever_further(drift_ppm: int) -> None:
    """Ten minutes: what is taken stays within some ms of where it stayed in the first second."""
    reference = Reference(16_000, 16_000)
    owed, waits = 0.0, []
    for number in range(60_000):
        owed += 160 * (1 + drift_ppm / 1e6)
        reference.put(np.zeros(int(owed), np.int16))
        owed -= int(owed)
        reference.take(160)
        if number > 100:
            waits.append(reference.waiting_ms)
    assert max(waits) - min(waits) <= KEPT_MS + 2


def test_a_stumble_of_the_microphone_is_over_after_a_second() -> None:
    reference = Reference(16_000, 16_000)
    for _ in range(20):
        reference.put(np.ones(160, np.int16))  # 200 ms, and nobody takes
    for _ in range(201):
        reference.put(np.ones(160, np.int16))
        reference.take(160)
    assert reference.waiting_ms <= KEPT_MS < LEAP_MS


def test_late_callbacks_of_the_loudspeaker_are_waited_for_once() -> None:
    """They come three at a time: after the first gaps enough waits, and nothing is missing any more."""
    reference = Reference(16_000, 16_000)
    silent = 0
    for number in range(600):
        if number % 3 == 2:
            reference.put(np.ones(480, np.int16))
        silent += int((reference.take(160) == 0).sum())
    assert silent <= 480
