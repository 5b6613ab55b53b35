"""Sound begins, ends and goes on without a click."""

import numpy as np
import pytest

from tests.support import signals
from voice.audio.fades import Fades
from voice.audio.pcm import Samples

LENGTH = 240


def passed(fades: Fades, samples: Samples, pieces: int = 1) -> Samples:
    parts: list[Samples] = []
    for piece in np.array_split(samples, pieces):
        out = np.full(len(piece) + 3, 77, np.int16)
        fades.pass_on(piece, out)
        assert (out[len(piece) :] == 77).all()
        parts.append(out[: len(piece)])
    return np.concatenate(parts)


def rung(fades: Fades, pieces: int = 1000) -> Samples:
    parts: list[Samples] = []
    while True:
        out = np.zeros(pieces, np.int16)
        count = fades.ring(out)
        if not count:
            return np.concatenate(parts) if parts else np.zeros(0, np.int16)
        parts.append(out[:count])


def test_a_beginning_is_exact() -> None:
    fades = Fades(LENGTH)
    fades.start(fade_in=False)
    sound = signals.white_noise(50)
    assert np.array_equal(passed(fades, sound, 7), sound)


def test_a_beginning_after_a_gap_rises_and_then_is_exact() -> None:
    fades = Fades(4)
    fades.start(fade_in=True)
    assert passed(fades, np.full(7, 1000, np.int16)).tolist() == [250, 500, 750, 1000, 1000, 1000, 1000]


def test_an_end_is_played_backwards_falling_to_nothing() -> None:
    fades = Fades(4)
    fades.start(fade_in=False)
    passed(fades, np.array([9, 9, 100, 200, 300, 400], np.int16))
    fades.stop()
    assert rung(fades).tolist() == [300, 150, 50, 0]
    assert rung(fades).tolist() == []


def test_an_end_may_be_shorter_and_never_longer_than_a_fade() -> None:
    for length, want in ((2, [200, 0]), (9, [300, 150, 50, 0]), (0, [])):
        fades = Fades(4)
        fades.start(fade_in=False)
        passed(fades, np.array([100, 200, 300, 400], np.int16))
        fades.stop(length)
        assert rung(fades).tolist() == want


def test_silence_cannot_be_stopped() -> None:
    fades = Fades(4)
    fades.stop()
    assert len(rung(fades)) == 0
    fades.start(fade_in=False)
    passed(fades, np.full(9, 100, np.int16))
    fades.stop()
    fades.stop()
    assert len(rung(fades)) == 4


def test_what_was_played_before_a_silence_is_not_heard_again() -> None:
    fades = Fades(4)
    fades.start(fade_in=False)
    passed(fades, np.full(9, 10_000, np.int16))
    fades.stop()
    rung(fades)
    fades.start(fade_in=False)
    passed(fades, np.array([8, 8], np.int16))
    fades.stop()
    assert rung(fades).tolist() == [6, 4, 0, 0]


def test_another_item_right_behind_is_not_faded() -> None:
    fades = Fades(4)
    fades.start(fade_in=False)
    passed(fades, np.full(9, 100, np.int16))
    fades.start(fade_in=True)
    assert passed(fades, np.full(3, 100, np.int16)).tolist() == [100, 100, 100]


def test_sound_that_goes_on_within_a_fade_out_is_heard_with_it() -> None:
    fades = Fades(4)
    fades.start(fade_in=False)
    passed(fades, np.full(9, 20_000, np.int16))
    fades.stop()
    one = np.zeros(1, np.int16)
    assert fades.ring(one) == 1 and one[0] == 15_000
    fades.start(fade_in=True)
    assert passed(fades, np.full(6, 30_000, np.int16), 2).tolist() == [17_500, 20_000, 22_500, 30_000, 30_000, 30_000]
    fades.stop()
    fades.start(fade_in=False)
    assert passed(fades, np.full(4, 30_000, np.int16)).tolist() == [32_767, 32_767, 32_767, 30_000], "it does not wrap"


def test_sound_that_breaks_off_goes_on_as_it_is_told_and_dies_away() -> None:
    fades = Fades(4)
    fades.start(fade_in=False)
    passed(fades, np.full(9, 8_000, np.int16))
    fades.trail(np.full(8, 16_000, np.int16))
    # Over into 16,000 in four samples, and falling all the time.
    assert rung(fades).tolist() == [8_750, 9_000, 8_750, 8_000, 6_000, 4_000, 2_000, 0]
    fades.trail(np.full(8, 16_000, np.int16))
    assert len(rung(fades)) == 0, "there is no sound"


def test_nothing_to_go_on_as_is_an_ordinary_end() -> None:
    fades = Fades(4)
    fades.start(fade_in=False)
    passed(fades, np.full(9, 8_000, np.int16))
    fades.trail(np.zeros(0, np.int16))
    fades.stop()
    assert rung(fades).tolist() == [6_000, 4_000, 2_000, 0]


def test_a_long_end_can_be_cut() -> None:
    fades = Fades(4)
    fades.start(fade_in=False)
    passed(fades, np.full(9, 8_000, np.int16))
    fades.trail(np.full(100, 8_000, np.int16))
    fades.stop(4)
    fades.stop(4)
    assert rung(fades).tolist() == [5_940, 3_920, 1_940, 0]


@pytest.mark.parametrize("pieces", (1, 2, 5, 120))
def test_however_it_is_cut_the_samples_are_the_same(pieces: int) -> None:
    sound = signals.white_noise(60)
    results = []
    for cut in (1, pieces):
        fades = Fades(LENGTH)
        fades.start(fade_in=True)
        heard = passed(fades, sound, cut)
        fades.stop()
        results.append(np.concatenate((heard, rung(fades, 1000 if cut == 1 else 7))))
    assert np.array_equal(*results)


@pytest.mark.parametrize("stop_at", range(300, 340, 3))
def test_full_scale_does_not_click_or_wrap(stop_at: int) -> None:
    tone_hz, peak = 440, 32767
    wave = np.rint(peak * np.sin(2 * np.pi * tone_hz * np.arange(1000) / 24_000)).astype(np.int16)
    fades = Fades(LENGTH)
    fades.start(fade_in=True)
    heard = passed(fades, wave[:stop_at])
    fades.stop()
    whole = np.concatenate((heard, rung(fades), np.zeros(1, np.int16))).astype(int)
    slope = peak * 2 * np.pi * tone_hz / 24_000
    assert np.abs(np.diff(whole)).max() <= slope + peak / LENGTH + 2
    low = np.full(1000, -32768, np.int16)
    fades = Fades(LENGTH)
    fades.start(fade_in=True)
    assert passed(fades, low).max() < 0
