"""How much of the loudspeaker the microphone hears, and how much of that a canceller leaves: measured while people talk.

An echo follows what is played: its power in each 20 ms is a weighted sum of the power played in the last 800 ms. The weights (the path
from the loudspeaker to the microphone, delay and room together) are learnt from the powers alone, by a normalised gradient that rises
slowly where the microphone hears far more than is expected: a talker only ever adds power. Then each frame tells

    captured far above the expected echo            somebody talks (double talk)
    what is left far above the expected remainder   somebody talks, or the canceller has lost the path: nothing is learnt
    else                                            captured less background / what is left less background: the canceller's gain

The gain is a ratio of sums that forget (ERLE, ITU-T G.168). A canceller that has lost the path looks like a talker at first; but what it
leaves goes up and down with the echo, and a talker does not: over some seconds the two are told apart.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.audio.edges import highpass
from voice.audio.pcm import FRAME_MS, SILENT_DBFS, Samples

PATH_FRAMES = 40
"""Delay and reverberation together: 800 ms."""
PLAYED_POWER = 33.0**2
"""Mean square of a frame that counts as played: -60 dBFS."""
TRAINING_FRAMES = 25
"""Frames with something played before the path is believed: 0.5 s."""
TRAINING, RISE, FALL, RISE_TALKING = 0.3, 0.05, 0.2, 0.005
"""Steps of the gradient: at the beginning, where more is heard than expected, where less is, and where so much more that somebody talks."""
SOFT, LOUD_KEEPS = 0.05, 0.998
"""Soft playback teaches little: whatever is heard beside it would need a path that makes it loud. How loud playback is at its loudest is known for 10 s."""
MOST_RISE = 4.0
"""Of a talker no more is learnt than of an echo so many times as loud as expected: 3 dB in a second of talk, which the next pause takes back."""
TALKING = 6.0
"""Captured so many times the expected echo: somebody talks (8 dB). The expectation errs by 3 dB in most frames."""
LEFT_OVER, LEFT_SHARE = 5.0, 0.01
"""So many times the expected remainder is left, and so much of what was captured: a talker, or the path is lost. Less than that share is no
talker but a canceller that follows a room, and what it leaves now and then is just what is to be known."""
AUDIBLE = 2.0
"""An echo so many times over the background is measured. Softer ones make no detector say "speech" (3 dB: none did, 6 dB: all did)."""
MOST_LEFT = 2.5
"""Of a remainder that is larger than expected so much is learnt: the soft words of a talker look like it."""
MEMORY_FRAMES = 75
"""The sums forget within 1.5 s of echo."""
SETTLED_FRAMES = 50
"""1 s of echo has been measured: the gain can be believed. An echo that cannot be heard at all is believed after as long."""
LOST_FRAMES, TURNED_UP_FRAMES, LOST_SHARE, LOST_LIKENESS, LOST_STEP = 200, 250, 0.6, 0.7, 5
"""4 s of echo in which most frames are so much louder than expected, and are as much like it: the canceller has lost it. 5 s where the delay
is open too: the volume was turned up. Two talkers are alike by chance, more so at the best of many delays."""
MOST_ERLE_DB = 40.0
"""What is left is then no louder than a whisper far away, and no measure of anything."""
NOISE_RISE, NOISE_FALL = 10 ** (2.0 * FRAME_MS / 1000 / 10), 0.3
"""The background rises by 2 dB a second at most, so that the gaps between words hold it down, and falls quickly."""
LINGERING = 0.63
"""Of the power that was played 20 ms before so much is still heard: 2 dB less, as in a room with an RT60 of 600 ms."""
LEAST_POWER = 1.0
"""Half a bit: the rounding of int16."""

Powers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EchoReading:
    """What is known of the echo."""

    level_db: float = SILENT_DBFS
    """The echo in the microphone as captured, while something is played: dBFS above 120 Hz; SILENT_DBFS if it is not over the background."""
    erle_db: float = 0.0
    """How much of it the canceller takes away: 0 without one, 40 at most."""
    double_talk: bool = False
    """Somebody talks while something is played."""
    settled: bool = False
    """The figures can be believed: an echo has been measured for long enough, or was not there for as long."""
    played_ms: int = 0
    """How long anything has been played so far."""


class EchoMeter:
    """See the top of the file; one for each device that takes part in a call. Push every frame of 20 ms."""

    def __init__(self) -> None:
        self._played = np.zeros(PATH_FRAMES)
        self._path = Path()
        self._gain = Gain()
        self._captured_noise = Background()
        self._left_noise = Background()
        self._active = 0
        self._level = 0.0
        self._double_talk = False

    @property
    def reading(self) -> EchoReading:
        """The state after the newest frame."""
        unheard = self._level <= AUDIBLE * self._captured_noise.power
        return EchoReading(
            level_db=SILENT_DBFS if unheard else max(SILENT_DBFS, _db(self._level / 32768.0**2)),
            erle_db=self._gain.erle_db,
            double_talk=self._double_talk,
            settled=self._gain.settled or (unheard and self._active >= TRAINING_FRAMES + SETTLED_FRAMES),
            played_ms=self._active * FRAME_MS,
        )

    def push(self, captured: Samples, processed: Samples, played: Samples) -> None:
        """20 ms: as the card gave it, as the canceller left it (the same if there is none), and what was handed to the loudspeaker."""
        heard, left, given = _power(captured), _power(processed), _power(played)
        self._played[1:] = self._played[:-1]
        self._played[0] = given
        sounding = bool(self._played.max() > PLAYED_POWER)
        self._double_talk = False
        if sounding:
            self._active += given > PLAYED_POWER
            self._measure(heard, left)
        self._captured_noise.push(heard)
        self._left_noise.push(left)

    def _measure(self, heard: float, left: float) -> None:
        """A frame in which an echo may be."""
        noise = self._captured_noise.power
        over = max(0.0, heard - noise)
        expected = self._path.push(self._played, over, noise)
        if self._played[0] > PLAYED_POWER:
            self._level += (expected - self._level) / min(self._active, MEMORY_FRAMES)
        if not self._path.trained:
            return
        self._double_talk = talks(over, expected, noise)
        if expected > AUDIBLE * noise and not self._double_talk:
            remains = max(left - self._left_noise.power, 0.03 * left)
            self._double_talk = self._gain.push(over, remains, expected)


class Path:
    """The powers' way from the loudspeaker to the microphone."""

    def __init__(self) -> None:
        self._weights = np.zeros(PATH_FRAMES)
        self._loudest = 0.0
        self._frames = 0
        self._doubts = Doubts(TURNED_UP_FRAMES)

    @property
    def trained(self) -> bool:
        """The expectation means something."""
        return self._frames >= TRAINING_FRAMES

    def push(self, played: Powers, heard: float, noise: float) -> float:
        """The echo's power to be expected from `played` (the newest first), before what was heard is learnt."""
        self._frames += 1
        expected = float(np.dot(self._weights, played))
        talking = self.trained and talks(heard, expected, noise)
        if self._doubts.push(heard, _lingering(played), talking):
            # The volume was turned up: from here as at the beginning.
            self._frames, talking = 0, False
        if talking:
            # An echo that could not be heard so far is not one that a talker teaches: his headset would become a loudspeaker.
            step, heard = (RISE_TALKING, min(heard, MOST_RISE * expected)) if expected > noise else (0.0, expected)
        else:
            step = TRAINING if not self.trained else RISE if heard > expected else FALL
        size = float(np.dot(played, played))
        self._loudest = max(size, LOUD_KEEPS * self._loudest)
        self._weights += (step * (heard - expected) / (size + SOFT * self._loudest + LEAST_POWER)) * played
        np.maximum(self._weights, 0.0, out=self._weights)
        return expected


class Gain:
    """How far the canceller brings the echo down."""

    def __init__(self) -> None:
        self._before = self._after = 0.0
        self._frames = 0
        self._doubts = Doubts(LOST_FRAMES)

    @property
    def settled(self) -> bool:
        """Measured for long enough."""
        return self._frames >= SETTLED_FRAMES

    @property
    def erle_db(self) -> float:
        """0 where nothing has been measured."""
        if not self._frames:
            return 0.0
        return min(MOST_ERLE_DB, max(0.0, _db(self._before / max(self._after, LEAST_POWER))))

    def push(self, before: float, after: float, expected: float) -> bool:
        """A frame of nothing but echo, as far as the captured sound tells; True if what is left says that somebody talks."""
        remainder = expected * self._after / max(self._before, LEAST_POWER)
        doubtful = self.settled and after > max(LEFT_OVER * (remainder + LEAST_POWER), LEFT_SHARE * before)
        if self._doubts.push(after, np.array([expected]), doubtful):
            self._before = self._after = 0.0
            self._frames, doubtful = 0, False
        if doubtful:
            return True
        self._frames += 1
        keep = 1 - 1 / min(self._frames, MEMORY_FRAMES)
        self._before = keep * self._before + before
        self._after = keep * self._after + (min(after, MOST_LEFT * remainder + LEAST_POWER) if self.settled else after)
        return False


class Doubts:
    """Tells a talker from an echo that has become louder: a talker does not go up and down with what is played."""

    def __init__(self, frames: int) -> None:
        self._rows: deque[tuple[float, Powers, bool]] = deque(maxlen=frames)
        self._doubtful = 0

    def push(self, power: float, expected: Powers, doubtful: bool) -> bool:
        """A frame; True if it is the echo: what was learnt before does not hold any more. Then the doubts begin anew.

        `expected`: powers, one of which the echo would follow.
        """
        if len(self._rows) == self._rows.maxlen:
            self._doubtful -= self._rows[0][2]
        self._rows.append((power, expected, doubtful))
        self._doubtful += doubtful
        # The comparison costs as much as some frames: not at each of them.
        if self._doubtful < LOST_SHARE * (self._rows.maxlen or 0) or self._doubtful % LOST_STEP:
            return False
        doubts = [row for row in self._rows if row[2]]
        powers = np.log([row[0] + LEAST_POWER for row in doubts])
        if not _likeness(powers, np.log(np.array([row[1] for row in doubts]) + LEAST_POWER)) > LOST_LIKENESS:
            return False
        self._rows.clear()
        self._doubtful = 0
        return True


class Background:
    """The noise in a stream of powers: what is there between the words."""

    def __init__(self) -> None:
        self.power = math.inf

    def push(self, power: float) -> None:
        """A frame's power."""
        power = max(power, LEAST_POWER)
        if power >= self.power:
            self.power = min(power, self.power * NOISE_RISE)
        else:
            self.power = power if math.isinf(self.power) else self.power + NOISE_FALL * (power - self.power)


def _lingering(played: Powers) -> Powers:
    """Powers (the newest first) as a room makes them: no more than 2 dB softer than 20 ms before."""
    longest: Powers = np.maximum.reduce([np.append(played[back:], np.zeros(back)) * LINGERING**back for back in range(4)])
    return longest


def _likeness(power: Powers, expected: Powers) -> float:
    """The best correlation of `power` (frames) with a column of `expected` (frames, columns); -1 where nothing changes."""
    power, expected = power - power.mean(), expected - expected.mean(axis=0)
    scale = np.sqrt(np.dot(power, power) * np.einsum("ij,ij->j", expected, expected))
    return float(np.max(np.where(scale > 0, power @ expected / np.where(scale > 0, scale, 1.0), -1.0)))


def talks(heard: float, expected: float, noise: float) -> bool:
    """Whether a frame that is so much over the background has more in it than an echo."""
    return heard > TALKING * expected + AUDIBLE * noise


def _power(frame: Samples) -> float:
    """Mean square above the hum."""
    wave = highpass(frame)
    return float(np.dot(wave, wave)) / max(1, len(wave))


def _db(ratio: float) -> float:
    return 10 * math.log10(max(ratio, 1e-12))
