"""Synthetic rooms: what a microphone hears of a loudspeaker, with the echo and the talker known apart. The same for the same arguments.

An impulse response is a direct sound and a tail of noise that decays by 60 dB in the reverberation time (Polack's model), behind a delay
that stands for the sound cards' buffers as well as for the air.
"""

import math
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, Samples, clip_int16, dbfs, samples_in

Wave = NDArray[np.float64]
LEAD, CARD_LEAD = 8, 160
"""Samples kept for interpolation; what a card with a clock of its own has in its buffer."""


@dataclass(frozen=True, slots=True)
class Room:
    """A loudspeaker and a microphone in a room."""

    delay_ms: int = 80
    """From the sample that is handed to the device to its direct sound in the microphone."""
    rt60_ms: int = 300
    """Reverberation time."""
    gain_db: float = -6.0
    """The echo's level in the microphone against what is played."""
    direct_db: float = 3.0
    """The direct sound's energy against the tail's: a laptop's loudspeaker is near."""
    drift_ppm: float = 0.0
    """How much faster the loudspeaker's clock is than the microphone's."""
    clip_db: float | None = None
    """The loudspeaker cannot go beyond so much over the RMS of what it plays: it bends there, softly. None: linear."""
    noise_dbfs: float = -65.0
    """The room's and the microphone's own noise."""
    seed: int = 1

    def echo(self, played: Samples) -> Samples:
        """What comes back of it, as long."""
        wave = played.astype(np.float64)
        if self.clip_db is not None:
            limit = 32768 * 10 ** ((dbfs(played[played != 0]) + self.clip_db) / 20)
            wave = limit * np.tanh(wave / limit)
        if self.drift_ppm:
            wave = _paused(soxr.resample(wave, RATE_HZ, RATE_HZ * (1 - self.drift_ppm / 1e6), quality="HQ"), len(played))
        size = 1 << (len(wave) + len(response := self.response()) - 1).bit_length()
        return clip_int16(np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(response, size), size)[: len(wave)])

    def open(self, played_dbfs: float = -20.0) -> "Air":
        """The same frame by frame. `played_dbfs`: where nothing is played yet, what `clip_db` is counted from."""
        return Air(self, played_dbfs)

    def response(self) -> Wave:
        """The impulse response, of energy `gain_db`."""
        rng = np.random.default_rng(self.seed)
        tail = rng.standard_normal(samples_in(self.rt60_ms)) * 10 ** (-3 * np.arange(samples_in(self.rt60_ms)) / samples_in(self.rt60_ms))
        # The first reflection comes some milliseconds behind the direct sound.
        tail[: samples_in(2)] = 0.0
        tail /= np.sqrt((tail**2).sum())
        tail[0] = 10 ** (self.direct_db / 20)
        tail *= 10 ** (self.gain_db / 20) / np.sqrt((tail**2).sum())
        return np.concatenate([np.zeros(samples_in(self.delay_ms)), tail])

    def noise(self, count: int) -> Samples:
        """The background, so many samples."""
        wave = np.random.default_rng(self.seed + 1).standard_normal(count)
        return clip_int16(wave * 32768 * 10 ** (self.noise_dbfs / 20))


class Air:
    """A loudspeaker, a room and a microphone while they run, each sound card with its own clock."""

    def __init__(self, room: Room, played_dbfs: float) -> None:
        self._limit = math.inf if room.clip_db is None else 32768 * 10 ** ((played_dbfs + room.clip_db) / 20)
        self._step = 1 + room.drift_ppm / 1e6
        response = room.response()
        self._size = 1 << (FRAME_SAMPLES + len(response) - 1).bit_length()
        self._response = np.fft.rfft(response, self._size)
        self._tail = np.zeros(self._size)
        # A clock that is slow is ahead of its sound at no time: the card has a buffer.
        self._card = np.zeros(LEAD)
        self._at = float(LEAD - CARD_LEAD) if room.drift_ppm else float(LEAD)
        self._owed = 0.0

    @property
    def wanted(self) -> int:
        """How many samples the loudspeaker takes in the microphone's next 20 ms."""
        return int(self._owed + FRAME_SAMPLES * self._step)

    def push(self, played: Samples) -> Samples:
        """`wanted` samples for the loudspeaker; returns the echo in the microphone's next 20 ms."""
        self._owed += FRAME_SAMPLES * self._step - len(played)
        wave = played.astype(np.float64)
        if math.isfinite(self._limit):
            wave = self._limit * np.tanh(wave / self._limit)
        self._card = np.concatenate([self._card, wave])
        where = self._at + self._step * np.arange(FRAME_SAMPLES)
        heard = _between(self._card, where)
        self._at += FRAME_SAMPLES * self._step
        gone = int(self._at) - LEAD
        if gone > 0:
            self._card, self._at = self._card[gone:], self._at - gone
        self._tail += np.fft.irfft(np.fft.rfft(heard, self._size) * self._response, self._size)
        echo, self._tail = self._tail[:FRAME_SAMPLES], np.concatenate([self._tail[FRAME_SAMPLES:], np.zeros(FRAME_SAMPLES)])
        return clip_int16(echo)


def _between(wave: Wave, where: Wave) -> Wave:
    """The wave at places between its samples: cubic, exact at the samples."""
    at = where.astype(int)
    part = where - at
    before, here, after, later = (wave[np.minimum(at + step, len(wave) - 1)] for step in (-1, 0, 1, 2))
    bend = (after - here) * 3 + before - later
    curve: Wave = here + 0.5 * part * (after - before + part * (2 * before - 5 * here + 4 * after - later + part * bend))
    return curve


def _paused(wave: Wave, count: int) -> Wave:
    """So many samples of it: cut, or silent behind it."""
    return wave[:count] if len(wave) >= count else np.concatenate([wave, np.zeros(count - len(wave))])


def mixed(*sounds: Samples) -> Samples:
    """Sounds at once, all of one length."""
    return clip_int16(np.sum([sound.astype(np.float64) for sound in sounds], axis=0))
