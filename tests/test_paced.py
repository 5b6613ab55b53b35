"""Loudspeakers without a card."""

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.signals import tone
from tests.support.until import until
from voice.devices.paced import null_speaker, wav_speaker
from voice.errors import UsageError


async def test_nobody_hears_it_and_it_takes_its_time() -> None:
    async with null_speaker() as speaker:
        began = time.monotonic()
        speaker.play("one", tone(200, rate_hz=24_000), 24_000)
        speaker.end("one")
        await until(lambda: not speaker.busy)
        assert time.monotonic() - began >= 0.19
        assert speaker.heard_ms("one") == 200


async def test_a_wav_has_the_replies_and_the_silence_between(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    async with wav_speaker(path) as speaker:
        for item in ("one", "two"):
            speaker.play(item, tone(100, rate_hz=16_000), 16_000)
            speaker.end(item)
            await until(lambda: not speaker.busy)
            await asyncio.sleep(0.06)
    samples, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == 24_000 and samples.ndim == 1
    loud = np.abs(samples) > 0
    assert 0.19 <= loud.sum() / rate_hz <= 0.23, "each with a fade of 10 ms behind it"
    first, last = np.flatnonzero(loud)[[0, -1]]
    assert (last - first) / rate_hz > 0.24, "with a pause"


async def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no/heard\.wav cannot be written"):
        async with wav_speaker(tmp_path / "no" / "heard.wav"):
            pass


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    with pytest.raises(UsageError, match="ours"):
        async with null_speaker():
            raise UsageError("ours")
