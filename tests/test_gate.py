"""A gate that withholds silence: '#' what may be speech, '.' what is not, 20 ms each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.audio.gate import Gate
from voice.audio.pcm import FRAME_SAMPLES


def passed(pattern: str, before_ms: int = 60, trail_ms: int = 80) -> str:
    """What became of each frame: 'p' passed at once, 'l' late, 'w' not at all. '-' in the pattern: not wanted, but held."""
    gate = Gate(before_ms, trail_ms)
    fates = ["w"] * len(pattern)
    for index, sign in enumerate(pattern):
        frame = np.full(FRAME_SAMPLES, index, np.int16)
        for piece in gate.push(index * FRAME_SAMPLES, frame, sign == "#", held=sign == "-"):
            at = piece.start // FRAME_SAMPLES
            assert fates[at] == "w" and (piece.samples == at).all() and piece.late == (at < index)
            fates[at] = "l" if piece.late else "p"
        assert gate.open == (fates[index] == "p")
    return "".join(fates)


@pytest.mark.parametrize(
    ("pattern", "want"),
    [
        ("......", "wwwwww"),
        ("#.......", "pppppwww"),
        (".....#...........", "wwlllp" + "pppp" + "w" * 7),
        ("..#..", "llppp"),
        (".....#....#.........", "wwlllp" + "pppp" + "ppppp" + "w" * 5),
        (".....#......#.........", "wwlllp" + "ppppll"[:4] + "ll" + "ppppp" + "w" * 5),
        (".....#..........#......", "wwlllp" + "pppp" + "www" + "lll" + "ppppp" + "ww"),
        (".....#------....", "wwlllp" + "pppppp" + "wwww"),
        (".....#--........", "wwlllp" + "pppp" + "wwwwww"),
        ("......--..", "wwwlllpp" + "ww"),
        ("####################", "p" * 20),
    ],
)
def test_what_passes(pattern: str, want: str) -> None:
    assert passed(pattern) == want


@given(st.text("#.", max_size=120), st.integers(0, 8), st.integers(0, 8))
def test_around_what_may_be_speech_everything_passes_and_nothing_else(pattern: str, before: int, trail: int) -> None:
    for index, fate in enumerate(passed(pattern, before * 20, trail * 20)):
        near = "#" in pattern[max(0, index - trail) : index + before + 1]
        assert near == (fate in "pl"), index


def test_its_lengths_may_change() -> None:
    gate = Gate(0, 20)
    frame = np.zeros(FRAME_SAMPLES, np.int16)
    assert [len(gate.push(0, frame, wanted)) for wanted in (True, False, False)] == [1, 1, 0]
    gate.trail_ms = 60
    gate.before_ms = 40
    assert [len(gate.push(0, frame, wanted)) for wanted in (False, False, True, False)] == [0, 0, 3, 1]
