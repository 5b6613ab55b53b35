"""A microphone in front of a canceller: frames go through it, in order, and nothing else of the microphone changes."""

from collections.abc import AsyncGenerator

import numpy as np

from voice.audio.pcm import FRAME_SAMPLES, Samples
from voice.devices.base import Frame
from voice.devices.clear import ClearMicrophone


class Some:
    """A microphone with these frames."""

    name, latency_s, ended = "Some", 0.25, False

    def __init__(self, *frames: Frame) -> None:
        self.given = frames
        self.closed = False

    async def frames(self) -> AsyncGenerator[Frame, None]:
        try:
            for frame in self.given:
                yield frame
        finally:
            self.closed = True


class Subtracting:
    """Takes half of what was played away."""

    def __init__(self) -> None:
        self.delays: list[int] = []

    def process(self, captured: Samples, played: Samples, delay_ms: int) -> Samples:
        self.delays.append(delay_ms)
        return captured - played // 2


def flat(value: int) -> Samples:
    return np.full(FRAME_SAMPLES, value, np.int16)


async def test_what_is_heard_is_processed_and_what_was_captured_is_kept() -> None:
    canceller = Subtracting()
    microphone = ClearMicrophone(Some(Frame(flat(500), played=flat(200), delay_ms=70), Frame(flat(7), played=flat(0))), canceller)
    first, second = [frame async for frame in microphone.frames()]
    assert first.captured is not None and first.played is not None
    assert (first.samples[0], first.captured[0], first.played[0], first.delay_ms) == (400, 500, 200, 70)
    assert second.samples[0] == 7 and canceller.delays == [70, 0]
    assert (microphone.name, microphone.latency_s, microphone.ended) == ("Some", 0.25, False)


async def test_what_cannot_be_processed_goes_through_as_it_is() -> None:
    canceller = Subtracting()
    frames = (Frame(flat(0), dropped=True), Frame(flat(3)))
    assert [frame async for frame in ClearMicrophone(Some(*frames), canceller).frames()] == list(frames)
    assert not canceller.delays
    played = Frame(flat(5), played=flat(9))
    assert [frame async for frame in ClearMicrophone(Some(played), None).frames()] == [played]


async def test_whoever_stops_listening_stops_the_microphone() -> None:
    some = Some(Frame(flat(1)), Frame(flat(2)))
    frames = ClearMicrophone(some, None).frames()
    await anext(frames)
    await frames.aclose()
    assert some.closed
