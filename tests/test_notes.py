"""Notes: found by the words of a question, told back in the second person."""

import pytest

from voice.engines.notes import MOST, Notes, content, is_question, told_back


def notes(*texts: str) -> Notes:
    made = Notes()
    for text in texts:
        made.add(text)
    return made


HOUSE = (
    "my keys are in the kitchen",
    "the door code is blue",
    "I parked the car on level three",
    "my birthday is on May 3rd",
    "\ub0b4 \uc5f4\uc1e0\ub294 \ubd80\uc5cc\uc5d0 \uc788\ub2e4",
)


@pytest.mark.parametrize(
    ("question", "want"),
    [
        ("where are my keys", HOUSE[0]),
        ("where did i put my key", HOUSE[0]),
        ("what is the door code?", HOUSE[1]),
        ("where did I park", HOUSE[2]),
        ("when is my birthday", HOUSE[3]),
        ("what is the time of my birthday", HOUSE[3]),
        ("\ub0b4 \uc5f4\uc1e0 \uc5b4\ub514 \uc788\uc5b4?", HOUSE[4]),
    ],
)
def test_about(question: str, want: str) -> None:
    assert notes(*HOUSE).about(question) == (want,)


@pytest.mark.parametrize(
    "question", ["where is my passport", "what is the capital of france", "where is it", "what is the code of the garage", ""]
)
def test_nothing_about_it(question: str) -> None:
    assert notes(*HOUSE).about(question) == ()


def test_the_newest_first() -> None:
    made = notes("the code is blue", "the code is red")
    assert made.about("what is the code") == ("the code is red", "the code is blue")
    made.add("The code is blue.")
    assert made.all() == ("the code is red", "The code is blue.")


def test_near_takes_half_of_the_words() -> None:
    assert notes(*HOUSE).near("car keys")[0] in (HOUSE[0], HOUSE[2])
    assert notes(*HOUSE).near("passport photo") == ()


def test_the_oldest_goes() -> None:
    made = notes(*(f"thing {n} is here" for n in range(MOST + 5)))
    assert len(made) == MOST and made.all()[0] == "thing 5 is here"


def test_remove() -> None:
    made = notes(*HOUSE)
    made.remove(HOUSE[:2])
    assert made.all() == HOUSE[2:]


@pytest.mark.parametrize(
    ("note", "want"),
    [
        ("my keys are in the kitchen", "your keys are in the kitchen"),
        ("My keys are here", "your keys are here"),
        ("I am late", "you are late"),
        ("i was late", "you were late"),
        ("john owes me ten dollars", "john owes you ten dollars"),
        ("you are my friend", "I am your friend"),
        ("I parked where you told me", "you parked where I told you"),
        ("anna will call you", "anna will call me"),
        ("The door is open", "the door is open"),
        ("Anna is mine, not yours.", "Anna is yours, not mine."),
        ("", ""),
    ],
)
def test_told_back(note: str, want: str) -> None:
    assert told_back(note) == want


def test_questions() -> None:
    assert [is_question(text) for text in ("where is it", "the door?", "tell me the code", "the door is open", "")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert content("where are the") == frozenset()
