"""When the pieces of a scripted reply go out: by a factor, and as recorded arrivals did."""

from itertools import islice
from pathlib import Path

import pytest

from voice.engines.pacing import Pacing, Slot, read_arrivals
from voice.errors import ConfigError

ARRIVALS = Path(__file__).resolve().parent.parent / "fixtures" / "arrivals"
TWO = "reply,seq,audio_ms,sent_s,arrived_s\na,0,100,0,5.0\na,1,50,0,5.1\na,2,100,0,5.4\nb,0,40,0,9.5\n"


def first(pacing: Pacing, count: int, use: int = 0) -> list[tuple[float, float]]:
    return [(round(slot.due_s, 6), slot.length_ms) for slot in islice(pacing.slots(use), count)]


def test_a_factor_sends_a_piece_in_so_much_less_than_it_lasts() -> None:
    assert first(Pacing(2.0, 100), 3) == [(0, 100), (0.05, 100), (0.1, 100)]
    assert first(Pacing(0.5, 40), 3) == [(0, 40), (0.08, 40), (0.16, 40)]
    assert first(Pacing(float("inf"), 200), 3) == [(0, 200)] * 3


def test_pieces_may_arrive_at_the_same_moment() -> None:
    (burst,) = read_arrivals("arrived_s, audio_ms ,reply\n2,20,x\n2,40,x\n", "burst.csv")
    assert burst == (Slot(0, 20), Slot(0, 40))


def test_recorded_replies_take_turns_and_a_short_one_goes_on_with_the_next() -> None:
    pacing = Pacing(recorded=read_arrivals(TWO, "two.csv"))
    assert pacing.recorded == ((Slot(0, 100), Slot(pytest.approx(0.1), 50), Slot(pytest.approx(0.4), 100)), (Slot(0, 40),))
    # After 0.4 s comes a mean gap of 0.2 s; the second recording is one piece of 40 ms.
    assert first(pacing, 6) == [(0, 100), (0.1, 50), (0.4, 100), (0.6, 40), (0.64, 100), (0.74, 50)]
    assert first(pacing, 3, use=1) == [(0, 40), (0.04, 100), (0.14, 50)]
    assert first(pacing, 3, use=2) == first(pacing, 3)


@pytest.mark.parametrize("path", sorted(ARRIVALS.glob("*.csv")), ids=lambda path: path.stem)
def test_our_own_recordings_can_be_read(path: Path) -> None:
    recorded = read_arrivals(path.read_text(), path.name)
    rows = path.read_text().splitlines()[1:]
    assert sum(map(len, recorded)) == len(rows) and all(slots[0].due_s == 0 for slots in recorded)
    (last,) = recorded[-1][-1:]
    begin = next(row for row in rows if row.startswith(f"{len(recorded) - 1},0,"))
    assert last.due_s == pytest.approx(float(rows[-1].split(",")[4]) - float(begin.split(",")[4]))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a.csv:1: the first line names the columns, and 'reply' is not among them"),
        ("reply,seq,audio_ms\n", "a.csv:1: the first line names the columns, and 'arrived_s' is not among them"),
        ("reply,audio_ms,arrived_s\n", "a.csv:1: no arrivals in it"),
        ("reply,audio_ms,arrived_s\n0,20,0\n0,x,1\n", "a.csv:3: audio_ms is a number, not 'x'"),
        ("reply,audio_ms,arrived_s\n0,20\n", "a.csv:2: arrived_s is a number, not ''"),
        ("reply,audio_ms,arrived_s\n0,20,nan\n", "a.csv:2: arrived_s is a number, not 'nan'"),
        ("reply,audio_ms,arrived_s\n0,0,1\n", "a.csv:2: audio_ms is above 0"),
        ("reply,audio_ms,arrived_s\n0,20,1\n\n0,20,0.5\n", "a.csv:4: arrived_s is before that of the line above"),
    ],
)
def test_a_mistake_in_arrivals_is_named_by_file_and_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        read_arrivals(text, "a.csv")
    assert str(told.value) == says
