"""Sound becomes frames: every sample once, also across a change of rate or of format."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.signals import tone
from voice.audio.encoding import PCM, PCMA, PCMU, Encoding
from voice.audio.pcm import FRAME_SAMPLES, silence, to_bytes
from voice.protocol.inlet import Inlet

ENCODINGS = [
    *(Encoding(PCM, rate_hz) for rate_hz in (8_000, 11_025, 16_000, 24_000, 44_100, 48_000)),
    Encoding(PCMU, 8_000),
    Encoding(PCMA, 8_000),
]


def test_at_our_own_rate_nothing_changes() -> None:
    inlet, samples = Inlet(Encoding(PCM, 16_000)), tone(130)
    frames = inlet.push(to_bytes(samples))
    assert [len(frame) for frame in frames] == [FRAME_SAMPLES] * 6 and inlet.pending == 160
    rest = inlet.rest()
    assert [len(frame) for frame in rest] == [160] and inlet.pending == 0 and inlet.rest() == []
    assert np.array_equal(np.concatenate([*frames, *rest]), samples)


@pytest.mark.parametrize("encoding", [Encoding(PCM, 8_000), Encoding(PCM, 24_000), Encoding(PCM, 48_000), Encoding(PCMU, 8_000)], ids=str)
def test_what_is_pending_is_what_was_given_and_not_framed(encoding: Encoding) -> None:
    inlet = Inlet(encoding)
    framed = 0
    for ms in (1, 3, 19, 20, 50, 7):
        data = encoding.encode(silence(ms, encoding.rate_hz))
        assert inlet.samples_in(len(data)) == ms * 16
        framed += sum(map(len, inlet.push(data)))
    assert framed + inlet.pending == 100 * 16
    assert framed + sum(map(len, inlet.rest())) == 100 * 16


def test_half_a_sample_is_refused_and_nothing_of_it_taken() -> None:
    inlet = Inlet(Encoding(PCM, 16_000))
    with pytest.raises(ValueError, match="even number"):
        inlet.push(bytes(641))
    assert inlet.pending == 0 and inlet.rest() == []


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(ENCODINGS), st.integers(0, 90)), max_size=8))
def test_no_sample_is_lost_when_the_format_changes(pieces: list[tuple[Encoding, int]]) -> None:
    inlet, samples, want = Inlet(Encoding(PCM, 16_000)), 0, 0.0
    for encoding, ms in pieces:
        changed = inlet.change(encoding)
        sound = silence(ms, encoding.rate_hz)
        pushed = inlet.push(encoding.encode(sound))
        assert {len(frame) for frame in [*changed, *pushed]} <= {FRAME_SAMPLES}
        samples += sum(map(len, [*changed, *pushed]))
        want += len(sound) * 16_000 / encoding.rate_hz
        assert abs(samples + inlet.pending - want) <= len(pieces)
    samples += sum(map(len, inlet.rest()))
    assert abs(samples - want) <= len(pieces)
