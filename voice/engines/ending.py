"""Whether somebody who pauses has finished his thought, from the words so far: a pure judge, asked in each pause of `semantic_vad`.

all of a sentence of the skills ------------------------------> FINISHED
... that they would answer with a question ("for how long?") -> UNFINISHED
the beginning of one, or of a sentence that free words end ---> UNFINISHED
a last word that wants another one ---------------------------> UNFINISHED
the language model seldom sees a sentence end here -----------> UNFINISHED
... often ----------------------------------------------------> LIKELY
anything else, other languages, nothing understood -----------> UNKNOWN
"""

import functools

from voice.audio.patience import Thought
from voice.engines.base import SoFar
from voice.engines.grammar import tails
from voice.engines.skills import match_whole
from voice.engines.words import Words, split

SELDOM, OFTEN = 0.02, 0.15
"""How often a sentence ends behind the last two words, by the recogniser's language model. Of 48 sentences of everyday English and their 208
beginnings (the foreign sentences of `bench/recognition.py`) the first calls no sentence and 47 % of the beginnings unfinished, the second
calls 62 % of the sentences and 13 % of the beginnings likely."""

_NEVER_LAST = frozenset(
    "a an the my your our their every and or but nor because if unless although whereas whether plus minus um uh er erm hm hmm".split()
)
_SELDOM_LAST = frozenset("of to at by for from with into onto between than per about".split())
"""Last only in questions that begin with what they ask for ("where are you from")."""
_ASKING = frozenset("what where who whom whose which when why how".split())
_BETWEEN = frozenset("is are was were am do does did can could will would shall should has have had".split())
"""In a question they want a subject ("what day is"); behind a subject they may end an answer ("yes it is")."""
_SUBJECTS = frozenset("i you he she it we they this that there".split())
_OPENINGS = frozenset(
    "can you|could you|would you|will you|do you|are you|is there|is it|tell me|give me|show me|remind me|i want|i need|i would like|i am|i have|"
    "let us|what about|how about|please|so|well|then|also|actually|okay so|how many|how much|set|start|convert|calculate|add|multiply|divide|remember".split(
        "|"
    )
)
"""Whole texts that say nothing yet."""
_SUMS = frozenset("times divided multiplied".split())
_ASKS_BACK = "_ask"
"""So end the names of skills that lack something: "set a timer", "remember that"."""
_RECKON = (("what", "is"), ("how", "much", "is"), ("calculate",), ("multiply",))


def thought(so_far: SoFar) -> Thought:
    """How finished it seems."""
    words = split(so_far.text)
    if not len(words):
        return Thought.UNKNOWN
    if (so_far.command and not so_far.whole) or (not so_far.command and _wants_more(words)):
        return Thought.UNFINISHED
    if len(words) == 1 and words.texts[0] in _ASKING:
        return Thought.UNKNOWN  # "what?" is a whole question, and how most others begin
    intent = match_whole(so_far.text)
    if intent is not None:
        return Thought.UNFINISHED if intent.skill.endswith(_ASKS_BACK) else Thought.FINISHED
    if so_far.ending is None or SELDOM <= so_far.ending < OFTEN:
        return Thought.UNKNOWN
    return Thought.LIKELY if so_far.ending >= OFTEN else Thought.UNFINISHED


def _wants_more(words: Words) -> bool:
    *before, last = words.texts
    if last in _NEVER_LAST or " ".join(words.texts) in _OPENINGS | _carriers():
        return True
    if last in _SELDOM_LAST:
        return words.texts[0] not in _ASKING or not before[1:]
    if last in _BETWEEN:
        return not before or (words.texts[0] in _ASKING and before[-1] not in _SUBJECTS)
    return last in _SUMS and any(words.texts[: len(begin)] == begin for begin in _RECKON)


@functools.cache
def _carriers() -> frozenset[str]:
    return frozenset(" ".join(split(tail).texts) for tail in tails())
