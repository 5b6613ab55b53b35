"""A scripted reply as the moves that give it: words, sound with the words in it, calls, each with the moment that it goes out.

Every piece takes one place of the reply's pacing, whatever it holds: a piece of sound, a word of a written answer, a piece of arguments.
"""

import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np

from voice.audio.pcm import Samples, empty
from voice.engines.base import Manner, Mannered, Speech, Synthesizer
from voice.engines.cues import Cue, Question
from voice.engines.pacing import Slot
from voice.engines.script import Call
from voice.engines.scripts import language_of
from voice.engines.sentences import each_sentence
from voice.engines.speaker import closes
from voice.engines.tones import RATE_HZ, long_tone
from voice.protocol.conversation import SpokenWord
from voice.protocol.orders import ReplyWanted

ARGUMENT_LETTERS = 12
"""Of a call, in one delta."""
_WORD = re.compile(r"\s*\S+(?:\s+\Z)?")


@dataclass(frozen=True, slots=True)
class Move:
    """One piece of a reply. Its words go out first, then its sound, then its call."""

    due_s: float
    """From the beginning of the reply."""
    text: str = ""
    samples: Samples = field(default_factory=empty)
    rate_hz: int = RATE_HZ
    words: tuple[SpokenWord, ...] = ()
    """Those that begin in this sound."""
    call: tuple[str, str, str] | None = None
    """Id, name, and a piece of the arguments."""


async def moves(
    cue: Cue, asked: Question, order: ReplyWanted, voice: Synthesizer, new_id: Callable[[str], str]
) -> AsyncGenerator[Move, None]:
    """The reply, piece by piece. Raises: WorkerDied, MissingError."""
    reply, slots = cue.reply, cue.reply.pacing.slots(cue.use)
    said = (reply.say or "") if cue.as_it_is else asked.filled(reply.say or "")
    if order.spoken and reply.tone_ms is not None:
        cutter = _Cutter(slots, RATE_HZ)
        for samples in long_tone(reply.tone_ms):
            for move in cutter.push(samples):
                yield move
        for move in cutter.flush():
            yield move
    elif order.spoken:
        async with aclosing(_spoken(said, slots, voice, Manner(order.voice, order.speed))) as pieces:
            async for move in pieces:
                yield move
    else:
        for word in _WORD.findall(said):
            yield Move(next(slots).due_s, word)
    for call in reply.calls:
        call_id = call.call_id or new_id("call")
        arguments = _arguments(call, asked)
        for at in range(0, max(len(arguments), 1), ARGUMENT_LETTERS):
            yield Move(next(slots).due_s, call=(call_id, call.name, arguments[at : at + ARGUMENT_LETTERS]))


def _arguments(call: Call, asked: Question) -> str:
    """As they are sent: JSON, unless the script has a text of its own."""

    def filled(value: object) -> object:
        match value:
            case str():
                return asked.filled(value)
            case dict():
                return {key: filled(inner) for key, inner in value.items()}
            case list() | tuple():
                return [filled(inner) for inner in value]
            case _:
                return value

    return call.arguments if isinstance(call.arguments, str) else json.dumps(filled(call.arguments), ensure_ascii=False)


async def _spoken(said: str, slots: Iterator[Slot], voice: Synthesizer, manner: Manner) -> AsyncGenerator[Move, None]:
    """Words and sound; each word is told with the piece of sound in which it begins."""
    cutter: _Cutter | None = None
    at = told = 0
    for sentence in each_sentence(said):
        at = said.index(sentence, at)
        closed = 0
        # All of a sentence at once: nobody else's speech waits for the pace of this one.
        for piece in await _sentence(sentence, voice, manner):
            cutter = cutter or _Cutter(slots, piece.rate_hz)
            for word in piece.words:
                closed = max(closed, closes(word, sentence, closed))
                cutter.word(word.start_ms, word.end_ms, said[told : at + closed], at + closed, word.estimated)
                told = at + closed
            for move in cutter.push(piece.samples):
                yield move
        at += len(sentence)
        if cutter is not None:
            cutter.sentence()
    if cutter is not None:
        for move in cutter.flush():
            yield move
    if said[told:]:
        yield Move(next(slots).due_s, said[told:])


async def _sentence(text: str, voice: Synthesizer, manner: Manner) -> list[Speech]:
    """Its sound, in the language of its letters."""
    language = language_of(text)
    async with aclosing(voice.speak_as(manner, text, language) if isinstance(voice, Mannered) else voice.speak(text, language)) as pieces:
        return [piece async for piece in pieces]


class _Cutter:
    """Cuts a reply's sound into the pieces that its pacing wants."""

    def __init__(self, slots: Iterator[Slot], rate_hz: int) -> None:
        self._slots = slots
        self._slot = next(slots)
        self._rate_hz = rate_hz
        self._held = empty()
        self._given = 0
        self._begin = 0
        """Where the sentence begins, in samples."""
        self._words: list[tuple[int, str, SpokenWord]] = []

    def word(self, start_ms: int, end_ms: int, text: str, characters: int, estimated: bool) -> None:
        """A word of the sentence whose sound comes next."""
        begin_ms = self._begin * 1000 / self._rate_hz
        start = self._begin + start_ms * self._rate_hz // 1000
        self._words.append((start, text, SpokenWord(round(begin_ms + end_ms), characters, estimated)))

    def sentence(self) -> None:
        """The next sentence begins where the sound so far ends."""
        self._begin = self._given + self._held.size

    def push(self, samples: Samples) -> Iterator[Move]:
        """More sound; the pieces that are complete."""
        self._held = np.concatenate((self._held, samples))
        while self._held.size >= self._size:
            yield self._take(self._size)

    def flush(self) -> Iterator[Move]:
        """The rest."""
        if self._held.size or self._words:
            yield self._take(self._held.size)

    @property
    def _size(self) -> int:
        return max(1, round(self._slot.length_ms * self._rate_hz / 1000))

    def _take(self, count: int) -> Move:
        samples, self._held = self._held[:count], self._held[count:]
        self._given += count
        last = not self._held.size
        begun = [word for word in self._words if word[0] < self._given or last]
        self._words = [word for word in self._words if not (word[0] < self._given or last)]
        slot, self._slot = self._slot, next(self._slots)
        text = "".join(text for _, text, _ in begun)
        return Move(slot.due_s, text, samples, self._rate_hz, tuple(spoken for _, _, spoken in begun))
