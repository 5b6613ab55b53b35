"""What was called unseen, in its place between the lines."""

from voice.engines.recalled import MOST_LETTERS, Recalled
from voice.protocol.lines import Call, Line

ASK, ANSWER, AGAIN = Line("user", "Where?", item_id="a"), Line("assistant", "Here.", item_id="b"), Line("user", "And now?", item_id="c")
CALL, OUTPUT = Line("assistant", "", Call("call_1", "find", "{}")), Line("tool", "here", call_id="call_1")


def test_calls_stand_behind_what_they_answered() -> None:
    recalled = Recalled()
    recalled.keep([ASK], [CALL, OUTPUT])
    assert recalled.woven([ASK]) == [ASK, CALL, OUTPUT]
    assert recalled.woven([ASK, ANSWER, AGAIN]) == [ASK, CALL, OUTPUT, ANSWER, AGAIN]
    later = Line("tool", "there", call_id="call_2")
    recalled.keep([ASK, ANSWER, AGAIN, Line("user", "")], [later])
    assert recalled.woven([ASK, ANSWER, AGAIN, Line("user", "")]) == [ASK, CALL, OUTPUT, ANSWER, AGAIN, later, Line("user", "")]


def test_what_is_deleted_takes_its_calls_along() -> None:
    recalled = Recalled()
    recalled.keep([ASK], [CALL, OUTPUT])
    assert recalled.woven([ANSWER, AGAIN]) == [ANSWER, AGAIN]
    assert recalled.woven([]) == []


def test_calls_before_anything_was_said_stand_at_the_beginning() -> None:
    recalled = Recalled()
    recalled.keep([], [CALL, OUTPUT])
    assert recalled.woven([ASK]) == [CALL, OUTPUT, ASK]


def test_the_oldest_are_forgotten() -> None:
    recalled = Recalled()
    large = Line("tool", "x" * (MOST_LETTERS // 4), call_id="call_1")
    for n in range(10):
        recalled.keep([Line("user", "?", item_id=str(n))], [large])
    woven = recalled.woven([Line("user", "?", item_id=str(n)) for n in range(10)])
    assert [line.role for line in woven] == ["user"] * 6 + ["user", "tool"] * 4
    recalled.keep([ASK], [Line("tool", "x" * (2 * MOST_LETTERS), call_id="call_1")])
    assert len(recalled.woven([ASK])) == 2
