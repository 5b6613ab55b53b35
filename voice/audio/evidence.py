"""How much speech it takes to interrupt an answer: less where the microphone cannot hear the loudspeaker, more where it may.

What the detector takes for speech may be the answer itself, as far as the canceller has left it. The rows are from bench/echo.py.
"""

import math
from dataclasses import dataclass

from voice.audio.echo import EchoReading

LEAST_MS = 200.0
"""No row asks for less: most coughs are shorter (bench/interjections.py), and the longer ones are told by other means (`protocol/bargein.py`)."""
INAUDIBLE_DBFS = -68.0
"""An echo under this, or what is left of one, makes no detector say "speech": without any canceller, in rooms with noise at -65 to -90 dBFS, none of
three voices did in half a minute each; at -66 one did for 420 ms in the quietest room, at -58 all do."""
NEW_MS = 1_500
"""The canceller learns the room, and the meter the echo."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a canceller has to reach, and what is asked for then."""

    erle_db: float
    """At least."""
    needed_ms: float
    needed_new_ms: float
    """In the first NEW_MS of playback."""
    why: str


ROWS = (
    Row(25.0, LEAST_MS, 400.0, "a canceller that works"),
    Row(18.0, 300.0, 600.0, "two clocks that drift apart, a long reverberation"),
    Row(12.0, 600.0, math.inf, "words of the answer come through now and then"),
    Row(6.0, 1_000.0, math.inf, "whole words come through"),
    Row(-math.inf, math.inf, math.inf, "no canceller, or one that has lost the room: the answer would interrupt itself"),
)
"""The first whose ERLE is reached."""


def needed_speech_ms(echo_level_db: float, erle_db: float, age_of_playback_ms: float, headphones: bool) -> float:
    """So many ms of speech make an interruption; infinite: no speech does (half-duplex).

    `echo_level_db`: the echo in the microphone before the canceller, dBFS; `erle_db`: what the canceller takes away, 0 without one;
    `age_of_playback_ms`: how much has been played so far; `headphones`: somebody says that there is no echo. More echo, less ERLE, a younger
    playback never ask for less.
    """
    if headphones:
        return LEAST_MS
    new = age_of_playback_ms < NEW_MS
    if not new and echo_level_db - erle_db < INAUDIBLE_DBFS:
        return LEAST_MS
    row = next(row for row in ROWS if erle_db >= row.erle_db)
    return row.needed_new_ms if new else row.needed_ms


def needed_by(reading: EchoReading | None, headphones: bool) -> float:
    """The same of what a meter reads; None: the microphone is a file, or hears no loudspeaker."""
    if reading is None:
        return LEAST_MS
    age_ms = reading.played_ms if reading.settled else min(reading.played_ms, NEW_MS - 1)
    return needed_speech_ms(reading.level_db, reading.erle_db, age_ms, headphones)
