"""Who is right about an utterance: the grammar, which knows commands only, or the general model, which knows any words.

A grammar forces every sentence into a command. The general model often misses words, but it misses them by sound: what it hears
in a command is pronounced like that command. So the two hypotheses are compared phone by phone, with less weight on phones that
are taken for each other; and the surer the general model is of its words, the nearer the command must be.

The slopes are a logistic regression on the set "development" of `bench/recognition.py` (right commands against wrong ones and foreign
sentences, clean, at 20 and 10 dB). With a new grammar (2026-11-20, docs/decisions/0003) they came out nearly the same (4.4 and 5.0); the limit
was set anew between what is kept of right commands (.83) and foreign sentences made to sound like commands (25 of 199). Tried and not better:
the length of the command, its probability in the grammar, the distance without the words that both have, missing phones for less.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from voice.engines.base import Heard, SoFar


class Evidence(msgspec.Struct, frozen=True):
    """What the two decoders understood of an utterance. Phones are those of the CMU dictionary, without stress."""

    words: list[str] = []
    """The general model's."""
    phones: list[list[str]] = []
    """Of each word."""
    sure: float = 0.0
    """Mean posterior probability of its words. It is near the share of words that are right: .13 means .19, .46 .44, .70 .68, .86 .80."""
    command_words: list[str] = []
    """The grammar's; empty if no sentence fits."""
    command_phones: list[str] = []
    snr_db: float | None = None
    ending: float | None = None
    """How often a sentence ends behind the general model's words; None of an utterance that is over."""
    whole: bool = True
    """False if the grammar's words are only the beginning of a sentence, of an utterance that may go on."""


_CLASSES = (
    frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()),
    frozenset("P T K B D G".split()),
    frozenset("F V TH DH S Z SH ZH HH CH JH".split()),
    frozenset("M N NG".split()),
    frozenset("L R W Y".split()),
)
_TWINS = frozenset(
    frozenset(pair.split("-"))
    for pair in (
        "P-B T-D K-G F-V TH-DH S-Z SH-ZH CH-JH M-N N-NG IH-IY AA-AO AH-IH AH-UH AH-EH UH-UW AE-EH T-TH D-DH AA-AH ER-R TH-F"
    ).split()
)
_TWIN_COST = 0.25
_CLASS_COST = 0.5

_CERTAIN = 2.9
_APART = 4.9
_APART_WHEN_SURE = 4.1
"""Log odds of a command that sounds exactly like the other hypothesis; what a distance of one, all phones wrong, takes from them, and how
much more it takes if the other hypothesis is sure of its words."""

_NEAR_WORDS = 3
"""Speech in other languages is heard as few small words, over and over ("the old the old"): a word that was among the three
before it counts as not heard."""

_CARRIER_LIMIT = 0.15
"""A carrier phrase may be misheard by one phone in seven ("remembered that" for "remember that")."""
_CARRIER_PHONES = 7
"""Shorter ones must be heard exactly: there are words like "say" in every second sentence."""


_MEANT = 0.15
"""How much surer words are that are a whole sentence of the skills: few sentences that are misheard become one."""
_BEGUN = 0.7
"""How sure the beginning of a command must be. Of 59 beginnings 43 are so, and of 48 foreign sentences 3 are taken for one (7 with 0.5)."""
_AGREED = 0.6
"""How sure it is at least, if both hypotheses ask for the same."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A phrase after which free words follow, and its phones (none: it must be heard exactly)."""

    words: tuple[str, ...]
    phones: tuple[str, ...] = ()


def _nothing(_text: str) -> object:
    return None


def judge(evidence: Evidence, carriers: Sequence[Carrier] = (), meaning: Callable[[str], object] = _nothing) -> Heard:
    """The words to believe, and how much. `meaning` tells what a text asks for, None if nothing that is known: equal
    meanings are an agreement of the two hypotheses, whatever their words.
    """
    command, text = " ".join(evidence.command_words), " ".join(mend(evidence, carriers))
    believed = command_confidence(evidence) if command else 0.0
    free = Heard(text, confidence=free_confidence(evidence))
    asked = meaning(text)
    if asked is not None and command and asked == meaning(command):
        return Heard(command, confidence=max(believed, free.confidence, _AGREED), command=True)
    if believed > 0.5:
        # Also if both mean something: "the day" for "the date" and "started timer" for "start a timer" come from the general model (right 4 times of 13).
        return Heard(command, confidence=believed, command=True)
    return free if asked is None else Heard(text, confidence=min(1.0, free.confidence + _MEANT))


def foretell(evidence: Evidence, carriers: Sequence[Carrier] = (), meaning: Callable[[str], object] = _nothing) -> SoFar:
    """The same of an utterance that may go on. The beginning of a command is like more other sentences than all of it."""
    heard = judge(evidence, carriers, meaning)
    if heard.command and (evidence.whole or heard.confidence >= _BEGUN):
        return SoFar(heard.text, command=True, whole=evidence.whole, ending=evidence.ending)
    return SoFar(" ".join(mend(evidence, carriers)), ending=evidence.ending)


def command_confidence(evidence: Evidence) -> float:
    """How probable it is that the command was said, by the other hypothesis."""
    heard = [phone for word in evidence.phones for phone in word]
    if not evidence.command_phones:
        return 0.0
    apart = distance(evidence.command_phones, heard) / len(evidence.command_phones)
    odds = _CERTAIN - apart * (_APART + _APART_WHEN_SURE * evidence.sure)
    return 1 / (1 + math.exp(min(-odds, 700)))


def free_confidence(evidence: Evidence) -> float:
    """How probable the general model's words are, each for itself."""
    words = evidence.words
    new = sum(word not in words[max(0, n - _NEAR_WORDS) : n] for n, word in enumerate(words))
    return evidence.sure * (new / len(words)) if words else 0.0


def mend(evidence: Evidence, carriers: Sequence[Carrier]) -> Sequence[str]:
    """The general model's words; if they begin with nearly a carrier phrase, with that phrase."""
    words = evidence.words
    if any(_begins(words, carrier.words) for carrier in carriers):
        return words
    best, mended = _CARRIER_LIMIT, words
    for carrier in carriers:
        if len(carrier.phones) < _CARRIER_PHONES:
            continue
        for count in range(1, min(len(words), 2 * len(carrier.words) + 1)):
            begin = [phone for word in evidence.phones[:count] for phone in word]
            if abs(len(begin) - len(carrier.phones)) >= best * len(carrier.phones):
                continue  # so many more or less cost as much already
            apart = distance(carrier.phones, begin) / len(carrier.phones)
            if apart < best:
                best, mended = apart, [*carrier.words, *words[count:]]
    return mended


def distance(one: Sequence[str], other: Sequence[str]) -> float:
    """The least cost that turns one row of phones into the other: 1 for each that is more or less, up to 1 for each that differs."""
    row = [float(n) for n in range(len(other) + 1)]
    for left in one:
        diagonal, row[0] = row[0], row[0] + 1
        for n, right in enumerate(other, 1):
            diagonal, row[n] = row[n], min(row[n] + 1, row[n - 1] + 1, diagonal + _cost(left, right))
    return row[-1]


@functools.cache  # of 40 phones; without it a judgement held the event loop for 33 ms
def _cost(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if frozenset((one, other)) in _TWINS:
        return _TWIN_COST
    return _CLASS_COST if any(one in kin and other in kin for kin in _CLASSES) else 1.0


def _begins(words: Sequence[str], carrier: Sequence[str]) -> bool:
    return len(words) > len(carrier) and tuple(words[: len(carrier)]) == tuple(carrier)
