"""Edges by level: exact where the background is quiet, careful in noise, believing the detector where levels say nothing."""

import numpy as np
import pytest

from tests.support import signals
from voice.audio.edges import Window, end_edge, highpass, start_edge
from voice.audio.pcm import Samples, clip_int16, dbfs, samples_in, silence


def at_ms(milliseconds: int) -> int:
    return samples_in(milliseconds)


def began_ms(sound: Samples, said_ms: int, offset: int = 0) -> float:
    """The start found in sound that begins at `offset` samples of a stream, for a detector's word at `said_ms` of the sound."""
    return (start_edge(Window(sound, offset), offset + at_ms(said_ms), at_ms(300)) - offset) / 16


def ended_ms(sound: Samples, said_ms: int) -> float:
    return end_edge(Window(sound, 0), at_ms(said_ms), at_ms(400)).position / 16


BURST = signals.padded(signals.tone(400, 500.0), 600, 300)
"""Sound from 600 to 1000 ms, silence around."""


@pytest.mark.parametrize("said_ms", [560, 600, 640, 700, 800])
def test_start_is_exact_however_late_the_detector(said_ms: int) -> None:
    assert began_ms(BURST[: at_ms(900)], said_ms) == pytest.approx(600, abs=5)
    assert began_ms(BURST[: at_ms(900)], said_ms, offset=123_456) == pytest.approx(600, abs=5)


@pytest.mark.parametrize("said_ms", [980, 1000, 1060, 1120, 1200])
def test_end_is_exact_however_long_the_detector_hangs_over(said_ms: int) -> None:
    assert ended_ms(BURST, said_ms) == pytest.approx(1000, abs=5)
    assert end_edge(Window(BURST, 0), at_ms(said_ms), at_ms(400)).clear


def test_reach_is_kept() -> None:
    assert start_edge(Window(BURST[: at_ms(900)], 0), at_ms(750), at_ms(100)) == at_ms(650)
    assert end_edge(Window(BURST, 0), at_ms(1200), at_ms(150)).position == at_ms(1050)


def test_a_stop_consonant_belongs_to_its_word() -> None:
    burst = signals.white_noise(30, -35)
    sound = np.concatenate((silence(500), burst, silence(50), signals.tone(300, 500.0), silence(60), burst, silence(300)))
    assert began_ms(sound[: at_ms(700)], 600) == pytest.approx(500, abs=6)
    assert ended_ms(sound, 900) == pytest.approx(970, abs=6)


def test_weak_sound_long_before_speech_is_background() -> None:
    sound = np.concatenate((silence(300), signals.white_noise(400, -50), signals.tone(300, 500.0, -20.0)))
    assert 570 <= began_ms(sound, 740) <= 705


def before_speech(*pieces: Samples) -> float:
    """Where speech begins, in ms from its strong sound on, that has these weak pieces before it (after 500 ms of silence)."""
    sound = np.concatenate((silence(500), *pieces, signals.tone(300, 500.0, -20.0)))
    strong_ms = len(sound) // 16 - 300
    return began_ms(sound[: at_ms(strong_ms + 120)], strong_ms) - strong_ms


def test_a_weak_consonant_before_speech_belongs_to_it_for_120_ms() -> None:
    weak = signals.white_noise(200, -50)
    assert before_speech(weak[: at_ms(80)]) == pytest.approx(-80, abs=10)
    assert before_speech(weak) == pytest.approx(-120, abs=10)


def test_a_weak_sound_apart_from_speech_does_not_belong_to_it() -> None:
    weak = signals.white_noise(30, -50)
    assert before_speech(weak, silence(40), weak) == pytest.approx(-30, abs=10)


def test_short_sounds_after_speech_cannot_stretch_it_for_ever() -> None:
    tapping = np.concatenate([part for _ in range(12) for part in (silence(50), signals.white_noise(10, -30))])
    sound = np.concatenate((silence(500), signals.tone(500, 500.0), tapping))
    assert 1180 <= ended_ms(sound, 1000) <= 1260


def test_silence_says_nothing() -> None:
    assert began_ms(silence(900), 640) == 640.0
    end = end_edge(Window(silence(900), 0), at_ms(640), at_ms(400))
    assert (end.position, end.clear) == (at_ms(640), False)
    assert start_edge(Window(silence(0), 77), 77, 4800) == 77
    assert end_edge(Window(silence(0), 77), 77, 4800).position == 77


def test_loud_noise_says_nothing() -> None:
    noise = signals.white_noise(1500, -20)
    assert began_ms(noise, 900) == 900.0
    assert ended_ms(noise, 900) == 900.0


def test_in_noise_the_end_stays_near_the_detectors_word() -> None:
    fading = signals.tone(600, 500.0).astype(float) * np.concatenate((np.ones(at_ms(200)), np.geomspace(1, 0.003, at_ms(400))))
    sound = signals.add_noise(signals.padded(clip_int16(fading), 500, 300), 15)
    end = end_edge(Window(sound, 0), at_ms(1080), at_ms(400))
    assert end.position / 16 == pytest.approx(1000, abs=1)
    assert not end.clear


def test_highpass_takes_offset_and_hum_and_leaves_the_voice() -> None:
    def gain_db(tone_hz: float) -> float:
        sound = signals.tone(500, tone_hz, -12.0)
        return dbfs(clip_int16(highpass(sound)[80:-80])) - dbfs(sound[80:-80])

    assert np.abs(highpass(np.full(1000, 5000, np.int16))).max() < 0.01
    assert gain_db(50) < -18
    assert gain_db(200) == pytest.approx(0, abs=1)
    assert gain_db(1000) == pytest.approx(0, abs=0.5)
    assert len(highpass(silence(0))) == 0
    assert np.abs(highpass(np.tile(np.array([32767, -32768], np.int16), 500))).max() < 65_536


def test_silence_behind_a_recording_does_not_hide_its_noise() -> None:
    sound = np.concatenate((silence(500), signals.tone(500, 500.0), signals.white_noise(250, -50), silence(600)))
    assert ended_ms(sound, 1080) == pytest.approx(1000, abs=6)
