"""The playback buffer at rest: held and played on, nothing is lost, and it always says what was heard."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.player import MS, RATE_HZ, Player, sound, stiff
from voice.audio.jitter import JitterBuffer, Stopped
from voice.audio.pcm import samples_in


def test_it_fades_out_in_5_ms_and_plays_on_fading_in() -> None:
    player = Player()
    player.put("a", 1000)
    player.take(70)
    player.buffer.hold()
    assert player.take(30) == "/.."
    ramp = player.taken[-3]
    assert 990 < ramp[0] < 1000 and (np.diff(ramp[:120]) < 0).all() and not ramp[119:].any()
    assert player.buffer.position() == ("a", samples_in(70, RATE_HZ))
    player.buffer.release()
    assert player.take(30) == "/##"
    assert (np.diff(player.taken[-3]) > 0).all() and player.buffer.heard("a") == 100


def test_not_a_sample_is_lost_or_played_twice() -> None:
    """Without fades, so that the samples can be told apart."""
    buffer = JitterBuffer(RATE_HZ, stiff(fade_ms=0))
    ramp = np.arange(1, 20_001, dtype=np.int16)
    buffer.put("a", ramp, 0)
    buffer.end("a")
    out = []
    for number in range(120):
        out.append(buffer.take(300, number * 12_500))
        if number % 3 == 0:
            buffer.hold()
        elif number % 3 == 1:
            buffer.release()
    out.append(buffer.take(20_000, 10**7))
    whole = np.concatenate(out)
    assert np.array_equal(whole[whole > 0], ramp)


def test_what_comes_meanwhile_is_kept_and_nothing_of_it_is_an_underrun() -> None:
    player = Player()
    player.put("a", 60)
    player.take(40)
    player.buffer.hold()
    player.take(400)
    player.put("a", 100)
    player.take(400)
    player.buffer.release()
    assert player.take(60) == "/#####"
    player.put("a", 60)
    player.buffer.end("a")
    player.take(200)
    assert (player.buffer.stats.underruns, player.buffer.stats.silence_ms, player.buffer.heard("a")) == (0, 0, 220)


def test_a_gap_counts_only_while_nothing_is_held() -> None:
    player = Player()
    player.put("a", 50)
    player.take(100)
    player.buffer.hold()
    player.take(500)
    player.buffer.release()
    player.take(40)
    player.put("a", 200)
    player.take(50)
    assert (player.buffer.stats.underruns, player.buffer.stats.silence_ms) == (1, 50 + 40)


def test_a_reply_that_comes_while_held_waits() -> None:
    player = Player()
    player.buffer.hold()
    player.put("a", 100)
    assert player.take(200) == "." * 20
    player.buffer.release()
    assert player.take(30) == "###"
    assert player.buffer.stats.start_ms == 0


def test_released_before_the_device_took_anything_is_never_held() -> None:
    player = Player()
    player.put("a", 100)
    player.take(30)
    player.buffer.hold()
    player.buffer.release()
    assert player.take(40) == "####"


def test_twice_is_as_once() -> None:
    shown = []
    for times in (1, 2):
        player = Player()
        player.put("a", 200)
        player.take(20)
        for _ in range(times):
            player.buffer.hold()
            player.take(10)
        player.take(30 - 10 * times)
        for _ in range(times):
            player.buffer.release()
        shown.append(player.take(50))
        assert not player.buffer.held
    assert shown[0] == shown[1] == "/####"


def test_flush_while_held_says_what_was_heard_and_holds_nothing_any_more() -> None:
    player = Player()
    player.buffer.latency_samples = samples_in(30, RATE_HZ)
    player.put("a", 500)
    player.put("b", 500)
    player.take(100)
    player.buffer.hold()
    assert player.buffer.position() == ("a", samples_in(70, RATE_HZ))
    player.take(20)
    assert player.buffer.position() == ("a", samples_in(90, RATE_HZ))
    player.take(100)
    assert player.buffer.flush() == Stopped("a", 100, ("b",)) and not player.buffer.held
    player.put("c", 50)
    assert player.take(50) == "#####"


def test_an_item_that_was_heard_whole_is_not_stopped() -> None:
    player = Player()
    player.put("a", 50)
    player.buffer.end("a")
    player.take(50)
    player.buffer.hold()
    player.take(50)
    assert player.buffer.idle and player.buffer.flush() is None


def test_held_between_two_items() -> None:
    player = Player()
    player.put("a", 50, level=1000)
    player.put("b", 50, level=2000)
    player.take(50)
    player.buffer.hold()
    player.take(50)
    player.buffer.release()
    assert player.take(60) == "#####/" and (player.taken[-6] == 2000).all()
    assert (player.buffer.heard("a"), player.buffer.heard("b")) == (50, 50)


@pytest.mark.parametrize("latency_ms", [0, 220])
def test_the_position_rests_with_the_sound(latency_ms: int) -> None:
    player = Player()
    player.buffer.latency_samples = samples_in(latency_ms, RATE_HZ)
    player.put("a", 1000)
    player.take(300)
    player.buffer.hold()
    player.take(500)
    assert player.buffer.position() == ("a", samples_in(300, RATE_HZ))


LATENCIES = st.lists(st.tuples(st.integers(1, 4000), st.integers(0, 12_000), st.sampled_from(["", "hold", "release"])), max_size=40)


@settings(max_examples=40, deadline=None)
@given(LATENCIES)
def test_what_was_heard_stays_heard_whatever_the_latency(steps: list[tuple[int, int, str]]) -> None:
    """Bluetooth joins and leaves: the latency changes while sound plays."""
    buffer = JitterBuffer(RATE_HZ, stiff())
    buffer.put("a", sound(2000), 0)
    buffer.end("a")
    before = now_us = 0
    for count, latency, rest in steps:
        buffer.latency_samples = latency
        if rest:
            getattr(buffer, rest)()
        buffer.take(count, now_us)
        now_us += count * MS // 24
        position = buffer.position()
        at = position[1] if position else samples_in(buffer.heard("a"), RATE_HZ)
        assert at >= before
        before = at
