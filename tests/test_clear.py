"""A microphone in front of a canceller: frames go through it, in order, and nothing else of the microphone changes."""

from collections.abc import AsyncGenerator

import numpy as np
import pytest

from voice.audio.echo import EchoReading
from voice.audio.pcm import FRAME_SAMPLES, SILENT_DBFS, Samples, dbfs
from voice.devices.base import Frame
from voice.devices.clear import AWAY_FRAMES, ClearMicrophone


class Some:
    """A microphone with these frames."""

    name, latency_s, ended, echo = "Some", 0.25, False, None

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


async def test_it_says_what_is_heard_of_the_loudspeaker() -> None:
    rng = np.random.default_rng(1)
    words = [rng.integers(-9_000, 9_000, FRAME_SAMPLES).astype(np.int16) if number % 20 < 14 else flat(0) for number in range(200)]
    heard = [flat(0), flat(0), *[(word // 4).astype(np.int16) for word in words[:-2]]]
    frames = [Frame(captured, played=word) for captured, word in zip(heard, words, strict=True)]
    bare = ClearMicrophone(Some(*frames), None)
    assert bare.echo == EchoReading()
    async for _ in bare.frames():
        pass
    assert bare.echo is not None and bare.echo.settled and bare.echo.erle_db == 0
    assert bare.echo.level_db == pytest.approx(dbfs(np.concatenate(words)) - 12, abs=4)
    unheard = ClearMicrophone(Some(*[Frame(flat(0), played=word) for word in words]), Subtracting())
    async for _ in unheard.frames():
        pass
    assert unheard.echo is not None and unheard.echo.settled and unheard.echo.level_db == SILENT_DBFS


async def test_behind_a_gap_the_echo_is_measured_anew() -> None:
    rng = np.random.default_rng(1)
    words = [rng.integers(-9_000, 9_000, FRAME_SAMPLES).astype(np.int16) for _ in range(100)]
    heard = [Frame((word // 4).astype(np.int16), played=word) for word in words]
    for away, known in ((AWAY_FRAMES - 1, True), (AWAY_FRAMES, False)):
        microphone = ClearMicrophone(Some(*heard, *[Frame(flat(0), dropped=True)] * away), None)
        async for _ in microphone.frames():
            pass
        assert (microphone.echo != EchoReading()) is known
