"""An echo canceller: the real one takes an echo out and leaves a talker in; where there is none, that is no failure."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.needs import FliteWav, needs
from tests.support.rooms import Room, mixed
from tests.support.signals import at_level
from voice.audio.pcm import FRAME_SAMPLES, Samples, dbfs, samples_in
from voice.devices import canceller as module
from voice.devices.canceller import Canceller, make_canceller
from voice.devices.wavfile import read_wav

ROOM = Room()
ANSWER = "The weather in the mountains is fine today, and it will stay so until the evening, when some rain comes from the west. " * 2


def spoken(path: Path, level_dbfs: float) -> Samples:
    return at_level(np.concatenate(list(read_wav(path))).astype(float), level_dbfs)


def processed(canceller: Canceller, captured: Samples, played: Samples, delay_ms: int) -> Samples:
    frames = range(0, len(captured) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    cut = [slice(at, at + FRAME_SAMPLES) for at in frames]
    return np.concatenate([canceller.process(captured[part], played[part], delay_ms) for part in cut])


def ready(headphones: bool = False) -> Canceller:
    canceller = make_canceller(headphones)
    assert canceller is not None
    return canceller


@needs("livekit")
def test_the_echo_goes_and_the_talker_stays(flite_wav: FliteWav) -> None:
    played = spoken(flite_wav(ANSWER), -20.0)
    near = spoken(flite_wav("stop, I have another question", "kal16"), -26.0)
    echo = mixed(ROOM.echo(played), ROOM.noise(len(played)))
    at = len(echo) - len(near) - samples_in(200)
    both = echo.copy()
    both[at : at + len(near)] = mixed(both[at : at + len(near)], near)
    alone, talking = processed(ready(), echo, played, 80), processed(ready(), both, played, 80)
    assert dbfs(alone[at:]) < dbfs(echo[at:]) - 25
    assert dbfs(talking[at : at + len(near)]) > dbfs(near) - 10


@needs("livekit")
def test_in_headphones_the_first_words_of_the_call_are_heard(flite_wav: FliteWav) -> None:
    """A canceller that has not learnt its room takes what is said over an answer for its echo."""
    played = spoken(flite_wav(ANSWER), -20.0)
    near = spoken(flite_wav("what time is it", "kal16"), -20.0)
    at = samples_in(300)
    captured = ROOM.noise(len(played))
    captured[at : at + len(near)] = mixed(captured[at : at + len(near)], near)
    first = slice(at, at + samples_in(400))
    heard = [processed(canceller, captured, played, 80)[first] for canceller in (ready(), ready(headphones=True))]
    assert dbfs(heard[0]) < dbfs(captured[first]) - 6 and dbfs(heard[1]) > dbfs(captured[first]) - 3


@needs("livekit")
def test_a_frame_goes_in_and_a_frame_comes_out() -> None:
    canceller = ready()
    for delay_ms in (-5, 0, 80, 100_000):
        out = canceller.process(np.full(FRAME_SAMPLES, 20_000, np.int16), np.full(FRAME_SAMPLES, -32_768, np.int16), delay_ms)
        assert out.dtype == np.int16 and out.shape == (FRAME_SAMPLES,)


def test_no_canceller_is_none_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(module, "import_module", missing)
    assert make_canceller() is None


def test_a_library_that_does_not_load_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        AudioFrame = None

        def AudioProcessingModule(self, **wanted: bool) -> None:
            assert wanted == {"echo_cancellation": True, "noise_suppression": True, "high_pass_filter": True, "auto_gain_control": False}
            raise ImportError("failed to load liblivekit_ffi.so")

    monkeypatch.setattr(module, "import_module", lambda name: Broken())
    assert make_canceller() is None


@needs("livekit")
def test_the_library_is_loaded_only_when_it_is_used_and_lets_the_program_end() -> None:
    code = """
import sys
import numpy as np
from voice.devices.canceller import make_canceller
assert not [name for name in sys.modules if name.startswith("livekit")]
canceller = make_canceller()
assert canceller.process(np.zeros(320, np.int16), np.zeros(320, np.int16), 0).shape == (320,)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert importlib.util.find_spec("livekit") is not None
