"""What --input and --output name."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.fake_sound import FakeSound
from tests.support.wav import write_wav
from voice.devices import card
from voice.devices import open as opening
from voice.devices.airing import AiredMicrophone
from voice.devices.ends import CardSpeaker
from voice.devices.open import Opened, open_devices
from voice.devices.portaudio import Device
from voice.devices.wavmic import WavMicrophone
from voice.errors import MissingError, UsageError

MICROPHONE = Device(0, "Mic", "ALSA", 1, 0, 48_000, default_input=True)
SPEAKER = Device(1, "Speaker", "ALSA", 0, 2, 48_000, default_output=True)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSound:
    """Two devices."""
    made = FakeSound()
    monkeypatch.setattr(card, "library", lambda: made)
    monkeypatch.setattr(opening, "devices", lambda fresh=False: (MICROPHONE, SPEAKER))
    return made


async def names(listen: str | None, speak: str | None, fake: FakeSound) -> tuple[str, str, bool, list[str]]:
    async with asyncio.timeout(30), open_devices(listen, speak, lambda text: None) as opened:
        assert isinstance(opened, Opened)
        return opened.microphone.name, opened.speaker.name, opened.beside, [stream.kind for stream in fake.open]


async def test_each_end_is_a_card_a_file_or_nothing(fake: FakeSound, tmp_path: Path) -> None:
    wav, out = str(tmp_path / "in.wav"), str(tmp_path / "out.wav")
    write_wav(wav, np.ones(1_600, np.int16), 16_000)
    assert await names(None, None, fake) == ("Mic", "Speaker", True, ["both"])
    assert await names("mic", "1", fake) == ("Mic", "Speaker", True, ["both"])
    assert await names(wav, None, fake) == (wav, "Speaker", False, ["out"])
    assert await names(None, "null", fake) == ("Mic", "nothing", False, ["in"])
    assert await names(None, out, fake) == ("Mic", out, False, ["in"])
    assert soundfile.info(out).samplerate == 24_000
    assert not fake.open


async def test_files_need_no_sound_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(fresh: bool = False) -> None:
        raise AssertionError("nobody asked for a card")

    monkeypatch.setattr(opening, "devices", missing)
    write_wav(tmp_path / "in.wav", np.ones(1_600, np.int16), 16_000)
    assert (await names(str(tmp_path / "in.wav"), "null", FakeSound()))[1] == "nothing"


async def test_what_cannot_be_opened_is_said(fake: FakeSound, tmp_path: Path) -> None:
    for listen, speak, failure, says in (
        ("none.wav", "null", UsageError, r"none\.wav does not exist"),
        ("other", "null", MissingError, "no microphone 'other'"),
        (None, "other", MissingError, "no loudspeaker 'other'"),
        (None, str(tmp_path / "no" / "out.wav"), UsageError, "cannot be written"),
    ):
        with pytest.raises(failure, match=says):
            await names(listen, speak, fake)
    assert not fake.streams


async def test_for_a_recording_every_microphone_says_what_is_played(fake: FakeSound, tmp_path: Path) -> None:
    wav = str(tmp_path / "in.wav")
    write_wav(wav, np.ones(1_600, np.int16), 16_000)
    async with asyncio.timeout(30):
        async with open_devices(wav, "null", lambda text: None) as opened:
            assert opened.joined() is opened.microphone and isinstance(opened.microphone, WavMicrophone)
            frame = await anext(opened.microphone.frames())
            assert frame.played is not None and len(frame.played) == len(frame.samples)
        async with open_devices(None, "null", lambda text: None) as opened:
            assert isinstance(opened.joined(), AiredMicrophone) and opened.joined().name == "Mic"
        async with open_devices(wav, None, lambda text: None) as opened:
            assert opened.joined() is opened.microphone and isinstance(opened.speaker, CardSpeaker) and opened.speaker.tap is not None
        async with open_devices(None, None, lambda text: None) as opened:
            assert opened.joined() is opened.microphone, "one card knows by itself"
