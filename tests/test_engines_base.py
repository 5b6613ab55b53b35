"""What a recogniser says of its own words."""

from voice.engines.base import SURE, Heard


def test_words_are_a_guess_unless_the_recogniser_is_sure_or_they_are_a_command() -> None:
    assert [Heard("what", confidence=confidence).guess for confidence in (0.0, SURE - 0.01, SURE, 1.0)] == [True, True, False, False]
    assert not Heard("what time is it", confidence=0.1, command=True).guess
