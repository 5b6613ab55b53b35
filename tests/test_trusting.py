"""How far the microphone is trusted, and what people are told of it."""

import math

from tests.support.talking import FakeMicrophone
from voice.audio.echo import EchoReading
from voice.audio.evidence import LEAST_MS
from voice.protocol.floor import Floor
from voice.trusting import LASTING_MS, OPEN, PLAIN, SHUT, Trust

BAD = EchoReading(level_db=-30.0, erle_db=3.0, settled=True, played_ms=60_000)
GOOD = EchoReading(level_db=-30.0, erle_db=35.0, settled=True, played_ms=60_000)


class Heard(FakeMicrophone):
    """A microphone of which the test says what it hears of the loudspeaker."""

    def __init__(self, reading: EchoReading | None) -> None:
        super().__init__()
        self.echo = reading  # type: ignore[assignment]


class Told:
    """A trust, and what it says."""

    def __init__(self, reading: EchoReading | None, half_duplex: bool = False, headphones: bool = False) -> None:
        self.floor, self.notes, self.microphone = Floor(), list[str](), Heard(reading)
        self.trust = Trust(self.microphone, self.floor, self.notes.append, half_duplex, headphones)

    def play(self, ms: int, ducked: bool = False) -> float:
        for _ in range(ms // 20):
            needed_ms = self.trust.needed_ms(True, ducked)
        return needed_ms


def test_a_microphone_that_hears_no_loudspeaker_is_trusted() -> None:
    for told in (Told(None), Told(BAD, headphones=True), Told(GOOD)):
        assert told.play(60_000) == LEAST_MS and not told.floor.half_duplex and told.notes == []


def test_a_bad_echo_shuts_it_and_that_is_said_once_if_it_lasts() -> None:
    told = Told(BAD)
    assert math.isinf(told.play(LASTING_MS - 20)) and told.floor.half_duplex and told.floor.needed_ms == math.inf
    assert told.notes == [], "every conversation begins with a moment of it"
    told.play(60_000)
    assert told.notes == [SHUT]
    told.microphone.echo = GOOD  # type: ignore[assignment]
    assert told.play(40) < math.inf and not told.floor.half_duplex
    assert told.notes == [SHUT, OPEN]


def test_a_moment_of_it_is_not_worth_a_word() -> None:
    told = Told(BAD)
    told.play(LASTING_MS - 20)
    told.microphone.echo = GOOD  # type: ignore[assignment]
    told.play(60_000)
    assert told.notes == []


def test_what_is_said_before_anything_is_played_is_no_echo() -> None:
    for told in (Told(BAD), Told(GOOD, half_duplex=True)):
        assert told.trust.needed_ms(False, False) == LEAST_MS and told.floor.half_duplex, "shut as soon as something is played"


def test_while_it_is_decided_the_microphone_stays_open() -> None:
    told = Told(BAD)
    assert math.isinf(told.play(20, ducked=True)) and not told.floor.half_duplex


def test_what_is_needed_is_shown_while_something_is_played() -> None:
    told = Told(GOOD)
    told.trust.needed_ms(False, False)
    assert told.floor.needed_ms is None
    told.trust.needed_ms(True, False)
    assert told.floor.needed_ms == LEAST_MS


def test_half_duplex_may_be_asked_for() -> None:
    assert math.isinf(Told(GOOD, half_duplex=True).play(20)) and math.isinf(Told(None, half_duplex=True).play(20))


def test_a_server_that_decides_is_told_of_once() -> None:
    told = Told(None)
    told.trust.tell_plain()
    told.trust.tell_plain()
    assert told.notes == [PLAIN]
