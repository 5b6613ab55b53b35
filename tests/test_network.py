"""The network of a grammar: its sentences are those of the text, and no two of its states do the same."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice.engines.grammar import jsgf
from voice.engines.skills import match, match_whole
from voice.workers.network import Network, Paths, network


def ways(net: Network) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    for arc in net.arcs:
        found.setdefault(arc[0], []).append((arc[1], arc[3] if len(arc) == 4 else ""))
    return found


def sentences(net: Network) -> list[str]:
    """All of them; only for small networks."""
    leaving = ways(net)

    def walk(state: int) -> Iterator[tuple[str, ...]]:
        if state == net.final:
            yield ()
        for to, word in leaving.get(state, []):
            for rest in walk(to):
                yield ((word, *rest) if word else rest)

    return sorted(" ".join(words) for words in walk(net.start))


def probability(net: Network, text: str) -> float:
    """How probable a sentence is; 0.0 if it is none of the network's."""
    leaving: dict[int, list[tuple[int, float, str]]] = {}
    for arc in net.arcs:
        leaving.setdefault(arc[0], []).append((arc[1], arc[2], arc[3] if len(arc) == 4 else ""))
    here, words = {net.start: 1.0}, [*text.split(), ""]
    for word in words:
        there: dict[int, float] = {}
        for state, chance in here.items():
            for to, more, name in leaving.get(state, []):
                if name == word:
                    there[to] = there.get(to, 0.0) + chance * more
        here = there
    return here.get(net.final, 0.0)


def accepts(net: Network, text: str) -> bool:
    return probability(net, text) > 0


@pytest.fixture(scope="module")
def skills() -> Network:
    return network(jsgf())


SAID = {
    "time": "what time is it|what is the time please|can you tell me the time|do you know what time it is|could you tell me what time it is now|"
    "do you have the time",
    "date": "what is the date today|what's today's date|tell me the date please|can you tell me today's date|what date is it",
    "day": "what day is it today|what day is today|which day of the week is it|please tell me what day it is|what day is it please",
    "tomorrow": "what day is tomorrow|what is the date tomorrow",
    "arithmetic": "what is seven times eight|how much is forty two divided by six|calculate ninety minus thirty|can you tell me what five plus six is|"
    "what's nine multiplied by twelve|what is four and five|how much is ten take away three|what is half of eighty|what is ten percent of a hundred|"
    "twelve squared|what is the square root of nine|please calculate two times two|subtract four from twenty|add three to eight|seven times eight",
    "convert": "convert ten miles to kilometers|how many feet are there in a mile|how many feet in a mile|what is five pounds in kilograms|"
    "how much is six gallons in liters|how many kilometers is ten miles|could you convert two cups to milliliters please",
    "timer_set": "set a timer for five minutes|set a five minute timer|start a timer for an hour and a half|timer for ten minutes|wake me in half an hour|"
    "wake me up in twenty minutes|remind me in two hours|can you set a timer for ten seconds please|set an alarm for seven thirty|a five minute timer",
    "timer_cancel": "cancel the timer|stop my timer|could you stop the timer please|turn off the timer|cancel the pasta timer",
    "timer_left": "how much time is left|how much time is left on my timer|how long is left|how many minutes are left|how much longer|when does the timer end",
    "recall": "where are my keys|where is my phone|what is my name|where is my laptop",
    "recall_all": "what did i tell you|what do you remember|tell me what you remember",
    "repeat_last": "what did i say|what did i just say",
    "sound_check": "sound check|can you hear me|hello can you hear me|do you hear me now",
    "help": "what can you do|help|help me please|can you help me|what can you do for me",
    "hello": "hello|hi|hello there|nice to meet you",
    "good_morning": "good morning",
    "good_afternoon": "good afternoon",
    "good_evening": "good evening",
    "how_are_you": "how are you|hello how are you|good morning how are you doing today|how are you doing",
    "thanks": "thank you|thanks|thank you very much|thank you so much|thanks a lot",
    "goodbye": "goodbye|bye|bye bye|see you later|have a nice day",
    "who_are_you": "who are you|tell me who you are",
    "name": "what is your name|tell me your name|what's your name please",
}
"""What people say when they want these things."""


def grammar(body: str, *rules: str) -> str:
    return "\n".join(["#JSGF V1.0;", "grammar test;", *rules, f"public <top> = {body};", ""])


@pytest.mark.parametrize(
    ("body", "want"),
    [
        ("a", ["a"]),
        ("a b | c", ["a b", "c"]),
        ("a [b] c", ["a b c", "a c"]),
        ("[a | b] c", ["a c", "b c", "c"]),
        ("(a | b c) [d [e]]", ["a", "a d", "a d e", "b c", "b c d", "b c d e"]),
        ("a b | a b | a c", ["a b", "a c"]),
        ("a [a] | a a", ["a", "a a"]),
        ("<n> o'clock | <n>", ["one", "one o'clock", "two", "two o'clock"]),
        ("[a]", ["", "a"]),
    ],
)
def test_the_sentences_are_those_of_the_text(body: str, want: list[str]) -> None:
    assert sentences(network(grammar(body, "<n> = one | two;"))) == want


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a public rule"),
        ("#JSGF V1.0;\n<a> = b;\n", "needs a public rule"),
        (grammar("a ["), "not closed"),
        (grammar("(a]"), "not closed"),
        (grammar("a )"), "unbalanced"),
        (grammar("<b>"), "<b> is not there"),
        (grammar("a <top>"), "<top> names itself"),
        (grammar("a*"), "not understood"),
        (grammar("/-1/ a"), "not understood"),
        (grammar("a /0.5/ b"), "not at the beginning"),
        (grammar("a | (b) /0.5/"), "not at the beginning"),
        (grammar("/0/ a"), "or nothing"),
        ("#JSGF V1.0;\npublic top = a;\n", "no rule"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network(text)


def test_beginnings_and_ends_are_shared() -> None:
    net = network(grammar("x <n> to <n> end | y <n> to <n> end | x <n> by <n>", "<n> = one | two | three;"))
    assert len({arc[0] for arc in net.arcs} | {net.final}) == 10
    assert sum(len(arc) == 4 for arc in net.arcs) == 2 + 4 * 3 + 3 + 1
    assert net.words == {"x", "y", "one", "two", "three", "to", "by", "end"}


@pytest.mark.parametrize(
    ("body", "want"),
    [
        ("a | b", {"a": 1 / 2, "b": 1 / 2}),
        ("/3/ a | b", {"a": 3 / 4, "b": 1 / 4}),
        ("a [/0.25/ b]", {"a": 4 / 5, "a b": 1 / 5}),
        ("a [/0.5/ b | /0.5/ c]", {"a": 1 / 2, "a b": 1 / 4, "a c": 1 / 4}),
        ("/3/ a b | (a | d) c", {"a b": 3 / 4, "a c": 1 / 8, "d c": 1 / 8}),
        ("a | a | b", {"a": 2 / 3, "b": 1 / 3}),
        # An end that is shared has one set of probabilities: of all sentences that come through it.
        ("/3/ a (/3/ x | y) | b (x | y)", {"a x": 33 / 64, "a y": 15 / 64, "b x": 11 / 64, "b y": 5 / 64}),
    ],
)
def test_sentences_are_as_probable_as_their_weights(body: str, want: dict[str, float]) -> None:
    net = network(grammar(body))
    assert {text: probability(net, text) for text in sentences(net)} == pytest.approx(want)


def test_probabilities_of_what_leaves_a_state_add_up_to_one() -> None:
    net = network(jsgf())
    sums: dict[int, float] = {}
    for arc in net.arcs:
        sums[arc[0]] = sums.get(arc[0], 0.0) + arc[2]
    assert all(total == pytest.approx(1.0) for total in sums.values()) and net.final not in sums


def test_the_network_of_the_skills_is_small_and_always_the_same() -> None:
    net = network(jsgf())
    assert len(net.arcs) < 15_000
    assert net == network(jsgf())


def test_every_walk_through_the_network_of_the_skills_is_understood() -> None:
    net, chance = network(jsgf()), random.Random(4)
    leaving = ways(net)
    for _ in range(300):
        state, words = net.start, []
        while state != net.final:
            state, word = chance.choice(leaving[state])
            words.append(word)
        text = " ".join(filter(None, words))
        assert match(text) is not None, text


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("how many feet are in a mile", True),
        ("how many feet are in an mile", False),
        ("how many minutes are in an hour", True),
        ("please convert eight gallons to liters", True),
        ("please convert eight gallon to liters", False),
        ("what is a hundred miles in kilometers", True),
        ("what is one mile in kilometer", False),
        ("remind me in half an hour", True),
        ("wake me up in forty minute", False),
        ("set a forty minute timer", True),
    ],
)
def test_the_grammar_of_the_skills_agrees_in_number(text: str, accepted: bool, skills: Network) -> None:
    assert accepts(skills, text) == accepted


def test_what_the_fixtures_say_is_in_the_grammar(skills: Network) -> None:
    texts = json.loads(Path("fixtures/wav/words.json").read_text("utf-8")).values()
    whole = {text for words in texts for text in (words or "").split(" / ") if text.isascii() and match_whole(text) is not None}
    assert {"what is the date today", "what day is it", "what can you do", "hello"} <= whole
    assert [text for text in sorted(whole) if not accepts(skills, text)] == []


@pytest.mark.parametrize("skill", SAID)
def test_what_people_say_is_in_the_grammar(skill: str, skills: Network) -> None:
    for text in SAID[skill].split("|"):
        assert accepts(skills, text), text
        intent = match(text)
        assert intent is not None and intent.skill == skill, text


def test_courtesies_at_the_end_are_rarer_than_other_words(skills: Network) -> None:
    today, thanks, please = (probability(skills, f"what is the date {word}") for word in ("today", "thanks", "please"))
    assert today > 10 * thanks and today > 3 * please
    assert probability(skills, "what time is it") > 10 * probability(skills, "what time is it please")


def test_whole_sentences_are_told_from_their_beginnings(skills: Network) -> None:
    paths = Paths(skills)
    for text in ("what time is it", "set a timer for five minutes", "what is seven times six", "stop the timer please", "hello"):
        words = text.split()
        assert paths.whole(words), text
    for text in ("what day is", "set a timer for", "what is seven times", "what time is it it", "xyzzy", "what xyzzy it", ""):
        assert not paths.whole(text.split()), text
