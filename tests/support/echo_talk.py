"""A user, a loudspeaker and a microphone in a synthetic room, and the machines of `voice talk` between them, frame by frame without a clock.

The real canceller, meter, evidence, detector and barge-in table; what they decide changes what is played, and so the echo.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.support.rooms import Room, mixed
from voice.audio.echo import EchoMeter
from voice.audio.evidence import needed_by
from voice.audio.pcm import FRAME_MS, FRAME_SAMPLES, Samples, dbfs, ms_in, samples_in
from voice.audio.reference import Reference
from voice.audio.vad import Detector
from voice.devices.canceller import Canceller
from voice.protocol.bargein import BargeIn, Move

TURN_MS, AGAIN_MS = 500, 1_000
"""From the end of an utterance that stopped the answer to the end of its turn, and from there to the next answer."""
AFTER_MS = 600
"""What is decided so long after an utterance is still decided about it: the detector hangs over, the room reverberates."""

WORD_MS, LOUD_DBFS, INTACT_DB = 200, -45.0, 6.0
"""So much of an utterance, within 6 dB of how loud it was said, is a word that a recogniser can know."""
WORDS_MS = 800
"""From the end of an utterance until its words are known: the silence that ends a turn, and the recogniser."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that the user says."""

    start_ms: int
    samples: Samples

    @property
    def end_ms(self) -> int:
        """In the sound of the microphone."""
        return self.start_ms + ms_in(len(self.samples))


@dataclass(slots=True)
class Said:
    """What came of an utterance over an answer."""

    utterance: Utterance
    over_answer: bool = False
    """It began while an answer was played, and not in half-duplex."""
    ducked_ms: int | None = None
    """From its begin."""
    stopped_ms: int | None = None
    intact_ms: int = 0
    """So much of it goes up as loud as it was said."""
    by_words_ms: int | None = None
    """When its words would stop the answer, if its length has not: a word of it goes up intact, and is known a moment after the turn is over."""


@dataclass(slots=True)
class Outcome:
    """What happened."""

    said: list[Said] = field(default_factory=list)
    played_ms: int = 0
    half_duplex_ms: int = 0
    """While an answer was played."""
    false_ducks: list[int] = field(default_factory=list)
    """ms of playback so far, at each."""
    false_stops: list[int] = field(default_factory=list)
    heard: list[bool] = field(default_factory=list)
    """Of each frame: the detector says speech."""
    erle_db: list[float] = field(default_factory=list)
    cleared: list[Samples] = field(default_factory=list)
    """What goes up."""


class Player:
    """Answers, one behind the other, that rest and stop as they are told."""

    def __init__(self, answers: Sequence[Samples], gap_ms: int = 700) -> None:
        pause = np.zeros(samples_in(gap_ms), np.int16)
        self._sound = np.concatenate([part for answer in answers for part in (answer, pause)]) if answers else pause[:0]
        self._at = 0
        self._silent = 0
        self.held = False

    @property
    def busy(self) -> bool:
        return self._silent <= 0 and self._at < len(self._sound)

    def stop(self) -> None:
        """For good; `again` begins the next."""
        self._silent, self.held = 1 << 60, False

    def again(self, in_ms: int) -> None:
        self._silent = min(self._silent, samples_in(in_ms))

    @property
    def stopped(self) -> bool:
        return self._silent > 1 << 50

    def take(self, count: int) -> Samples:
        if self.held or not self.busy:
            self._silent -= count
            return np.zeros(count, np.int16)
        out = self._sound[self._at : self._at + count]
        self._at += count
        return np.concatenate([out, np.zeros(count - len(out), np.int16)])


def converse(
    room: Room,
    answers: Sequence[Samples],
    said: Sequence[Utterance],
    canceller: Canceller | None,
    detector: Detector,
    duration_ms: int,
    words_come: bool = True,
) -> Outcome:
    """Run it. The hint is what a card would give: the room's delay without the air and the way into the box. `words_come`: a server writes
    down what is said."""
    outcome = Outcome([Said(utterance) for utterance in said])
    player, air, reference = Player(answers), room.open(), Reference(16_000, 16_000)
    meter, table = EchoMeter(), BargeIn()
    table.words_come = words_come
    background, near = room.noise(samples_in(duration_ms)), _track(said, duration_ms)
    for number, now_ms in enumerate(range(0, duration_ms - FRAME_MS, FRAME_MS)):
        frame = slice(number * FRAME_SAMPLES, (number + 1) * FRAME_SAMPLES)
        given = player.take(air.wanted)
        reference.put(given)
        played = reference.take(FRAME_SAMPLES)
        captured = mixed(air.push(given), near[frame], background[frame])
        clear = captured if canceller is None else canceller.process(captured, played, max(0, room.delay_ms - 20))
        meter.push(captured, clear, played)
        needed_ms = needed_by(meter.reading, headphones=False)
        shut = np.isinf(needed_ms) and player.busy
        outcome.played_ms += FRAME_MS * player.busy
        outcome.half_duplex_ms += FRAME_MS * bool(shut)
        speech = detector.push(np.zeros_like(clear) if shut else clear)
        outcome.heard.append(speech)
        outcome.erle_db.append(meter.reading.erle_db)
        outcome.cleared.append(clear)
        _begin(outcome, now_ms, player.busy and not shut)
        _listen(outcome, now_ms, near[frame], clear)
        _obey(table.frame(speech, player.busy, needed_ms), outcome, player, table, now_ms)
        for one in outcome.said:
            end_ms = one.utterance.end_ms
            if words_come and one.stopped_ms is None and one.over_answer and one.intact_ms >= WORD_MS and end_ms + WORDS_MS <= now_ms:
                one.stopped_ms = one.by_words_ms = now_ms - one.utterance.start_ms
                player.stop()
        if player.stopped and not any(one.utterance.start_ms <= now_ms < one.utterance.end_ms + TURN_MS for one in outcome.said):
            player.again(AGAIN_MS)
            table.turn_over()
    return outcome


def _begin(outcome: Outcome, now_ms: int, over: bool) -> None:
    for one in outcome.said:
        if one.utterance.start_ms <= now_ms < one.utterance.start_ms + FRAME_MS:
            one.over_answer = over


def _listen(outcome: Outcome, now_ms: int, near: Samples, clear: Samples) -> None:
    for one in outcome.said:
        if one.utterance.start_ms <= now_ms < one.utterance.end_ms and dbfs(near) > LOUD_DBFS and dbfs(clear) > dbfs(near) - INTACT_DB:
            one.intact_ms += FRAME_MS


def _obey(move: Move, outcome: Outcome, player: Player, table: BargeIn, now_ms: int) -> None:
    end_ms = now_ms + FRAME_MS
    one = next((one for one in outcome.said if one.utterance.start_ms < end_ms <= one.utterance.end_ms + AFTER_MS), None)
    match move:
        case Move.DUCK:
            player.held = True
            if one is None:
                outcome.false_ducks.append(outcome.played_ms)
            elif one.ducked_ms is None:
                one.ducked_ms = end_ms - one.utterance.start_ms
        case Move.STOP:
            player.stop()
            if one is None:
                outcome.false_stops.append(outcome.played_ms)
            elif one.stopped_ms is None:
                one.stopped_ms = end_ms - one.utterance.start_ms
                one.ducked_ms = one.stopped_ms if one.ducked_ms is None else one.ducked_ms
        case Move.RESUME:
            player.held = False
        case Move.STAY:
            pass


def _track(said: Sequence[Utterance], duration_ms: int) -> Samples:
    track = np.zeros(samples_in(duration_ms), np.int16)
    for one in said:
        at = samples_in(one.start_ms)
        piece = one.samples[: len(track) - at]
        track[at : at + len(piece)] = piece
    return track


def spoken_at(voices: Sequence[Samples], first_ms: int, until_ms: int, seed: int) -> Iterator[Utterance]:
    """The voices in turn, with 3.5 to 6 s between two."""
    rng = np.random.default_rng(seed)
    at_ms, number = first_ms, seed
    while at_ms + len(voices[number % len(voices)]) // 16 + 2_000 < until_ms:
        one = Utterance(at_ms, voices[number % len(voices)])
        yield one
        at_ms, number = one.end_ms + int(rng.integers(3_500, 6_000)), number + 1
