"""Grammar against general model: tables of what both heard, and whom to believe."""

import msgspec
import pytest

from voice.engines.base import Heard, SoFar
from voice.engines.opinion import Carrier, Evidence, command_confidence, distance, foretell, judge, mend

# As the CMU dictionary has them.
PHONES = {
    word: phones.split()
    for word, phones in (
        line.split(" ", 1)
        for line in """a AH
and AH N D
are AA R
at AE T
capital K AE P AH T AH L
celsius S EH L S IY AH S
for F AO R
france F R AE N S
friday F R AY D IY
gallon G AE L AH N
helmet HH EH L M AH T
help HH EH L P
is IH Z
it IH T
liter L IY T ER
met M EH T
of AH V
one W AH N
plus P L AH S
remember R IH M EH M B ER
remembered R IH M EH M B ER D
say S EY
seven S EH V AH N
stay S T EY
tell T EH L
that DH AE T
the DH AH
thyme T AY M
time T AY M
to T AH
two T UW
wet W EH T
what W AH T
yelp Y EH L P""".splitlines()
    )
}


def phones(text: str) -> list[list[str]]:
    return [PHONES[word] for word in text.split()]


def evidence(general: str, command: str = "", sure: float = 0.7) -> Evidence:
    flat = [phone for word in phones(command) for phone in word]
    return Evidence(general.split(), phones(general), sure, command.split(), flat)


@pytest.mark.parametrize(
    ("general", "command"),
    [
        ("what time is it", "what time is it"),
        ("wet thyme is it", "what time is it"),
        ("yelp", "help"),
        ("what is seven plus to", "what is seven plus two"),
    ],
)
def test_the_general_model_misses_a_command_by_sound(general: str, command: str) -> None:
    heard = judge(evidence(general, command))
    assert (heard.text, heard.command) == (command, True) and heard.confidence > 0.5


@pytest.mark.parametrize(
    ("general", "command"),
    [
        ("what is the capital of france", "what is a gallon of liter"),
        ("remember that", "help"),
        ("helmet", "help at seven"),
        ("say", "what time is it"),
        ("", "help"),
        ("the capital of france", ""),
    ],
)
def test_a_foreign_sentence_stays_what_it_is(general: str, command: str) -> None:
    assert judge(evidence(general, command, 0.4)) == Heard(general, confidence=0.4 if general else 0.0, command=False)


def test_a_perfect_match_is_nearly_certain_and_confidence_falls_with_each_phone() -> None:
    row = [command_confidence(evidence(general, "help")) for general in ("help", "yelp", "tell", "of", "remember that")]
    assert row == sorted(row, reverse=True) and row[0] > 0.9 and row[-1] < 0.01


def test_the_surer_the_other_hypothesis_the_nearer_must_the_command_be() -> None:
    row = [command_confidence(evidence("yelp met", "help it", sure)) for sure in (0.0, 0.3, 0.6, 0.9)]
    assert row == sorted(row, reverse=True) and len(set(row)) == 4
    assert len({command_confidence(evidence("help", "help", sure)) for sure in (0.0, 0.5, 1.0)}) == 1


@pytest.mark.parametrize(
    ("general", "sure", "want"),
    [
        ("the capital of france", 0.8, 0.8),
        ("the it the it", 0.8, 0.4),
        ("the the the the", 1.0, 0.25),
        ("the capital of france the", 0.8, 0.8),
        ("what is it for at the it what", 0.8, 0.8),
        ("", 0.0, 0.0),
    ],
)
def test_words_that_come_over_and_over_are_a_guess(general: str, sure: float, want: float) -> None:
    assert judge(evidence(general, sure=sure)).confidence == pytest.approx(want)


CARRIERS = (
    Carrier(("remember", "that"), tuple("R IH M EH M B ER DH AE T".split())),
    Carrier(("remember",), tuple("R IH M EH M B ER".split())),
    Carrier(("say",), ("S", "EY")),
)


@pytest.mark.parametrize(
    ("general", "want"),
    [
        ("remember that friday", "remember that friday"),
        ("remembered that friday is it", "remember that friday is it"),
        ("remember what friday", "remember what friday"),
        ("remembered that", "remember that"),
        ("stay at two", "stay at two"),
        ("the capital", "the capital"),
        ("remember", "remember"),
        ("", ""),
    ],
)
def test_a_carrier_phrase_is_mended_if_it_is_long_and_nearly_right(general: str, want: str) -> None:
    assert " ".join(mend(evidence(general), CARRIERS)) == want


def test_distance_of_phones() -> None:
    assert distance([], []) == 0
    assert distance(["S", "T"], []) == distance([], ["S", "T"]) == 2
    assert distance("K AE T".split(), "K AE T".split()) == 0
    assert distance(["S"], ["Z"]) == 0.25
    assert distance(["P"], ["K"]) == 0.5
    assert distance(["P"], ["AA"]) == 1
    assert distance("K AE T S".split(), "AE T Z".split()) == 1.25


def asked(text: str) -> object:
    """What a sentence asks for, in a language of two questions."""
    return {"what time is it": "time", "time is it": "time", "help": "help"}.get(text)


@pytest.mark.parametrize(
    ("general", "command", "sure", "want", "is_command"),
    [
        # Refused by its sound, but the general model's words ask for the same: the grammar's words are taken.
        ("time is it", "what time is it", 0.9, "what time is it", True),
        # They ask for something else, and the command sounds otherwise: the general model's words.
        ("help", "what time is it", 0.45, "help", False),
        # They sound alike and the general model is not sure of its words.
        ("time is it", "help", 0.45, "time is it", False),
        # The general model's words mean nothing: as without a meaning.
        ("wet thyme is it", "what time is it", 0.6, "what time is it", True),
    ],
)
def test_what_is_asked_for_is_a_third_opinion(general: str, command: str, sure: float, want: str, is_command: bool) -> None:
    heard = judge(evidence(general, command, sure), meaning=asked)
    assert (heard.text, heard.command) == (want, is_command)
    assert heard.confidence >= 0.5


def test_a_sentence_that_asks_for_something_is_surer_but_not_certain() -> None:
    assert judge(evidence("help", "", 0.2), meaning=asked).confidence < 0.5
    assert judge(evidence("help", "", 0.9), meaning=asked).confidence == 1.0
    assert judge(evidence("thyme is", "", 0.4), meaning=asked).confidence == pytest.approx(0.4)


# (general, grammar, its words are whole, what is foretold)
BEGUN = [
    ("wet thyme is", "what time is", False, SoFar("what time is", command=True, ending=0.25)),
    ("what time is it", "what time is it", True, SoFar("what time is it", command=True, whole=True, ending=0.25)),
    # Near enough to be believed as a whole, not as a beginning of which nobody knows where it leads.
    ("the capital of france", "tell that to", False, SoFar("the capital of france", ending=0.25)),
    ("seven that is", "seven plus", False, SoFar("seven that is", ending=0.25)),
    ("remembered that friday is", "", False, SoFar("remember that friday is", ending=0.25)),
    ("", "", False, SoFar("", ending=0.25)),
]


@pytest.mark.parametrize(("general", "command", "whole", "want"), BEGUN)
def test_what_is_foretold_of_an_utterance_that_may_go_on(general: str, command: str, whole: bool, want: SoFar) -> None:
    told = msgspec.structs.replace(evidence(general, command, 0.5), ending=0.25, whole=whole)
    assert foretell(told, [Carrier(("remember", "that"), tuple(PHONES["remember"] + PHONES["that"]))]) == want


def test_a_beginning_must_be_surer_than_a_whole_command() -> None:
    heard = [evidence("thyme is it", command, 0.5) for command in ("time is it", "what time is it", "wet plus time is it")]
    told = [
        (judge(one).command, *(foretell(msgspec.structs.replace(one, whole=whole)).command for whole in (True, False))) for one in heard
    ]
    assert told == [(True, True, True), (True, True, False), (False, False, False)]
