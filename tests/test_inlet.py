"""Sound becomes frames: every sample once, also across a change of rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.signals import tone
from voice.audio.pcm import FRAME_SAMPLES, silence
from voice.protocol.inlet import Inlet

RATES = st.sampled_from([8_000, 11_025, 16_000, 24_000, 44_100, 48_000])


def test_at_our_own_rate_nothing_changes() -> None:
    inlet, samples = Inlet(16_000), tone(130)
    frames = inlet.push(samples)
    assert [len(frame) for frame in frames] == [FRAME_SAMPLES] * 6 and inlet.pending == 160
    rest = inlet.rest()
    assert [len(frame) for frame in rest] == [160] and inlet.pending == 0 and inlet.rest() == []
    assert np.array_equal(np.concatenate([*frames, *rest]), samples)


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 48_000])
def test_what_is_pending_is_what_was_given_and_not_framed(rate_hz: int) -> None:
    inlet = Inlet(rate_hz)
    framed = 0
    for ms in (1, 3, 19, 20, 50, 7):
        framed += sum(map(len, inlet.push(silence(ms, rate_hz))))
    assert framed + inlet.pending == 100 * 16
    assert framed + sum(map(len, inlet.rest())) == 100 * 16


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(RATES, st.integers(0, 90)), max_size=8))
def test_no_sample_is_lost_when_the_rate_changes(pieces: list[tuple[int, int]]) -> None:
    inlet, samples, want = Inlet(16_000), 0, 0.0
    for rate_hz, ms in pieces:
        changed = inlet.change(rate_hz)
        sound = silence(ms, rate_hz)
        pushed = inlet.push(sound)
        assert {len(frame) for frame in [*changed, *pushed]} <= {FRAME_SAMPLES}
        samples += sum(map(len, [*changed, *pushed]))
        want += len(sound) * 16_000 / rate_hz
        assert abs(samples + inlet.pending - want) <= len(pieces)
    samples += sum(map(len, inlet.rest()))
    assert abs(samples - want) <= len(pieces)
