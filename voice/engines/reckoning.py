"""Sums worked out exactly, within bounds: what is too large to be said is not even computed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from voice.engines import numbers
from voice.engines.arithmetic import Sum

LONGEST_POWER = 4096
"""Bits of the largest power that is worked out; anything near it is too large to be said anyway."""
LARGEST_FACTORIAL = 17
"""18! has 16 digits: beyond `numbers.LIMIT`."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a sum comes to."""

    value: Fraction
    exact: bool = True


def work_out(sum_: Sum) -> Result:
    """Raises: ZeroDivisionError; ValueError for the root of a negative number; OverflowError for what is too large to say."""
    if not sum_.op:
        if abs(sum_.number) >= numbers.LIMIT:
            raise OverflowError
        return Result(sum_.number)
    args = [work_out(arg) for arg in sum_.args]
    result = _OPS[sum_.op](*(arg.value for arg in args))
    return Result(result.value, result.exact and all(arg.exact for arg in args))


def _power(base: Fraction, exponent: Fraction) -> Result:
    if exponent.denominator > 1:
        return _root(base, exponent)
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if size * abs(exponent.numerator) > LONGEST_POWER and abs(base) != 1 and base:
        raise OverflowError
    return Result(Fraction(base) ** (exponent.numerator if abs(base) != 1 else exponent.numerator % 2))


def _root(base: Fraction, exponent: Fraction) -> Result:
    """A power with a fraction for its exponent. Raises: ValueError, OverflowError."""
    if base < 0:
        raise ValueError("the root of a negative number")
    if not base:
        return Result(Fraction(0))
    with localcontext() as context:
        context.prec = 30
        found = (Decimal(base.numerator) / Decimal(base.denominator)) ** (Decimal(exponent.numerator) / Decimal(exponent.denominator))
        if abs(found.adjusted()) > 40:
            raise OverflowError
        near = numbers.rounded(Fraction(found), 12)
    exact = abs(exponent) < 1 and exponent.numerator == 1 and near**exponent.denominator == base
    return Result(near if exact else Fraction(found), exact)


def _cube_root(base: Fraction) -> Result:
    found = _root(abs(base), Fraction(1, 3))
    return Result(-found.value if base < 0 else found.value, found.exact)


def _factorial(n: Fraction) -> Result:
    if n.denominator > 1 or n < 0:
        raise ValueError("the factorial of something else than a whole number")
    if n > LARGEST_FACTORIAL:
        raise OverflowError
    return Result(Fraction(math.factorial(n.numerator)))


def _minus(*args: Fraction) -> Result:
    return Result(-args[0] if len(args) == 1 else args[0] - args[1])


_OPS: Mapping[str, Callable[..., Result]] = {
    "plus": lambda a, b: Result(a + b),
    "minus": _minus,
    "times": lambda a, b: Result(a * b),
    "over": lambda a, b: Result(a / b),
    "modulo": lambda a, b: Result(a % b),
    "percent": lambda a, b: Result(a * b / 100),
    "power": _power,
    "squared": lambda a: _power(a, Fraction(2)),
    "cubed": lambda a: _power(a, Fraction(3)),
    "twice": lambda a: Result(a * 2),
    "triple": lambda a: Result(a * 3),
    "square root": lambda a: _root(a, Fraction(1, 2)),
    "cube root": _cube_root,
    "factorial": _factorial,
}
