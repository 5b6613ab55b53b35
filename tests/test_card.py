"""What becomes of a conversation's sound card: it goes, comes back, is another one, freezes, sleeps."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from tests.support.fake_sound import FakeSound, FakeStream, opened
from tests.support.signals import tone
from tests.support.until import until
from voice.devices import card as cards
from voice.devices import ends, watch
from voice.devices.base import Frame
from voice.devices.card import Card
from voice.devices.portaudio import Device
from voice.devices.wavfile import wav_frames
from voice.errors import MissingError

MICROPHONE = Device(0, "Mic", "ALSA", 2, 0, 48_000)
SPEAKER = Device(1, "Speaker", "ALSA", 0, 2, 48_000)
HEADSET = Device(2, "Headset", "ALSA", 1, 2, 16_000)
LEVEL = 3_000
SPEECH = Path(__file__).resolve().parent.parent / "fixtures/wav/time-slt.wav"
PLUG = "plug it in, it is used as soon as it is there; meanwhile you can type"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look takes some ms."""
    monkeypatch.setattr(cards, "WATCH_S", 0.002)


class Turning:
    """A card at work: calls of whatever stream is open, faster than time."""

    def __init__(self, fake: FakeSound) -> None:
        self.fake = fake
        self.stopped = False
        self.late_s: float | None = 0.01
        self.played: list[np.ndarray] = []

    async def run(self) -> None:
        while True:
            for stream in self.fake.open if not self.stopped else []:
                self.one(stream)
            await asyncio.sleep(0.001)

    def one(self, stream: FakeStream) -> None:
        channels = stream.settings["channels"]
        size = stream.settings["blocksize"]
        heard = np.full((size, channels[0] if isinstance(channels, tuple) else channels), LEVEL, np.int16)
        self.played.append(stream.call(heard, frames=size, late_s=self.late_s)[:, 0])


class Listener:
    """Reads the microphone all the time."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    async def run(self, card: Card) -> None:
        assert card.microphone is not None
        async for frame in card.microphone.frames():
            self.frames.append(frame)

    async def hears(self) -> None:
        """Wait until the microphone is heard in what comes from now on."""
        seen = len(self.frames)
        await until(lambda: any(abs(int(frame.samples[-1]) - LEVEL) < 300 for frame in self.frames[seen:]))

    async def hears_nothing(self) -> None:
        """Wait for silence in the place of sound."""
        seen = len(self.frames)
        await until(lambda: any(frame.dropped and not frame.samples.any() for frame in self.frames[seen:]))


@asynccontextmanager
async def at_work(
    patch: pytest.MonkeyPatch, fake: FakeSound, named: bool = True, speak: Device = SPEAKER
) -> AsyncIterator[tuple[Card, Turning, Listener, list[str]]]:
    notes: list[str] = []
    turning, listener = Turning(fake), Listener()
    async with opened(patch, fake, MICROPHONE, speak, notes.append, named) as card, asyncio.TaskGroup() as group:
        tasks = [group.create_task(turning.run()), group.create_task(listener.run(card))]
        await listener.hears()
        yield card, turning, listener, notes
        for task in tasks:
            task.cancel()


@pytest.mark.parametrize("how", ["ended", "still", "late"])
async def test_a_stream_that_is_not_well_is_opened_again_and_the_reply_goes_on(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    fake = FakeSound()
    async with at_work(monkeypatch, fake) as (card, turning, listener, notes):
        (first,) = fake.open
        microphone, speaker = card.microphone, card.loudspeaker
        assert speaker is not None
        speaker.play("one", tone(5_000, rate_hz=24_000), 24_000)
        speaker.end("one")
        await until(lambda: speaker.heard_ms("one") > 100)
        match how:
            case "ended":
                first.end()
            case "still":
                turning.stopped = True
            case _:
                turning.late_s = 2.5
        await until(lambda: first.closed and fake.open)
        turning.stopped, turning.late_s = False, 0.01
        heard_ms = speaker.heard_ms("one")
        await listener.hears()
        await until(lambda: speaker.heard_ms("one") > heard_ms)
        assert (card.microphone, card.loudspeaker) == (microphone, speaker), "the same for whoever uses them"
        await until(lambda: not speaker.busy)
        assert speaker.heard_ms("one") == 5_000, "from the sample where it was to the end"
    why = "came far too late" if how == "late" else "had stopped"
    # Both share a name only where they are one device.
    assert notes[0] == f"the microphone 'Mic' {why} and was opened again; the loudspeaker 'Speaker' {why} and was opened again"
    total = sum(len(piece[np.abs(piece) > 0]) for piece in turning.played)
    assert total <= 5_000 * 48 + 480, "nothing is played twice"


async def test_sound_that_was_too_old_when_it_came_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    async with at_work(monkeypatch, fake) as (_, turning, listener, _):
        turning.stopped = True
        (first,) = fake.open
        await asyncio.sleep(0)
        seen = len(listener.frames)
        for _ in range(100):
            turning.late_s = 5.0
            turning.one(first)
        turning.late_s = 0.01
        turning.stopped = False
        await listener.hears()
        stale = [frame for frame in listener.frames[seen:] if frame.stale]
        assert len(stale) == 50 and not any(frame.samples.any() for frame in stale)
        assert all(frame.dropped for frame in stale)


async def test_a_named_one_that_is_pulled_out_is_taken_by_its_name_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound(plugged=[MICROPHONE, SPEAKER, HEADSET])
    async with at_work(monkeypatch, fake) as (card, _, listener, notes):
        fake.plugged.remove(MICROPHONE)
        fake.open[0].end()
        await until(lambda: notes)
        assert notes[0] == f"the microphone 'Mic' has gone: {PLUG}; the loudspeaker 'Speaker' had stopped and was opened again"
        assert [stream.kind for stream in fake.open] == ["out"], "the headset is somebody else's"
        await listener.hears_nothing()
        # Another number than before.
        fake.plugged.append(MICROPHONE)
        await listener.hears()
        assert notes[1].startswith("the microphone 'Mic' is back")
        assert card.microphone is not None and card.microphone.name == "Mic"
        assert all(stream.closed for stream in fake.streams[:-1] if stream not in fake.open)


async def test_the_default_one_is_replaced_by_the_new_default(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    async with at_work(monkeypatch, fake, named=False) as (card, _, listener, notes):
        speaker = card.loudspeaker
        assert speaker is not None
        speaker.play("one", tone(3_000, rate_hz=24_000), 24_000)
        speaker.end("one")
        fake.plugged[:] = [HEADSET]
        fake.open[0].end()
        await until(lambda: notes)
        await listener.hears()
        (stream,) = fake.open
        assert (stream.kind, stream.settings["samplerate"]) == ("both", 16_000), "another rate"
        assert notes == ["the microphone 'Mic' has gone: 'Headset' is used now; the loudspeaker 'Speaker' has gone: 'Headset' is used now"]
        await until(lambda: not speaker.busy)
        assert speaker.heard_ms("one") == 3_000 and speaker.name == "Headset"


async def test_when_all_is_gone_time_goes_on_and_it_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    async with at_work(monkeypatch, fake, named=False, speak=SPEAKER) as (card, _, listener, notes):
        fake.plugged.clear()
        fake.open[0].end()
        await until(lambda: fake.looks > 4)
        assert notes == [
            f"the microphone 'Mic' has gone: {PLUG}; the loudspeaker 'Speaker' has gone: {PLUG}",
        ]
        loop = asyncio.get_running_loop()
        began_s, seen = loop.time(), len(listener.frames)
        await until(lambda: len(listener.frames) > seen + 20)
        assert loop.time() - began_s > 0.3, "as much as time"
        assert card.loudspeaker is not None
        card.loudspeaker.play("one", tone(300, rate_hz=24_000), 24_000)
        card.loudspeaker.end("one")
        await asyncio.sleep(0.05)
        assert card.loudspeaker.heard_ms("one") == 0
        fake.plugged[:] = [MICROPHONE, SPEAKER]
        await listener.hears()
        assert notes[1:] == ["the microphone 'Mic' is back; the loudspeaker 'Speaker' is back"]
        await until(lambda: card.loudspeaker is not None and card.loudspeaker.heard_ms("one") == 300)


async def test_what_is_missing_beside_another_is_tried_alone_and_everything_is_looked_at_in_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = {"in", "both"}
    fake = FakeSound(lambda kind, settings: ("Device unavailable", -9985) if kind in refused and fake.looks > 1 else None)
    async with at_work(monkeypatch, fake) as (_, _, listener, notes):
        fake.open[0].end()
        await until(lambda: len(notes) == 1)
        (speaking,) = fake.open
        await until(lambda: len([stream for stream in fake.streams if stream.kind == "in"]) > 3)
        assert not speaking.closed or fake.looks > 2
        refused.clear()
        await listener.hears()
        assert notes[1].startswith("the microphone 'Mic' is back")


@pytest.mark.parametrize("what", ["close", "look"])
async def test_a_sound_system_that_hangs_holds_nothing_up(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(cards, "CLOSE_S", 0.05)
    fake = FakeSound()
    hang = threading.Event()
    try:
        async with at_work(monkeypatch, fake) as (card, turning, listener, notes):
            (first,) = fake.open
            if what == "close":
                first._hang = fake.hang_close = lambda: hang.wait(20)
                first.end()
                await until(lambda: len(fake.open) == 2)
                # The stream that could not be closed wakes up: nobody hears it, and it takes nothing from the reply.
                assert card.loudspeaker is not None
                card.loudspeaker.play("one", tone(500, rate_hz=24_000), 24_000)
                assert not first.call(np.full((480, 1), 9_000, np.int16)).any()
                await listener.hears()
                assert not any((frame.samples == 9_000).any() for frame in listener.frames)
                fake.hang_close = lambda: None
            else:
                fake.hang_look = lambda: hang.wait(20)
                first.end()
                await until(lambda: cards.STILL_NO_ANSWER in notes)
                await listener.hears_nothing()
                hang.set()
                await listener.hears()
                assert notes.count(cards.STILL_NO_ANSWER) == 1
    finally:
        hang.set()


async def test_the_end_does_not_wait_for_a_sound_system_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "CLOSE_S", 0.05)
    fake = FakeSound()
    hang = threading.Event()
    fake.hang_look = None
    try:
        async with asyncio.timeout(10):
            with suppress(MissingError):
                async with at_work(monkeypatch, fake) as (_, _, _, notes):
                    fake.hang_look = lambda: hang.wait(30)
                    fake.open[0].end()
                    await until(lambda: cards.STILL_NO_ANSWER in notes)
    finally:
        hang.set()


async def test_after_sleep_everything_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    slept_s = 0.0
    monkeypatch.setattr(cards, "always_s", lambda: cards.waking_s() + slept_s)
    fake = FakeSound()
    async with at_work(monkeypatch, fake) as (_, _, listener, notes):
        (first,) = fake.open
        slept_s = 3_600.0
        await until(lambda: first.closed)
        await listener.hears()
        assert notes[0].startswith("the microphone 'Mic' had slept with the machine and was opened again")
        assert len(listener.frames) < 3_000, "an hour of silence is not made up"


async def test_a_microphone_that_has_become_our_own_loudspeaker_is_not_heard_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    notes: list[str] = []
    spoken = np.tile(np.concatenate(list(wav_frames(SPEECH))), 6)
    async with opened(monkeypatch, fake, MICROPHONE, SPEAKER, notes.append) as card, asyncio.TaskGroup() as group:
        listener = Listener()
        listening = group.create_task(listener.run(card))
        await asyncio.sleep(0)
        assert card.loudspeaker is not None
        card.loudspeaker.play("one", spoken, 16_000)
        (stream,) = fake.open
        out = np.zeros((480, 1), np.int16)
        for _ in range(600):
            # The next block: what was played in the last one, 30 ms before a room could have given it back.
            out = stream.call(out, late_s=0.02, ahead_s=0.02)
            await asyncio.sleep(0)
        await until(lambda: notes)
        assert notes[0].startswith("the microphone 'Mic' hears what we play and nothing else")
        await until(lambda: listener.frames[-1].dropped)
        assert listener.frames[20].samples.any() and not listener.frames[-1].samples.any()
        listening.cancel()


async def test_a_microphone_that_gives_only_zeros_is_said_to_be_muted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "SHUT_S", 0.5)
    fake = FakeSound()
    notes: list[str] = []
    async with opened(monkeypatch, fake, MICROPHONE, SPEAKER, notes.append) as card, asyncio.TaskGroup() as group:
        listening = group.create_task(Listener().run(card))
        await asyncio.sleep(0)
        for _ in range(100):
            fake.open[0].call(late_s=0.02)
            await asyncio.sleep(0)
        await until(lambda: notes)
        assert notes == ["the microphone 'Mic' gives nothing but silence: is it muted?"]
        listening.cancel()


async def test_a_headset_that_is_a_telephone_is_warned_of_at_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    async with opened(
        monkeypatch, FakeSound(), Device(0, "Buds", "ALSA", 1, 2, 16_000), Device(0, "Buds", "ALSA", 1, 2, 16_000), notes.append
    ):
        assert len(notes) == 1 and "telephone quality" in notes[0]


async def test_what_is_well_again_before_it_is_mended_is_mended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a microphone that had gone still, and came back in the pause before a second try, would never be heard again."""
    monkeypatch.setattr(watch, "PAUSE_LOOKS", (0, 100))
    fake = FakeSound()
    async with at_work(monkeypatch, fake) as (_, turning, listener, notes):
        fake.open[0].end()
        await until(lambda: len(notes) == 1)
        await listener.hears()
        turning.stopped = True
        await until(lambda: any(frame.dropped for frame in listener.frames[-3:]))
        turning.stopped = False
        await until(lambda: len(notes) == 2)
        await listener.hears()


async def test_a_card_that_is_well_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSound()
    async with at_work(monkeypatch, fake) as (_, turning, _, notes):
        before = len(turning.played)
        await until(lambda: len(turning.played) > before + 100)
        assert len(fake.streams) == 1 and not notes
