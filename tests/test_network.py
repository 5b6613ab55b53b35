"""The network of a grammar: its sentences are those of the text, and no two of its states do the same."""

import random
from collections.abc import Iterator

import pytest

from voice.engines.grammar import jsgf
from voice.engines.skills import match
from voice.workers.network import Network, network


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
        (grammar("/0.5/ a"), "not understood"),
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


def test_probabilities_of_what_leaves_a_state_add_up_to_one() -> None:
    net = network(jsgf())
    sums: dict[int, float] = {}
    for arc in net.arcs:
        sums[arc[0]] = sums.get(arc[0], 0.0) + arc[2]
    assert all(total == pytest.approx(1.0) for total in sums.values()) and net.final not in sums


def test_the_network_of_the_skills_is_small_and_always_the_same() -> None:
    net = network(jsgf())
    assert len(net.arcs) < 12_000
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
def test_the_grammar_of_the_skills_agrees_in_number(text: str, accepted: bool) -> None:
    net = network(jsgf())
    leaving, here = ways(net), {net.start}
    for word in text.split():
        here = {to for state in here for to, name in leaving.get(state, []) if name == word}
    assert any(to == net.final for state in here for to, _ in leaving.get(state, [])) == accepted
