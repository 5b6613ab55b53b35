"""Background and voice: what a floor follows, what has a pitch and overtones."""

import numpy as np
import pytest

from tests.support import signals
from voice.audio.pcm import Framer, Samples, silence
from voice.audio.voicing import Floor, Voice, has_voice, level_db


def test_the_first_frame_is_background_and_the_floor_falls_at_once() -> None:
    floor = Floor()
    assert floor.rise(50.0) == 0.0
    assert floor.rise(30.0) == -20.0
    assert floor.rise(30.0) == 0.0


def test_the_floor_rises_slowly() -> None:
    floor = Floor()
    floor.rise(30.0)
    over_db = [floor.rise(70.0) for _ in range(51)]
    assert over_db[0] == 40.0
    assert over_db[-1] == pytest.approx(36.0)


def test_silence_is_no_lower_than_a_quiet_microphone() -> None:
    floor = Floor()
    floor.rise(-90.0)
    assert floor.rise(45.0) == 33.0


def test_level() -> None:
    assert level_db(np.full(320, 100, np.float32)) == pytest.approx(40.0)
    assert level_db(np.zeros(320, np.float32)) == pytest.approx(-90.0)


def test_voice_has_a_pitch_and_overtones() -> None:
    def voiced(sound: Samples) -> float:
        pieces = sound[: len(sound) // 640 * 640].reshape(-1, 640).astype(np.float32)
        return sum(has_voice(piece) for piece in pieces) / len(pieces)

    assert voiced(signals.speech_like(2000, pitch_hz=100)) > 0.9
    assert voiced(signals.speech_like(2000, pitch_hz=230)) > 0.9
    assert voiced(signals.add_noise(signals.speech_like(2000), 10)) > 0.5
    for sound in (signals.white_noise(2000), signals.clicks(2000), signals.tone(2000), signals.tone(2000, 150.0), silence(2000)):
        assert voiced(sound) == 0


def test_frames_have_a_voice_with_the_one_before_them_and_only_if_that_is_asked() -> None:
    def voiced(sound: Samples, asked: bool = True) -> list[bool]:
        voice = Voice()
        return [voice.push(frame, asked) for frame in Framer().push(sound)]

    speech = signals.speech_like(1000)
    assert voiced(speech)[0] is False and sum(voiced(speech)) > 45 and not any(voiced(speech, asked=False))
    assert sum(voiced(signals.white_noise(1000))) == 0
