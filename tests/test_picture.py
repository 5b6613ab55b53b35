"""What is to be seen of a conversation: the report as lines."""

from tests.support.drawing import TURN, text
from voice.protocol.captions import Caption
from voice.report import Meters
from voice.terminal.picture import MOST_LINES, Picture


class Seen:
    """A picture for a terminal of a size, and how often something new was to see."""

    def __init__(self, columns: int = 80, rows: int = 10) -> None:
        self.size, self.changes = (columns, rows), 0
        self.picture = Picture(lambda: self.size, self._changed)

    def _changed(self) -> None:
        self.changes += 1


def test_what_is_over_scrolls_up_once() -> None:
    seen = Seen()
    seen.picture.note("hello \x1b[2J")
    seen.picture.result(TURN)
    assert seen.picture.waiting
    assert text(seen.picture.above())[:3] == ["hello  [2J", "", "you:   what time is it in Seoul"]
    assert seen.picture.above() == [] and not seen.picture.waiting
    seen.picture.result({"event": "summary", "turns": 1, "reconnects": 0, "audio_in_ms": 2_500})
    assert text(seen.picture.above()) == ["1 turn, 2.5 s of sound"]


def test_a_turn_leaves_the_bottom_when_it_goes_up_and_takes_along_what_was_heard() -> None:
    seen = Seen()
    heard = Caption(0, "voice", "It is", True, True, True)
    seen.picture.saying((Caption(0, "you", "what time is it in Seoul"), heard, Caption(1, "you", "no", partial=True)))
    assert text(seen.picture.status())[1] == "voice: It is"
    seen.picture.result(TURN | {"heard_ms": 300, "status": "cancelled"})
    assert "voice: It is (interrupted at 0.3 of 2.0 s, words estimated)" in text(seen.picture.above())
    assert text(seen.picture.status())[1] == "you:   no ..."


def test_what_does_not_change_is_no_news() -> None:
    seen = Seen()
    for _ in range(3):
        seen.picture.state("listening")
        seen.picture.meters(Meters(microphone_dbfs=-30.0))
        seen.picture.saying(())
        seen.picture.caption("you", "what is said is in `saying`")
    assert seen.changes == 2 and text(seen.picture.status())[-1].startswith("◉ listening")


def test_it_takes_the_size_of_the_moment() -> None:
    seen = Seen(columns=20, rows=2)
    seen.picture.note("a note that is too long for it")
    assert [len(line) for line in text(seen.picture.above())] == [18, 11] and len(seen.picture.status()) == 1
    seen.size = (0, 0)
    seen.picture.note("ab")
    assert text(seen.picture.above()) == ["ab"] and seen.picture.status() == []
    assert seen.picture.hint(9) == []


def test_the_first_row_is_left_alone_where_there_are_three() -> None:
    captions = tuple(Caption(0, who, "words " * 40, True) for who in ("you", "voice"))
    for rows, want in ((7, 5), (5, 3), (3, 1), (2, 1), (1, 0)):
        seen = Seen(rows=rows)
        seen.picture.saying(captions)
        assert len(seen.picture.status()) == want, rows


def test_what_others_write_to_stderr_is_a_note_and_its_amount_is_bounded() -> None:
    seen = Seen()
    for number in range(MOST_LINES + 10):
        seen.picture.stray(f"complaint {number}\x07")
    assert seen.picture.waiting
    lines = text(seen.picture.above())
    assert len(lines) == MOST_LINES and lines[-1] == f"complaint {MOST_LINES + 9}"
