"""Samples, times, levels and frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import signals
from voice.audio import pcm
from voice.audio.pcm import Framer, Samples


def numbered(count: int, start: int = 0) -> Samples:
    return np.arange(start, start + count).astype(np.int16)


def test_times_and_counts() -> None:
    assert pcm.samples_in(20) == 320
    assert pcm.samples_in(1000, 44_100) == 44_100
    assert pcm.ms_in(319) == 19
    assert pcm.ms_in(24_000, 24_000) == 1000
    assert len(pcm.silence(250, 8_000)) == 2000
    assert not pcm.silence(30).any()


def test_bytes_are_little_endian_and_come_back() -> None:
    samples = np.array([1, -2, 32767, -32768], np.int16)
    assert pcm.to_bytes(samples) == b"\x01\x00\xfe\xff\xff\x7f\x00\x80"
    assert pcm.from_bytes(pcm.to_bytes(samples)).tolist() == [1, -2, 32767, -32768]
    assert pcm.to_bytes(samples.astype(">i2")) == pcm.to_bytes(samples)


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="even number of bytes, got 3"):
        pcm.from_bytes(b"abc")


def test_floats_are_rounded_and_clipped() -> None:
    wild = np.array([1.4, 1.6, -1.6, 40_000.0, -40_000.0, np.nan, np.inf, -np.inf])
    assert pcm.clip_int16(wild).tolist() == [1, 2, -2, 32767, -32768, 0, 32767, -32768]


def test_level() -> None:
    assert pcm.dbfs(np.full(100, -32768, np.int16)) == pytest.approx(0.0)
    assert pcm.dbfs(np.full(100, 3277, np.int16)) == pytest.approx(-20.0, abs=0.01)
    assert pcm.dbfs(signals.tone(1000, 440.0, -3.01)) == pytest.approx(-3.01, abs=0.01)
    assert pcm.dbfs(pcm.empty()) == pcm.dbfs(pcm.silence(20)) == pcm.SILENT_DBFS


def test_frames_wait_until_they_are_whole() -> None:
    framer = Framer(4)
    assert framer.push(numbered(3)) == []
    assert [f.tolist() for f in framer.push(numbered(6, 3))] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert framer.push(pcm.empty()) == []
    assert framer.flush().tolist() == [8]
    assert framer.flush().tolist() == []
    assert [f.tolist() for f in framer.push(numbered(4, 50))] == [[50, 51, 52, 53]]


def test_frames_outlive_the_buffer_they_came_from() -> None:
    framer, buffer = Framer(4), numbered(6)
    (frame,) = framer.push(buffer)
    buffer[:] = 99
    assert frame.tolist() == [0, 1, 2, 3]
    assert framer.flush().tolist() == [4, 5]


def test_a_frame_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        Framer(0)


@given(st.lists(st.integers(0, 700), max_size=20), st.integers(1, 400))
def test_any_split_keeps_every_sample_in_order(pieces: list[int], frame_samples: int) -> None:
    framer, out, at = Framer(frame_samples), [], 0
    for piece in pieces:
        frames = framer.push(numbered(piece, at))
        assert all(len(frame) == frame_samples for frame in frames)
        out += frames
        at += piece
    rest = framer.flush()
    assert len(rest) == at % frame_samples
    assert np.concatenate([*out, rest]).tolist() == numbered(at).tolist()
