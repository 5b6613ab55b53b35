"""Streams of a sound library that is played by the test: what is opened, what goes through, and what happens when a card goes."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from tests.support.fake_sound import FakeSound
from tests.support.signals import tone
from tests.support.until import until
from voice.devices import sound
from voice.devices.portaudio import Device
from voice.devices.sound import Card, open_card
from voice.devices.stumble import WINDOW
from voice.errors import MissingError

MICROPHONE = Device(0, "Mic", "ALSA", 2, 0, 44_100)
SPEAKER = Device(1, "Speaker", "ALSA", 0, 2, 48_000)
ELSEWHERE = Device(2, "Other", "JACK", 0, 2, 48_000)

Refuse = Callable[[str, dict[str, Any]], tuple[str, int] | None]


@asynccontextmanager
async def opened(
    patch: pytest.MonkeyPatch, fake: FakeSound, listen: Device | None = MICROPHONE, speak: Device | None = SPEAKER
) -> AsyncIterator[Card]:
    patch.setattr(sound, "library", lambda: fake)
    async with asyncio.timeout(30), open_card(listen, speak) as card:
        yield card


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
        for late_s, want_s in ((0.01, 0.02), (0.35, 0.35), (7_000.0, sound.LATEST_S), (-3.0, 0.02)):
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


@pytest.mark.parametrize("how", ["silent", "finished", "never", "hangs"])
async def test_a_card_that_goes_is_noticed(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(sound, "WATCH_S", 0.005)
    monkeypatch.setattr(sound, "PAUSE_S", 0.005)
    monkeypatch.setattr(sound, "CLOSE_S", 0.1)
    hang = threading.Event()

    def refuse(kind: str, settings: dict[str, Any]) -> tuple[str, int] | None:
        if not fake.streams:
            return None
        if how == "hangs":
            hang.wait(10)
        return "Device unavailable", -9985

    fake = FakeSound(refuse)

    async def stay() -> None:
        async with opened(monkeypatch, fake):
            (stream,) = fake.open
            if how != "never":
                for _ in range(8):
                    stream.call()
                    await asyncio.sleep(0.005)
            if how == "finished":
                stream.settings["finished_callback"]()
            await asyncio.sleep(30)

    gone = pytest.RaisesExc(MissingError, match="'Mic' and 'Speaker' has gone: plug it in and start again")
    with pytest.RaisesGroup(pytest.RaisesGroup(gone)):
        await stay()
    hang.set()
    assert not fake.open
    assert how == "hangs" or len(fake.streams) == (1 if how == "never" else 1 + sound.TRIES)


@pytest.mark.parametrize("calls", [0, 3])
async def test_a_card_that_stumbles_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    monkeypatch.setattr(sound, "WATCH_S", 0.005)
    fake = FakeSound()

    async def stay() -> None:
        async with opened(monkeypatch, fake):
            fake.open[0].call()
            for count in range(1, 10):
                await until(lambda: len(fake.open) == 1 and len(fake.streams) == count)  # noqa: B023 - used at once
                for _ in range(calls):
                    fake.open[0].call()
                await asyncio.sleep(0.02)
                fake.open[0].settings["finished_callback"]()

    with pytest.RaisesGroup(pytest.RaisesGroup(pytest.RaisesExc(MissingError, match="has gone"))):
        await stay()
    assert len(fake.streams) == (2 if calls == 0 else 1 + sound.TRIES)


async def test_a_card_that_stumbles_is_opened_again_and_the_conversation_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "WATCH_S", 0.005)
    monkeypatch.setattr(sound, "PAUSE_S", 0.005)
    fake = FakeSound(lambda kind, settings: ("Host error", -9999) if len(fake.streams) == 1 else None)
    async with opened(monkeypatch, fake) as card:
        (first,) = fake.open
        assert card.loudspeaker is not None and card.microphone is not None
        card.loudspeaker.play("one", tone(500, rate_hz=24_000), 24_000)
        card.loudspeaker.end("one")
        source = card.microphone.frames()
        asking = asyncio.ensure_future(anext(source))
        await asyncio.sleep(0)
        before = np.concatenate([first.call() for _ in range(20)])
        await asking
        first.settings["finished_callback"]()
        await until(lambda: fake.open and fake.open[0] is not first)
        assert first.closed and len(fake.streams) == 3
        (second,) = fake.open
        assert second.settings["samplerate"] == first.settings["samplerate"]
        after = np.concatenate([second.call(np.full((480, 1), 3_000, np.int16)) for _ in range(40)])
        assert before.any() and after.any() and card.loudspeaker.heard_ms("one") == 500, "from where it was"
        heard = [await anext(source) for _ in range(25)]
        assert any(abs(int(frame.samples.mean()) - 3_000) < 10 for frame in heard)
        await source.aclose()


async def test_a_card_whose_sound_has_become_stale_for_good_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "WATCH_S", 0.005)
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
    monkeypatch.setattr(sound, "WATCH_S", 0.005)
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


async def test_a_card_that_is_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "WATCH_S", 0.005)
    fake = FakeSound()
    async with opened(monkeypatch, fake):
        (stream,) = fake.open
        for _ in range(60):
            stream.call()
            await asyncio.sleep(0.005)


async def test_nothing_leaves_the_callback_and_the_bug_is_raised_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "WATCH_S", 0.005)
    fake = FakeSound()

    async def stay() -> None:
        async with opened(monkeypatch, fake) as card:
            assert card.loudspeaker is not None
            monkeypatch.setattr(card.loudspeaker, "take", lambda count: 1 // 0)
            assert not fake.open[0].call().any(), "silence, not noise"
            await asyncio.sleep(30)

    with pytest.RaisesGroup(pytest.RaisesGroup(ZeroDivisionError)):
        await stay()


async def test_a_sound_system_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "OPEN_S", 0.05)
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
