"""What can stand in a slot of a sentence template: a reader for each kind finds its values in the words."""

from collections.abc import Iterator, Mapping

from voice.engines import arithmetic, durations, moments, numbers, units
from voice.engines.templates import Node, Reader, ends
from voice.engines.words import Words

FREE = {"text", "fact"}
"""Kinds that take free words to the end of the sentence."""


def _labels(words: Words, i: int) -> Iterator[tuple[int, object]]:
    """A timer's name: one to three words, the fewest first."""
    for end in range(i + 1, min(len(words), i + 3) + 1):
        if words.texts[end - 1] in _NO_LABEL or numbers.is_digits(words.texts[end - 1]):
            return
        yield end, words.original(i, end)


_NO_LABEL = {
    "a",
    "an",
    "the",
    "my",
    "timer",
    "timers",
    "alarm",
    "reminder",
    "for",
    "of",
    "to",
    "in",
    "and",
    "all",
    "every",
    "minute",
    "second",
    "hour",
    "up",
}
_NO_LABEL |= {
    "minutes",
    "seconds",
    "hours",
    "that",
    "this",
    "it",
    "please",
    "another",
    "new",
    "countdown",
    "on",
    "with",
    "at",
    "long",
    "me",
    "not",
    "is",
    "from",
}
_NO_LABEL |= set(numbers.ONES) | set(numbers.TEENS) | set(numbers.TENS)


def _rest(words: Words, i: int) -> Iterator[tuple[int, object]]:
    """Free words to the end."""
    if i < len(words):
        yield len(words), words.source[words.starts[i] :].strip(" .!?\"',;:")


def _head(words: Words, i: int) -> Iterator[tuple[int, object]]:
    """Free words that something else follows, the most first."""
    for end in range(min(len(words), i + 12), i, -1):
        yield end, words.original(i, end)


def _fact(words: Words, i: int) -> Iterator[tuple[int, object]]:
    """Free words that state something: there is a verb ("my keys are ...", not "the alamo") and no question."""
    if i < len(words) and words.texts[i] not in _ASKING and not _STATING.isdisjoint(words.texts[i + 1 :]):
        yield from _rest(words, i)


_ASKING = {"where", "what", "when", "who", "how", "which", "why", "if", "whether", "to", "me", "us"}
_STATING = set("is are am was were has have had will can need needs like likes want wants live lives owe owes owed put left parked".split())


def _counting(words: Words, i: int) -> Iterator[tuple[int, object]]:
    """Numbers to the end: "one two three"."""
    if i < len(words) and all(numbers.is_digits(w) or w in numbers.ONES or w in numbers.TEENS for w in words.texts[i:]):
        yield from _rest(words, i)


def _numbers(words: Words, i: int) -> Iterator[tuple[int, object]]:
    yield from numbers.spans(words.texts, i)


def _one_of(rule: Node) -> Reader:
    """A reader of the words of a rule of the table."""

    def read(words: Words, i: int) -> Iterator[tuple[int, object]]:
        for end, _ in ends(rule, words, i, {}):
            yield end, words.original(i, end)

    return read


def readers(rules: Mapping[str, Node]) -> Mapping[str, Reader]:
    """The reader of every kind of slot. `rules` are those of the table."""
    return {
        "number": _numbers,
        "amount": durations.amounts,
        "unit": units.spans,
        "duration": durations.read,
        "clipped": durations.read,
        "sum": arithmetic.read,
        "function": arithmetic.read,
        "clock": moments.read,
        "label": _labels,
        "text": _rest,
        "head": _head,
        "fact": _fact,
        "counting": _counting,
        "kept": _one_of(rules["kept"]),
        "secret": _one_of(rules["secret"]),
    }
