"""Korean words for numbers and sums, and the particles that depend on how a word ends."""

import re
from fractions import Fraction

from voice.engines import numbers
from voice.engines.arithmetic import Sum

DIGITS = {"영": 0, "공": 0, "일": 1, "이": 2, "삼": 3, "사": 4, "오": 5, "육": 6, "륙": 6, "칠": 7, "팔": 8, "구": 9}
SMALL = {"십": 10, "백": 100, "천": 1000}
LARGE = {"만": 10**4, "억": 10**8, "조": 10**12}
NATIVE_TENS = {"열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40, "쉰": 50, "예순": 60, "일흔": 70, "여든": 80, "아흔": 90}
NATIVE_ONES = {
    "하나": 1, "한": 1, "둘": 2, "두": 2, "셋": 3, "세": 3, "넷": 4, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
}  # fmt: skip
NUMBER = (
    r"(?:마이너스|영하|-)?(?:\d[\d,]*(?:\.\d+)?(?:[십백천만억조]+)?|[영공일이삼사오육륙칠팔구십백천만억조]+(?:점[영공일이삼사오육륙칠팔구]+)?"
    r"|(?:열|스물|스무|서른|마흔|쉰|예순|일흔|여든|아흔)?(?:하나|한|둘|두|셋|세|넷|네|다섯|여섯|일곱|여덟|아홉)|열|스물|스무|서른|마흔|쉰|예순|일흔|여든|아흔)"
)
"""A number in Korean text without spaces, as a regular expression."""
_NATIVE = re.compile(f"({'|'.join(NATIVE_TENS)})?({'|'.join(NATIVE_ONES)})?")
_FINAL_OF_DIGIT = {"0": True, "1": True, "2": False, "3": True, "4": False, "5": False, "6": True, "7": True, "8": True, "9": False}
_SAID = {"plus": "더하기", "minus": "빼기", "times": "곱하기", "over": "나누기", "modulo": "나머지"}


def value(text: str) -> Fraction | None:
    """The number that a text without spaces means; None if it is none."""
    for sign in ("마이너스", "영하", "-"):
        if text.startswith(sign):
            number = value(text.removeprefix(sign))
            return None if number is None else -number
    text = text.replace(",", "")
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return Fraction(text)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([십백천만억조]+)", text, re.ASCII)
    if found:
        scale = _sino(found[2])
        return None if scale is None else Fraction(found[1]) * scale
    native = _NATIVE.fullmatch(text)
    if native and text:
        return Fraction(NATIVE_TENS.get(native[1] or "", 0) + NATIVE_ONES.get(native[2] or "", 0))
    whole, point, tail = text.partition("점")
    number_ = _sino(whole)
    if number_ is None or (point and not tail):
        return None
    return number_ + (Fraction(int("".join(str(DIGITS[d]) for d in tail)), 10 ** len(tail)) if point else Fraction(0))


def _sino(text: str) -> int | None:
    """ "이백삼십" -> 230; None where the order of the scales is broken."""
    if text and all(letter in DIGITS for letter in text):
        return DIGITS[text] if len(text) == 1 else None
    total = group = digit = 0
    for letter in text:
        if letter in DIGITS:
            if digit:
                return None
            digit = DIGITS[letter]
        elif letter in SMALL:
            group, digit = group + (digit or 1) * SMALL[letter], 0
        elif letter in LARGE:
            total, group, digit = total + ((group + digit) or 1) * LARGE[letter], 0, 0
        else:
            return None
    return total + group + digit if text else None


def ends_in_consonant(text: str) -> bool:
    """Whether the last sound of a text is a consonant, digits read in Korean."""
    last = text[-1:]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28 > 0
    return _FINAL_OF_DIGIT.get(last, False)


def with_topic(text: str) -> str:
    """With its topic particle: "5는", "3은"."""
    return text + ("은" if ends_in_consonant(text.rstrip(")")) else "는")


def number_text(number: Fraction) -> str:
    """In digits: "16.09", "마이너스 3", "3분의 1"."""
    sign = "마이너스 " if number < 0 else ""
    whole = numbers.text(abs(number)) if numbers.is_finite(number, 12) else f"{number.denominator}분의 {abs(number.numerator)}"
    return sign + whole


def sum_said(sum_: Sum, outer: bool = True) -> str:
    """A sum in Korean: "3 더하기 5", "16의 제곱근", "200의 10퍼센트"."""
    match sum_:
        case Sum(op=""):
            return number_text(sum_.number)
        case Sum(op="minus", args=(inner,)):
            return f"마이너스 {sum_said(inner, False)}"
        case Sum(op="square root", args=(inner,)):
            return f"{sum_said(inner, False)}의 제곱근"
        case Sum(op="cube root", args=(inner,)):
            return f"{sum_said(inner, False)}의 세제곱근"
        case Sum(op="squared", args=(inner,)):
            return f"{sum_said(inner, False)}의 제곱"
        case Sum(op="cubed", args=(inner,)):
            return f"{sum_said(inner, False)}의 세제곱"
        case Sum(op="factorial" | "twice" | "triple" as op, args=(inner,)):
            return {"factorial": "{}의 계승", "twice": "{}의 두 배", "triple": "{}의 세 배"}[op].format(sum_said(inner, False))
        case Sum(op="percent", args=(part, whole)):
            return f"{sum_said(whole, False)}의 {sum_said(part, False)}퍼센트"
        case Sum(op="power", args=(base, exponent)):
            return f"{sum_said(base, False)}의 {sum_said(exponent, False)}제곱"
    left, right = sum_.args
    body = f"{sum_said(left, left.op in _SAME.get(sum_.op, ()))} {_SAID[sum_.op]} {sum_said(right, False)}"
    return body if outer else f"({body})"


_SAME = {
    "plus": ("plus", "minus", "times", "over"),
    "minus": ("plus", "minus", "times", "over"),
    "times": ("times", "over"),
    "over": ("times", "over"),
}
"""Left operands that need no brackets."""
