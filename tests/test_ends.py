"""The microphone and the loudspeaker of a conversation, whose devices come and go behind them."""

import asyncio

import numpy as np
import pytest

from tests.support.signals import tone
from voice.audio.pcm import FRAME_SAMPLES
from voice.devices.base import Frame
from voice.devices.capture import Capture
from voice.devices.ends import LONGEST_GAP_S, STRANDED_S, CardMicrophone, CardSpeaker


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


async def test_a_gap_is_as_long_as_it_was_and_the_next_device_may_have_another_rate() -> None:
    clock = Clock()
    microphone = CardMicrophone(clock)
    source = microphone.frames()
    loop = asyncio.get_running_loop()
    first, second = Capture(48_000, loop), Capture(8_000, loop)
    assert not microphone.there and microphone.latency_s == 0
    microphone.connect("first", first, 0.03)
    assert microphone.there and microphone.name == "first" and microphone.latency_s == 0.03
    asking = asyncio.ensure_future(anext(source))
    await asyncio.sleep(0)
    first.push(np.full((480 * 6, 1), 500, np.int16))
    frames = [await asking, await anext(source)]
    microphone.disconnect()
    assert not microphone.there and microphone.latency_s == 0.03
    asking = asyncio.ensure_future(anext(source))
    await asyncio.sleep(0)
    clock.now_s += 0.5
    microphone.connect("second", second, 0.05)
    while not asking.done():
        second.push(np.full((80, 1), 900, np.int16))
        await asyncio.sleep(0.001)
    frames.append(await asking)
    while not frames[-1].samples.any():
        second.push(np.full((160, 1), 900, np.int16))
        frames.append(await anext(source))
    gap = [frame for frame in frames if frame.dropped]
    assert 0.48 <= len(gap) * 0.02 <= 0.5 and all(len(frame.samples) == FRAME_SAMPLES for frame in frames)
    assert microphone.name == "second" and microphone.latency_s == 0.05
    await source.aclose()


async def test_without_a_device_time_goes_on_and_a_loop_that_stood_still_is_no_hour_of_silence() -> None:
    clock = Clock()
    microphone = CardMicrophone(clock)
    source = microphone.frames()
    frames: list[Frame] = []
    asking = asyncio.ensure_future(anext(source))
    await asyncio.sleep(0)
    clock.now_s += 3_600.0
    frames.append(await asking)
    while True:
        try:
            async with asyncio.timeout(0.1):
                frames.append(await anext(source))
        except TimeoutError:
            break
    assert len(frames) == LONGEST_GAP_S * 50 - 1 and all(frame.dropped and not frame.samples.any() for frame in frames)


@pytest.mark.parametrize("device_hz", [16_000, 44_100, 48_000])
def test_a_device_of_any_rate_plays_it_from_where_it_was(device_hz: int) -> None:
    speaker = CardSpeaker("one", 48_000)
    speaker.connect(48_000)
    sound = tone(2_000, rate_hz=24_000)
    speaker.play("a", sound, 24_000)
    speaker.end("a")
    first = [speaker.give(480) for _ in range(50)]
    heard_ms = speaker.heard_ms("a")
    assert heard_ms == 500
    speaker.connect(device_hz)
    rest = []
    while speaker.busy:
        speaker.late_by(0.0)
        rest.append(speaker.give(device_hz // 100))
        assert len(rest[-1]) == device_hz // 100
        assert speaker.heard_ms("a") >= heard_ms
        heard_ms = speaker.heard_ms("a")
    assert heard_ms == 2_000
    loud = np.flatnonzero(np.abs(np.concatenate(rest)) > 300)
    assert (loud[-1] - loud[0]) / device_hz == pytest.approx(1.5, abs=0.02), "the rest of it, once"
    assert all(np.abs(piece).max() > 300 for piece in first[2:])


def test_a_telephone_at_the_beginning_does_not_make_a_telephone_of_all_that_follows() -> None:
    assert CardSpeaker("headset", 8_000).rate_hz == 24_000


def test_a_reply_that_no_device_plays_is_stranded_after_a_while() -> None:
    clock = Clock()
    speaker = CardSpeaker("one", 48_000, clock)
    clock.now_s += 60
    assert not speaker.stranded, "nothing waits"
    speaker.there = True
    speaker.play("a", tone(1_000, rate_hz=24_000), 24_000)
    clock.now_s += 60
    assert speaker.there and not speaker.stranded
    speaker.there = False
    clock.now_s += STRANDED_S / 2
    speaker.there = False
    assert not speaker.stranded
    clock.now_s += STRANDED_S
    assert speaker.stranded
    assert speaker.stop() is not None and not speaker.stranded


def test_latency_is_that_of_the_device_and_of_what_waits_in_front_of_it() -> None:
    speaker = CardSpeaker("one", 48_000)
    speaker.connect(44_100)
    speaker.play("a", tone(1_000, rate_hz=24_000), 24_000)
    for _ in range(40):
        speaker.give(441)
        speaker.late_by(0.2)
    assert 170 <= speaker.heard_ms("a") <= 200
