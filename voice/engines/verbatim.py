"""Instructions that say word for word what is to be said.

Programs send them with one response: 'Say exactly this: "One moment."'

For an engine without a language model: it cannot follow instructions, but it can read aloud. Pure; any text is taken.
"""

import re

_QUOTES = {'"': '"', "“": "”", "„": "“”", "«": "»", "‘": "’", "'": "'", "「": "」", "『": "』", "`": "`"}
_VERB = re.compile(
    r"^\W*(?:(?:please|now|just|only|simply|you (?:must|should|will)|your (?:only )?task is to) )*"
    r"(?:say|repeat|speak|read(?: out| aloud)?|respond|reply|answer|utter|tell (?:the |your )?(?:user|caller|customer|person)|greet (?:the )?\w+)\b",
    re.IGNORECASE,
)
_EXACTLY = re.compile(
    r"\b(?:exact(?:ly)?|verbatim|word for word|literally|as is|nothing (?:else|but|more)|only|following)\b", re.IGNORECASE
)
_NOT = re.compile(r"\b(?:not|never|don't|avoid|without|about|like|similar)\b", re.IGNORECASE)
_KOREAN_BEFORE = re.compile(r"(?:그대로|정확히|똑같이|다음)[^:\"“「『]*(?:말|읽|답|따라|대답|인사)[^:\"“「『]*[:：]?\s*$")
_KOREAN_BEHIND = re.compile(r"^\s*(?:이?라고|하고)\s*(?:만\s*)?(?:그대로\s*|정확히\s*|꼭\s*)?(?:말|대답|답|인사|읽)[가-힣\s]*[.!]?\s*$")
_END = re.compile(r"^[\s.!?,;)]*$")


def ordered(instructions: str) -> str | None:
    """The words that are to be said; None if the instructions leave the words to whoever answers."""
    text = instructions.strip()
    start = next((place for place, letter in enumerate(text) if letter in _QUOTES and _opens(text, place)), None)
    if start is not None:
        stop = max(text.rfind(closing) for closing in _QUOTES[text[start]])
        before, words, behind = text[:start], text[start + 1 : stop].strip(), text[stop + 1 :]
        if stop > start and words and _says(before, behind):
            return words
    head, colon, words = text.partition(":")
    if colon and words.strip() and start is None and _EXACTLY.search(head) and _says(head, ""):
        return words.strip()
    return words.strip() if colon and words.strip() and start is None and _KOREAN_BEFORE.search(head) else None


def _opens(text: str, place: int) -> bool:
    """Whether a mark begins a quotation: an apostrophe stands behind a letter."""
    return place == 0 or not text[place - 1].isalnum()


def _says(before: str, behind: str) -> bool:
    """Whether what stands around some words says to say them, and nothing more."""
    if _KOREAN_BEFORE.search(before) or (not before.strip() and _KOREAN_BEHIND.search(behind)):
        return True
    return _VERB.search(before) is not None and not _NOT.search(before) and len(before) <= 120 and _END.match(behind) is not None
