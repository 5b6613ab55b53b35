"""A slow gain: soft speech becomes as loud as speech is, loud speech never clips, and noise stays as it is."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.served import counted
from tests.support.signals import speech_like, white_noise
from voice.audio.gain import LEAST_DB, MOST_DB, RISE_DB, TARGET_DBFS, SlowGain
from voice.audio.pcm import FRAME_SAMPLES, Samples, dbfs, silence
from voice.audio.turns import TurnDetector, TurnEvent, TurnSettings
from voice.audio.vad import WebrtcDetector
from voice.protocol.client import ClientSession
from voice.protocol.events import SessionUpdated
from voice.protocol.objects import Audio, AudioInput, Session, TurnDetection

HEARD = Session(audio=Audio(AudioInput(turn_detection=TurnDetection())))


def through(gain: SlowGain, samples: Samples, speech: bool = True) -> Samples:
    return np.concatenate([gain.push(samples[at : at + FRAME_SAMPLES], speech) for at in range(0, len(samples), FRAME_SAMPLES)])


@pytest.mark.parametrize("level_dbfs", [-45.0, -38.0, -30.0, -23.0, -16.0])
def test_speech_comes_to_the_usual_level_slowly(level_dbfs: float) -> None:
    gain = SlowGain()
    out = through(gain, speech_like(15_000, level_dbfs))
    assert dbfs(out[-32_000:]) == pytest.approx(TARGET_DBFS, abs=2.0)
    first = dbfs(out[:16_000]) - dbfs(speech_like(15_000, level_dbfs)[:16_000])
    assert abs(first) <= (RISE_DB if level_dbfs < TARGET_DBFS else 7.0)


def test_what_is_too_soft_is_not_turned_up_for_ever() -> None:
    gain = SlowGain()
    through(gain, speech_like(20_000, -58.0))
    assert gain.gain_db <= MOST_DB


@pytest.mark.parametrize("noise", [white_noise(30_000, -50.0), white_noise(30_000, -30.0), silence(30_000)])
def test_what_is_no_speech_changes_nothing(noise: Samples) -> None:
    gain = SlowGain()
    assert np.array_equal(through(gain, noise, speech=False), noise)
    through(gain, speech_like(6_000, -35.0))
    before_db = gain.gain_db
    assert before_db > 5.0
    through(gain, noise, speech=False)
    assert gain.gain_db == before_db or dbfs(noise) > -35.0, "a loud noise may lower it, lest it clip; nothing raises it"
    assert gain.gain_db <= before_db


def test_the_pauses_of_somebody_who_speaks_raise_nothing() -> None:
    """A detector hangs over: a second of background in each turn must not count as soft speech."""
    steady, paused = SlowGain(), SlowGain()
    word, room = speech_like(1_000, -23.0), white_noise(1_000, -55.0)
    for _ in range(10):
        through(steady, word)
        through(paused, word)
        through(paused, room)
    assert paused.gain_db == pytest.approx(steady.gain_db, abs=0.5) and abs(paused.gain_db) < 2.0


@given(st.lists(st.tuples(st.floats(-60.0, 0.0), st.booleans(), st.integers(0, 700)), max_size=30))
def test_it_never_clips_and_stays_in_its_bounds(pieces: list[tuple[float, bool, int]]) -> None:
    gain = SlowGain()
    rng = np.random.default_rng(1)
    for level_dbfs, speech, length in pieces:
        limit = max(1, int(32_767 * 10 ** (level_dbfs / 20)))
        samples = rng.integers(-limit, limit + 1, length).astype(np.int16)
        out = gain.push(samples, speech)
        assert out.dtype == np.int16 and len(out) == length
        assert LEAST_DB <= gain.gain_db <= MOST_DB
        loud = np.abs(out.astype(int)) >= 32_500
        assert not loud.any() or np.abs(samples.astype(int)).max() >= 32_000, "only what came clipped may be"


def test_a_shout_is_not_clipped() -> None:
    gain = SlowGain()
    through(gain, speech_like(12_000, -44.0))
    assert gain.gain_db > 18.0
    shout = speech_like(1_000, -12.0)
    out = through(gain, shout)
    assert np.abs(out.astype(int)).max() <= 32_001 and np.corrcoef(shout[640:], out[640:])[0, 1] > 0.97


def test_the_server_hears_soft_speech_louder_and_our_detector_as_it_was() -> None:
    """Somebody speaks softly, with pauses: what goes up rises, what begins and ends turns here does not."""
    levels: list[float] = []

    class Watched(TurnDetector):
        def push(self, samples: Samples) -> list[TurnEvent]:
            levels.append(dbfs(samples))
            return super().push(samples)

    detector = Watched(TurnSettings(), WebrtcDetector())
    client = ClientSession(HEARD, counted("c"), detector, gain=SlowGain())
    client.offer.answer(SessionUpdated(event_id="e", session=HEARD))
    client.uplink.open(16_000)
    speech = np.concatenate([speech_like(1_200, -40.0) if number % 2 else silence(300) for number in range(16)])
    for at in range(0, len(speech), 320):
        client.push_audio(speech[at : at + 320])
    sent = [json.loads(text) for text in client.outgoing()]
    pieces = [np.frombuffer(base64.b64decode(event["audio"]), "<i2") for event in sent if event["type"] == "input_audio_buffer.append"]
    up = np.concatenate(pieces)
    assert len(up) == len(speech)
    assert dbfs(up[-16_000:]) > dbfs(speech[-16_000:]) + 12 and dbfs(up[:16_000]) < dbfs(speech[:16_000]) + 3
    assert max(levels[len(levels) // 2 :]) < -35
