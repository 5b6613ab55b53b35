"""What waits to be sent keeps its order; audio beyond the bound goes, the oldest first; control never does."""

from hypothesis import given, settings
from hypothesis import strategies as st

from voice.protocol.outbox import Outbox, Piece


def piece(start_ms: int, end_ms: int) -> Piece:
    return Piece(start_ms * 16, end_ms * 16)


def test_the_order_is_kept() -> None:
    outbox = Outbox()
    assert [outbox.put("a"), outbox.put("b", piece(0, 40)), outbox.put("c"), outbox.put("d", piece(40, 80))] == [[]] * 4
    assert outbox.audio_ms == 80
    assert [text for text, _ in outbox.take()] == ["a", "b", "c", "d"]
    assert outbox.take() == [] and outbox.audio_ms == 0


def test_the_oldest_audio_goes_and_is_told() -> None:
    outbox = Outbox(max_audio_ms=100)
    outbox.put("settings")
    assert [outbox.put(f"{start}", piece(start, start + 40)) for start in (0, 40)] == [[], []]
    outbox.put("commit")
    assert outbox.put("80", piece(80, 120)) == [piece(0, 40)]
    assert outbox.put("120", piece(120, 220)) == [piece(40, 80), piece(80, 120)]
    assert outbox.audio_ms == 100 and [text for text, _ in outbox.take()] == ["settings", "commit", "120"]
    assert outbox.put("more", piece(220, 1000)) == [piece(220, 1000)], "more than the bound at once"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 60), max_size=60))
def test_nothing_but_the_oldest_audio_is_missing(lengths: list[int]) -> None:
    outbox, at, dropped = Outbox(max_audio_ms=200), 0, []
    for number, length in enumerate(lengths):
        dropped += outbox.put(str(number), piece(at, at + length))
        at += length
        assert outbox.audio_ms <= 200
    kept = outbox.take()
    numbers = [int(text) for text, _ in kept]
    assert numbers == sorted(numbers) and len(kept) + len(dropped) == len(lengths)
    assert {number for number, length in enumerate(lengths) if length == 0} <= set(numbers)
    pieces = [*dropped, *(one for _, one in kept if one.start != one.end)]
    assert [one.end for one in pieces[:-1]] == [one.start for one in pieces[1:]]
