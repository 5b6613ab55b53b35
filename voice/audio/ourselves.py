"""Whether a microphone hears our own loudspeaker's sound itself, and not its echo in a room.

A sound server may put a microphone that was pulled out in the place of a loudspeaker's "monitor" without a word. Three things tell it from
the loudest echo: the sound is a copy, as clean as only numbers are (a room and a loudspeaker leave a residue of -20 dB and more behind the
best 1 ms of filter); it is there before the loudspeaker's air could have been heard; and there is nothing else, no noise even.
"""

import numpy as np
from numpy.typing import NDArray

from voice.audio.pcm import FRAME_SAMPLES, SILENT_DBFS, Samples, dbfs, samples_in

WINDOW = samples_in(500)
"""Sound that is compared at a time."""
MOST_DELAY = samples_in(1_000)
"""A stream that is later than this is opened again, by whoever looks after it."""
EARLY = samples_in(10)
"""A copy is there by the time that the stream's own latencies add up to, or earlier; 25 ms earlier with PulseAudio."""
TAPS, LEAD = 16, 6
"""Of the filter between the two: resamplers on the way, 1 ms."""
CLEAN_DB = -36.0
"""What is left of a copy, against it: -52 to -74 where it was one, -20 and more in rooms."""
LOUD_DBFS, SILENT_BELOW_DBFS = -50.0, -75.0
"""Played sound that is worth a comparison; and what no microphone in a room is below, if it is not a gate."""
CLEAN_WINDOWS = 4
"""2 s of it, and as much more as there was of something else: busy machines lose pieces on the way."""


class Ourselves:
    """One microphone, from frame to frame."""

    def __init__(self) -> None:
        self.ours = False
        """Nothing but our own sound is heard."""
        self._captured = np.zeros(WINDOW, np.int16)
        self._played = np.zeros(WINDOW + MOST_DELAY, np.int16)
        self._filled = 0
        self._quiet = 0
        self._clean = 0

    def push(self, captured: Samples, played: Samples, delay_ms: int) -> bool:
        """20 ms of both (16 kHz), and the hint of how late an echo is; returns `ours`."""
        self._captured = np.concatenate((self._captured[len(captured) :], captured))
        self._played = np.concatenate((self._played[len(played) :], played))
        self._quiet = 0 if played.any() else self._quiet + len(played)
        if self._quiet > samples_in(delay_ms) + WINDOW:
            if dbfs(captured) > SILENT_BELOW_DBFS:
                # Somebody else: a room, or another program.
                self._clean, self.ours = 0, False
            return self.ours
        self._filled += FRAME_SAMPLES
        if self._filled >= WINDOW:
            self._filled = 0
            self._compare(samples_in(delay_ms))
        return self.ours

    def _compare(self, delay: int) -> None:
        if dbfs(self._played[-WINDOW:]) < LOUD_DBFS or dbfs(self._captured) < LOUD_DBFS:
            return
        residue_db = residue(self._captured, self._played, min(delay + EARLY, MOST_DELAY))
        self._clean = min(self._clean + 1, CLEAN_WINDOWS) if residue_db < CLEAN_DB else max(self._clean - 1, 0)
        if self._clean in (0, CLEAN_WINDOWS):
            self.ours = self._clean > 0


def residue(captured: Samples, played: Samples, most_delay: int) -> float:
    """How much of `captured` is no copy of `played`, in dB of it, with the best delay up to `most_delay` samples and a filter of 1 ms.

    `played` ends where `captured` ends and is longer by `most_delay` at least.
    """
    heard = captured.astype(np.float64)
    history = played[len(played) - len(captured) - most_delay - TAPS :].astype(np.float64) if most_delay else played.astype(np.float64)
    power = float(heard @ heard)
    if power <= 0:
        return SILENT_DBFS
    at = _best(heard, history)
    first = max(0, at - LEAD)
    shifts = np.stack([_from(history, first + tap, len(heard)) for tap in range(TAPS)])
    taps, *_ = np.linalg.lstsq(shifts @ shifts.T + np.eye(TAPS) * 1e-6 * power, shifts @ heard, rcond=None)
    left = heard - taps @ shifts
    return max(SILENT_DBFS, float(10 * np.log10((left @ left) / power + 1e-12)))


def _best(heard: NDArray[np.float64], history: NDArray[np.float64]) -> int:
    """Where in `history` it is most like `heard`."""
    size = 1 << (len(history) + len(heard) - 1).bit_length()
    product = np.fft.rfft(history, size) * np.fft.rfft(heard, size).conj()
    return int(np.argmax(np.abs(np.fft.irfft(product, size)[: len(history) - len(heard) + 1])))


def _from(history: NDArray[np.float64], first: int, count: int) -> NDArray[np.float64]:
    piece = history[first : first + count]
    return piece if len(piece) == count else np.concatenate((piece, np.zeros(count - len(piece))))
