"""Which language a sentence is to be spoken in, told by its letters.

Pure. A script tells a language for certain only where one language has it to itself (Hangul, Thai); for the others it tells the one that
most people write with it. Latin letters tell nothing: they are taken for what is spoken in the conversation anyhow.
"""

import re

LATIN = "en"
_SCRIPTS = {
    "ko": re.compile(r"[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]"),
    "ja": re.compile(r"[\u3041-\u30ff\uff66-\uff9d]"),
    "zh": re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "ar": re.compile(r"[\u0620-\u064a\u066e-\u06d3]"),
    "he": re.compile(r"[\u05d0-\u05ea]"),
    "el": re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]"),
    "hi": re.compile(r"[\u0904-\u0939]"),
    "th": re.compile(r"[\u0e01-\u0e3a]"),
}
_LETTER = re.compile(r"[^\W\d_]")
LONGEST = 400
"""Letters looked at: no sentence is longer."""


def language_of(text: str, latin: str = LATIN, unclear: str | None = None) -> str:
    """BCP 47 code of the language to speak a sentence in.

    `latin`: for Latin letters; `unclear`: for a sentence without letters ("10:30"), by default `latin`.
    A third of the letters decides, so a foreign name makes no foreign sentence, and Korean stays Korean between English words.
    """
    text = text[:LONGEST]
    if text.isascii():
        return latin if _LETTER.search(text) else unclear or latin
    letters = len(_LETTER.findall(text))
    if not letters:
        return unclear or latin
    counts = {language: len(script.findall(text)) for language, script in _SCRIPTS.items()}
    if counts["ja"] * 6 >= counts["zh"] + counts["ja"] > 0 and counts["ja"]:
        # Japanese is Han and kana together; Chinese has no kana.
        counts["ja"], counts["zh"] = counts["ja"] + counts["zh"], 0
    language, most = max(counts.items(), key=lambda item: item[1])
    return language if most * 3 >= letters and most else latin
