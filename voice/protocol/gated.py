"""What of the microphone goes up, where the server ends the turns: two ways.

`Ungated` sends everything, and silence in place of what nobody is to hear: as long as it takes to end a turn, and then nothing. `Gated` sends no silence
at all, but for what a turn needs: our own detector says what may be speech, and the gate (`audio/gate.py`) opens for a single frame of it, long
before it is a turn. As long as the server hears somebody speak both send, whatever we think: a turn always finds its end.
"""

from collections.abc import Iterator

from voice.audio.gate import Gate
from voice.audio.pcm import Framer, Samples, ms_in
from voice.audio.turns import TurnDetector, TurnEvent, TurnSettings
from voice.protocol.uplink import Uplink

CLEAR_MS = 1_000
"""Sound before the padding of a turn: detectors find an edge by what was before it, and know noise from speech after some of it."""
SURE_MS = 200
"""Silence beyond what ends a turn: another detector hears the end of a word a little later."""
GATED = "gated"
"""The ledger's word for it."""


def trail_ms(settings: TurnSettings) -> int:
    """The silence behind speech that the server must hear."""
    wait_ms = settings.silence_duration_ms if settings.patience is None else settings.patience.unfinished_ms
    return wait_ms + SURE_MS


class Ungated:
    """See the top of the file."""

    def __init__(self, detector: TurnDetector | None, uplink: Uplink, settings: TurnSettings) -> None:
        self._detector = detector
        self._uplink = uplink
        self._sending = True
        self._still_ms = 0
        self._trail_ms = 0
        self.configure(settings)

    def configure(self, settings: TurnSettings) -> None:
        """How the server ends turns, from here on."""
        self._trail_ms = trail_ms(settings)

    def push(self, samples: Samples, withheld: str, spoken_to: bool) -> Iterator[TurnEvent]:
        """More captured sound (any length; silence where it is `withheld`), and whether the server hears somebody speak.

        What our detector hears in it; it is sent.
        """
        end_ms = self._uplink.position_ms
        if withheld:
            self._uplink.ledger.miss(end_ms - ms_in(samples.size), end_ms, withheld)
        self._still_ms = self._still_ms + ms_in(samples.size) if withheld else 0
        was_sending, self._sending = self._sending, withheld != GATED and (spoken_to or self._still_ms <= self._trail_ms)
        if self._sending:
            self._uplink.send(samples)
        elif was_sending:
            self._uplink.then(self._uplink.flush)
        if self._detector is not None:
            yield from self._detector.push(samples)


class Gated:
    """See the top of the file."""

    def __init__(self, detector: TurnDetector, uplink: Uplink, settings: TurnSettings) -> None:
        self._detector = detector
        self._uplink = uplink
        self._framer = Framer()
        self._position = 0
        self._gate = Gate(0, 0)
        self.configure(settings)

    def configure(self, settings: TurnSettings) -> None:
        """How the server ends turns, from here on."""
        self._gate.before_ms = settings.prefix_padding_ms + CLEAR_MS
        self._gate.trail_ms = trail_ms(settings)

    def push(self, samples: Samples, withheld: str, spoken_to: bool) -> Iterator[TurnEvent]:
        """As `Ungated.push`. Nothing is sent of what is withheld as "gated": somebody else has a gate."""
        for frame in self._framer.push(samples):
            start, self._position = self._position, self._position + frame.size
            before_ms = self._detector.heard_ms
            yield from self._detector.push(frame)
            if withheld == GATED:
                self._miss(start, frame, GATED)
                continue
            was_open = self._gate.open
            for passed in self._gate.push(start, frame, self._detector.heard_ms > before_ms, held=spoken_to):
                if passed.late:
                    self._uplink.ledger.find(ms_in(passed.start), ms_in(passed.start + passed.samples.size), GATED)
                self._uplink.send(passed.samples, passed.start)
            if withheld or not self._gate.open:
                self._miss(start, frame, withheld or GATED)
            if was_open and not self._gate.open:
                self._uplink.then(self._uplink.flush)

    def _miss(self, start: int, frame: Samples, reason: str) -> None:
        self._uplink.ledger.miss(ms_in(start), ms_in(start + frame.size), reason)
