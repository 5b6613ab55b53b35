"""The wait for a judgement: it comes, it comes too late, or it does not come."""

from voice.audio.patience import Thought
from voice.protocol.judging import JUDGE_S, Judging


def test_without_a_pause_there_is_nothing_to_wait_for() -> None:
    judging = Judging()
    judging.judged(1, Thought.FINISHED)
    assert judging.deadline() is None and judging.tick(5.0) is None


def test_a_judgement_is_told_once_at_the_next_tick() -> None:
    judging = Judging()
    judging.began(1)
    assert judging.deadline() == 0.0 and judging.tick(5.0) is None
    assert judging.deadline() == 5.0 + JUDGE_S
    judging.judged(1, Thought.FINISHED)
    assert judging.deadline() == 0.0
    assert judging.tick(5.1) == (1, Thought.FINISHED)
    assert judging.tick(5.1) is None and judging.deadline() is None


def test_a_judgement_before_the_first_tick_counts() -> None:
    judging = Judging()
    judging.began(1)
    judging.judged(1, Thought.UNFINISHED)
    assert judging.deadline() == 0.0 and judging.tick(0.0) == (1, Thought.UNFINISHED)


def test_who_is_not_judged_in_time_is_not_known() -> None:
    judging = Judging()
    judging.began(3)
    assert judging.tick(7.0) is None and judging.tick(7.0 + JUDGE_S - 0.001) is None
    assert judging.tick(7.0 + JUDGE_S) == (3, Thought.UNKNOWN)
    judging.judged(3, Thought.FINISHED)
    assert judging.tick(20.0) is None and judging.deadline() is None


def test_what_is_said_of_another_pause_is_ignored() -> None:
    judging = Judging()
    judging.began(1)
    judging.tick(1.0)
    judging.judged(1, Thought.FINISHED)
    judging.began(2)
    judging.judged(1, Thought.FINISHED)
    judging.judged(7, Thought.FINISHED)
    assert judging.tick(2.0) is None and judging.deadline() == 2.0 + JUDGE_S
