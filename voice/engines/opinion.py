"""Who is right about an utterance: the grammar, which knows commands only, or the general model, which knows any words.

A grammar forces every sentence into a command. The general model often misses words, but it misses them by sound: what it hears
in a command is pronounced like that command. So the two hypotheses are compared phone by phone, with less weight on phones that
are taken for each other, and a long command must fit better than a short one, since a long wrong one has many ways to be nearly right.

Measured on 136 utterances (5 voices of flite and people; clean, 20 and 10 dB) for which the grammar had an answer: of 54 right commands
48 are taken, of 82 foreign or wrong ones 1. The limit was chosen on the same utterances; `bench/recognition.py` takes 2 of 32 foreign
sentences for commands. Acoustic scores of both paths against each other or against a phone loop separated worse
(areas under the curve .38 to .55 against .95 for phones), and added nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from voice.engines.base import Heard


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

_LENGTH_COST = 0.01
_LENGTH_MOST = 25
_LIMIT = 0.57
"""Distance at which a command is as often wrong as right."""
_STEEPNESS = 12.0

_CARRIER_LIMIT = 0.15
"""A carrier phrase may be misheard by one phone in seven ("remembered that" for "remember that")."""
_CARRIER_PHONES = 7
"""Shorter ones must be heard exactly: there are words like "say" in every second sentence."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A phrase after which free words follow, and its phones (none: it must be heard exactly)."""

    words: tuple[str, ...]
    phones: tuple[str, ...] = ()


def judge(evidence: Evidence, carriers: Sequence[Carrier] = ()) -> Heard:
    """The words to believe, and how much."""
    if evidence.command_words:
        confidence = command_confidence(evidence)
        if confidence > 0.5:
            return Heard(" ".join(evidence.command_words), confidence=confidence, command=True)
    return Heard(" ".join(mend(evidence, carriers)), confidence=evidence.sure)


def command_confidence(evidence: Evidence) -> float:
    """How probable it is that the command was said, by the other hypothesis."""
    heard = [phone for word in evidence.phones for phone in word]
    length = len(evidence.command_phones)
    if not length:
        return 0.0
    apart = distance(evidence.command_phones, heard) / length + _LENGTH_COST * min(length, _LENGTH_MOST)
    return 1 / (1 + math.exp(min(_STEEPNESS * (apart - _LIMIT), 700)))


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


def _cost(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if frozenset((one, other)) in _TWINS:
        return _TWIN_COST
    return _CLASS_COST if any(one in kin and other in kin for kin in _CLASSES) else 1.0


def _begins(words: Sequence[str], carrier: Sequence[str]) -> bool:
    return len(words) > len(carrier) and tuple(words[: len(carrier)]) == tuple(carrier)
