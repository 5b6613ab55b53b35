"""Streams of a sound library that is played by the test: what is opened, and what goes through."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import numpy as np
import pytest

from tests.support.fake_sound import FakeSound
from tests.support.fake_sound import opened as opened_card
from tests.support.signals import tone
from tests.support.until import until
from voice.devices import card as cards
from voice.devices import sound
from voice.devices.card import Card
from voice.devices.portaudio import Device
from voice.devices.stumble import WINDOW
from voice.errors import MissingError

MICROPHONE = Device(0, "Mic", "ALSA", 2, 0, 44_100)
SPEAKER = Device(1, "Speaker", "ALSA", 0, 2, 48_000)
ELSEWHERE = Device(2, "Other", "JACK", 0, 2, 48_000)

Refuse = Callable[[str, dict[str, Any]], tuple[str, int] | None]


def opened(
    patch: pytest.MonkeyPatch, fake: FakeSound, listen: Device | None = MICROPHONE, speak: Device | None = SPEAKER
) -> AbstractAsyncContextManager[Card]:
    return opened_card(patch, fake, listen, speak)


async def test_both_share_one_stream_at_the_rate_of_the_loudspeaker(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    async with opened(monkeypatch, fake) as card:
        (stream,) = fake.open
        settings = stream.settings
        assert (settings["samplerate"], settings["blocksize"], settings["dtype"]) == (48_000, 480, "int16")
        assert (settings["device"], settings["channels"]) == ((0, 1), (1, 1))
        assert card.microphone is not None and card.loudspeaker is not None
        assert (card.microphone.name, card.microphone.latency_s, card.microphone.ended) == ("Mic", 0.02, False)
        card.loudspeaker.play("one", tone(1_000, rate_hz=24_000), 24_000)
        played = np.concatenate([stream.call() for _ in range(20)])
        assert played.shape == (9_600, 1) and np.abs(played).max() > 1_000
        assert card.loudspeaker.heard_ms("one") == 150, "200 ms less the latency of 40 and the block that goes out"
    assert not fake.open, "closed with the block"


async def test_the_microphone_is_heard_and_its_memory_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    async with opened(monkeypatch, fake, speak=None) as card:
        (stream,) = fake.open
        assert (stream.kind, stream.settings["samplerate"], card.loudspeaker) == ("in", 44_100, None)
        assert card.microphone is not None
        source = card.microphone.frames()
        asking = asyncio.ensure_future(anext(source))
        await asyncio.sleep(0)
        for _ in range(8):
            stream.call(np.full((441, 1), 5_000, np.int16))
        first = await asking
        second = await anext(source)
        assert abs(int(first.samples[-1]) - 5_000) < 300 and abs(int(second.samples.mean()) - 5_000) < 5
        await source.aclose()


async def test_a_microphone_that_has_become_late_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    async with opened(monkeypatch, fake) as card:
        assert card.microphone is not None
        for late_s, want_s in ((0.01, 0.02), (0.35, 0.35), (1.5, sound.LATEST_S), (-3.0, 0.02)):
            fake.open[0].call(late_s=late_s)
            assert card.microphone.latency_s == pytest.approx(want_s)


async def test_two_streams_where_the_systems_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    async with opened(monkeypatch, fake, speak=ELSEWHERE):
        assert sorted((stream.kind, stream.settings["samplerate"]) for stream in fake.open) == [("in", 44_100), ("out", 48_000)]


async def test_what_two_devices_cannot_do_together_they_do_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound(lambda kind, settings: ("Illegal combination of I/O devices", -9993) if kind == "both" else None)
    async with opened(monkeypatch, fake) as card:
        assert [stream.kind for stream in fake.open] == ["in", "out"]
        assert card.microphone is not None and card.loudspeaker is not None


@pytest.mark.parametrize(
    ("refuse", "rate_hz", "channels"),
    [
        (lambda settings: ("Invalid sample rate", -9997) if settings["samplerate"] != 16_000 else None, 16_000, (1, 1)),
        (lambda settings: ("Invalid number of channels", -9998) if settings["channels"] != (2, 2) else None, 48_000, (2, 2)),
        (lambda settings: ("Invalid number of channels", -9998) if settings["channels"][1] != 2 else None, 48_000, (1, 2)),
    ],
)
async def test_a_card_with_a_rate_or_channels_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
    refuse: Callable[[dict[str, Any]], tuple[str, int] | None],
    rate_hz: int,
    channels: tuple[int, int],
) -> None:
    fake = FakeSound(lambda kind, settings: refuse(settings))
    async with opened(monkeypatch, fake) as card:
        (stream,) = fake.open
        assert (stream.settings["samplerate"], stream.settings["channels"]) == (rate_hz, channels)
        assert card.loudspeaker is not None
        card.loudspeaker.play("one", tone(300, rate_hz=24_000), 24_000)
        out = np.concatenate([stream.call() for _ in range(10)])
        assert np.abs(out).max() > 1_000 and (out == out[:, :1]).all(), "the same in every channel"
    assert all(stream.closed or not stream.started for stream in fake.streams)


@pytest.mark.parametrize(
    ("kind", "says"),
    [("in", "the microphone 'Mic' is busy"), ("out", "the loudspeaker 'Speaker' is busy")],
)
async def test_the_busy_one_is_named_and_the_other_let_go(monkeypatch: pytest.MonkeyPatch, kind: str, says: str) -> None:
    fake = FakeSound(lambda asked, settings: ("Device unavailable", -9985) if asked in (kind, "both") else None)
    with pytest.raises(MissingError, match=says):
        async with opened(monkeypatch, fake):
            raise AssertionError("it is not open")
    assert not fake.open


async def test_a_card_whose_sound_has_become_stale_for_good_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "WATCH_S", 0.005)
    fake = FakeSound()
    async with opened(monkeypatch, fake) as card:
        (stream,) = fake.open
        assert card.microphone is not None
        for late_s in (0.01, 0.4, 0.4):
            assert stream.aborts == 0
            for _ in range(WINDOW):
                stream.call(late_s=late_s)
        await until(lambda: stream.aborts == 1 and stream.started)
        for _ in range(3 * WINDOW):
            stream.call(late_s=0.01)
            await asyncio.sleep(0)
        assert (stream.aborts, fake.open, len(fake.streams)) == (1, [stream], 1) and card.microphone.latency_s == 0.02


async def test_a_stream_that_cannot_be_started_again_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "WATCH_S", 0.005)
    fake = FakeSound()

    def refuse() -> None:
        raise FakeSound.PortAudioError("Host error", -9999)

    async with opened(monkeypatch, fake):
        (stream,) = fake.open
        monkeypatch.setattr(stream, "abort", refuse)
        for late_s in (0.01, 0.4, 0.4):
            for _ in range(WINDOW):
                stream.call(late_s=late_s)
        await until(lambda: len(fake.streams) == 2 and fake.open == [fake.streams[1]])


async def test_nothing_leaves_the_callback_and_the_bug_is_raised_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "WATCH_S", 0.005)
    fake = FakeSound()

    async def stay() -> None:
        async with opened(monkeypatch, fake) as card:
            assert card.loudspeaker is not None
            monkeypatch.setattr(card.loudspeaker, "take", lambda count: 1 // 0)
            assert not fake.open[0].call().any(), "silence, not noise"
            await asyncio.sleep(30)

    with pytest.RaisesGroup(ZeroDivisionError):
        await stay()


async def test_a_sound_system_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "OPEN_S", 0.05)
    hang = threading.Event()

    def refuse(kind: str, settings: dict[str, Any]) -> None:
        hang.wait(20)

    with pytest.raises(MissingError, match="the sound system does not answer"):
        async with opened(monkeypatch, FakeSound(refuse)):
            raise AssertionError("it is not open")
    hang.set()


async def test_what_is_played_goes_to_the_microphone_as_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    async with opened(monkeypatch, fake) as card:
        (stream,) = fake.open
        assert card.microphone is not None and card.loudspeaker is not None
        card.loudspeaker.play("one", tone(1_000, rate_hz=24_000), 24_000)
        source = card.microphone.frames()
        asking = asyncio.ensure_future(anext(source))
        await asyncio.sleep(0)
        outs = [stream.call(late_s=0.02, ahead_s=0.05) for _ in range(9)]
        frames = [await asking, *[await anext(source) for _ in range(2)]]
        await source.aclose()
        assert [frame.delay_ms for frame in frames] == [70] * 3
        levels = [np.abs(frame.played).max() for frame in frames if frame.played is not None]
        assert len(levels) == 3 and levels[2] == pytest.approx(np.abs(np.concatenate(outs)).max(), rel=0.1)


async def test_a_loudspeaker_on_another_stream_is_the_reference_too(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    async with opened(monkeypatch, fake, speak=ELSEWHERE) as card:
        listen, speak = fake.open
        assert card.microphone is not None and card.loudspeaker is not None
        card.loudspeaker.play("one", tone(1_000, rate_hz=24_000), 24_000)
        source = card.microphone.frames()
        asking = asyncio.ensure_future(anext(source))
        await asyncio.sleep(0)
        for _ in range(9):
            speak.call(late_s=0.0, ahead_s=0.05)
            listen.call(frames=441, late_s=0.02)
        frames = [await asking, *[await anext(source) for _ in range(2)]]
        await source.aclose()
        assert 70 <= frames[0].delay_ms <= 160, "what waits in the queue counts"
        assert frames[2].played is not None and np.abs(frames[2].played).max() > 1_000
