"""A grammar in JSGF as the smallest network of words that has the same sentences.

pocketsphinx copies a rule into every place that names it, and searches each copy. Here sentences share their beginnings and their ends: the
skills' grammar has 790 states and 10,600 arcs, and takes a third of the memory in the decoder (25 MB instead of 72 at 8,100 arcs), an eighth of the time.
First a network with empty arcs (Thompson's construction), then sets of its states (Rabin and Scott), then states with the same future
are made one, which is a single walk as nothing repeats.

Called by the recogniser's child. JSGF is taken with weights, without tags, quotes, imports and repetition: https://www.w3.org/TR/jsgf/
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_MARK = re.compile(r"\s*(<[\w.]+>|[\[\]()|]|/\d*\.?\d+/|[\w'.-]+)")
_RULE = re.compile(r"\s*(public\s+)?<([\w.]+)>\s*=(.*)", re.DOTALL)

State = int
Arc = tuple[State, State, float] | tuple[State, State, float, str]
"""From, to, probability, and the word unless the arc is empty: what `Decoder.create_fsg` takes."""


@dataclass(frozen=True, slots=True)
class Network:
    """Sentences are the ways from `start` to `final`. States are numbered from 0 on."""

    start: State
    final: State
    arcs: tuple[Arc, ...]
    """Those that leave a state have a probability of one together."""

    @property
    def words(self) -> frozenset[str]:
        """Every word of every sentence."""
        return frozenset(arc[3] for arc in self.arcs if len(arc) == 4)


class Paths:
    """The sentences of a network, to look them up."""

    def __init__(self, network: Network) -> None:
        self._start = network.start
        self._ways = {(arc[0], arc[3]): arc[1] for arc in network.arcs if len(arc) == 4}
        self._ends = {arc[0] for arc in network.arcs if len(arc) == 3}

    def whole(self, words: Sequence[str]) -> bool:
        """Whether the words are a sentence, not only the beginning of one or none."""
        state: State | None = self._start
        for word in words:
            state = self._ways.get((state, word)) if state is not None else None
        return state in self._ends


def network(jsgf: str) -> Network:
    """The grammar's network; the same text gives the same network. Raises: ValueError if the text is not understood."""
    rough = _Rough(*_rules(jsgf))
    rows = _sets(rough)
    same: dict[tuple[bool, tuple[tuple[str, State], ...]], State] = {}
    numbers: dict[State, State] = {}
    for number in _last_first(rows):
        ends, row = rows[number]
        future = (ends, tuple(sorted((word, numbers[to]) for word, to in row.items())))
        numbers[number] = same.setdefault(future, len(same))
    final, arcs = len(same), list[Arc]()
    chances = _chances(rough, rows, numbers)
    for (ends, ways), state in same.items():
        arcs += [(state, to, chances[state, word], word) for word, to in ways]
        if ends:
            arcs.append((state, final, chances[state, ""]))
    return Network(numbers[0], final, tuple(arcs))


def _chances(rough: "_Rough", rows: "_Rows", numbers: Mapping[State, State]) -> Mapping[tuple[State, str], float]:
    """The probability of each word (or of the end, "") behind each state of the smallest network: the share of it among
    all sentences that come through there, if they are said as often as the text's weights have it.
    """
    flows, chances = dict[State, dict[State, float]](), dict[tuple[State, str], float]()
    flows[0] = dict(rough.spread(0))
    for number in reversed(_last_first(rows)):
        for state, flow in flows.pop(number).items():
            words = rough.named[state] or [("", state)]
            for word, to in words:
                chances[numbers[number], word] = chances.get((numbers[number], word), 0.0) + flow / len(words)
                if word:
                    there = flows.setdefault(rows[number][1][word], {})
                    for each, share in rough.spread(to).items():
                        there[each] = there.get(each, 0.0) + flow * share / len(words)
    totals = dict[State, float]()
    for (state, _), chance in chances.items():
        totals[state] = totals.get(state, 0.0) + chance
    return {(state, word): chance / totals[state] for (state, word), chance in chances.items()}


def _rules(jsgf: str) -> tuple[dict[str, list[str]], str]:
    """Each rule's body as marks, and the name of the public one."""
    lines = [line for line in jsgf.splitlines() if not re.match(r"\s*(#JSGF\b|grammar\b)", line)]
    rules, public = dict[str, list[str]](), ""
    for statement in "\n".join(lines).split(";"):
        if not statement.strip():
            continue
        found = _RULE.fullmatch(statement)
        if found is None:
            raise ValueError(f"no rule of a grammar: {statement.strip()!r}")
        body = found[3].strip()
        rules[found[2]] = _MARK.findall(body)
        if "".join(rules[found[2]]) != re.sub(r"\s+", "", body):
            raise ValueError(f"rule <{found[2]}> has something that is not understood: {body!r}")
        public = public or (found[2] if found[1] else "")
    if not public:
        raise ValueError("a grammar needs a public rule")
    return rules, public


@dataclass(slots=True)
class _Rough:
    """States with empty arcs between them, as they come from the text. State 0 is the start."""

    rules: Mapping[str, list[str]]
    public: str
    empty: list[list[tuple[State, float]]] = field(default_factory=list)
    """Where each state leads without a word, and the weight of that."""
    named: list[list[tuple[str, State]]] = field(default_factory=list)
    spreads: dict[State, Mapping[State, float]] = field(default_factory=dict)
    final: State = 0

    def __post_init__(self) -> None:
        self.final = self._rule(self.public, self._state(), ())

    def spread(self, state: State) -> Mapping[State, float]:
        """The states that are reached without a word and from which something happens, and the share that goes to each."""
        if state not in self.spreads:
            if len(self.empty[state]) == 1:
                self.spreads[state] = self.spread(self.empty[state][0][0])  # the same object: a copy for each took 12 MB
                return self.spreads[state]
            found = {} if self.empty[state] or not (self.named[state] or state == self.final) else {state: 1.0}
            whole = sum(weight for _, weight in self.empty[state])
            for to, weight in self.empty[state]:
                for each, share in self.spread(to).items():
                    found[each] = found.get(each, 0.0) + share * weight / whole
            self.spreads[state] = found
        return self.spreads[state]

    def _state(self, *before: State) -> State:
        self.empty.append([])
        self.named.append([])
        for state in before:
            self.empty[state].append((len(self.empty) - 1, 1.0))
        return len(self.empty) - 1

    def _rule(self, name: str, start: State, above: tuple[str, ...]) -> State:
        if name in above or name not in self.rules:
            raise ValueError(f"rule <{name}> {'names itself' if name in above else 'is not there'}")
        end, at = self._choice(self.rules[name], 0, start, (*above, name))
        if at != len(self.rules[name]):
            raise ValueError(f"rule <{name}> has an unbalanced {self.rules[name][at]!r}")
        return end

    def _choice(self, marks: list[str], at: int, start: State, above: tuple[str, ...]) -> tuple[State, int]:
        """Marks up to a closing one or the end: (state behind them, index of the closing mark)."""
        end, now = self._state(), self._state(start)
        while at < len(marks) and marks[at] not in ("]", ")"):
            mark = marks[at]
            if mark == "|":
                self.empty[now].append((end, 1.0))
                now = self._state(start)
            elif mark[0] == "/":
                if self.empty[start][-1][0] != now or not float(mark.strip("/")):
                    raise ValueError(f"the weight {mark} in rule <{above[-1]}> is not at the beginning of an alternative, or nothing")
                self.empty[start][-1] = (now, float(mark.strip("/")))
            elif mark in ("[", "("):
                begin = self._state(now)
                now, at = self._choice(marks, at + 1, begin, above)
                if at == len(marks) or mark + marks[at] not in ("[]", "()"):
                    raise ValueError(f"{mark!r} in rule <{above[-1]}> is not closed")
                if mark == "[":
                    self.empty[begin].append((now, 1.0))
            elif mark[0] == "<":
                now = self._rule(mark[1:-1], self._state(now), above)
            else:
                to = self._state()
                self.named[now].append((mark, to))
                now = to
            at += 1
        self.empty[now].append((end, 1.0))
        return end, at


_Rows = dict[State, tuple[bool, dict[str, State]]]
"""Of each state: whether a sentence may end here, and where each word leads."""


def _sets(rough: _Rough) -> _Rows:
    """A network with one way at most for each word: its states are sets of rough ones, 0 is the start."""
    closures = {state: frozenset(rough.spread(state)) for state in (0, *(to for named in rough.named for _, to in named))}
    numbers, rows = {closures[0]: 0}, _Rows()
    todo = [closures[0]]
    while todo:
        here = todo.pop()
        ways = dict[str, set[State]]()
        for state in sorted(here):
            for word, to in rough.named[state]:
                ways.setdefault(word, set()).update(closures[to])
        row = dict[str, State]()
        for word, there in ways.items():
            to_set = frozenset(there)
            if to_set not in numbers:
                numbers[to_set] = len(numbers)
                todo.append(to_set)
            row[word] = numbers[to_set]
        rows[numbers[here]] = (rough.final in here, row)
    return rows


def _last_first(rows: _Rows) -> list[State]:
    """The states in an order in which each comes after all that it leads to."""
    done, order, stack = set[State](), list[State](), [(0, False)]
    while stack:
        state, left = stack.pop()
        if left:
            order.append(state)
        elif state not in done:
            done.add(state)
            stack.append((state, True))
            stack += [(to, False) for to in rows[state][1].values() if to not in done]
    return order
