"""Where speech is quiet."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support import signals
from voice.audio.pcm import Samples
from voice.audio.quiet import Quiet

RATE_HZ = 1000
"""A frame is 5 samples."""


def loud(count: int, level: int = 3000) -> Samples:
    return np.resize(np.array([level, -level], np.int16), count)


def found(*pieces: Samples) -> Quiet:
    quiet = Quiet(RATE_HZ)
    for piece in pieces:
        quiet.add(piece)
    return quiet


def shown(quiet: Quiet, count: int) -> str:
    """A character for each frame: "." quiet, "#" not."""
    return "".join("#" if quiet.around(at) is None else "." for at in range(0, count, 5))


def test_words_and_what_is_between_them() -> None:
    quiet = found(loud(50), loud(40, 100), loud(50))
    assert shown(quiet, 140) == "##########........##########"
    assert quiet.around(50) == quiet.around(70) == quiet.around(89) == (50, 90)
    assert quiet.around(49) is None and quiet.around(90) is None


def test_quiet_is_what_is_quiet_beside_what_came_before() -> None:
    assert shown(found(loud(50), loud(50, 3000 // 24)), 100) == "#" * 10 + "." * 10
    assert shown(found(loud(50), loud(50, 3000 // 24 + 1)), 100) == "#" * 20
    assert shown(found(loud(50, 100), loud(50)), 100) == "#" * 20, "a soft voice is no silence"
    assert shown(found(loud(50), loud(50, 16)), 100) == "#" * 10 + "." * 10


def test_next_to_nothing_is_quiet_before_the_first_word() -> None:
    quiet = found(loud(50, 16), loud(50))
    assert quiet.around(0) == (0, 50) and quiet.around(50) is None


def test_what_has_not_come_is_not_known() -> None:
    quiet = found(loud(50), loud(23, 0))
    assert quiet.around(69) == (50, 70) and quiet.around(70) is None and quiet.around(1000) is None


def test_a_click_does_not_make_a_voice_quiet() -> None:
    click = np.zeros(20, np.int16)
    click[10] = -32768
    assert shown(found(click, loud(50, 400)), 70).endswith("#" * 10)


@given(st.lists(st.integers(1, 60), max_size=30))
def test_it_is_the_same_however_sound_is_cut(counts: list[int]) -> None:
    sound = signals.white_noise(sum(counts)) // 8
    sound[len(sound) // 3 : len(sound) // 2] //= 1000
    pieces = np.split(sound, np.cumsum(counts)[:-1]) if counts else []
    whole, cut = found(sound), found(*pieces)
    assert [whole.around(at) for at in range(len(sound) + 9)] == [cut.around(at) for at in range(len(sound) + 9)]
