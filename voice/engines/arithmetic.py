"""Sums in words or signs: read by precedence climbing, and said again in words. `reckoning.py` works them out.

"two plus three times four" is two plus twelve, as at school.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from voice.engines import numbers
from voice.engines.words import Words

_T = TypeVar("_T")

LONGEST = 60
"""Words of a sum: more cannot be followed by ear, and it bounds how deep brackets can be."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A number (`op` "") or an operation on one or two sums."""

    op: str
    args: tuple["Sum", ...] = ()
    number: Fraction = Fraction(0)


_BINARY: tuple[tuple[tuple[str, ...], str, int], ...] = (
    (("to", "the", "power", "of"), "power", 4),
    (("raised", "to", "the", "power", "of"), "power", 4),
    (("raised", "to"), "power", 4),
    (("to", "the", "power"), "power", 4),
    (("*", "*"), "power", 4),
    (("^",), "power", 4),
    (("divided", "by"), "over", 2),
    (("divide", "by"), "over", 2),
    (("multiplied", "by"), "times", 2),
    (("multiplied", "with"), "times", 2),
    (("multiply", "by"), "times", 2),
    (("times",), "times", 2),
    (("x",), "times", 2),
    (("*",), "times", 2),
    (("/",), "over", 2),
    (("over",), "over", 2),
    (("modulo",), "modulo", 2),
    (("mod",), "modulo", 2),
    (("added", "to"), "plus", 1),
    (("plus",), "plus", 1),
    (("+",), "plus", 1),
    (("minus",), "minus", 1),
    (("take", "away"), "minus", 1),
    (("less",), "minus", 1),
    (("-",), "minus", 1),
)
_PREFIX: tuple[tuple[tuple[str, ...], str], ...] = (
    (("square", "root", "of"), "square root"),
    (("square", "root"), "square root"),
    (("root", "of"), "square root"),
    (("sqrt", "of"), "square root"),
    (("sqrt",), "square root"),
    (("\u221a",), "square root"),
    (("cube", "root", "of"), "cube root"),
    (("cubic", "root", "of"), "cube root"),
    (("square", "of"), "squared"),
    (("cube", "of"), "cubed"),
    (("factorial", "of"), "factorial"),
    (("twice",), "twice"),
    (("double",), "twice"),
    (("triple",), "triple"),
)
_POSTFIX: tuple[tuple[tuple[str, ...], str], ...] = ((("squared",), "squared"), (("cubed",), "cubed"), (("factorial",), "factorial"))
_ORDINALS = {w: n for n, w in enumerate("second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), 2)}
_OF_HUNDRED = (("percent", "of"), ("%", "of"), ("per", "cent", "of"), ("percent", "times"), ("%", "*"), ("%", "times"))
_SAID = {
    "plus": "plus",
    "minus": "minus",
    "times": "times",
    "over": "divided by",
    "power": "to the power of",
    "modulo": "modulo",
    "percent": "percent of",
}
_RANK = {"plus": 1, "minus": 1, "times": 2, "over": 2, "modulo": 2, "percent": 3, "power": 4}


def read(words: Words, i: int) -> Iterator[tuple[int, Sum]]:
    """The longest sum that begins at word `i`, with at least one operation: (index behind it, sum)."""
    found = _expression(words.texts[: i + LONGEST], i, 1)
    if found is not None and found[1].op:
        yield found


def number(value: Fraction) -> Sum:
    """A number as a sum."""
    return Sum("", (), value)


def _expression(words: tuple[str, ...], i: int, rank: int) -> tuple[int, Sum] | None:
    found = _operand(words, i)
    while found is not None:
        at, left = found
        op = _starts(words, at, tuple((mark, (name, level)) for mark, name, level in _BINARY if level >= rank))
        if op is None:
            return found
        behind, (name, level) = op
        right = _expression(words, behind, level if name == "power" else level + 1)
        if right is None:
            return found
        found = right[0], Sum(name, (left, right[1]))
    return None


def _operand(words: tuple[str, ...], i: int) -> tuple[int, Sum] | None:
    if i < len(words) and words[i] == "the":
        i += 1
    found = _atom(words, i)
    if found is None:
        return None
    at, left = found
    while True:
        if (post := _starts(words, at, _POSTFIX)) is not None:
            at, left = post[0], Sum(post[1], (left,))
        elif (power := _ordinal_power(words, at)) is not None:
            at, left = power[0], Sum("power", (left, number(Fraction(power[1]))))
        else:
            break
    for mark in _OF_HUNDRED:
        if words[at : at + len(mark)] == mark and (right := _operand(words, at + len(mark))) is not None:
            return right[0], Sum("percent", (left, right[1]))
    if words[at : at + 1] == ("of",) and not left.op and left.number.denominator > 1:
        right = _operand(words, at + 1)
        return found if right is None else (right[0], Sum("times", (left, right[1])))
    return at, left


def _ordinal_power(words: tuple[str, ...], i: int) -> tuple[int, int] | None:
    """ "to the third [power]": (index behind it, 3)."""
    if words[i : i + 2] != ("to", "the") or i + 2 >= len(words):
        return None
    exponent, end = _ORDINALS.get(words[i + 2]), i + 3
    if exponent is None and words[i + 2].isdecimal() and words[i + 3 : i + 4] in (("nd",), ("rd",), ("th",)):
        exponent, end = int(words[i + 2]), i + 4
    return None if exponent is None else (end + (words[end : end + 1] == ("power",)), exponent)


def _atom(words: tuple[str, ...], i: int) -> tuple[int, Sum] | None:
    if i >= len(words):
        return None
    if words[i] == "(":
        inner = _expression(words, i + 1, 1)
        return (inner[0] + 1, inner[1]) if inner is not None and words[inner[0] : inner[0] + 1] == (")",) else None
    if words[i] in numbers.SIGNS:
        inner = _expression(words, i + 1, 4)  # as on paper: -3 squared is -9
        if inner is None:
            return None
        return inner[0], number(-inner[1].number) if not inner[1].op else Sum("minus", (inner[1],))
    prefix = _starts(words, i, _PREFIX)
    if prefix is not None:
        inner = _atom(words, prefix[0])
        return None if inner is None else (inner[0], Sum(prefix[1], (inner[1],)))
    for end, value in numbers.spans(words, i):
        # "half of a" is a number, but not in "half of a hundred".
        if "/" not in words[i:end] and not (end < len(words) and (words[end] == "hundred" or words[end] in numbers.SCALES)):
            return end, number(value)
    return None


def _starts(words: tuple[str, ...], i: int, marks: tuple[tuple[tuple[str, ...], _T], ...]) -> tuple[int, _T] | None:
    for mark, meaning in marks:
        if words[i : i + len(mark)] == mark:
            return i + len(mark), meaning
    return None


def said(sum_: Sum, rank: int = 0) -> str:
    """In words, with brackets only where the order needs them: "(2 plus 3) times 4"."""
    match sum_:
        case Sum(op=""):
            return fraction(sum_.number)
        case Sum(op="minus", args=(inner,)):
            return f"minus {said(inner, 4)}"
        case Sum(op="squared" | "cubed" | "factorial" as op, args=(inner,)):
            return f"{said(inner, 5)} {op}"
        case Sum(op="square root" | "cube root" as op, args=(inner,)):
            return f"the {op} of {said(inner, 5)}"
        case Sum(op="twice" | "triple" as op, args=(inner,)):
            return f"{op} {said(inner, 5)}"
    left, right = sum_.args
    mine = _RANK[sum_.op]
    body = f"{said(left, mine)} {_SAID[sum_.op]} {said(right, mine + 1)}"
    return f"({body})" if mine < rank else body


def fraction(value: Fraction) -> str:
    """A number as text; one without a finite decimal form as a fraction: "1 over 3"."""
    return numbers.text(value) if numbers.is_finite(value, 6) else f"{numbers.text(Fraction(value.numerator))} over {value.denominator}"
