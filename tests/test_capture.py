"""From a device's thread to the event loop."""

import asyncio
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.signals import tone
from voice.audio.pcm import FRAME_SAMPLES, Framer
from voice.audio.resample import Resampler
from voice.devices.base import Frame
from voice.devices.capture import Bell, Capture


async def fetch(capture: Capture, count: int) -> list[Frame]:
    """That many frames of those that are there."""
    frames = []
    async with asyncio.timeout(30):
        async for frame in capture.frames():
            frames.append(frame)
            if len(frames) == count:
                break
    return frames


def blocks(samples: np.ndarray, size: int) -> list[np.ndarray]:
    return [samples[at : at + size, np.newaxis] for at in range(0, len(samples), size)]


async def listening(capture: Capture, sound: list[np.ndarray], count: int) -> list[Frame]:
    """Frames, with a thread that speaks as soon as somebody listens."""
    async with asyncio.TaskGroup() as group:
        fetching = group.create_task(fetch(capture, count))
        await asyncio.sleep(0)
        await asyncio.to_thread(lambda: [capture.push(block) for block in sound])
    return fetching.result()


@pytest.mark.parametrize("size", [1, 160, 320, 333, 5_000])
async def test_every_sample_once_in_order_whatever_the_blocks(size: int) -> None:
    samples = np.arange(3_200, dtype=np.int16)
    capture = Capture(16_000, asyncio.get_running_loop())
    frames = await listening(capture, blocks(samples, size), 10)
    assert np.array_equal(np.concatenate([frame.samples for frame in frames]), samples)
    assert not any(frame.dropped for frame in frames)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
async def test_any_rate_becomes_16_khz(rate_hz: int) -> None:
    seconds = np.arange(rate_hz) / rate_hz
    samples = np.round(8_000 * np.sin(2 * np.pi * 440 * seconds)).astype(np.int16)
    frames = await listening(Capture(rate_hz, asyncio.get_running_loop()), blocks(samples, rate_hz // 100), 45)
    heard = np.concatenate([frame.samples for frame in frames])
    spectrum = np.abs(np.fft.rfft(heard[1_600:14_400].astype(float) * np.hanning(12_800)))
    assert np.argmax(spectrum) * 16_000 / 12_800 == pytest.approx(440, abs=2)
    assert heard[1_600:14_400].std() == pytest.approx(8_000 / np.sqrt(2), rel=0.02)


async def test_two_channels_are_averaged() -> None:
    block = np.stack([np.full(320, 1_000, np.int16), np.full(320, 3_000, np.int16)], axis=1)
    frames = await listening(Capture(16_000, asyncio.get_running_loop()), [block], 1)
    assert (frames[0].samples == 2_000).all()


async def test_the_oldest_goes_and_is_silence_in_its_place() -> None:
    capture = Capture(16_000, asyncio.get_running_loop(), max_ms=100)
    frames: list[Frame] = []
    source = capture.frames()
    async with asyncio.timeout(30):
        asking = asyncio.ensure_future(anext(source))
        await asyncio.sleep(0)
        for number in range(1, 11):
            capture.push(np.full((FRAME_SAMPLES, 1), number, np.int16))
        frames.append(await asking)
        while len(frames) < 10:
            frames.append(await anext(source))
    await source.aclose()
    assert [frame.dropped for frame in frames] == [True] * 5 + [False] * 5
    assert [int(frame.samples[0]) for frame in frames] == [0] * 5 + [6, 7, 8, 9, 10]
    assert all(len(frame.samples) == FRAME_SAMPLES for frame in frames)


async def test_what_was_said_before_anybody_listened_is_not_heard() -> None:
    capture = Capture(16_000, asyncio.get_running_loop(), max_ms=100)
    for _ in range(20):
        capture.push(np.full((FRAME_SAMPLES, 1), 1, np.int16))
    frames = await listening(capture, [np.full((FRAME_SAMPLES, 1), 2, np.int16)], 1)
    assert not frames[0].dropped and int(frames[0].samples[0]) == 2


def test_a_callback_after_the_end_of_the_loop_raises_nothing() -> None:
    loop = asyncio.new_event_loop()
    capture = Capture(16_000, loop)
    loop.close()
    thread = threading.Thread(target=capture.push, args=(np.zeros((160, 1), np.int16),))
    thread.start()
    thread.join(5)


async def test_what_the_loudspeaker_was_handed_goes_with_the_frame() -> None:
    capture = Capture(16_000, asyncio.get_running_loop())
    capture.late_s, capture.beside.ahead_s = 0.03, 0.05
    frames: list[Frame] = []
    source = capture.frames()
    async with asyncio.timeout(30):
        asking = asyncio.ensure_future(anext(source))
        await asyncio.sleep(0)
        for number in range(4):
            capture.push(np.full((160, 1), number, np.int16), np.full(160, 100 + number, np.int16))
        frames = [await asking, await anext(source)]
    await source.aclose()
    for number, frame in enumerate(frames):
        assert frame.played is not None and frame.delay_ms == 80
        assert (frame.samples.tolist(), frame.played.tolist()) == (
            [2 * number] * 160 + [2 * number + 1] * 160,
            [100 + 2 * number] * 160 + [101 + 2 * number] * 160,
        )


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
async def test_the_loudspeaker_of_another_stream_keeps_step(rate_hz: int) -> None:
    """Both hear the same tone: the reference comes at the microphone's rate, whatever its own."""
    capture = Capture(48_000, asyncio.get_running_loop())
    frames: list[Frame] = []
    source = capture.frames()
    asking = asyncio.ensure_future(anext(source))
    await asyncio.sleep(0)
    for number in range(100):
        here, there = (np.arange(number * rate // 100, (number + 1) * rate // 100) / rate for rate in (48_000, rate_hz))
        wave = [np.round(8_000 * np.sin(2 * np.pi * 20 * at)).astype(np.int16) for at in (here, there)]
        capture.heard(wave[1], rate_hz)
        capture.push(wave[0][:, np.newaxis])
    async with asyncio.timeout(30):
        frames.append(await asking)
        while len(frames) < 45:
            frames.append(await anext(source))
    await source.aclose()
    samples = np.concatenate([frame.samples for frame in frames])[1_600:].astype(float)
    played = np.concatenate([frame.played for frame in frames if frame.played is not None])[1_600:].astype(float)
    shifts = [float(np.dot(samples[400:-400], np.roll(played, shift)[400:-400])) for shift in range(-400, 401)]
    shift = int(np.argmax(shifts)) - 400
    assert abs(shift) <= (16 if rate_hz == 48_000 else 400), "a resampler of another rate holds back some ms more"
    assert np.corrcoef(samples[400:-400], np.roll(played, shift)[400:-400])[0, 1] > 0.999


async def test_a_gap_is_one_in_the_reference_too() -> None:
    capture = Capture(16_000, asyncio.get_running_loop(), max_ms=100)
    source = capture.frames()
    asking = asyncio.ensure_future(anext(source))
    await asyncio.sleep(0)
    for number in range(1, 11):
        capture.push(np.full((FRAME_SAMPLES, 1), number, np.int16), np.full(FRAME_SAMPLES, 100 + number, np.int16))
    async with asyncio.timeout(30):
        frames = [await asking, *[await anext(source) for _ in range(9)]]
    await source.aclose()
    assert [frame.played is None for frame in frames] == [True] * 5 + [False] * 5
    assert [int(frame.played[0]) for frame in frames if frame.played is not None] == [106, 107, 108, 109, 110]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 96_000])
async def test_the_loop_is_woken_for_frames_and_not_for_blocks_and_no_frame_is_later_for_it(rate_hz: int) -> None:
    rung: list[bool] = []
    loop = asyncio.get_running_loop()
    bell = Bell(SimpleNamespace(call_soon_threadsafe=lambda ring: (rung.append(True), ring())))  # type: ignore[arg-type]
    capture = Capture(rate_hz, loop)
    capture._bell = bell
    got: list[Frame] = []

    async def fetch_all() -> None:
        async for frame in capture.frames():
            got.append(frame)

    fetching = asyncio.ensure_future(fetch_all())
    resampler, framer, there = Resampler(rate_hz, 16_000), Framer(), 0
    await asyncio.sleep(0)
    for block in blocks(tone(2_000, rate_hz=rate_hz), rate_hz // 100):
        capture.push(block)
        for _ in range(4):
            await asyncio.sleep(0)
        there += len(framer.push(resampler.push(block[:, 0])))
        assert len(got) == there
    assert there >= 95 and len(rung) <= 130, "of 200 blocks"
    capture.end()
    await fetching
