"""The judge of pauses: finished commands, thoughts that are visibly not finished, and what nobody can know."""

import pytest

from voice.audio.patience import Thought
from voice.engines.base import SoFar
from voice.engines.ending import OFTEN, SELDOM, thought

COMMANDS = (
    "what time is it|set a timer for five minutes|what is seventeen times four|convert five miles to kilometers|stop the timer|"
    "remind me in ten minutes|good morning|what can you do|how many feet are in a mile|please tell me the time|What is 17 plus 4?"
)


@pytest.mark.parametrize("text", COMMANDS.split("|"))
def test_a_whole_command_is_finished_and_every_beginning_of_it_is_not(text: str) -> None:
    for command in (True, False):
        assert thought(SoFar(text, command, whole=command, ending=0.0)) is Thought.FINISHED
    words = text.split()
    for count in range(1, len(words)):
        begun = thought(SoFar(" ".join(words[:count]), command=True))
        assert begun is Thought.UNFINISHED, words[:count]


UNFINISHED = (
    "i would like to buy a|could you pass me the|it was raining and|i left it at|we went to|um|so i was thinking uh|what is|where are|how do|"
    "the house of|set a timer|remind me|start a timer|remember that|remind me to|repeat after me|can you|tell me|"
    "what is three hundred times|how much is nine divided|calculate seven multiplied|seven plus|"
    "she said that she would call if|my sister and my|please|tell me about|what about|What is the|what day is"
)


@pytest.mark.parametrize("text", UNFINISHED.split("|"))
@pytest.mark.parametrize("ending", [None, SELDOM, 0.9])
def test_a_thought_that_is_visibly_not_finished(text: str, ending: float | None) -> None:
    assert thought(SoFar(text, ending=ending)) is Thought.UNFINISHED


OPEN = (
    "where are they from|who is it for|what are you looking at|yes it is|i think they can|he called me three times|what is that|turn it on|"
    "i would like to buy a ticket|paris|no i do not|\uc624\ub298 \ub0a0\uc528 \uc5b4\ub54c|is it his|where were you|thanks a lot for that"
)


@pytest.mark.parametrize("text", OPEN.split("|"))
def test_where_words_do_not_tell_the_language_model_may(text: str) -> None:
    wanted = {None: Thought.UNKNOWN, 0.0: Thought.UNFINISHED, SELDOM: Thought.UNKNOWN, OFTEN: Thought.LIKELY, 1.0: Thought.LIKELY}
    assert {ending: thought(SoFar(text, ending=ending)) for ending in wanted} == wanted


@pytest.mark.parametrize("text", ["", "  ", "?!", "\x00"])
def test_nothing_understood_is_not_known(text: str) -> None:
    assert thought(SoFar(text, ending=0.0)) is thought(SoFar(text, command=True)) is Thought.UNKNOWN


@pytest.mark.parametrize("text", ["what", "how", "Why?"])
def test_a_question_word_may_be_a_question(text: str) -> None:
    assert thought(SoFar(text, ending=0.0)) is Thought.UNKNOWN
    assert thought(SoFar(text, command=True)) is Thought.UNFINISHED
