"""Steady noise, taken out of a stream for a recogniser's ears (people would hear the artefacts).

A Wiener filter with the decision-directed estimate of Ephraim and Malah (IEEE ASSP 32(6), 1984): each frame's gain
follows from the gain of the frame before, which keeps the remains of noise smooth. What is noise is learnt from the quietest
frames of a head of the stream, then followed in the frames that are hardly louder than it.

Called by the recogniser's child. The numbers below were chosen on a recogniser with a worse cepstral mean; on the present one none of
their neighbours is better (docs/decisions/0003-recogniser.md).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.audio.pcm import RATE_HZ, Samples, empty

_Spectrum = NDArray[np.float64]

_WINDOW = 512
_HOP = RATE_HZ // 100
_LOUDER = 2.0
"""A frame of under twice the noise's power is taken for noise, and teaches."""
_LEARNING = 0.05
_SMOOTHING = 0.92
"""Weight of the frame before. The usual 0.98 smears onsets."""
_MORE = 1.5
"""More is taken than was measured."""
_FLOOR = 0.1
"""No bin is lowered by more than 20 dB: recognisers were trained on rooms, not on digital silence."""
CLEAN_DB = 30.0
"""Above this ratio of speech to noise the filter costs more words than it saves."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What the quiet moments of a recording sound like."""

    power: _Spectrum
    """Mean power of each bin."""
    snr_db: float
    """How far the loud moments stand out."""


def measure(head: Samples) -> Noise | None:
    """The noise in the beginning of a recording, int16, 16 kHz, best 1 s; None if it is too short to tell (under 0.1 s)."""
    if len(head) < RATE_HZ // 10:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(head.astype(np.float64), _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * _SHAPE)) ** 2
    loudness = power.sum(axis=1)
    order = np.argsort(loudness, kind="stable")
    quiet = power[order[: max(4, len(order) // 5)]].mean(axis=0) + 1.0
    loud = loudness[order[-max(4, len(order) * 3 // 10) :]].mean()
    return Noise(quiet, float(10 * np.log10(loud / quiet.sum() + 1e-9)))


class Denoiser:
    """One stream, int16, 16 kHz. The samples that come out do not depend on how those that go in are cut."""

    def __init__(self, noise: Noise) -> None:
        self._noise = noise.power.copy()
        self._before = np.zeros_like(self._noise)
        self._waiting = np.zeros(_WINDOW - _HOP)
        self._sum = np.zeros(_WINDOW)
        self._skip = _WINDOW - _HOP
        self._owed = 0

    def push(self, samples: Samples) -> Samples:
        """As many samples as are ready: 22 to 32 ms are held back."""
        self._owed += len(samples)
        waiting = np.concatenate([self._waiting, samples.astype(np.float64)])
        ready: list[_Spectrum] = []
        start = 0
        while start + _WINDOW <= len(waiting):
            ready.append(self._frame(waiting[start : start + _WINDOW]))
            start += _HOP
        self._waiting = waiting[start:]
        if not ready:
            return empty()
        out = np.concatenate(ready)
        skip = min(self._skip, len(out))
        self._skip -= skip
        self._owed -= len(out) - skip
        return np.clip(np.rint(out[skip:]), -32768, 32767).astype(np.int16)

    def flush(self) -> Samples:
        """What was held back; the stream is over."""
        rest = self._owed
        return self.push(np.zeros(2 * _WINDOW, np.int16))[:rest]

    def _frame(self, frame: _Spectrum) -> _Spectrum:
        """One hop of output."""
        spectrum = np.fft.rfft(frame * _SHAPE)
        power = spectrum.real**2 + spectrum.imag**2
        if power.sum() < _LOUDER * self._noise.sum():
            self._noise += _LEARNING * (power - self._noise)
        after = power / (_MORE * self._noise)
        before = _SMOOTHING * self._before + (1 - _SMOOTHING) * np.maximum(after - 1, 0)
        gain = np.maximum(before / (1 + before), _FLOOR)
        self._before = gain * gain * after
        self._sum += np.fft.irfft(spectrum * gain) * _SHAPE
        done = self._sum[:_HOP] / _OVERLAP
        self._sum = np.concatenate([self._sum[_HOP:], np.zeros(_HOP)])
        return done


def _overlap(shape: _Spectrum) -> _Spectrum:
    """How much each sample of a hop weighs after windowing twice and adding up all windows that cover it."""
    squares = np.concatenate([shape**2, np.zeros(-len(shape) % _HOP)])
    total: _Spectrum = squares.reshape(-1, _HOP).sum(axis=0)
    return total


_SHAPE: _Spectrum = np.sqrt(np.hanning(_WINDOW + 1)[:_WINDOW])
_OVERLAP = _overlap(_SHAPE)
