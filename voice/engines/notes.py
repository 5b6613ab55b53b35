"""What a person asked to be remembered in this session: kept as said, found by the words of a question, told in the second person."""

import re

from voice.engines.words import split

MOST = 100
"""Notes kept; the oldest goes when one more comes."""

_NO_CONTENT = frozenset(
    "a an the is are am was were be been do does did have has had i me my mine we our us you your it its this that these those there here of in on at to "
    "for from with by about and or so what where who when which how whose why will would can could should must shall please tell know "
    "remember recall again put leave left keep kept find store stored say said told ask asked now still call called".split()
)
_WEAK = frozenset(("nam", "color", "colour", "numb", "plac", "tim", "dat"))
"""Stems that a note need not hold: "what is the name of my dog" is answered by "my dog is called Rex"."""
_FLIP = {
    "i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "am": "are", "our": "your", "ours": "yours", "we": "you", "us": "you",
    "your": "my", "yours": "mine", "yourself": "myself", "i'm": "you are", "i've": "you have", "i'll": "you will", "i'd": "you would", "you're": "I am",
}  # fmt: skip
_QUESTION = frozenset("what where who when which how whose".split())
_BEFORE_OBJECT = frozenset("to for with from by of at about like than gave give tell told ask asked owe owes love loves".split())
_AFTER_OBJECT = frozenset("a an the my that to in on at for ten some".split())
_JOSA = re.compile(r"(?:에서|에게|이라고|라고|으로|까지|부터|은|는|이|가|을|를|에|의|도|로|와|과|야|요|지|니)$")
_NO_CONTENT_KO = re.compile(
    r"^(?:내|제|나의|저의|우리|어디|어디에|어디있|어디있어|어딨어|있|있어|있었|뭐|뭐야|무엇|무엇이|누구|누구야|언제|언제야|몇|알려|알려줘|줘|말해|말했|기억|기억해|뭐였|뭐였지|이다|입니까|인가|무엇인)$"
)


class Notes:
    """The notes of one session, oldest first."""

    def __init__(self) -> None:
        self._notes = list[str]()

    def __len__(self) -> int:
        return len(self._notes)

    def all(self) -> tuple[str, ...]:
        """Every note as it was said, oldest first."""
        return tuple(self._notes)

    def add(self, note: str) -> None:
        """One more; one said again moves to the end."""
        self._notes = [old for old in self._notes if split(old).texts != split(note).texts][-(MOST - 1) :] + [note]

    def about(self, question: str) -> tuple[str, ...]:
        """Notes that hold every content word of the question, the newest first; () if it has no content words."""
        wanted = content(question)
        for words in (wanted, wanted - _WEAK):
            found = tuple(note for note in reversed(self._notes) if words and words <= content(note))
            if found:
                return found
        return ()

    def near(self, question: str) -> tuple[str, ...]:
        """Notes that hold at least half of the content words, the best and newest first."""
        wanted = content(question)
        scored = [(len(wanted & content(note)), n, note) for n, note in enumerate(self._notes)]
        return tuple(note for score, _, note in sorted(scored, reverse=True) if score and score * 2 >= len(wanted))

    def remove(self, notes: tuple[str, ...]) -> None:
        """Forget these."""
        self._notes = [note for note in self._notes if note not in notes]


def content(text: str) -> frozenset[str]:
    """The words that carry the meaning, without endings, so that "parked" is found by "park"."""
    found = set[str]()
    for word in split(text).texts:
        if "가" <= word[0] <= "힣":
            stem = _JOSA.sub("", word) or word
            if not _NO_CONTENT_KO.match(word) and not _NO_CONTENT_KO.match(stem):
                found.add(stem)
        elif word not in _NO_CONTENT:
            found.add(_stem(word))
    return frozenset(found)


def is_question(text: str) -> bool:
    """Whether the words ask for something: only then are notes looked through."""
    words = split(text).texts
    return bool(words) and (words[0] in _QUESTION or words[:2] in (("tell", "me"), ("do", "you")) or text.rstrip().endswith("?"))


def _stem(word: str) -> str:
    for ending in ("'s", "ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    return word.replace("'", "")


def told_back(note: str) -> str:
    """In the second person: "my keys are where I left them" -> "your keys are where you left them"."""
    words = note.split(" ")
    lower = [word.lower().strip('.,;:!?"') for word in words]
    told = list[str]()
    for n, word in enumerate(words):
        bare = lower[n]
        flipped = _flipped(lower, n)
        told.append(word if flipped is None else word.lower().replace(bare, flipped))
    if lower and lower[0] in ("the", "a", "an", "this", "that", "there", "it", "his", "her", "their") and told:
        told[0] = told[0].lower()
    return " ".join(told)


def _flipped(words: list[str], n: int) -> str | None:
    """What a word becomes when the other person says it; None if it stays."""
    word = words[n]
    before, after = words[n - 1] if n else "", words[n + 1] if n + 1 < len(words) else ""
    match word:
        case "was" if before == "i":
            return "were"
        case "are" if before == "you":
            return "am"
        case "you":
            return "me" if n and (not after or before in _BEFORE_OBJECT or after in _AFTER_OBJECT) else "I"
        case "am" if before != "i":
            return None
    return _FLIP.get(word)
