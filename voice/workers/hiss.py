"""A noise floor for sound that has none, for a recogniser's ears.

Models of speech are trained on recordings, and every recording has a floor. Synthetic speech, and what a gate has cut, has digital
silence in its pauses and under its weak sounds, which is nothing that a model has ever heard. Called by the recogniser's child.
"""

import numpy as np

from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, Samples, clip_int16

FLOOR_DB = 42.0
"""So far under the speech lies the floor. Of 64 commands by espeak-ng 28 are understood without one and 40 with it (45 with one at 31 dB), of
40 by flite 38 and 39. Of 26 sentences in eight languages 3 are taken for English without, 2 with it, none for a command; at 36 dB 6, two of
them for commands, at 50 dB 6."""
_NARROW_HZ, _NARROW = 4_200, 10**-4.7
"""Sound of a telephone's width has next to nothing above 4 kHz (-85 to -52 dB of its power, others have -42 dB and more), and noise there would be taken
for speech (flite's kal: 31 of 35 without, 26 with it)."""
_BLOCK_SEED = 9


class Hiss:
    """The floor of one utterance, learnt from its head: int16, mono, 16 kHz. The same sound gets the same floor."""

    def __init__(self, head: Samples) -> None:
        self.level = _level(head)
        """Standard deviation of what is added; 0: the sound has a floor of its own, or is better off without one."""
        self._noise = np.random.default_rng(_BLOCK_SEED)

    def push(self, samples: Samples) -> Samples:
        """The samples (any length) with the floor under them."""
        if not self.level:
            return samples
        return clip_int16(samples + self._noise.normal(0.0, self.level, len(samples)))


def _level(head: Samples) -> float:
    frames = head[: len(head) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES).astype(np.float64)
    if not len(frames):
        return 0.0
    power = np.sort((frames**2).mean(axis=1))
    loud, quiet = power[-max(1, len(power) * 3 // 10) :].mean(), power[: max(1, len(power) // 5)].mean()
    bins = np.abs(np.fft.rfft(head.astype(np.float64))) ** 2
    above = bins[int(len(bins) * _NARROW_HZ / (RATE_HZ / 2)) :].sum()
    if above < _NARROW * bins.sum():
        return 0.0
    return float(np.sqrt(max(0.0, loud / 10 ** (FLOOR_DB / 10) - quiet)))
