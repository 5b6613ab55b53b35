"""Each sample is read once, in order; what is around the place can be looked at."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voice.audio.tape import LOOKS_BACK_MS, Tape

COUNTS = st.lists(st.integers(1, 50), max_size=20)


def taped(counts: list[int]) -> Tape:
    """0, 1, 2, ... in pieces of so many. At 1 kHz a sample is a ms."""
    tape, at = Tape(1000), 0
    for count in counts:
        tape.add(np.arange(at, at + count, dtype=np.int16))
        at += count
    return tape


@given(COUNTS, st.integers(1, 30), st.integers(0, LOOKS_BACK_MS), st.integers(0, 60))
def test_it_is_read_once_in_order_and_seen_around_every_place(counts: list[int], limit: int, back: int, ahead: int) -> None:
    tape, at, total = taped(counts), 0, sum(counts)
    while True:
        seen = tape.around(back, ahead)
        if back <= at and at + ahead <= total:
            assert seen is not None and seen.tolist() == list(range(at - back, at + ahead))
        else:
            assert seen is None
        if at == total:
            break
        piece = tape.read(limit)
        assert piece.tolist() == list(range(at, at + len(piece))) and 0 < len(piece) <= limit
        at += len(piece)


def test_little_of_what_was_read_is_kept() -> None:
    tape = taped([10] * 100)
    for _ in range(95):
        tape.read(10)
    assert tape.around(LOOKS_BACK_MS, 50) is not None and tape.around(LOOKS_BACK_MS + 10, 50) is None
