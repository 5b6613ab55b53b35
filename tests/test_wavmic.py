"""A WAV as the microphone."""

import time
from pathlib import Path

import numpy as np
import pytest

from tests.support.wav import write_wav
from voice.devices.wavmic import LATEST_S, WavMicrophone
from voice.errors import UsageError


async def test_the_file_in_real_time_and_then_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sound = np.arange(1, 3_000, dtype=np.int16)
    write_wav(path, sound, 16_000)
    microphone = WavMicrophone(path)
    assert (microphone.length_ms, microphone.name, microphone.ended) == (187, str(path), False)
    began, frames = time.monotonic(), []
    async for frame in microphone.frames():
        frames.append(frame.samples)
        if len(frames) == 13:
            break
    assert time.monotonic() - began >= 13 * 0.02 - 0.001
    heard = np.concatenate(frames)
    assert np.array_equal(heard[: len(sound)], sound) and not heard[len(sound) :].any()
    assert microphone.ended


async def test_it_does_not_catch_up_after_a_long_sleep(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, np.ones(16_000, np.int16), 16_000)
    slept_s = 0.0
    source = WavMicrophone(path, clock=lambda: time.monotonic() + slept_s).frames()
    await anext(source)
    slept_s = 60.0
    began = time.monotonic()
    for _ in range(40):
        await anext(source)
    assert 40 * 0.02 - LATEST_S - 0.021 <= time.monotonic() - began < 30
    await source.aclose()


def test_a_file_without_sound_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        WavMicrophone(tmp_path / "none.wav")
