"""Sentence templates: parsed once, then matched against words or written as JSGF.

A template is words with `[an optional part]`, `(one | or another)`, `<rule>` (a named part of the table) and
`{slot}` or `{slot:kind}` (a value that a reader finds in the words). Nothing repeats, so matching always ends.
An alternative may begin with a weight, `(one | /0.1/ other)`, `[/0.1/ seldom]`: how often it is said, next to 1 for one without, and for an
optional part that is left out. Matching does not look at it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from voice.engines.words import Words, expand

_WEIGHT = re.compile(r"/(\d*\.?\d+)/")
_MARKS = re.compile(r"\s*([\[\]()|]|<[a-z_0-9]+>|\{[a-z_:]+\}|[^\s\[\]()|<>{}]+)")


@dataclass(frozen=True, slots=True)
class Word:
    """One word, as the template has it ("what's" stands for both forms)."""

    text: str
    expanded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Parts one after the other."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the parts; an optional part is a choice whose last part is an empty row."""

    parts: tuple["Node", ...]
    weights: tuple[float, ...] = ()
    """Of each part; empty if all weigh the same."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A named part of the table."""

    name: str
    node: "Node"


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that the reader of its kind finds."""

    name: str
    kind: str


Node = Word | Row | Choice | Rule | Slot
EMPTY = Row(())
Slots = tuple[tuple[str, object], ...]
Reader = Callable[[Words, int], Iterable[tuple[int, object]]]
"""From words and an index: (index behind the value, value), the best first."""


def parse(template: str, rules: Mapping[str, Node]) -> Node:
    """A template as a tree. Raises: ValueError on unbalanced brackets, KeyError on an unknown rule."""
    marks = _MARKS.findall(template)
    if "".join(marks) != re.sub(r"\s+", "", template):
        raise ValueError(f"template {template!r} has a character that is not understood")
    node, at = _choice(marks, 0, rules)
    if at != len(marks):
        raise ValueError(f"template {template!r} has an unbalanced {marks[at]!r}")
    return node


def _choice(marks: list[str], at: int, rules: Mapping[str, Node]) -> tuple[Node, int]:
    rows, parts = list[Node](), list[Node]()
    weights = [1.0]
    while at < len(marks) and marks[at] not in ("]", ")"):
        mark = marks[at]
        at += 1
        if mark == "|":
            rows.append(_row(parts))
            parts = []
            weights.append(1.0)
        elif found := _WEIGHT.fullmatch(mark):
            if parts or not float(found[1]):
                raise ValueError(f"the weight {mark} is not at the beginning of an alternative, or nothing")
            weights[-1] = float(found[1])
        elif mark in ("[", "("):
            inner, at = _choice(marks, at, rules)
            closing = marks[at] if at < len(marks) else "the end"
            if closing != {"[": "]", "(": ")"}[mark]:
                raise ValueError(f"{mark!r} is closed by {closing!r}")
            parts.append(Choice((inner, EMPTY)) if mark == "[" else inner)
            at += 1
        else:
            parts.append(_leaf(mark, rules))
    rows.append(_row(parts))
    return _alternatives(rows, weights), at


def _alternatives(rows: list[Node], weights: list[float]) -> Node:
    if set(weights) == {1.0}:
        return rows[0] if len(rows) == 1 else Choice(tuple(rows))
    return Choice(tuple(rows), tuple(weights))


def _row(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Row(tuple(parts))


def _leaf(mark: str, rules: Mapping[str, Node]) -> Node:
    if mark[0] == "<":
        return Rule(mark[1:-1], rules[mark[1:-1]])
    if mark[0] == "{":
        name, _, kind = mark[1:-1].partition(":")
        return Slot(name, kind or name)
    return Word(mark, expand(mark))


def ends(node: Node, words: Words, i: int, readers: Mapping[str, Reader]) -> Iterator[tuple[int, Slots]]:
    """Every way in which `node` matches from word `i` on: (index behind it, slots)."""
    match node:
        case Word():
            end = i + len(node.expanded)
            if words.texts[i:end] == node.expanded:
                yield end, ()
        case Rule():
            yield from ends(node.node, words, i, readers)
        case Slot():
            for end, value in readers[node.kind](words, i):
                yield end, ((node.name, value),)
        case Choice():
            for part in node.parts:
                yield from ends(part, words, i, readers)
        case Row():
            yield from _row_ends(node.parts, words, i, readers)


def _row_ends(parts: tuple[Node, ...], words: Words, i: int, readers: Mapping[str, Reader]) -> Iterator[tuple[int, Slots]]:
    if not parts:
        yield i, ()
        return
    for middle, slots in ends(parts[0], words, i, readers):
        for end, more in _row_ends(parts[1:], words, middle, readers):
            yield end, slots + more


def slots_in(node: Node) -> Iterator[Slot]:
    """All slots of a tree, in order."""
    match node:
        case Slot():
            yield node
        case Rule():
            yield from slots_in(node.node)
        case Row() | Choice():
            for part in node.parts:
                yield from slots_in(part)
