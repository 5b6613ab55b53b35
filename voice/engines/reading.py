"""How numbers, units, signs and addresses are read, for each language that has rules: pairs of pattern and replacement.

Pure. The rules of a language run in order over one sentence. A synthesiser reads plain numbers well by itself; what it
reads wrongly, or letter by letter, is put in words here: "$2.10", "5 km", "-3", "10:05", "1/2", "www.example.com".
"""

import re
from collections.abc import Callable, Sequence

from voice.engines.wording import MONTHS

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_ADDRESS = re.compile(
    r"\bhttps?://(?:www\.)?([\w.-]{1,100})(?::\d+)?(?:[/?#][^\s<>]*[^\s<>.,;:!?)'])?/?|\bwww\.([\w.-]{1,100})(?:/[^\s<>]*[^\s<>.,;:!?)'])?"
)
_MAIL = re.compile(r"\b([\w.+-]{1,64})@([\w-]{1,64}(?:\.[\w-]{1,64}){1,5})\b")


def _dotted(dot: str, at: str) -> list[Rule]:
    """Addresses as they are said: the host of a link, both parts of a mail address."""

    def host(match: re.Match[str]) -> str:
        return (match.group(1) or match.group(2)).strip(".").replace(".", f" {dot} ")

    def mail(match: re.Match[str]) -> str:
        return f"{match.group(1)} {at} {match.group(2)}".replace(".", f" {dot} ")

    return [(_ADDRESS, host), (_MAIL, mail)]


def _rules(*pairs: tuple[str, str | Callable[[re.Match[str]], str]]) -> list[Rule]:
    return [(re.compile(pattern), put) for pattern, put in pairs]


def _is_one(number: str) -> bool:
    return number.replace(",", "") in {"1", "1.0"}


_UNITS = {
    "km/h": ("kilometer per hour", "kilometers per hour"), "mph": ("mile per hour", "miles per hour"), "m/s": ("meter per second", "meters per second"),
    "km": ("kilometer", "kilometers"), "cm": ("centimeter", "centimeters"), "mm": ("millimeter", "millimeters"), "m": ("meter", "meters"),
    "mi": ("mile", "miles"), "ft": ("foot", "feet"), "yd": ("yard", "yards"), "kg": ("kilogram", "kilograms"), "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"), "lbs": ("pound", "pounds"), "lb": ("pound", "pounds"), "oz": ("ounce", "ounces"), "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"), "l": ("liter", "liters"), "L": ("liter", "liters"), "°C": ("degree Celsius", "degrees Celsius"),
    "℃": ("degree Celsius", "degrees Celsius"), "°F": ("degree Fahrenheit", "degrees Fahrenheit"), "℉": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"), "ms": ("millisecond", "milliseconds"), "hrs": ("hour", "hours"), "hr": ("hour", "hours"), "h": ("hour", "hours"),
    "min": ("minute", "minutes"), "secs": ("second", "seconds"), "sec": ("second", "seconds"), "s": ("second", "seconds"),
    "kHz": ("kilohertz", "kilohertz"), "MHz": ("megahertz", "megahertz"), "GHz": ("gigahertz", "gigahertz"), "Hz": ("hertz", "hertz"),
    "kW": ("kilowatt", "kilowatts"), "W": ("watt", "watts"), "V": ("volt", "volts"), "kB": ("kilobyte", "kilobytes"), "KB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"), "TB": ("terabyte", "terabytes"),
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_COINS = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yen", ""), "₩": ("won", "")}
_FRACTIONS = {"½": "one half", "¼": "one quarter", "¾": "three quarters", "⅓": "one third", "⅔": "two thirds"}
_SIGNS = {
    "+": "plus", "×": "times", "*": "times", "x": "times", "÷": "divided by", "/": "divided by", "=": "equals", "<": "is less than",
    ">": "is greater than", "≤": "is at most", "≥": "is at least", "≠": "is not", "≈": "is about", "±": "plus or minus",
    "-": "minus", "−": "minus", "–": "minus", "^": "to the power of", "**": "to the power of", "==": "equals",
}  # fmt: skip


def _unit(match: re.Match[str]) -> str:
    number, unit = match.group(1), match.group(2)
    return f"{number} {_UNITS[unit][0 if _is_one(number) else 1]}"


def _plural(word: str) -> str:
    return {"penny": "pence", "yen": "yen", "won": "won"}.get(word, word + "s")


def _money(match: re.Match[str]) -> str:
    coin, small = _COINS[match.group(1)]
    whole, part, scale = match.group(2), match.group(3), match.group(4)
    if scale:
        return f"{whole}{'.' + part if part else ''} {scale} {_plural(coin)}"
    if part and (len(part) != 2 or not small):
        return f"{whole}.{part} {_plural(coin)}"
    words = [] if part and not whole.strip("0,") and part.strip("0") else [f"{whole} {coin if _is_one(whole) else _plural(coin)}"]
    if part and part.strip("0"):
        words.append(f"{int(part)} {small if int(part) == 1 else _plural(small)}")
    return " and ".join(words)


def _clock(match: re.Match[str]) -> str:
    hour, minute, second, half = int(match.group(1)), match.group(2), match.group(3), match.group(4)
    if hour > 24:
        return match.group()
    said = f"{hour} {'' if minute == '00' else minute if minute[0] != '0' else 'oh ' + minute[1]}".rstrip()
    if second:
        said += f" and {int(second)} second{'' if int(second) == 1 else 's'}"
    if half:
        return f"{said} {half[0].upper()} M"
    return said if minute != "00" or second else f"{said} o'clock"


def _date(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    return f"{MONTHS[int(month) - 1]} {int(day)}, {year}" if 1 <= int(month) <= 12 else match.group()


def _fraction(match: re.Match[str]) -> str:
    above, below = int(match.group(1)), int(match.group(2))
    if (above, below) in {(24, 7), (50, 50)}:
        return f"{above} {below}"
    name = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 8: "eighth", 10: "tenth"}.get(below)
    if name is None or not 0 < above < below:
        return f"{above} over {below}"
    return f"{above} {name if above == 1 else name + 's'}"


def _spaced(match: re.Match[str]) -> str:
    return " ".join(match.group().replace("-", ", "))


def _sign(match: re.Match[str]) -> str:
    return f"{match.group(1)} {_SIGNS[match.group(2)]} "


_ENGLISH = [
    *_dotted("dot", "at"),
    *_rules(
        (r"(?i)\be\.g\.", "for example"),
        (r"(?i)\bi\.e\.", "that is"),
        (r"(?i)\betc\b\.?", "et cetera"),
        (r"(?i)\bvs\b\.?", "versus"),
        (r"(?i)\bapprox\.", "approximately"),
        (r"\bNo\. ?(?=\d)|№ ?(?=\d)|#(?=\d)", "number "),
        (r"\b(\d{4})-(\d\d)-(\d\d)\b", _date),
        (r"\b(\d{1,2}):([0-5]\d)(?::([0-5]\d))?(?: ?([AaPp])\.? ?[Mm]\b\.?)?(?![\d:])", _clock),
        (r"\b(\d{1,2}) ?([AaPp])\.? ?[Mm]\b\.?", lambda match: f"{match.group(1)} {match.group(2).upper()} M"),
        (rf"([{re.escape(''.join(_COINS))}]) ?(\d[\d,]*)(?:\.(\d+))?(?: ?(thousand|million|billion|trillion)\b)?", _money),
        (r"\b\d{3}-\d{4}\b|\b\d{3}-\d{3}-\d{4}\b", _spaced),
        (r"\b\d{16,}\b", _spaced),
        (r"\b(\d+)\.(\d+)\.(\d+)(?:\.(\d+))?\b", lambda match: match.group().replace(".", " dot ")),
        (rf"(?<![\w.])({_NUMBER}) ?({_UNIT})(?![\w/°])", _unit),
        (r"(?<=\d) ?%", " percent"),
        (r"(\d?) ?([½¼¾⅓⅔])", lambda match: f"{match.group(1)}{' and ' if match.group(1) else ''}{_FRACTIONS[match.group(2)]}"),
        (r"(?<![\d/.])(\d{1,3})/(\d{1,3})(?![\d/])", _fraction),
        (r"(?<=[\w)])²", " squared"),
        (r"(?<=[\w)])³", " cubed"),
        (r"√ ?(?=[\w(])", "the square root of "),
        (r"(?<![\w.,)])[-−–](?=\.?\d)", "minus "),
        (r"(?<![\d.-])(\d{1,4})[-–](\d{1,4})(?![\d-])", r"\1 to \2"),
        (r"([\d)%]|\b[a-z]) (\*\*|==|[-+×*x÷/=<>≤≥≠≈±−–^]) ?(?=[-−(√]?[\w.])", _sign),
        (r"(?<=(\d)) ?(\*\*|[+×*x÷^]) ?(?=[-−(]?\d)", lambda match: f" {_SIGNS[match.group(2)]} "),
        (r"(?<=[\w)]) ?= ?(?=[-−(]?\w)", " equals "),
        (r"(?<![\w.,)])[-−–](?=\.?\d)", "minus "),
        (r"(?<![\d.])\.(?=\d)", "0."),
        (r"[~≈](?= ?\d)", "about "),
        (r" ?& ?", " and "),
        (r"(?<=\w)[_/](?=\w)", " "),
        (r"(?:^|(?<= ))@(?=\w)", "at "),
        (r"°", " degrees "),
        (r"[→⇒]|->|=>", " to "),
    ),
]

_KOREAN_UNITS = {
    "km/h": "시속 킬로미터", "km": "킬로미터", "cm": "센티미터", "mm": "밀리미터", "m": "미터", "kg": "킬로그램", "mg": "밀리그램", "g": "그램",
    "ml": "밀리리터", "mL": "밀리리터", "L": "리터", "l": "리터", "°C": "도", "℃": "도", "°F": "화씨 도", "℉": "화씨 도", "°": "도",
    "GB": "기가바이트", "MB": "메가바이트", "kB": "킬로바이트", "kHz": "킬로헤르츠", "Hz": "헤르츠",
}  # fmt: skip
_KOREAN_UNIT = "|".join(sorted(map(re.escape, _KOREAN_UNITS), key=len, reverse=True))
_KOREAN_COINS = {"$": "달러", "€": "유로", "£": "파운드", "¥": "엔", "₩": "원"}
_KOREAN_SIGNS = {
    "+": "더하기",
    "-": "빼기",
    "−": "빼기",
    "–": "빼기",
    "×": "곱하기",
    "*": "곱하기",
    "x": "곱하기",
    "÷": "나누기",
    "/": "나누기",
    "=": "는",
}
_NATIVE_ONES = " 한 두 세 네 다섯 여섯 일곱 여덟 아홉".split(" ")
_NATIVE_TENS = " 열 스물 서른 마흔 쉰 예순 일흔 여든 아흔".split(" ")


def _native(number: int) -> str:
    """A Korean number before a counter, 1 to 99."""
    if number == 20:
        return "스무"
    return _NATIVE_TENS[number // 10] + _NATIVE_ONES[number % 10]


def _korean_clock(match: re.Match[str]) -> str:
    hour, minute = int(match.group(1)), int(match.group(2))
    if hour > 24:
        return match.group()
    said = f"{_native(hour) if 1 <= hour <= 12 else hour}시"
    return f"{said} {minute}분" if minute else said


def _counted(match: re.Match[str]) -> str:
    number = int(match.group(1))
    return f"{_native(number)} {match.group(2)}" if 1 <= number <= (12 if match.group(2) == "시" else 99) else match.group()


_KOREAN = [
    *_dotted("닷", "골뱅이"),
    *_rules(
        (r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)", lambda match: f"{match.group(1)}년 {int(match.group(2))}월 {int(match.group(3))}일"),
        (r"(?<!\d)(\d{1,2}):([0-5]\d)(?![\d:])", _korean_clock),
        (r"(?<![\d.,])(\d{1,2}) ?(시간|시|개|명|살|마리|잔|권|대)(?!리)", _counted),
        (rf"([{re.escape(''.join(_KOREAN_COINS))}]) ?({_NUMBER})", lambda match: f"{match.group(2)} {_KOREAN_COINS[match.group(1)]}"),
        (rf"({_NUMBER}) ?({_KOREAN_UNIT})(?![A-Za-z/°])", lambda match: f"{match.group(1)} {_KOREAN_UNITS[match.group(2)]}"),
        (r"(?<=\d) ?%", " 퍼센트"),
        (r"(?<![\w.,)])[-−–](?=\d)", "마이너스 "),
        (r"(?<=[\d)]) ?([-+×*x÷/=−–]) ?(?=[-−(]?[\d(])", lambda match: f" {_KOREAN_SIGNS[match.group(1)]} "),
        (r"(?<=\d)\.(\d+)", lambda match: f" 점 {' '.join(match.group(1))}"),
        (r"(?<=\d),(?=\d{3}(?!\d))", ""),
        (r" ?& ?", " 그리고 "),
        (r"[~≈](?= ?\d)", "약 "),
        (r"(?<=\w)[_](?=\w)", " "),
    ),
]

RULES: dict[str, Sequence[Rule]] = {"en": _ENGLISH, "ko": _KOREAN}
"""By primary language; other languages are read as they are written."""
