"""The contract of microphones and loudspeakers, on every kind that there is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.support.fake_sound import FakeSound, FakeStream, opened
from tests.support.signals import tone
from tests.support.until import until
from tests.support.wav import write_wav
from voice.audio.pcm import FRAME_SAMPLES
from voice.devices.base import Loudspeaker, Microphone
from voice.devices.paced import null_speaker, wav_speaker
from voice.devices.portaudio import Device
from voice.devices.wavmic import WavMicrophone

CARD = Device(0, "Card", "ALSA", 1, 2, 48_000)


async def _calls(stream: FakeStream) -> None:
    """A card at work."""
    while True:
        stream.call(np.full((480, 1), 1_000, np.int16))
        await asyncio.sleep(0.01)


@asynccontextmanager
async def _card(patch: pytest.MonkeyPatch, listen: bool) -> AsyncIterator[Microphone | Loudspeaker]:
    fake = FakeSound()
    async with opened(patch, fake, CARD if listen else None, None if listen else CARD) as card, asyncio.TaskGroup() as group:
        calling = group.create_task(_calls(fake.open[0]))
        found = card.microphone if listen else card.loudspeaker
        assert found is not None
        yield found
        calling.cancel()


@asynccontextmanager
async def _wav(folder: Path) -> AsyncIterator[Microphone]:
    write_wav(folder / "in.wav", np.full(16_000, 1_000, np.int16), 16_000)
    yield WavMicrophone(folder / "in.wav")


Speakers = Callable[[Path, pytest.MonkeyPatch], AbstractAsyncContextManager[Loudspeaker]]
Microphones = Callable[[Path, pytest.MonkeyPatch], AbstractAsyncContextManager[Microphone]]

SPEAKERS: dict[str, Speakers] = {
    "null": lambda folder, patch: null_speaker(),
    "wav": lambda folder, patch: wav_speaker(folder / "out.wav"),
    "card": lambda folder, patch: _card(patch, listen=False),  # type: ignore[dict-item,return-value]
}
MICROPHONES: dict[str, Microphones] = {
    "wav": lambda folder, patch: _wav(folder),
    "card": lambda folder, patch: _card(patch, listen=True),  # type: ignore[dict-item,return-value]
}


@pytest.mark.parametrize("kind", MICROPHONES)
async def test_a_microphone_gives_frames_of_20_ms_in_real_time(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asyncio.timeout(30), MICROPHONES[kind](tmp_path, monkeypatch) as microphone:
        assert microphone.name and "\n" not in microphone.name and microphone.latency_s >= 0 and not microphone.ended
        began = asyncio.get_running_loop().time()
        frames = []
        async for frame in microphone.frames():
            frames.append(frame)
            if len(frames) == 10:
                break
        assert asyncio.get_running_loop().time() - began >= 0.15
        assert all(len(frame.samples) == FRAME_SAMPLES and frame.samples.dtype == np.int16 and not frame.dropped for frame in frames)
        assert abs(int(frames[-1].samples.mean()) - 1_000) <= 5


@pytest.mark.parametrize("kind", SPEAKERS)
async def test_a_loudspeaker_plays_counts_and_stops(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asyncio.timeout(30), SPEAKERS[kind](tmp_path, monkeypatch) as speaker:
        assert speaker.name and not speaker.busy and speaker.stop() is None and speaker.began_s("one") is None
        speaker.play("one", tone(100, rate_hz=24_000), 24_000)
        speaker.end("one")
        assert speaker.busy
        await until(lambda: not speaker.busy)
        assert speaker.heard_ms("one") == 100 and speaker.stats.played_ms == 100
        began = speaker.began_s("one")
        assert began is not None and began <= asyncio.get_running_loop().time()

        speaker.play("two", tone(5_000, rate_hz=24_000), 24_000)
        await until(lambda: speaker.heard_ms("two") >= 30)
        heard = speaker.stop()
        assert heard is not None and heard.item_id == "two" and 30 <= heard.heard_ms < 2_000
        assert not speaker.busy and speaker.heard_ms("two") == heard.heard_ms
