"""What a loudspeaker plays, by the clock."""

from collections.abc import AsyncGenerator

import numpy as np
import pytest

from tests.support.signals import tone
from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, Samples, samples_in, silence
from voice.devices.airing import LAG_MS, LEAP_MS, AiredMicrophone, Airing
from voice.devices.base import Frame

FRAME_S = FRAME_SAMPLES / RATE_HZ


def frames(airing: Airing, count: int, from_s: float = 100.0) -> Samples:
    return np.concatenate([airing.take(from_s + i * FRAME_S, FRAME_SAMPLES) for i in range(count)])


def put(airing: Airing, samples: Samples, rate_hz: int, at_s: float, block: int, late_s: list[float]) -> None:
    """In blocks whose times tremble."""
    for index, start in enumerate(range(0, len(samples), block)):
        airing.put(samples[start : start + block], rate_hz, at_s + start / rate_hz + late_s[index % len(late_s)])


@pytest.mark.parametrize(("rate_hz", "block"), [(16_000, 160), (24_000, 240), (24_000, 733), (44_100, 441), (48_000, 480)])
def test_each_sample_where_it_was_in_the_air(rate_hz: int, block: int) -> None:
    airing = Airing()
    # The first of 400 ms is in the air 70 ms after the microphone's first sample.
    put(airing, tone(400, rate_hz=rate_hz), rate_hz, 100.07, block, [0.0, 0.012, -0.011, 0.003])
    heard = frames(airing, 30)
    want = np.concatenate((silence(70 + LAG_MS), tone(400), silence(500)))[: len(heard)]
    error = heard[samples_in(110) : samples_in(470)].astype(float) - want[samples_in(110) : samples_in(470)]
    assert np.sqrt((error**2).mean()) < 0.02 * want.std(), "to a fraction of a sample"
    assert not heard[: samples_in(85)].any() and not heard[samples_in(495) :].any()


def test_a_loudspeaker_that_brings_its_sound_when_it_is_asked() -> None:
    sound, at = tone(600), 0

    def bring() -> None:
        nonlocal at
        airing.put(sound[at : at + FRAME_SAMPLES], RATE_HZ, 50.0 + at / RATE_HZ)
        at += FRAME_SAMPLES

    airing = Airing(bring)
    heard = frames(airing, 20, from_s=50.0)
    assert np.array_equal(heard[samples_in(LAG_MS) :], sound[: len(heard) - samples_in(LAG_MS)])


def test_after_a_pause_of_the_loudspeaker_it_lies_where_the_clock_says() -> None:
    airing = Airing()
    airing.put(np.full(800, 1, np.int16), RATE_HZ, 100.0)
    airing.put(np.full(800, 2, np.int16), RATE_HZ, 100.0 + (LEAP_MS + 170) / 1000)
    heard = frames(airing, 20)
    edges = [samples_in(ms + LAG_MS) for ms in (0, 50, LEAP_MS + 170, LEAP_MS + 220)]
    assert np.flatnonzero(np.diff(heard, prepend=0)).tolist() == edges


def test_another_rate_takes_over() -> None:
    airing = Airing()
    airing.put(tone(100, rate_hz=48_000), 48_000, 100.0)
    airing.put(np.concatenate((tone(100, rate_hz=8_000), silence(100, 8_000))), 8_000, 100.1)
    heard = frames(airing, 12)
    assert 0.19 <= np.count_nonzero(heard) / RATE_HZ <= 0.21


def test_who_slept_gets_what_is_in_the_air_now() -> None:
    airing = Airing()
    airing.put(np.arange(1, 32_001, dtype=np.int16), RATE_HZ, 100.0)
    assert airing.take(100.5, 320)[0] == samples_in(500 - LAG_MS) + 1
    assert airing.take(100.52, 320)[0] == samples_in(520 - LAG_MS) + 1
    assert airing.take(101.0, 320)[0] == samples_in(1_000 - LAG_MS) + 1


def test_nobody_asks_and_memory_stays_what_it_is() -> None:
    airing = Airing()
    for index in range(20_000):
        airing.put(np.ones(480, np.int16), 48_000, index / 100)
    assert len(airing._blocks) <= 500
    assert airing.take(199.95, 320).tolist() == [1] * 320
    assert airing.take(500.0, 320).tolist() == [0] * 320 and not len(airing._line)


class Card:
    """A microphone that is 30 ms late; the test says when its frames come."""

    name, latency_s, ended, echo = "card", 0.03, False, None

    async def frames(self) -> AsyncGenerator[Frame, None]:
        for index in range(30):
            yield Frame(np.full(FRAME_SAMPLES, index, np.int16))


async def test_a_card_beside_a_loudspeaker_that_is_none() -> None:
    airing = Airing()
    airing.put(tone(400), RATE_HZ, 100.1)
    # Frames come in pairs, and tremble.
    times = iter([100.05 + 0.04 * (index // 2 + 1) + 0.003 * (index % 3) for index in range(30)])
    microphone = AiredMicrophone(Card(), airing, lambda: next(times))
    assert (microphone.name, microphone.latency_s, microphone.ended, microphone.echo) == ("card", 0.03, False, None)
    frames = [frame async for frame in microphone.frames()]
    assert [frame.samples[0] for frame in frames] == list(range(30)) and {frame.delay_ms for frame in frames} == {-LAG_MS}
    played = np.concatenate([frame.played for frame in frames if frame.played is not None])
    start = np.flatnonzero(played)[0]
    # The first frame came at 100.09 and was said from 100.04 on: 60 ms before the sound, of which 20 are the lag.
    assert abs(start - samples_in(60 + LAG_MS)) <= samples_in(20)
    assert np.array_equal(played[start : start + samples_in(390)], tone(400)[1 : samples_in(390) + 1]), "in one piece"
