"""The meters: levels, the link, the microphone that was shut."""

import numpy as np

from tests.support.talking import FakeSpeaker, Taken
from voice.audio.jitter import JitterStats
from voice.devices.base import Frame
from voice.metering import EVERY_S, Metering
from voice.protocol.floor import Floor

QUIET, LOUD = (Frame(np.full(320, level, np.int16)) for level in (33, 3277))


def test_the_loudest_of_what_is_sent_since_the_last_time() -> None:
    taken = Taken()
    meters = Metering(Floor(), FakeSpeaker(), taken)
    for frame, withheld in ((QUIET, False), (LOUD, False), (QUIET, False)):
        meters.hear(frame, withheld)
    meters.show()
    meters.hear(LOUD, True)
    meters.show()
    assert [round(reading.microphone_dbfs or 0) for reading in taken.readings] == [-20, -100]


def test_ten_times_a_second_at_most() -> None:
    meters = Metering(Floor(), FakeSpeaker(), Taken())
    shown = sum(meters.due(5.0 + step * 0.02) for step in range(500))
    assert 80 <= shown <= 10 / EVERY_S


def test_the_floor_and_the_playback_buffer_as_they_are() -> None:
    taken, floor, speaker = Taken(), Floor(half_duplex=True), FakeSpeaker()
    floor.linked, floor.muted = False, True
    speaker.stats, speaker.last = JitterStats(underruns=3, buffered_ms=240), LOUD.samples
    Metering(floor, speaker, taken).show()
    (reading,) = taken.readings
    assert (reading.half_duplex, reading.link, reading.muted) == (True, "lost", True)
    assert (reading.underruns, reading.buffered_ms, round(reading.loudspeaker_dbfs or 0)) == (3, 240, -20)
