"""Speech made longer or shorter without changing its pitch, as a stream: waveform similarity overlap-add (WSOLA).

W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA) for high quality time-scale modification
of speech", ICASSP 1993. Pieces of the input are laid one over the other at another distance than they had; each is taken from where it
continues best what is there already, at most `SEARCH_MS` from its place. So what was at sample s is at s * factor, give or take that.
"""

import numpy as np

from voice.audio.pcm import Samples, clip_int16, empty, samples_in

HOP_MS = 12
"""What one piece adds: two pitch periods of a low voice overlap."""
SEARCH_MS = 8
"""A pitch period of a low voice (120 Hz): one in step is found within it."""


class Stretch:
    """Makes sound `factor` times as long. Feed with `push`, end with `flush`."""

    def __init__(self, rate_hz: int, factor: float) -> None:
        self._factor = factor
        self._hop = samples_in(HOP_MS, rate_hz)
        self._search = samples_in(SEARCH_MS, rate_hz)
        self._fade_in = (np.arange(self._hop) + 0.5) / self._hop
        self._held = empty()
        self._base = 0
        """The input's sample that `_held` begins with."""
        self._taken = 0
        self._given = 0
        self._last: int | None = None
        """Where the piece before was taken from."""

    def push(self, samples: Samples) -> Samples:
        """More sound (int16, mono, any length); what is ready of the result."""
        self._held = np.concatenate([self._held, samples])
        self._taken += samples.size
        return self._made()

    def flush(self) -> Samples:
        """The end of the sound; the rest of the result, which is then exactly `factor` times as long, to the sample."""
        total = round(self._taken * self._factor)
        padding = np.zeros(3 * self._hop + 2 * self._search, np.int16)
        self._held = np.concatenate([self._held, padding])
        missing = total - self._given
        made = [self._made()]
        while sum(piece.size for piece in made) < missing:
            self._held = np.concatenate([self._held, padding])
            made.append(self._made())
        return np.concatenate(made)[:missing]

    def _made(self) -> Samples:
        """The pieces for which all of the input is there."""
        pieces = []
        while (piece := self._next()) is not None:
            pieces.append(piece)
            self._given += piece.size
        return np.concatenate(pieces) if pieces else empty()

    def _next(self) -> Samples | None:
        hop = self._hop
        place = round(self._given / self._factor)
        if place + self._search + 2 * hop > self._base + self._held.size:
            return None
        if self._last is None:
            self._last = 0
            return self._held[:hop].copy()
        before = self._cut(self._last + hop)
        self._last = self._best(place, before)
        piece = before * (1 - self._fade_in) + self._cut(self._last) * self._fade_in
        self._drop(min(self._last + hop, round(self._given / self._factor) - self._search))
        return clip_int16(piece)

    def _best(self, place: int, before: np.ndarray) -> int:
        """Where, about here, the input looks most like what follows the piece before."""
        low = max(place - self._search, self._base)
        window = self._held[low - self._base : place + self._search + self._hop - self._base].astype(np.float64)
        alike = np.correlate(window, before, "valid")
        squares = np.concatenate([[0.0], np.cumsum(window**2)])
        loudness = np.sqrt(np.maximum(squares[self._hop :] - squares[: -self._hop], 1.0))
        score = alike / loudness[: alike.size]
        # In silence all places are as good: then it is the exact one.
        return low + int(np.argmax(score)) if score.max() > 0 else place

    def _cut(self, start: int) -> np.ndarray:
        """A hop of the input from there on."""
        return self._held[start - self._base : start - self._base + self._hop].astype(np.float64)

    def _drop(self, before: int) -> None:
        """The input up to there is not needed any more."""
        if before > self._base:
            self._held = self._held[before - self._base :]
            self._base = before
