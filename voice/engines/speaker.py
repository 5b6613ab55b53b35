"""Says one reply: the words of each sentence, then its sound, faster than it is played but at a pace."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from voice.audio.pcm import samples_in
from voice.engines.base import BrokenOff, Called, Manner, Mannered, Said, Saying, Speech, Synthesizer, WordTime
from voice.errors import WorkerDied
from voice.links.driver import Driver
from voice.protocol.conversation import SpokenWord
from voice.protocol.orders import Order, ReplyWanted
from voice.protocol.server import ServerSession

log = logging.getLogger(__name__)

LEAD_MS = 400
"""Sent at once; after it the pace holds. More would be thrown away at every interruption."""
PIECE_MS = 200
"""The longest piece of sound that is sent at once, however much a synthesiser gives."""
APOLOGY_MUTE = "the synthesiser stopped twice; the words of this answer have no sound"


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where time comes from; a replay gives virtual ones."""

    now: Callable[[], float]
    """Monotonic seconds."""
    wall_s: Callable[[], float]
    """Unix seconds."""
    pace: float | None = 3.0
    """Sound is sent so many times faster than it is played; None: as fast as it comes."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended; both None: all of it was said, or nobody wanted the rest."""

    failure: str | None = None
    """Why it failed."""
    incomplete: str | None = None
    """Why it is not complete, as `BrokenOff` says."""


class Speaker:
    """Says one reply: transcript and sound of each sentence, at the pace."""

    def __init__(self, order: ReplyWanted, session: ServerSession, driver: Driver[Order], clocks: Clocks, synthesizer: Synthesizer) -> None:
        self._order = order
        self._session = session
        self._driver = driver
        self._clocks = clocks
        self._synthesizer = synthesizer
        self._characters = 0
        self._begun = False
        self._sent_ms = 0.0
        self._pace = Pace(clocks)

    async def say_all(self, answer: AsyncGenerator[Saying, None]) -> Ending:
        """Every sentence and every call."""
        async with aclosing(answer):
            async for said in answer:
                match said:
                    case Said():
                        wanted = await self._say(said)
                    case Called():
                        # Words behind it are a message of their own.
                        self._begun = False
                        wanted = self._session.call(self._order.response_id, said.call_id, said.name, said.arguments)
                    case BrokenOff():
                        return Ending(said.failure if not said.reason else None, said.reason or None)
                if wanted is None:
                    return Ending(failure=APOLOGY_MUTE)
                if not wanted:
                    break
                await self._driver.room()
        return Ending()

    async def _say(self, said: Said) -> bool | None:
        """A sentence; False if nobody wants it any more, None if it has no sound."""
        text = f" {said.text}" if self._begun else said.text
        if not self._session.say(self._order.response_id, text):
            return False
        self._begun = True
        start = self._characters + len(text) - len(said.text)
        self._characters += len(text)
        return None if self._order.spoken and not await self._speak(said, start) else True

    async def _speak(self, said: Said, start: int) -> bool:
        """One sentence's sound; once more if the synthesiser dies before the first of it; False if it dies again."""
        for _ in range(2):
            before_ms = self._sent_ms
            try:
                await self._stream(said, start)
                return True
            except WorkerDied as exc:
                log.warning("a sentence was not spoken: %s", exc)
                if self._sent_ms > before_ms:
                    return False
        return False

    async def _stream(self, said: Said, start: int) -> None:
        offset_ms, closed = self._sent_ms, 0
        async with aclosing(self._spoken(said)) as pieces:
            async for speech in pieces:
                words = []
                for word in speech.words:
                    closed = max(closed, closes(word, said.text, closed))
                    words.append(SpokenWord(round(offset_ms + word.end_ms), start + closed, word.estimated))
                if not await self._send(speech, words):
                    return

    def _spoken(self, said: Said) -> AsyncGenerator[Speech, None]:
        """A sentence's sound, in the manner that the client asked for if the synthesiser has any."""
        manner = Manner(self._order.voice, self._order.speed)
        if isinstance(self._synthesizer, Mannered) and manner != Manner():
            return self._synthesizer.speak_as(manner, said.text, said.language)
        return self._synthesizer.speak(said.text, said.language)

    async def _send(self, speech: Speech, words: list[SpokenWord]) -> bool:
        """A piece of sound, at the pace; False if nobody wants it any more."""
        step = samples_in(PIECE_MS, speech.rate_hz)
        for at in range(0, speech.samples.size, step):
            piece = speech.samples[at : at + step]
            length_ms = piece.size * 1000 / speech.rate_hz
            self._sent_ms += length_ms
            if not self._session.sound(self._order.response_id, piece, speech.rate_hz, words):
                return False
            words = []
            await self._driver.room()
            await self._pace.sent(length_ms)
        return True


def closes(word: WordTime, text: str, closed: int) -> int:
    """How much of a sentence has been said with this word; `closed` with the word before it."""
    if word.closes is not None:
        return min(word.closes, len(text))
    found = re.compile(rf"{re.escape(word.text)}[^\w\s(\[{{]*").search(text, closed)
    return found.end() if found else closed


class Pace:
    """Holds sound back: in any stretch of time at most the lead and the pace times the stretch. A pause earns no credit."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._ahead_ms = 0.0
        self._at = clocks.now()

    async def sent(self, length_ms: float) -> None:
        """So much sound was sent; waits until no more than the lead is ahead."""
        if self._clocks.pace is None:
            return
        now = self._clocks.now()
        self._ahead_ms = max(0.0, self._ahead_ms - (now - self._at) * 1000 * self._clocks.pace) + length_ms
        self._at = now
        await asyncio.sleep(max(0.0, (self._ahead_ms - LEAD_MS) / 1000 / self._clocks.pace))
