"""Sounds of people and rooms that are no words: coughs, throats, breath, laughter, "mm-hm", keys, doors. int16 mono at 16 kHz.

No Debian package of a reasonable size has a recording of a cough, so they are made from what measurements of coughs say: an explosive
burst of 30-60 ms, a turbulent part of 100-300 ms that decays, and in some 60-150 ms of voice at the end; energy up to 4 kHz through the
throat's resonances; 300-500 ms in all, often two or three in a row. The seed draws all these, so that each is another one: what is held
to a handful of seeds must hold for others too. Levels are those of the loudest 50 ms, as `loudest_dbfs` measures them.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from voice.audio.pcm import RATE_HZ, Samples, clip_int16, samples_in

Wave = NDArray[np.float64]
LEVEL_DBFS = -20.0
LOUDEST_MS = 50
NEUTRAL = ((550.0, 180.0, 1.0), (1600.0, 300.0, 0.7), (2600.0, 400.0, 0.5), (3600.0, 600.0, 0.3))
"""(Hz, width in Hz, gain) of an open throat; a person's lie 15 % around these."""
CLOSED = ((250.0, 90.0, 1.0), (1100.0, 250.0, 0.06), (2300.0, 300.0, 0.03))
"""With the lips shut: "mm"."""


def cough(seed: int, level_dbfs: float = LEVEL_DBFS) -> Samples:
    """One to three coughs."""
    rng = np.random.default_rng(seed)
    parts = [_cough(rng) for _ in range(int(rng.integers(1, 4)))]
    return _joined(rng, parts, (60, 220), level_dbfs)


def throat(seed: int, level_dbfs: float = LEVEL_DBFS) -> Samples:
    """Somebody clears the throat: rough, low, in one or two pieces."""
    rng = np.random.default_rng([seed, 1])
    parts = []
    for _ in range(int(rng.integers(1, 3))):
        length_ms = int(rng.uniform(200, 450))
        rough = _pulses(rng, length_ms, rng.uniform(70, 150), rng.uniform(60, 120), jitter=rng.uniform(0.02, 0.25))
        mixed = _through(_scaled(rough) + rng.uniform(0.1, 1.0) * _scaled(_noise(rng, length_ms)), _person(rng, NEUTRAL))
        parts.append(mixed * _swell(length_ms, 30, 80))
    return _joined(rng, parts, (40, 150), level_dbfs)


def sneeze(seed: int, level_dbfs: float = LEVEL_DBFS) -> Samples:
    """Air drawn in, then all of it let out at once."""
    rng = np.random.default_rng([seed, 2])
    drawn = _through(_noise(rng, 500), ((1200.0, 800.0, 1.0), (3000.0, 1200.0, 0.6))) * np.linspace(0, 1, samples_in(500)) ** 2
    out_ms = int(rng.uniform(250, 450))
    hiss = _through(_noise(rng, out_ms), ((2500.0, 900.0, 1.0), (4500.0, 1500.0, 1.0), (600.0, 300.0, 0.4))) * _decay(out_ms, 5, 110)
    voice = _through(_pulses(rng, 120, 320, 180, 0.03), _person(rng, NEUTRAL)) * _swell(120, 10, 60)
    burst = _scaled(hiss)
    burst[: len(voice)] += rng.uniform(0.0, 0.8) * _scaled(voice)[: len(burst)]
    return _levelled(np.concatenate((0.08 * _scaled(drawn), np.zeros(samples_in(60)), burst)), level_dbfs)


def breath(seed: int, level_dbfs: float = -35.0) -> Samples:
    """In and out, close to the microphone."""
    rng = np.random.default_rng([seed, 3])
    parts = []
    for hz in (rng.uniform(900, 1800), rng.uniform(500, 1100)):
        length_ms = int(rng.uniform(500, 1100))
        parts.append(_through(_noise(rng, length_ms), ((hz, 700.0, 1.0), (2.2 * hz, 1000.0, 0.5))) * _swell(length_ms, 250, 300))
    return _joined(rng, parts, (100, 500), level_dbfs)


def laugh(seed: int, level_dbfs: float = LEVEL_DBFS) -> Samples:
    """Ha ha ha: breath and a high voice, five a second."""
    rng = np.random.default_rng([seed, 4])
    pitch_hz, person = rng.uniform(180, 380), _person(rng, NEUTRAL)
    parts = []
    for number in range(int(rng.integers(3, 7))):
        hz = pitch_hz * 0.94**number
        aspirated = _through(_noise(rng, 70), person) * _swell(70, 20, 20)
        voiced = _through(_pulses(rng, 90, 1.1 * hz, hz, 0.02), person) * _swell(90, 10, 40)
        parts.append(np.concatenate((0.4 * _scaled(aspirated), _scaled(voiced))) * 0.9**number)
    return _joined(rng, parts, (40, 70), level_dbfs)


def mm_hm(seed: int, level_dbfs: float = LEVEL_DBFS) -> Samples:
    """ "Mm", or "mm-hm" with the second half higher: somebody listens and has no question."""
    rng = np.random.default_rng([seed, 5])
    pitch_hz, shut = rng.uniform(90, 230), _person(rng, CLOSED)
    first_ms, second_ms = int(rng.uniform(150, 280)), int(rng.uniform(150, 280))
    parts = [_through(_pulses(rng, first_ms, pitch_hz, 0.92 * pitch_hz, 0.01), shut) * _swell(first_ms, 40, 60)]
    if rng.uniform() < 0.7:
        second = _through(_pulses(rng, second_ms, 1.15 * pitch_hz, 1.25 * pitch_hz, 0.01), shut) * _swell(second_ms, 40, 60)
        parts += [0.05 * _noise(rng, 60) * _swell(60, 20, 20), second]
    return _joined(rng, parts, (0, 30), level_dbfs)


def keys(seed: int, level_dbfs: float = -30.0) -> Samples:
    """Some words typed on a desk's keyboard: clicks of a cap and thumps of the desk."""
    rng = np.random.default_rng([seed, 6])
    parts = []
    for _ in range(int(rng.integers(6, 18))):
        click = _through(_noise(rng, 15), ((rng.uniform(2000, 5000), 1500.0, 1.0),)) * _decay(15, 1, 3)
        thump = _through(_noise(rng, 40), ((rng.uniform(120, 300), 80.0, 1.0),)) * _decay(40, 2, 10)
        both = 0.5 * _scaled(thump)
        both[: len(click)] += _scaled(click)
        parts.append(both * rng.uniform(0.4, 1.0))
    return _joined(rng, parts, (30, 160), level_dbfs)


def door(seed: int, level_dbfs: float = LEVEL_DBFS) -> Samples:
    """A latch, then the door in its frame, and the room after it."""
    rng = np.random.default_rng([seed, 7])
    latch = _through(_noise(rng, 25), ((rng.uniform(1500, 3500), 800.0, 1.0),)) * _decay(25, 1, 5)
    low = _through(_noise(rng, 500), ((rng.uniform(60, 140), 60.0, 1.0), (rng.uniform(250, 500), 200.0, 0.5))) * _decay(500, 3, 70)
    return _levelled(np.concatenate((0.3 * _scaled(latch), np.zeros(samples_in(int(rng.uniform(40, 120)))), _scaled(low))), level_dbfs)


def knock(seed: int, level_dbfs: float = LEVEL_DBFS) -> Samples:
    """Two to five knocks on wood, or a cup that is put down."""
    rng = np.random.default_rng([seed, 8])
    hz = rng.uniform(180, 900)
    parts = [
        _through(_noise(rng, 90), ((hz, 60.0, 1.0), (2.7 * hz, 150.0, 0.5))) * _decay(90, 2, 18) for _ in range(int(rng.integers(2, 6)))
    ]
    return _joined(rng, parts, (70, 180), level_dbfs)


PEOPLE: dict[str, Callable[..., Samples]] = {
    "cough": cough,
    "throat": throat,
    "sneeze": sneeze,
    "breath": breath,
    "laugh": laugh,
    "mm-hm": mm_hm,
}
THINGS: dict[str, Callable[..., Samples]] = {"keys": keys, "door": door, "knock": knock}


def in_a_room(sound: Samples, seed: int, decay_ms: float = 80.0, direct: float = 0.7) -> Samples:
    """The same, half a metre from the microphone in a room whose sound falls by 8.7 dB in `decay_ms`; 300 ms longer."""
    rng = np.random.default_rng([seed, 9])
    tail = rng.standard_normal(samples_in(300)) * _decay(300, 1, decay_ms)
    room = (1 - direct) * tail / np.sqrt(np.sum(tail**2))
    room[0] += direct
    return clip_int16(np.convolve(sound.astype(np.float64), room))


def loudest_dbfs(samples: Samples) -> float:
    """The RMS level of its loudest 50 ms."""
    return 20 * float(np.log10(max(_loudest(samples.astype(np.float64)), 1e-3) / 32768))


def _cough(rng: Generator) -> Wave:
    person = _person(rng, NEUTRAL)
    burst_ms, air_ms = int(rng.uniform(30, 60)), int(rng.uniform(100, 300))
    burst = _through(_noise(rng, burst_ms), person) * _decay(burst_ms, 2, 25)
    air = _through(_noise(rng, air_ms), (*person, (4500.0, 1500.0, rng.uniform(0.1, 0.5)))) * _decay(air_ms, 10, rng.uniform(50, 120))
    parts = [_scaled(burst), rng.uniform(0.3, 0.7) * _scaled(air)]
    if rng.uniform() < 0.5:
        voice_ms = int(rng.uniform(60, 150))
        pitch_hz = rng.uniform(150, 400)
        voice = _through(_pulses(rng, voice_ms, pitch_hz, 0.75 * pitch_hz, 0.05), person) * _swell(voice_ms, 15, 60)
        parts.append(rng.uniform(0.2, 0.5) * _scaled(voice))
    return np.concatenate(parts)


def _noise(rng: Generator, length_ms: int) -> Wave:
    return rng.standard_normal(samples_in(length_ms))


def _pulses(rng: Generator, length_ms: int, from_hz: float, to_hz: float, jitter: float) -> Wave:
    """The glottis: a pulse a period, of uneven length and strength."""
    wave = np.zeros(samples_in(length_ms))
    at = 0.0
    while at < len(wave):
        wave[int(at)] = 1 + 2 * jitter * rng.standard_normal()
        hz = from_hz + (to_hz - from_hz) * at / len(wave)
        at += RATE_HZ / hz * max(0.3, 1 + jitter * rng.standard_normal())
    # A pulse falls by 12 dB an octave, lips give 6 of them back.
    return _filtered(wave, lambda hz: 1 / (1 + hz / 200))


def _through(wave: Wave, formants: tuple[tuple[float, float, float], ...]) -> Wave:
    return _filtered(wave, lambda hz: 0.01 + sum(gain / (1 + ((hz - at) / width) ** 2) for at, width, gain in formants))


def _filtered(wave: Wave, response: Callable[[Wave], Wave]) -> Wave:
    spectrum = np.fft.rfft(wave) * response(np.fft.rfftfreq(len(wave), 1 / RATE_HZ))
    return np.fft.irfft(spectrum, len(wave))


def _person(rng: Generator, formants: tuple[tuple[float, float, float], ...]) -> tuple[tuple[float, float, float], ...]:
    size = rng.uniform(0.85, 1.15)
    return tuple((hz * size * rng.uniform(0.95, 1.05), width, gain) for hz, width, gain in formants)


def _swell(length_ms: int, rise_ms: float, fall_ms: float) -> Wave:
    at = np.arange(samples_in(length_ms)) * 1000 / RATE_HZ
    return np.clip(np.minimum(at / rise_ms, (length_ms - at) / fall_ms), 0, 1)


def _decay(length_ms: int, rise_ms: float, decay_ms: float) -> Wave:
    at = np.arange(samples_in(length_ms)) * 1000 / RATE_HZ
    return np.minimum(at / rise_ms, 1) * np.exp(-np.maximum(at - rise_ms, 0) / decay_ms)


def _loudest(wave: Wave) -> float:
    """RMS of the loudest 50 ms, or of all if there is less."""
    width = min(samples_in(LOUDEST_MS), len(wave))
    power = np.convolve(wave**2, np.ones(width) / width, "valid")
    return float(np.sqrt(power.max()))


def _scaled(wave: Wave) -> Wave:
    return wave / max(_loudest(wave), 1e-12)


def _joined(rng: Generator, parts: list[Wave], pause_ms: tuple[int, int], level_dbfs: float) -> Samples:
    joined = [parts[0]]
    for part in parts[1:]:
        joined += [np.zeros(samples_in(int(rng.uniform(*pause_ms)))), part * rng.uniform(0.6, 1.0)]
    return _levelled(np.concatenate(joined), level_dbfs)


def _levelled(wave: Wave, level_dbfs: float) -> Samples:
    return clip_int16(_scaled(wave) * 32768 * 10 ** (level_dbfs / 20))
