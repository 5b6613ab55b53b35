"""From a synthesiser's raw chunks and marks to pieces of speech with the times of their words.

Pure. Leading silence is cut, so that the first audible sample comes early; the silence at the end is made as long as
the pause between two sentences; each word is told in the piece in which it begins, when its end is known: a synthesiser marks
where words begin, and a word ends with its last audible sample, not behind the pause that follows it.
"""

import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from voice.audio.pcm import Samples, empty, samples_in
from voice.engines.base import Speech, WordTime

PIECE_MS = 100
"""What is handed out at once; the last piece of a sentence may be shorter."""
LEAD_MS = 20
"""Silence kept before the first audible sample: soft consonants begin below the threshold."""
PAUSE_MS = 120
"""Silence after the last audible sample, up to the next sentence."""
FADE_MS = 5
MARK_MS = 10
"""A word may be heard so much before its mark (espeak-ng: 1 to 3 ms): such a sound behind a pause is not the end of the word before."""
GAP_MS = 20
"""The shortest silence that is a pause."""
AUDIBLE = 200
"""Full scale is 32768. espeak-ng is silent at 0; flite's noise before and behind speech peaks at 22 (rms) to 113 (awb)."""


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word on its way to the synthesiser."""

    at: int
    """Where it begins in the text that the synthesiser reads, in characters."""
    text: str
    """The word as it stands in the reply."""
    closes: int = 0
    """Where it ends in the reply, with the punctuation behind it, in characters."""


class Pieces:
    """Cuts one sentence. Feed it with `push`, end with `finish`; both give the pieces that are ready.

    `base` is how many samples of the same reply come before this sentence: word times count from there.
    """

    def __init__(self, rate_hz: int, words: Sequence[ReadWord], base: int = 0) -> None:
        self._rate_hz = rate_hz
        self._base = base
        self._timing = _Timing(words)
        self._held = empty()
        self._cut: int | None = None
        self._given = 0

    def push(self, samples: Samples, marks: Iterable[tuple[int, int]] = ()) -> list[Speech]:
        """More of the sentence: int16, mono, any length, with marks of (raw sample, character of the text)."""
        for sample, position in marks:
            self._timing.mark(sample, position)
        self._held = np.concatenate([self._held, samples])
        if self._cut is None and not self._open():
            return []
        self._timing.settle(self._raw(len(self._held)), self._last_audible)
        # Hold back what could be the silence at the end, and the word whose end is not known yet.
        ready = min(_loud_end(self._held), self._delivered(self._timing.known) - self._given)
        piece = samples_in(PIECE_MS, self._rate_hz)
        return self._take(ready // piece * piece)

    def finish(self) -> list[Speech]:
        """The rest, with the pause after the sentence. Nothing if nothing was audible."""
        if self._cut is None:
            return []
        pause = samples_in(PAUSE_MS, self._rate_hz)
        end = _loud_end(self._held)
        tail = np.zeros(pause, np.int16)
        rest = self._held[end : end + pause]
        tail[: len(rest)] = rest
        self._held = np.concatenate([self._held[:end], _faded(tail, samples_in(FADE_MS, self._rate_hz))])
        self._timing.finish(self._raw(len(self._held)), self._last_audible)
        return self._take(len(self._held))

    def _open(self) -> bool:
        """Cut the leading silence; False while there is nothing else."""
        loud = np.flatnonzero(np.abs(self._held.astype(np.int32)) > AUDIBLE)
        if not len(loud):
            return False
        self._cut = max(int(loud[0]) - samples_in(LEAD_MS, self._rate_hz), 0)
        self._held = self._held[self._cut :]
        return True

    def _raw(self, held: int) -> int:
        """The raw sample at this place of what is held."""
        return (self._cut or 0) + self._given + held

    def _last_audible(self, start: int, end: int) -> int:
        """The raw sample behind the last audible one between two raw samples that are held; `end` if all is silent."""
        first, behind = max(start - self._raw(0), 0), max(end - self._raw(0), 0)
        early = max(behind - samples_in(MARK_MS, self._rate_hz), first)
        audible = _loud_end(self._held[first:early])
        if not audible or early - first - audible < samples_in(GAP_MS, self._rate_hz):
            audible = _loud_end(self._held[first:behind])
        return self._raw(first) + audible if audible else end

    def _delivered(self, raw: int) -> int:
        """A raw sample's place in what is handed out."""
        return max(raw - (self._cut or 0), 0)

    def _take(self, count: int) -> list[Speech]:
        """The first `count` held samples as pieces."""
        piece = samples_in(PIECE_MS, self._rate_hz)
        speeches = []
        for start in range(0, max(count, 0), piece):
            samples = self._held[start : min(start + piece, count)]
            self._given += len(samples)
            speeches.append(Speech(samples, self._rate_hz, self._words()))
        self._held = self._held[max(count, 0) :]
        return speeches

    def _words(self) -> tuple[WordTime, ...]:
        """Words that begin before what has been given."""
        timed = self._timing.take((self._cut or 0) + self._given)
        guessed = not self._timing.marked
        return tuple(WordTime(word.text, self._ms(start), self._ms(end), word.closes, guessed) for word, start, end in timed)

    def _ms(self, raw: int) -> int:
        return (self._base + self._delivered(raw)) * 1000 // self._rate_hz


_LastAudible = Callable[[int, int], int]


class _Timing:
    """When each word begins and ends, in raw samples.

    A synthesiser may read two words as one and mark only the first ("of the"): words without a mark share the time of the
    marked word before them, by their length in characters.
    """

    def __init__(self, words: Sequence[ReadWord]) -> None:
        self._words = words
        self._starts = [word.at for word in words]
        self._next = 0
        """The first word whose start is not known."""
        self._groups: list[tuple[int, int, int, int]] = []
        """Words (from, until) that fill the raw samples (from, until), not told yet: those samples may not have come."""
        self._first, self._since = 0, 0
        """The first word that is in no group, and where it begins: it is being spoken."""
        self._told: list[tuple[ReadWord, int, int]] = []
        self.marked = False
        """The synthesiser tells where words begin; else their times are guessed from their lengths."""
        self.known = 0
        """All words that begin before this raw sample have been told."""

    def mark(self, sample: int, position: int) -> None:
        """The word at this character begins at this sample."""
        self.marked = True
        index = bisect.bisect_right(self._starts, position) - 1
        if index < self._next:
            return
        self._group(index, max(sample, self._since))
        self._next = index + 1

    def settle(self, come: int, last_audible: _LastAudible) -> None:
        """Raw samples up to `come` are there: the ends of the words in them can be told."""
        while self._groups and self._groups[0][3] <= come:
            first, until, since, end = self._groups.pop(0)
            self._tell(self._words[first:until], since, end, last_audible(since, end) if until > first else end)

    def finish(self, end: int, last_audible: _LastAudible) -> None:
        """The sentence ends at this sample. A word marked behind it is taken to begin with the last sample."""
        self._group(len(self._words), max(end, self._since))
        self._groups = [(first, until, min(since, end - 1), min(stop, end)) for first, until, since, stop in self._groups]
        self._next = len(self._words)
        self.settle(end, last_audible)
        self.known = end

    def take(self, before: int) -> list[tuple[ReadWord, int, int]]:
        """Words that begin before this sample and were not taken yet: with their starts and ends."""
        count = sum(1 for _, start, _ in self._told if start < before)
        taken, self._told = self._told[:count], self._told[count:]
        return taken

    def _group(self, until: int, sample: int) -> None:
        """Words up to `until` (exclusive) fill the time up to `sample`."""
        self._groups.append((self._first, until, self._since, sample))
        self._first, self._since = until, sample

    def _tell(self, group: Sequence[ReadWord], since: int, end: int, audible: int) -> None:
        total = sum(len(word.text) for word in group)
        start, done = since, 0
        for word in group:
            done += len(word.text)
            stop = since + (audible - since) * done // total
            self._told.append((word, start, max(stop, min(start + 1, end))))
            start = stop
        self.known = end


def _loud_end(samples: Samples) -> int:
    """The index behind the last audible sample, 0 if there is none."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > AUDIBLE)
    return int(loud[-1]) + 1 if len(loud) else 0


def _faded(samples: Samples, over: int) -> Samples:
    """The last samples fade to nothing: a cut must not click."""
    ramp = np.linspace(1.0, 0.0, over)
    samples[-over:] = (samples[-over:] * ramp).astype(np.int16)
    return samples
