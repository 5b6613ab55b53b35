"""What a broken link takes along."""

from voice.protocol.unsettled import Loss, Unsettled

NOTHING = Loss(None, (), ())


def test_nothing_said_nothing_lost() -> None:
    assert Unsettled().broken(None) == NOTHING


def test_speech_that_no_turn_has_committed() -> None:
    state = Unsettled()
    state.speech(500)
    assert state.speaking
    assert state.broken(None) == Loss(500, (), ())
    assert state.broken(None) == NOTHING and not state.speaking


def test_a_turn_that_the_server_forgot_as_it_was_told_to() -> None:
    state = Unsettled()
    state.speech(500)
    state.committed("a", 1000)
    state.speech(2000)
    state.cleared()
    assert not state.speaking and state.broken(None) == Loss(500, ("a",), ())


def test_a_turn_is_safe_when_its_words_are_known() -> None:
    state = Unsettled()
    state.speech(500)
    state.committed("a", 1000)
    assert not state.speaking
    state.speech(2000)
    state.committed("b", 1000)
    state.written("a")
    assert state.broken(None) == Loss(2000, ("b",), ())


def test_where_nobody_writes_an_answer_settles_its_question() -> None:
    state = Unsettled()
    state.speech(500)
    state.committed("a", 1000)
    state.created("r")
    state.done("r", written=False)
    assert state.broken(None) == NOTHING


def test_an_answer_does_not_settle_words_that_are_still_to_come() -> None:
    state = Unsettled()
    state.speech(500)
    state.committed("a", 1000)
    state.created("r")
    state.done("r", written=True)
    assert state.broken(None) == Loss(500, ("a",), ())


def test_our_own_commit_counts_from_its_beginning() -> None:
    state = Unsettled()
    state.committing(700)
    assert state.speaking and state.broken(None) == Loss(700, (), ())
    state.committing(900)
    state.committed("a", 1000)
    assert state.broken(None) == Loss(900, ("a",), ())


def test_the_open_turn_of_our_own_detector() -> None:
    state = Unsettled()
    state.committing(700)
    assert state.broken(1500).resend_from_ms == 700
    assert state.broken(1500).resend_from_ms == 1500


def test_answers_in_progress() -> None:
    state = Unsettled()
    for name in ("a", "b", "c"):
        state.created(name)
    state.begun("b")
    state.begun("unknown")
    state.done("c", written=True)
    assert state.broken(None).answers == (("a", False), ("b", True))
