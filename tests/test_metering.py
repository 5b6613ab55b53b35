"""The meters: levels, the link, the microphone that was shut."""

import numpy as np
import pytest

from tests.support.talking import FakeMicrophone, FakeSpeaker, Taken
from voice.audio.echo import EchoReading
from voice.audio.jitter import JitterStats
from voice.devices.base import Frame
from voice.metering import EVERY_S, Metering
from voice.protocol.floor import Floor

QUIET, LOUD = (Frame(np.full(320, level, np.int16)) for level in (33, 3277))


def test_the_loudest_of_what_is_sent_since_the_last_time() -> None:
    taken = Taken()
    meters = Metering(Floor(), FakeMicrophone(), FakeSpeaker(), taken)
    for frame, withheld in ((QUIET, False), (LOUD, False), (QUIET, False)):
        meters.hear(frame, withheld)
    meters.show()
    meters.hear(LOUD, True)
    meters.show()
    assert [round(reading.microphone_dbfs or 0) for reading in taken.readings] == [-20, -100]


def test_ten_times_a_second_at_most() -> None:
    meters = Metering(Floor(), FakeMicrophone(), FakeSpeaker(), Taken())
    shown = sum(meters.due(5.0 + step * 0.02) for step in range(500))
    assert 80 <= shown <= 10 / EVERY_S


def test_the_floor_and_the_playback_buffer_as_they_are() -> None:
    taken, floor, speaker = Taken(), Floor(half_duplex=True), FakeSpeaker()
    floor.linked, floor.muted = False, True
    speaker.waiting = ["a"]
    speaker.stats, speaker.last = JitterStats(underruns=3, buffered_ms=240), LOUD.samples
    Metering(floor, FakeMicrophone(), speaker, taken).show()
    (reading,) = taken.readings
    assert (reading.half_duplex, reading.link, reading.muted) == (True, "lost", True)
    assert (reading.underruns, reading.buffered_ms, round(reading.loudspeaker_dbfs or 0)) == (3, 240, -20)


def test_a_loudspeaker_that_has_nothing_to_play_is_silent_whatever_it_took_last() -> None:
    taken, speaker = Taken(), FakeSpeaker()
    speaker.last = LOUD.samples
    Metering(Floor(), FakeMicrophone(), speaker, taken).show()
    assert taken.readings[0].loudspeaker_dbfs == -100.0


@pytest.mark.parametrize(
    ("echo", "want"),
    [
        (None, None),
        (EchoReading(), None),
        (EchoReading(-40.0, 31.5, settled=False), None),
        (EchoReading(-40.0, 31.5, settled=True), 31.5),
        (EchoReading(-40.0, 0.0, settled=True), 0.0),
        (EchoReading(settled=True), None),
    ],
)
def test_what_the_canceller_takes_away_is_told_once_it_is_known(echo: EchoReading | None, want: float | None) -> None:
    taken, microphone = Taken(), FakeMicrophone()
    microphone.echo = echo  # type: ignore[assignment]
    Metering(Floor(), microphone, FakeSpeaker(), taken).show()
    assert taken.readings[0].erle_db == want
