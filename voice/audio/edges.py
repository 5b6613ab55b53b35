"""Where speech really begins and ends: from the level of the sound around what a detector says.

A detector is right about *whether* somebody speaks, but late: silero wants 20-60 ms of speech before it says so and
goes on for 60-90 ms after it; webrtcvad hangs over longer. So `turns.py` asks the detector whether, and this file when.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.audio.pcm import RATE_HZ, Samples

STEP_SAMPLES = 80
"""Levels are of 10 ms of sound, taken every 5 ms (80 samples at 16 kHz)."""
START_RANGE_DB = 34.0
"""Before a start, sound this far below the loudest of the first syllable is not speech (breath, the recording's own noise)."""
END_RANGE_DB = 38.0
"""After the end, sound this far below the loudest of the last syllables is not speech (reverberation)."""
START_LAG = RATE_HZ * 40 // 1000
END_LAG = RATE_HZ * 80 // 1000
"""In noise the weak ends of speech drown, and levels would cut them off: there an edge lies at least 40 ms before, at most
80 ms before what the detector says."""
OVER_FLOOR_DB = 6.0
"""Sound less than this above the background cannot be told from it."""
CONTRAST_DB = 9.0
"""With less between background and speech the levels say nothing, and the detector is believed."""
BRIDGE_STEPS = 14
"""Gaps up to 70 ms (14 steps) belong to a word: the closure of a stop consonant."""
SETTLE_STEPS = 32
"""The background after an end is that of the 160 ms behind a detector's word."""
AFTER_STEPS = 50
"""Speech goes on for 250 ms at most after a detector's last word: a final fricative."""
WEAK_DB = 26.0
WEAK_STEPS, WEAK_GAP_STEPS = 24, 4
"""A weak consonant at a start, further below the loudest than 26 dB, lasts 120 ms at most and has gaps of 20 ms at most: what is
longer, or stands alone, is the background."""
NEAR_STEPS = 60
NEAR_QUANTILE = 0.2
"""Of 300 ms before a detector's word at least 60 are background."""
LEAST_STEPS = 10
"""A background is known from 50 ms on."""
HALF = 40
"""Half of the 5 ms that the high-pass averages."""
QUIETEST_DB = 6.0
"""Background below an RMS of 2 is as good as digital silence."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the stream."""

    samples: Samples
    """int16, mono, 16 kHz."""
    start: int
    """Position in the stream of the first of them, in samples."""


@dataclass(frozen=True, slots=True)
class End:
    """Where speech ended."""

    position: int
    """In the stream, in samples."""
    clear: bool
    """False if noise hides weak speech, so that there may have been a little more."""


def start_edge(window: Window, said: int, reach: int) -> int:
    """Where the speech that a detector noticed at position `said` began, at most `reach` samples before it.

    `window` ends now and should reach 300 ms or more before `said`. Returns `said` if the levels do not tell.
    """
    levels = _levels(window.samples)
    at = _step(window, said)
    if at < 1 or at >= len(levels):
        return said
    before = levels[: max(0, at - reach // STEP_SAMPLES // 2)]
    # Too little to know the background from: the stream began with the speech, or just before it.
    floor = max(_background(before), _near(levels[max(0, at - NEAR_STEPS) : at])) if len(before) >= LEAST_STEPS else QUIETEST_DB
    peak = float(levels[at:].max())
    loud = _audible(levels, floor, peak, START_RANGE_DB)
    strong = None if loud is None else _first_of_run(loud & (levels > peak - WEAK_DB), at)
    if loud is None or strong is None:
        return said
    first = strong - _weak_before(loud, strong)
    # A level covers two steps; an abrupt start is in the second of the first level that hears it, a soft one in the first.
    edge = max(said - reach, window.start + (first + 1) * STEP_SAMPLES)
    return min(edge, said - START_LAG) if _drowned(floor, peak, START_RANGE_DB) else edge


def end_edge(window: Window, said: int, reach: int) -> End:
    """Where the speech that a detector last noticed just before position `said` ended, at most `reach` samples before it.

    `window` ends now, better 100 ms or more after `said`. Its position is `said` if the levels do not tell.
    """
    levels = _levels(window.samples)
    at = min(_step(window, said), len(levels))
    if at < 1:
        return End(said, clear=False)
    # Near the end only: digital silence may follow, and hide the recording's own noise.
    after = levels[at : at + SETTLE_STEPS]
    floor = _background(after) if len(after) >= LEAST_STEPS else QUIETEST_DB
    peak = float(levels[max(0, at - 2 * reach // STEP_SAMPLES) : at].max())
    loud = _audible(levels, floor, peak, END_RANGE_DB)
    last = None if loud is None else _last_of_run(loud, at)
    if last is None:
        return End(said, clear=False)
    # And an abrupt end is in the first step of the last level.
    edge = max(said - reach, window.start + last * STEP_SAMPLES + STEP_SAMPLES // 2)
    if _drowned(floor, peak, END_RANGE_DB):
        return End(max(edge, said - END_LAG), clear=False)
    return End(edge, clear=True)


def highpass(samples: Samples) -> NDArray[np.float32]:
    """Without offset and mains hum: each sample less the mean of 5 ms around it (-20 dB at 50 Hz, 0 dB at 200 Hz).

    At either end, where 2.5 ms are not known, the outermost sample stands for them.
    """
    count = len(samples)
    if not count:
        return np.zeros(0, np.float32)
    total = np.zeros(count + 2 * HALF + 2, np.int64)
    total[1 : HALF + 1] = samples[0]
    total[HALF + 1 : HALF + 1 + count] = samples
    total[HALF + 1 + count :] = samples[-1]
    np.cumsum(total, out=total)
    around = total[2 * HALF + 1 :] - total[: -2 * HALF - 1]
    clean: NDArray[np.float32] = samples - around[:count] * np.float32(1 / (2 * HALF + 1))
    return clean.astype(np.float32, copy=False)


def _levels(samples: Samples) -> NDArray[np.float64]:
    """Level in dB (of an RMS of 1) of each 10 ms, every 5 ms; at least QUIETEST_DB."""
    count = len(samples) // STEP_SAMPLES
    if count < 2:
        return np.zeros(0)
    steps = highpass(samples)[: count * STEP_SAMPLES].reshape(count, STEP_SAMPLES)
    power = np.einsum("ij,ij->i", steps, steps, dtype=np.float64) / STEP_SAMPLES
    levels: NDArray[np.float64] = np.maximum(QUIETEST_DB, 10.0 * np.log10((power[1:] + power[:-1]) / 2 + 1e-9))
    return levels


def _step(window: Window, position: int) -> int:
    return (position - window.start) // STEP_SAMPLES


def _background(levels: NDArray[np.float64]) -> float:
    """The level that the quieter half of the sound stays around."""
    return float(np.quantile(levels, 0.4))


def _near(levels: NDArray[np.float64]) -> float:
    """The background just before speech: a recording's own noise may begin there, after digital silence."""
    return float(np.quantile(levels, NEAR_QUANTILE))


def _audible(levels: NDArray[np.float64], floor_db: float, peak_db: float, range_db: float) -> NDArray[np.bool_] | None:
    """Which levels are speech, by the two limits; None if speech does not stand out of the background."""
    if peak_db - floor_db < CONTRAST_DB:
        return None
    return levels > max(floor_db + OVER_FLOOR_DB, peak_db - range_db)


def _drowned(floor_db: float, peak_db: float, range_db: float) -> bool:
    """Whether the background hides weak speech."""
    return floor_db + OVER_FLOOR_DB > peak_db - range_db


def _first_of_run(loud: NDArray[np.bool_], at: int) -> int | None:
    """The first step of the run, gaps bridged, that holds `at`; or else of the next run."""
    where = np.flatnonzero(loud)
    after = where[where >= at]
    if not len(after):
        return None
    first = int(after[0])
    for step in where[where < first][::-1]:
        if first - int(step) > BRIDGE_STEPS:
            break
        first = int(step)
    return first


def _weak_before(loud: NDArray[np.bool_], strong: int) -> int:
    """How many steps a weak consonant takes before the strong sound at step `strong`."""
    taken = 0
    for back in range(1, min(WEAK_STEPS, strong) + 1):
        if loud[strong - back]:
            taken = back
        elif back - taken > WEAK_GAP_STEPS:
            break
    return taken


def _last_of_run(loud: NDArray[np.bool_], at: int) -> int | None:
    """The last step of the run, gaps bridged, that holds `at - 1`; or else of the run before."""
    where = np.flatnonzero(loud)
    before = where[where < at]
    if not len(before):
        return None
    last = int(before[-1])
    for step in where[where > last]:
        if int(step) - last > BRIDGE_STEPS or step >= at + AFTER_STEPS:
            break
        last = int(step)
    return last
