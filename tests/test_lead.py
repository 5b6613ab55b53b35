"""A low lead makes pauses longer, a very low one words, and nothing of it loses a sample or the place."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.jitter_trace import spoken
from tests.support.player import MS, RATE_HZ, STIFF, TAKE, elastic
from voice.audio.jitter import JitterBuffer
from voice.audio.pcm import Samples, ms_in, samples_in
from voice.audio.tuning import JitterSettings

PAUSES = {"pause_below_ms": 200, "pause_below_most_ms": 200}
WORDS = {"stretch_below_ms": 100, "stretch_below_most_ms": 100}


def words(*parts: tuple[int, int]) -> Samples:
    """A ramp that is loud for some ms, then quiet for some: each loud sample is its place in all."""
    pieces, at = [], 4000
    for loud_ms, quiet_ms in parts:
        loud, quiet = samples_in(loud_ms, RATE_HZ), samples_in(quiet_ms, RATE_HZ)
        pieces += [np.arange(at, at + loud), np.zeros(quiet, int)]
        at += loud
    return np.concatenate(pieces).astype(np.int16)


def play(buffer: JitterBuffer, sound: Samples, until_left_ms: int = 50) -> list[Samples]:
    """What the device takes, 10 ms at a time, until so much is left."""
    buffer.put("a", sound, 0)
    taken = []
    while buffer.stats.buffered_ms > until_left_ms:
        taken.append(buffer.take(TAKE, 0))
    return taken


def test_a_long_lead_is_left_alone() -> None:
    buffer, sound = JitterBuffer(RATE_HZ), words((500, 200), (500, 200), (500, 200))
    heard = np.concatenate(play(buffer, sound, 1000))
    assert np.array_equal(heard, sound[: len(heard)])


def test_a_reply_that_is_all_there_is_left_alone() -> None:
    buffer, sound = JitterBuffer(RATE_HZ), words((100, 80))
    buffer.put("a", sound, 0)
    buffer.end("a")
    assert np.array_equal(buffer.take(len(sound), 0), sound)


def test_a_pause_is_longer_when_the_lead_is_low() -> None:
    buffer = JitterBuffer(RATE_HZ, elastic(**PAUSES, pause_most_ms=100))
    sound = words((200, 120), (100, 0))
    heard = np.concatenate(play(buffer, sound))
    assert 100 <= buffer.stats.lengthened_ms <= 120 and buffer.stats.stretched_ms == 0
    silent = np.flatnonzero(heard == 0)
    assert ms_in(len(silent), RATE_HZ) == 120 + buffer.stats.lengthened_ms
    assert np.array_equal(heard[heard > 0], sound[sound > 0][: (heard > 0).sum()]), "words are as they were"


def test_silence_before_the_first_word_and_within_a_word_is_no_pause() -> None:
    buffer = JitterBuffer(RATE_HZ, elastic(**PAUSES))
    play(buffer, np.concatenate((np.zeros(samples_in(100, RATE_HZ), np.int16), words((60, 50), (60, 50), (60, 50)))))
    assert buffer.stats.lengthened_ms == 0


def test_words_are_not_slower_than_0_85() -> None:
    buffer = JitterBuffer(RATE_HZ, elastic(stretch_below_ms=10_000, stretch_below_most_ms=10_000))
    heard_ms = 10 * len(play(buffer, spoken(8 * RATE_HZ, 0, RATE_HZ)))
    slower = (heard_ms - buffer.stats.stretched_ms) / heard_ms
    assert 0.845 < slower < 0.86 and buffer.stats.lengthened_ms == 0


def test_what_is_stretched_is_spoken_as_before() -> None:
    """Without what is extra, sample for sample, nothing is missing or another."""
    buffer = JitterBuffer(RATE_HZ, elastic(**WORDS))
    sound = spoken(RATE_HZ, 0, RATE_HZ)
    heard = np.concatenate(play(buffer, sound))
    assert buffer.stats.stretched_ms > 10
    at = 0
    for sample in heard:
        at += int(at < len(sound) and sample == sound[at])
    assert ms_in(at, RATE_HZ) >= buffer.stats.played_ms


def test_an_item_begins_without_the_debts_of_the_one_before() -> None:
    buffer = JitterBuffer(RATE_HZ, elastic(stretch_below_ms=10_000, stretch_below_most_ms=10_000))
    play(buffer, spoken(RATE_HZ, 0, RATE_HZ), 5)
    before = buffer.stats.stretched_ms
    buffer.put("b", spoken(RATE_HZ, 0, RATE_HZ), 0)
    buffer.take(RATE_HZ // 4, 0)
    assert buffer.stats.stretched_ms > before


def test_words_that_run_dry_die_away_as_they_were() -> None:
    """The buzz goes on for 40 ms, softer and softer: more like what was to come than a bare end."""
    sound = spoken(RATE_HZ, 0, RATE_HZ)
    cut, errors = samples_in(300, RATE_HZ), []
    for conceal_ms in (0, 40):
        buffer = JitterBuffer(RATE_HZ, JitterSettings(lead=replace(STIFF, conceal_ms=conceal_ms)))
        buffer.put("a", sound[:cut], 0)
        buffer.take(cut, 10**6)
        heard = buffer.take(4 * TAKE, 10**6).astype(int)
        errors.append(int(np.square(heard - sound[cut : cut + 4 * TAKE]).sum()))
        assert not buffer.take(TAKE, 10**6).any()
    assert errors[1] < 0.75 * errors[0]


@pytest.mark.parametrize("stopping", ["hold", "flush"])
def test_what_dies_away_is_silent_within_5_ms_too(stopping: str) -> None:
    buffer = JitterBuffer(RATE_HZ)
    buffer.put("a", spoken(RATE_HZ // 2, 0, RATE_HZ), 0)
    while buffer.stats.buffered_ms:
        buffer.take(24, 0)
    assert buffer.take(TAKE, 0).any()
    getattr(buffer, stopping)()
    rest = buffer.take(TAKE, 0)
    assert rest[:60].any() and not rest[120:].any()


STEPS = st.lists(st.tuples(st.sampled_from([40, 100]), st.integers(0, 12), st.sampled_from(["", "", "", "hold", "release"])), max_size=40)


@settings(max_examples=30, deadline=None)
@given(STEPS, st.sampled_from([0, 480, 4800]), st.integers(0, 3))
def test_heard_is_the_sample_at_the_loudspeaker(steps: list[tuple[int, int, str]], latency: int, kind: int) -> None:
    """Each sample of a ramp tells its place: what is at the loudspeaker is never further from what `position` says than a period is long,
    the position never goes back, and it is the end at the end."""
    buffer = JitterBuffer(RATE_HZ, [None, elastic(**PAUSES), elastic(**WORDS), JitterSettings(fade_ms=0)][kind])
    buffer.latency_samples = latency
    ramp = np.arange(1, 32_000, dtype=np.int16)
    put = now_us = before = 0
    air = np.zeros(latency, np.int16)
    for delta_ms, takes, rest in steps:
        buffer.put("a", ramp[put : put + delta_ms * 24], now_us)
        put = min(put + delta_ms * 24, len(ramp))
        if rest:
            getattr(buffer, rest)()
        for _ in range(takes):
            air = np.concatenate((air, buffer.take(TAKE, now_us)))
            now_us += 10 * MS
            position = buffer.position()
            at = position[1] if position else before
            assert at >= before
            sounding = int(air[-1 - latency])
            if position and sounding and np.all(np.diff(air[-20 - latency : len(air) - latency].astype(int)) == 1):
                assert abs(at - sounding) <= samples_in(21, RATE_HZ)
            before = at
    buffer.end("a")
    buffer.release()
    buffer.take(put + RATE_HZ + latency, now_us + 10**7)
    assert buffer.position() is None and buffer.heard("a") == ms_in(put, RATE_HZ)


@pytest.mark.parametrize("speed", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("delta_ms", [20, 40, 100, 200])
def test_fast_links_wait_for_nothing_and_never_run_dry(speed: float, delta_ms: int) -> None:
    """P9: no start delay and no underrun where sound comes at 1.5x or faster; nor is there more than a trace of stretching."""
    buffer, now_us = JitterBuffer(RATE_HZ), 0
    for number in range(4):
        sound = spoken(4 * RATE_HZ, number, RATE_HZ)
        pieces = np.split(sound, range(delta_ms * 24, len(sound), delta_ms * 24))
        came = [now_us + round(index * delta_ms * MS / speed) for index in range(len(pieces))]
        waiting = list(zip(came, pieces, strict=True))
        while waiting or not buffer.idle:
            while waiting and waiting[0][0] <= now_us:
                buffer.put(str(number), waiting.pop(0)[1], now_us)
                if not waiting:
                    buffer.end(str(number))
            buffer.take(TAKE, now_us)
            now_us += 10 * MS
    stats = buffer.stats
    assert stats.start_total_ms <= (10 * 4 if delta_ms == 20 else 0) and stats.underruns == 0
    assert stats.lengthened_ms == 0 and stats.stretched_ms <= 4 * 200
