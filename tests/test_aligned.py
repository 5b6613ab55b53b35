"""Both sides of a conversation on one count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.audio.aligned import FAR_MS, LONG, MEASURED, Aligner, Stereo
from voice.audio.pcm import FRAME_MS, FRAME_SAMPLES, Samples, samples_in

RNG = np.random.default_rng(5)


def sound(frames: int) -> Samples:
    """No sample of it is 0, so that what is left out can be seen."""
    return RNG.integers(1, 20_000, frames * FRAME_SAMPLES).astype(np.int16)


def frame(samples: Samples, index: int) -> Samples:
    return samples[index * FRAME_SAMPLES : (index + 1) * FRAME_SAMPLES]


def paired(heard: Samples, played: list[Samples | None], delays_ms: list[int]) -> Stereo:
    aligner = Aligner()
    pairs = [aligner.push(frame(heard, i), one, delays_ms[i]) for i, one in enumerate(played)]
    return np.concatenate([*pairs, aligner.flush()])


@pytest.mark.parametrize("delay_ms", [0, 3, 20, 65, 240, -20, -7])
def test_the_echo_lies_beside_its_sound(delay_ms: int) -> None:
    silent, loud = MEASURED, 40
    played = np.concatenate((np.zeros(silent * FRAME_SAMPLES, np.int16), sound(loud)))
    # What the microphone hears: the same, so much later in the air.
    later = np.zeros(samples_in(abs(delay_ms)), np.int16)
    heard = np.concatenate((later, played[: len(played) - len(later)]) if delay_ms > 0 else (played[len(later) :], later))
    frames = silent + loud
    both = paired(heard, [frame(played, i) for i in range(frames)], [delay_ms] * frames)
    assert both.shape == (frames * FRAME_SAMPLES, 2) and both.dtype == np.int16
    assert np.array_equal(both[:, 0], heard)
    told = both[: min(len(heard), len(heard) + samples_in(delay_ms)), 1]
    assert np.array_equal(told, heard[: len(told)]), "every sample, in order"


def test_a_delay_that_trembles_moves_nothing() -> None:
    played = sound(100)
    delays_ms = [40 + tremble for tremble in RNG.integers(-20, 21, 100)]
    silence = [np.zeros(FRAME_SAMPLES, np.int16)] * MEASURED
    both = paired(np.zeros_like(played), [*silence, *(frame(played, i) for i in range(75))], [*delays_ms])
    start = np.flatnonzero(both[:, 1])[0]
    assert abs(start - MEASURED * FRAME_SAMPLES - samples_in(40)) <= samples_in(20)
    there = both[start:, 1]
    assert np.array_equal(there, played[: len(there)])


def test_a_callback_that_was_late_once_counts_for_nothing() -> None:
    delays_ms = [30] * MEASURED + [400] + [30] * 40
    silence: list[Samples | None] = [np.zeros(FRAME_SAMPLES, np.int16)] * len(delays_ms)
    played = sound(1)
    both = paired(np.zeros(len(delays_ms) * FRAME_SAMPLES, np.int16), [*silence[:-3], played, *silence[:2]], delays_ms)
    assert np.flatnonzero(both[:, 1])[0] == (len(delays_ms) - 3) * FRAME_SAMPLES + samples_in(30)


def test_a_small_change_waits_for_the_end_of_a_reply_and_a_large_one_does_not() -> None:
    for change_ms, followed in ((20, False), (-20, False), (FAR_MS + 60, True), (-FAR_MS - 60, True)):
        before, after = 40, LONG + MEASURED + 50
        frames = MEASURED + before + after
        delays_ms = [150] * (MEASURED + before) + [150 + change_ms] * after
        played = sound(before + after)
        both = paired(
            np.zeros(frames * FRAME_SAMPLES, np.int16),
            [np.zeros(FRAME_SAMPLES, np.int16)] * MEASURED + [frame(played, i) for i in range(before + after)],
            delays_ms,
        )
        last = frames * FRAME_SAMPLES - samples_in(150 + (change_ms if followed else 0))
        assert both[-1, 1] == played[last - MEASURED * FRAME_SAMPLES - 1], change_ms


def test_between_replies_a_change_costs_no_sample() -> None:
    first, second = sound(20), sound(20)
    quiet = [np.zeros(FRAME_SAMPLES, np.int16)] * (MEASURED + 5)
    played: list[Samples | None] = [*quiet, *(frame(first, i) for i in range(20)), *quiet, *(frame(second, i) for i in range(20)), *quiet]
    for to_ms in (10, 180):
        delays_ms = [90] * (len(quiet) + 20) + [to_ms] * (len(played) - len(quiet) - 20)
        both = paired(np.zeros(len(played) * FRAME_SAMPLES, np.int16), played, delays_ms)
        assert np.array_equal(both[both[:, 1] != 0, 1], np.concatenate((first, second)))
        start = (2 * len(quiet) + 20) * FRAME_SAMPLES + samples_in(to_ms)
        assert np.array_equal(both[start : start + len(second), 1], second)


def test_what_is_not_known_is_silence_of_the_same_length() -> None:
    heard, played = sound(6), sound(2)
    both = paired(heard, [None, frame(played, 0), None, None, frame(played, 1), None], [0] * 6)
    assert np.array_equal(both[:, 0], heard)
    assert [bool(frame(both[:, 1], i).any()) for i in range(6)] == [False, True, False, False, True, False]


@given(st.lists(st.tuples(st.booleans(), st.integers(-2_000, 2_000)), max_size=60))
def test_the_user_is_whole_whatever_the_delays(steps: list[tuple[bool, int]]) -> None:
    heard = np.arange(len(steps) * FRAME_SAMPLES, dtype=np.int16)
    played = [np.full(FRAME_SAMPLES, int(loud), np.int16) for loud, _ in steps]
    aligner, out = Aligner(), []
    for i, (_, delay_ms) in enumerate(steps):
        out.append(aligner.push(frame(heard, i), played[i], delay_ms))
        assert sum(map(len, out)) >= (i + 1) * FRAME_SAMPLES - samples_in(1_000 + FRAME_MS), "what is held back is bounded"
    out.append(aligner.flush())
    assert np.array_equal(np.concatenate(out)[:, 0], heard)
