"""How much of a response may still be sent: `max_output_tokens`, kept to the token, at the end of a word.

Nothing that was sent can be taken back. So where there is a limit, words wait until they are known to fit: those of a written
answer until they are whole, those of a spoken one until their sound has come and the time of each is known. A word goes out if it and
the sound up to its end fit; with the first that does not, the sound stops at the end of the word before, and the ration is used up.
Without a limit nothing waits, and only a model that goes on for ever comes to an end (`MAX_LETTERS`).
Words are counted by the rules of `policy/usage.py`, over the whole response.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from voice.policy.usage import Letters, Tokens, letters, samples_for, spoken_tokens
from voice.protocol.conversation import SpokenWord
from voice.protocol.heard import said_ms

MAX_LETTERS = 100_000
"""Of one response, without a limit of its own: it comes back in one `response.done`, which stays under 1 MiB even where JSON needs six
bytes for a letter. It is two hours of speech; the service's answers end after 4096 tokens."""
UNTIMED_MS = 600
"""A synthesiser that has told no word for so long tells none: no voice draws breath before its first word for longer."""
_WITHOUT_BLANKS = ((0x2E80, 0xAC00), (0xF900, 0xFB00), (0xFE30, 0xFE50), (0xFF00, 0x40000))
"""Letters that stand alone: Chinese, kana, pictures. Hangul has blanks between its words."""


class Ration:
    """See the top of the file. `limit`: tokens, None for no end; `rate_hz`: of the sound that goes with the words, 0 where there is none."""

    def __init__(self, limit: int | None, rate_hz: int) -> None:
        self.full = False
        """Something did not fit: the response is to end."""
        self.samples = 0
        """How much sound was let through."""
        self._limit = limit
        self._rate_hz = rate_hz
        self._letters = Letters()
        self._told = 0
        self._held = ""
        self._words: deque[tuple[int, int]] = deque()
        self._timed = False
        self._said_at = 0
        self._last_end = 0
        self._stop: int | None = None

    @property
    def tokens(self) -> Tokens:
        """What was let through."""
        return Tokens(self._letters.tokens, self._cost(self.samples))

    @property
    def told(self) -> int:
        """Characters that were let through, of all that was said."""
        return self._told

    def say(self, text: str) -> str:
        """More words; those that may be sent now."""
        if self._limit is None:
            return self._let(text[: self._left(text)])
        # Sound has come since the words before: they have had theirs.
        given = self.rest() if self.samples > self._said_at else ""
        self._said_at = self.samples
        self._held += text
        return given if self._rate_hz else self._whole(final=False)

    def sound(self, count: int, words: Sequence[SpokenWord]) -> tuple[str, int]:
        """More sound, in samples, and the words known of it; the words that may be sent now, and how many of the samples."""
        if self._limit is None:
            self.samples += count
            return "", count
        self._words.extend((self._at(word.end_ms), word.characters) for word in words)
        self._timed = self._timed or bool(words)
        if not self._timed and self._stop is None and self.samples + count - self._said_at > self._at(UNTIMED_MS):
            self._words.extend(self._guessed())
        given = self._timely()
        ends = [samples_for(self._limit - self._letters.tokens, self._rate_hz)]
        if self._stop is not None:
            ends.append(self._stop)
        room = max(0, min(ends) - self.samples)
        self.samples += min(count, room)
        self.full = self.full or count > room or self.samples == self._stop
        return given, min(count, room)

    def rest(self) -> str:
        """All was said (or a call comes in between): the words that still may be sent."""
        if not self._held:
            return ""
        if self._stop is not None:
            self.full = True
            return ""
        self._words.clear()
        given = self._whole(final=True)
        # Blanks that are left over are nothing that anybody misses.
        self.full = self.full or bool(self._held.strip())
        return given

    def call(self, text: str, whole: bool = False) -> str:
        """Name or arguments of a call, behind `rest`; as much of it as may be sent. `whole`: all or nothing."""
        self._told, self._held = self._told + len(self._held), ""
        if self._fits(letters(text), self.samples) and self._left(text) == len(text):
            self._letters += letters(text)
            return text
        self.full = True
        low, high = 0, 0 if whole else self._left(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._fits(letters(text[:middle]), self.samples) else (low, middle - 1)
        self._letters += letters(text[:low])
        return text[:low]

    def _whole(self, final: bool) -> str:
        """The words of what is held that fit; the last one only if it is whole."""
        end, cost = 0, Letters()
        for stop in _word_ends(self._held, final):
            cost += letters(self._held[end:stop])
            if not self._fits(cost, self.samples):
                self.full = True
                break
            end = stop
        given, self._held = self._let(self._held[:end]), self._held[end:]
        # A word that is too long already need not be waited for.
        self.full = self.full or not self._fits(letters(self._held.rstrip()), self.samples)
        return given

    def _timely(self) -> str:
        """The words whose end is known, as far as they and their sound fit."""
        given = ""
        while self._words and self._stop is None:
            end, characters = self._words[0]
            text = self._held[: max(0, characters - self._told)]
            if not text:
                # Told before its sound came, at the end of its sentence.
                self._words.popleft()
            elif self._fits(letters(text), max(end, self.samples)):
                self._words.popleft()
                given += self._let(text)
                self._held = self._held[len(text) :]
                self._last_end = end
            else:
                self._stop = max(self._last_end, self.samples)
        return given

    def _guessed(self) -> Iterator[tuple[int, int]]:
        """The words of what is held, as if each letter took its usual time."""
        at, end = self._said_at, 0
        for stop in _word_ends(self._held, final=True):
            at += self._at(said_ms(self._held[end:stop]))
            end = stop
            yield at, self._told + stop

    def _left(self, text: str) -> int:
        """How much of a text there is room for at all."""
        room = MAX_LETTERS - self._letters.narrow - self._letters.wide
        self.full = self.full or len(text) > room
        return max(0, min(room, len(text)))

    def _let(self, text: str) -> str:
        self._letters += letters(text)
        self._told += len(text)
        return text

    def _fits(self, more: Letters, samples: int) -> bool:
        return self._limit is None or (self._letters + more).tokens + self._cost(samples) <= self._limit

    def _cost(self, samples: int) -> int:
        return spoken_tokens(samples, self._rate_hz) if self._rate_hz else 0

    def _at(self, ms: int) -> int:
        return ms * self._rate_hz // 1000


def _word_ends(text: str, final: bool) -> Iterator[int]:
    """Where each word of a text ends; the last one only if `final`, or if something behind it says that it is whole."""
    for place, letter in enumerate(text):
        following = text[place + 1 : place + 2]
        if not letter.isspace() and (
            following.isspace() or _alone(letter) or (following and _alone(following)) or (final and not following)
        ):
            yield place + 1


def _alone(letter: str) -> bool:
    return any(first <= ord(letter) < behind for first, behind in _WITHOUT_BLANKS)
