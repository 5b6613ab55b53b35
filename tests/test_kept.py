"""The sound that may still be wanted: what is kept, from where on, and how late it is."""

import numpy as np

from voice.audio.pcm import Samples
from voice.protocol.kept import Kept


def numbered(*frames: int) -> Kept:
    """Frames of 20 ms, each full of its own number."""
    kept = Kept()
    for number in frames:
        kept.put(np.full(320, number, np.int16))
    return kept


def numbers(samples: Samples) -> list[int]:
    return samples[::160].tolist()


def test_what_was_put_in_is_kept_in_order() -> None:
    kept = numbered(1, 2, 3)
    assert (kept.samples, kept.position, kept.position_ms, kept.start_ms) == (960, 960, 60, 0)
    assert numbers(kept.all()) == [1, 1, 2, 2, 3, 3]


def test_what_lies_before_is_forgotten_in_whole_frames() -> None:
    for position, left in ((0, [1, 2, 3]), (319, [1, 2, 3]), (320, [2, 3]), (639, [2, 3]), (640, [3]), (960, []), (9999, [])):
        kept = numbered(1, 2, 3)
        kept.forget_before(position)
        assert numbers(kept.all()) == [number for number in left for _ in "ab"], position
        assert kept.position == 960 and kept.samples == 320 * len(left) and kept.start_ms == 60 - 20 * len(left)


def test_the_time_goes_on_when_all_is_forgotten() -> None:
    kept = numbered(1, 2)
    kept.forget_all()
    assert (kept.samples, kept.position_ms, kept.start_ms) == (0, 40, 40) and len(kept.all()) == 0
    kept.put(np.full(160, 7, np.int16))
    assert (kept.samples, kept.position_ms, kept.start_ms) == (160, 50, 40)


def test_what_is_kept_up_to_a_moment() -> None:
    kept = numbered(1, 2, 3)
    kept.forget_before(320)
    assert numbers(kept.until(640)) == [2, 2] and numbers(kept.until(800)) == [2, 2, 3]
    assert len(kept.until(320)) == len(kept.until(0)) == 0 and numbers(kept.until(9999)) == [2, 2, 3, 3]
