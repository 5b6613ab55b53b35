"""The table of skills as a JSGF grammar for the recogniser, and the phrases after which free words follow.

Only the `say` templates: each sentence of the grammar is one that `skills.match` understands (a test walks it). Rules
refer to earlier rules only, so nothing recurses; pocketsphinx copies a rule into every place that names it, so number
rules are kept small and conversions are grouped by kind of unit behind one common beginning.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from voice.engines import units
from voice.engines.skills import table
from voice.engines.templates import Choice, Node, Row, Rule, Slot, Word, slots_in

_LEAD = 0.3
_TRAIL = 0.07
"""How often something is in front of an order, and behind a sentence, next to nothing: "thanks" at the end is not to be heard for "today"."""
_WORD = re.compile(r"[a-z']+")


@functools.cache
def jsgf() -> str:
    """The whole grammar; its public rule is `<command>`. The same text every time."""
    bodies = list(dict.fromkeys(_weighted_text(skill.often, _spoken(node)) for skill in table().skills for node in skill.say))
    lead, trail = (_text(table().leads[name], outer=True) for name in ("lead", "trail"))
    rules = [
        *((name, _text(node, outer=True)) for name, node in table().rules.items()),
        *((f"unit_{kind}", " | ".join(_names(members, 1))) for kind, members in _kinds().items()),
        *((f"one_{kind}", _single(list(_names(members, 0)))) for kind, members in _kinds().items()),
        ("lead", lead),
        ("trail", trail),
        ("sentence", "\n  | ".join(bodies)),
    ]
    wanted = _reachable(dict(rules), "sentence") | {"sentence", "lead", "trail"}
    lines = [f"<{name}> = {body};" for name, body in dict(rules).items() if name in wanted]
    return "\n".join(["#JSGF V1.0;", "grammar skills;", *lines, f"public <command> = <sentence> [/{_TRAIL}/ <trail>];", ""])


@functools.cache
def tails() -> tuple[str, ...]:
    """The carrier phrases ("remember that") after which free words follow: the longest first, then by the alphabet."""
    return tuple(sorted(set(_sentences(table().leads["carrier"])), key=lambda phrase: (-len(phrase.split()), phrase)))


@functools.cache
def words() -> frozenset[str]:
    """Every word of the grammar: each must be in the recogniser's dictionary."""
    bodies = (line.partition("=")[2] for line in jsgf().splitlines()[2:] if line)
    continued = (line for line in jsgf().splitlines() if line.startswith("  |"))
    text = re.sub(r"<[^>]*>", " ", " ".join((*bodies, *continued)))
    return frozenset(_WORD.findall(text))


def _is_order(node: Node) -> bool:
    """Whether every way to begin the sentence is one of the table's orders: "can you" may stand in front."""
    match node:
        case Word():
            return node.text in set(_sentences(table().leads["orders"]))
        case Choice():
            return all(map(_is_order, node.parts))
        case Row(parts=(first, *_)):
            return _is_order(first)
    return False


def _kinds() -> Mapping[str, list[units.Unit]]:
    kinds = dict[str, list[units.Unit]]()
    for unit in units.table():
        if unit.heard:
            kinds.setdefault(unit.kind, []).append(unit)
    return kinds


def _names(members: Iterable[units.Unit], number: int) -> Iterator[str]:
    """The names of units in the singular (0) or in the plural (1); in both those that have one form only ("celsius", "kilo")."""
    for unit in members:
        pairs = {(one, many) for one in unit.heard for many in unit.heard if _is_plural(one, many)} | {
            (unit.one.lower(), unit.many.lower())
        }
        other = {pair[1 - number] for pair in pairs if pair[0] != pair[1]}
        yield from (name for name in unit.heard if name not in other)


def _single(names: Sequence[str]) -> str:
    """One of each of the units, with the article that goes before its name."""
    vowels = [name for name in names if name[0] in "aeiou" or name.startswith("hour")]
    lots = (("a", [name for name in names if name not in vowels]), ("an", vowels))
    return " | ".join(f"<{article}> ( {' | '.join(lot)} )" for article, lot in lots if lot)


def _is_plural(one: str, many: str) -> bool:
    """Whether the second is the first with an "s" at one of its words: "degree celsius", "degrees celsius"."""
    return len(many) == len(one) + 1 and any(
        f"{one[:at]}s{one[at:]}" == many for at in (*(m.start() for m in re.finditer(" ", one)), len(one))
    )


def _by_kind(node: Node) -> Node:
    """A template with two units: its part from the first to the last of them, once for each kind of unit."""
    if sum(slot.kind == "unit" for slot in slots_in(node)) < 2 or not isinstance(node, Row):
        return node
    holding = [n for n, part in enumerate(node.parts) if any(slot.kind == "unit" for slot in slots_in(part))]
    first, last = holding[0], holding[-1] + 1
    if first and isinstance(before := node.parts[first - 1], Slot) and before.kind == "amount":
        first -= 1  # it agrees with the unit in number
    middle = Row(node.parts[first:last])
    choice = Choice(tuple(_with_kind(middle, kind) for kind in _kinds()))
    return Row((*node.parts[:first], choice, *node.parts[last:]))


def _with_kind(node: Node, kind: str) -> Node:
    match node:
        case Slot(kind="unit"):
            return Slot(node.name, f"unit_{kind}")
        case Row(parts=(Slot(kind="amount") as amount, Slot(kind="unit") as unit, *rest)):
            several = Row((Slot(amount.name, "many"), Slot(unit.name, f"unit_{kind}")))
            return Row((Choice((several, Slot(unit.name, f"one_{kind}"))), _with_kind(Row(tuple(rest)), kind)))
        case Row(parts=(first, *rest)):
            return Row((_with_kind(first, kind), _with_kind(Row(tuple(rest)), kind)))
        case Choice():
            return Choice(tuple(_with_kind(part, kind) for part in node.parts), node.weights)
    return node


def _text(node: Node, outer: bool = False) -> str:
    """A tree as JSGF; `outer` leaves out the brackets round a choice."""
    match node:
        case Word():
            full = " ".join(node.expanded)
            return node.text if full == node.text else f"( {node.text} | {full} )"
        case Rule():
            return f"<{node.name}>"
        case Slot():
            return f"<{node.kind}>"
        case Choice():
            *parts, last = node.parts
            if last == Row(()):
                return f"[ {' | '.join(_text(part, outer=True) for part in parts)} ]"
            body = " | ".join(map(_weighted, node.parts, node.weights or (1.0,) * len(node.parts)))
            return body if outer else f"( {body} )"
        case Row():
            return " ".join(_text(part) for part in node.parts)


def _spoken(node: Node) -> str:
    """A template as JSGF, with what may be in front of it."""
    return (f"[/{_LEAD}/ <lead>] " if _is_order(node) else "") + _text(_by_kind(node))


def _weighted(node: Node, weight: float) -> str:
    return _weighted_text(weight, _text(node))


def _weighted_text(weight: float, text: str) -> str:
    return text if weight == 1 else f"/{weight:g}/ {text}"


def _reachable(rules: Mapping[str, str], name: str) -> set[str]:
    found = set[str]()
    for other in re.findall(r"<(\w+)>", rules[name]):
        found |= {other} | _reachable(rules, other)
    return found


def _sentences(node: Node) -> Iterator[str]:
    """Every sentence of a small tree without slots."""
    match node:
        case Word():
            yield node.text
            if " ".join(node.expanded) != node.text:
                yield " ".join(node.expanded)
        case Rule():
            yield from _sentences(node.node)
        case Choice():
            for part in node.parts:
                yield from _sentences(part)
        case Row(parts=()):
            yield ""
        case Row():
            for head in _sentences(node.parts[0]):
                for rest in _sentences(Row(node.parts[1:])):
                    yield f"{head} {rest}".strip()
