"""A microphone that is our own loudspeaker's monitor is told from every echo."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tests.support.rooms import Room, mixed
from tests.support.signals import pink_noise, speech_like, tone
from voice.audio.ourselves import CLEAN_DB, MOST_DELAY, Ourselves, residue
from voice.audio.pcm import FRAME_SAMPLES, Samples, samples_in, silence
from voice.audio.resample import Resampler
from voice.devices.wavfile import wav_frames

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures/wav"
HINT_MS = 70


def speech(seconds: float, name: str = "time-slt.wav") -> Samples:
    spoken = np.concatenate(list(wav_frames(FIXTURES / name)))
    return np.tile(spoken, 40)[: round(seconds * 16_000)]


def later(samples: Samples, delay_ms: float) -> Samples:
    return np.concatenate((np.zeros(round(delay_ms * 16), np.int16), samples))[: len(samples)]


def found(captured: Samples, played: Samples, hint_ms: int = HINT_MS) -> list[bool]:
    """Whether it was ours, frame by frame."""
    own = Ourselves()
    count = min(len(captured), len(played)) // FRAME_SAMPLES * FRAME_SAMPLES
    return [own.push(captured[at : at + FRAME_SAMPLES], played[at : at + FRAME_SAMPLES], hint_ms) for at in range(0, count, FRAME_SAMPLES)]


@pytest.mark.parametrize(
    ("played", "delay_ms", "gain"),
    [
        (speech(6), 45, 1.0),
        (speech(6), 0, 1.0),
        (speech(6), HINT_MS, 0.3),
        (speech_like(6_000), 45.3, -0.8),
        (pink_noise(6_000), 20, 0.5),
    ],
)
def test_a_copy_is_known_within_some_seconds(played: Samples, delay_ms: float, gain: float) -> None:
    heard = found((later(played, delay_ms) * gain).astype(np.int16), played)
    assert heard[-1] and heard.index(True) < 4 * 50


def test_a_copy_at_another_rate_and_with_pieces_missing_too() -> None:
    played = speech(12)
    there = Resampler(16_000, 44_100)
    back = Resampler(44_100, 16_000)
    other = np.concatenate((there.push(played), there.flush()))
    copy = later(np.concatenate((back.push(other), back.flush())), 40).copy()
    for at in (20_000, 70_000, 130_000):
        copy[at : at + 500] = 0
    assert found(copy, played)[-1]


@pytest.mark.parametrize(
    ("delay_ms", "rt60_ms", "direct_db", "gain_db"), list(product((5, 40, 150), (100, 500), (0.0, 10.0), (-20.0, 0.0)))
)
def test_no_echo_is_a_copy(delay_ms: int, rt60_ms: int, direct_db: float, gain_db: float) -> None:
    """The loudest one in the driest room, as late as the stream says, without a sound of its own in the room."""
    played = at_half(speech(5))
    room = Room(delay_ms, rt60_ms, gain_db, direct_db=direct_db, noise_dbfs=-100.0)
    assert not any(found(room.echo(played), played, delay_ms))


def at_half(samples: Samples) -> Samples:
    return (samples // 2).astype(np.int16)


def test_a_loop_of_wires_is_no_monitor() -> None:
    """As virtual cards have it: a copy, and later than the stream's own latencies: it has been in something like air."""
    played = speech(6)
    assert not any(found(later(played, HINT_MS + 40), played))


def test_who_speaks_is_heard_at_once() -> None:
    played = np.concatenate((speech(5), silence(3_000), speech(2)))
    captured = later(played, 45).copy()
    question_at = samples_in(6_500)
    captured[question_at : question_at + 8_000] = speech_like(500)
    heard = found(captured, played)
    assert heard[samples_in(6_400) // FRAME_SAMPLES], "silence changes nothing"
    assert not any(heard[question_at // FRAME_SAMPLES + 1 :])


def test_a_microphone_that_is_plugged_in_while_we_speak_is_heard_after_a_while() -> None:
    played = at_half(speech(12))
    captured = later(played, 45).copy()
    back = samples_in(5_000)
    captured[back:] = mixed(Room(80, 300, -10.0).echo(played), at_half(speech(12)))[back:]
    heard = found(captured, played)
    assert heard[back // FRAME_SAMPLES - 1] and not heard[-1]


def test_other_sound_in_it_is_no_copy() -> None:
    played = speech(6)
    assert not any(found(mixed(at_half(later(played, 45)), pink_noise(6_000, -40.0)), played))
    assert not any(found(np.zeros_like(played), played)), "a microphone that is shut"
    assert not any(found(played, np.zeros_like(played))), "nothing is played"


@pytest.mark.parametrize("delay", [0, 1, 700, MOST_DELAY])
def test_the_residue_of_a_copy_and_of_something_else(delay: int) -> None:
    played = pink_noise(2_000)
    captured = played[len(played) - 8_000 - delay : len(played) - delay]
    assert residue(captured, played, MOST_DELAY) < CLEAN_DB - 20
    assert residue(pink_noise(500, seed=2), played, MOST_DELAY) > -3
    assert residue(silence(500), played, MOST_DELAY) < CLEAN_DB


def test_a_steady_tone_is_no_proof_of_anything_wrong() -> None:
    """It fits with any delay: whoever whistles along is not taken for us."""
    played = tone(3_000)
    heard = found(mixed(at_half(tone(3_000, 440.5)), pink_noise(3_000, -60.0)), played)
    assert not any(heard)
