"""Numbers as people say and type them, and back to text for the ear.

Exact: every value is a `Fraction`, so "0.1 plus 0.2" is 0.3. Words and digits may be mixed ("2 and a half million").
"""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

ONES = {w: n for n, w in enumerate("zero one two three four five six seven eight nine".split())}
TEENS = {w: n for n, w in enumerate("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(), 10)}
TENS = {w: n * 10 for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)} | {"fourty": 40}
SCALES = {"thousand": 10**3, "k": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5, "fifths": 5, "tenth": 10, "tenths": 10}
DIGITS = ONES | {"oh": 0, "o": 0}
SIGNS = {"minus", "negative", "-"}
OTHER = {"and", "a", "an", "point", "dot", "hundred", "dozen", "couple", "of", "/"}
KNOWN = {*ONES, *TEENS, *TENS, *SCALES, *PARTS, *SIGNS, *OTHER, "oh"}

LONGEST = 18
"""Words of the longest number that is read: "minus nine hundred and ninety nine thousand nine hundred and ninety nine point one two three" has 17."""
LIMIT = 10**15
"""Numbers from here on are refused: nobody can follow them by ear."""


def is_digits(word: str) -> bool:
    """Whether it is a number in digits: "12", "3.5"."""
    return word[:1].isdecimal() and word.isascii()


def spans(words: Sequence[str], i: int) -> Iterator[tuple[int, Fraction]]:
    """Every number that begins at word `i`, the longest first: (index behind it, value)."""
    stop = i
    while stop < min(len(words), i + LONGEST) and (words[stop] in KNOWN or is_digits(words[stop])):
        stop += 1
    for end in range(stop, i, -1):
        number = value(words[i:end])
        if number is not None:
            yield end, number


def value(words: Sequence[str]) -> Fraction | None:
    """What the words mean as one number; None if they are not exactly one."""
    if len(words) > 1 and words[0] in SIGNS:
        number = _positive(words[1:])
        return None if number is None else -number
    return _positive(words)


def _positive(words: Sequence[str]) -> Fraction | None:
    match list(words):
        case []:
            return None
        case [*whole, "and", "a", part] if part in PARTS and whole:
            return _mixed(whole, Fraction(1, PARTS[part]))
        case [*whole, "and", count, part] if part in PARTS and whole and count in ONES:
            return _mixed(whole, Fraction(ONES[count], PARTS[part]))
        case [whole, above, "/", below] if all(w.isdecimal() for w in (whole, above, below)):
            return _mixed([whole], Fraction(int(above), int(below))) if int(below) else None
        case [above, "/", below] if above.isdecimal() and below.isdecimal() and int(below):
            return Fraction(int(above), int(below))
        case ["half"] | ["a", "half"] | ["half", "a" | "an"] | ["half", "of", "a" | "an"]:
            return Fraction(1, 2)
        case ["a" | "one", part] if part in PARTS:
            return Fraction(1, PARTS[part])
        case ["quarter" | "third", "of", "a" | "an"]:
            return Fraction(1, PARTS[words[0]])
        case ["a", part, "of", "a" | "an"] if part in PARTS:
            return Fraction(1, PARTS[part])
        case [count, part] if part in PARTS and count in ONES:
            return Fraction(ONES[count], PARTS[part])
        case ["a" | "one", "and", "a", "half"]:
            return Fraction(3, 2)
        case ["a", "couple"] | ["a", "couple", "of"] | ["couple"]:
            return Fraction(2)
        case ["half", "a", "dozen"]:
            return Fraction(6)
        case [*count, "dozen"]:
            many = Fraction(1) if count in ([], ["a"]) else _plain(count)
            return None if many is None else many * 12
    return _plain(words)


def _mixed(whole: Sequence[str], part: Fraction) -> Fraction | None:
    """ "two" and a half; "two and a half million" is read by `_plain`."""
    number = _plain(whole)
    return number + part if number is not None and number.denominator == 1 and part < 1 else None


def _plain(words: Sequence[str]) -> Fraction | None:
    """A whole or decimal number, perhaps with a scale behind it: "two point five million", "3.5 k"."""
    words = list(words)
    if len(words) > 1 and words[-1] in SCALES:
        many = _decimal(words[:-1])
        if many is not None and (many.denominator > 1 or is_digits(words[0])):
            return many * SCALES[words[-1]]
        if words[-4:-1] == ["and", "a", "half"]:
            many = _mixed(words[:-4], Fraction(1, 2))
            return None if many is None else many * SCALES[words[-1]]
    return _decimal(words)


def _decimal(words: Sequence[str]) -> Fraction | None:
    words = ["point" if w == "dot" else w for w in words]
    if len(words) == 1 and is_digits(words[0]):
        return Fraction(words[0])
    if "point" not in words:
        whole = _whole(words)
        return None if whole is None else Fraction(whole)
    at = words.index("point")
    whole = _whole(words[:at]) if at else 0
    digits = [DIGITS[w] for w in words[at + 1 :] if w in DIGITS]
    if whole is None:
        return None
    if len(digits) == len(words) - at - 1 and digits:
        return whole + Fraction(int("".join(map(str, digits))), 10 ** len(digits))
    tail = _below_hundred(words[at + 1 :])  # "three point twenty five"
    return None if tail is None or tail < 10 else whole + Fraction(tail, 100)


def _whole(words: Sequence[str]) -> int | None:
    """Groups in front of falling scales: "two million three hundred and five thousand and six"."""
    total, above, group = 0, LIMIT, list[str]()
    for word in words:
        scale = SCALES.get(word)
        if scale is None:
            group.append(word)
            continue
        many = 1 if group == ["a"] else _below_thousand(group)
        if many is None or scale >= above:
            return None
        total, above, group = total + many * scale, scale, []
    if not group:
        return total if total else None
    if total and group[0] == "and":
        group = group[1:]
    rest = _below_thousand(group)
    return None if rest is None or (total and rest == 0) or (total and is_digits(group[0])) else total + rest


def _below_thousand(words: Sequence[str]) -> int | None:
    if len(words) == 1 and words[0].isdecimal() and words[0].isascii():
        return int(words[0])
    if "hundred" not in words:
        return _below_hundred(words)
    at = list(words).index("hundred")
    hundreds = 1 if list(words[:at]) in ([], ["a"], ["one"]) else _below_hundred(words[:at])
    if not hundreds:
        return None
    rest = words[at + 1 :]
    if not rest:
        return hundreds * 100
    tail = _below_hundred(rest[1:] if rest[0] == "and" else rest)
    return hundreds * 100 + tail if tail else None


def _below_hundred(words: Sequence[str]) -> int | None:
    match list(words):
        case [word] if word.isdecimal() and word.isascii():
            return int(word)
        case [word]:
            return (ONES | TEENS | TENS).get(word)
        case [tens, ones] if tens in TENS and ONES.get(ones):
            return TENS[tens] + ONES[ones]
    return None


def rounded(number: Fraction, places: int) -> Fraction:
    """Rounded to so many places behind the point, halves away from zero, as people learn it at school."""
    scaled = abs(number) * 10**places
    whole = (scaled.numerator * 2 + scaled.denominator) // (scaled.denominator * 2)
    return Fraction(whole if number >= 0 else -whole, 10**places)


def significant(number: Fraction, figures: int) -> Fraction:
    """Rounded to so many significant figures."""
    if not number:
        return number
    with localcontext() as context:
        context.prec, context.rounding = figures, ROUND_HALF_UP
        return Fraction(Decimal(number.numerator) / Decimal(number.denominator))


def is_finite(number: Fraction, places: int) -> bool:
    """Whether it has at most so many places behind the point."""
    return bool((number * 10**places).denominator == 1)


def text(number: Fraction) -> str:
    """In digits, made for the ear: "16.09", "minus 3"; `number` has a finite decimal form of at most 12 places."""
    sign = "minus " if number < 0 else ""
    number = abs(rounded(number, 12))
    whole, rest = divmod(number.numerator, number.denominator)
    if not rest:
        return f"{sign}{whole}"
    digits = f"{rest * 10**12 // number.denominator:012d}".rstrip("0")
    return f"{sign}{whole}.{digits}"
