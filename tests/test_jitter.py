"""The playback buffer: when it starts, what it plays, and that it gives what the shared traces say."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.jitter_trace import FIXTURES, TRACES, run, text_of
from tests.support.player import MS, RATE_HZ, TAKE, Player, sound, stiff
from voice.audio.jitter import JitterBuffer, JitterStats
from voice.audio.pcm import samples_in

LEARNS = stiff(learn_ms=0)
"""Learns from short replies too."""


# --- when it starts


def test_the_first_delta_is_played_at_once_while_nothing_is_known() -> None:
    player = Player()
    assert player.take(20) == ".."
    player.put("a", 100)
    assert player.take(50) == "#####"
    assert player.buffer.stats.start_ms == 0


def test_a_fast_link_starts_at_once_and_never_stops() -> None:
    player = Player()
    for number in range(5):
        shown = player.reply(f"item-{number}", [0, *[30] * 19])
        assert shown.startswith("#" * 200) and shown.strip("#") == "/.."
    assert player.buffer.stats == JitterStats(replies=5, played_ms=10_000)


def test_fast_enough_is_fast() -> None:
    """1.5x in deltas of 40 ms, as they come: some 10 ms earlier, some later."""
    player = Player()
    for number in range(3):
        player.reply(f"item-{number}", [0, *[20, 30, 30] * 12], delta_ms=40)
    assert player.buffer.stats.start_total_ms == 0 and player.buffer.stats.underruns == 0


def test_a_slow_link_waits_a_little_from_the_second_reply_on() -> None:
    player = Player()
    player.reply("a", [0, *[40] * 30], delta_ms=40)
    assert player.buffer.stats.start_ms == 0
    shown = player.reply("b", [0, *[40] * 30], delta_ms=40)
    assert shown.startswith("........#") and player.buffer.stats.start_ms == 80


def test_a_slow_start_waits_a_little_in_the_first_reply_too() -> None:
    """Two deltas came before the device took its first samples: then the speed is known."""
    player = Player()
    player.put("a", 20)
    player.now_ms += 20
    player.put("a", 20)
    assert player.take(60) == "......"
    player.put("a", 40)
    assert player.take(30) == "###"


def test_the_next_reply_waits_for_what_the_last_one_shows_it_may_need() -> None:
    """One that was late by 200 ms does not show how late it can get: twice that."""
    player = Player(JitterBuffer(RATE_HZ, LEARNS))
    shown = player.reply("a", [0, 100, 300, 100, 100, 100])
    assert shown.count(".") > 10 and player.buffer.stats.late_max_ms == 200
    shown = player.reply("b", [0, 100, 300, 100, 100, 100])
    assert shown.startswith("." * 40 + "#") and shown.strip(".").startswith("#" * 60)
    assert player.buffer.stats.start_ms == 400 and player.buffer.stats.underruns == 1


def test_who_is_far_ahead_need_not_wait() -> None:
    player = Player(JitterBuffer(RATE_HZ, LEARNS))
    player.reply("a", [0, 100, 300, 100])
    for _ in range(7):
        player.put("b", 100)
    assert player.take(10) == "."
    player.put("b", 100)
    assert player.take(10) == "#"


def test_nobody_waits_longer_than_the_most() -> None:
    player = Player(JitterBuffer(RATE_HZ, stiff(learn_ms=0, most_wait_ms=150)))
    player.reply("a", [0, 900, 100])
    assert player.reply("b", [0, *[100] * 9]).startswith("." * 15 + "#")


def test_a_complete_reply_is_played_at_once() -> None:
    player = Player(JitterBuffer(RATE_HZ, LEARNS))
    player.reply("a", [0, 500, 100])
    player.put("b", 50)
    assert player.take(30) == "..."
    player.buffer.end("b")
    assert player.take(60) == "#####/"


def test_a_short_reply_says_nothing_about_longer_ones() -> None:
    player = Player()
    player.reply("a", [0, 400])
    assert player.reply("b", [0, 30, 30, 30]).startswith("#" * 40)


def test_a_device_that_takes_much_at_a_time_gets_it_all_or_waits() -> None:
    """Deltas of 20 ms at 1.5x, taken 40 ms at a time: one delta alone would run dry at once."""
    buffer = JitterBuffer(RATE_HZ, stiff())
    came_us = [number * 20_000 * 2 // 3 for number in range(30)]
    shown = ""
    for number in range(12):
        while came_us and came_us[0] <= number * 40_000:
            buffer.put("a", sound(20), came_us.pop(0))
        shown += "#" if (buffer.take(4 * TAKE, number * 40_000) == 1000).all() else "."
    assert shown == "." + "#" * 11 and (buffer.stats.start_ms, buffer.stats.underruns) == (40, 0)


def test_sound_is_played_even_if_its_end_is_never_told() -> None:
    player = Player()
    player.put("a", 100)
    player.take(200)
    player.put("a", 50)
    assert player.take(600) == "." * 50 + "/####/...."


# --- running dry


def test_it_fades_out_when_it_runs_dry_and_goes_on_with_120_ms() -> None:
    player = Player()
    player.put("a", 100)
    assert player.take(150) == "#" * 10 + "/...."
    player.put("a", 100)
    assert player.take(20) == ".."
    player.put("a", 20)
    assert player.take(60) == "/#####"
    assert (player.buffer.stats.underruns, player.buffer.stats.silence_ms) == (1, 70)


def test_it_goes_on_with_less_at_the_end_of_the_reply() -> None:
    player = Player()
    player.put("a", 50)
    player.take(100)
    player.put("a", 30)
    player.buffer.end("a")
    assert player.take(50) == "/##/."
    assert player.buffer.stats.underruns == 1


def test_the_end_of_a_reply_is_no_underrun() -> None:
    player = Player()
    player.put("a", 50)
    player.take(100)
    player.buffer.end("a")
    player.take(100)
    assert (player.buffer.stats.underruns, player.buffer.stats.silence_ms) == (0, 0)


def test_samples_come_just_in_time() -> None:
    """Dry is who needs a sample that is not there, not who has played the last."""
    player = Player()
    shown = ""
    for _ in range(20):
        player.put("a", 10)
        shown += player.take(10)
    assert shown == "#" * 20 and player.buffer.stats.underruns == 0


@pytest.mark.parametrize("rate_hz", [0, -24_000])
def test_a_rate_is_positive(rate_hz: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        JitterBuffer(rate_hz)


def test_each_gap_counts_for_itself() -> None:
    player = Player()
    player.put("a", 50)
    for length_ms in (100, 180):
        player.take(length_ms)
        player.put("a", 120)
    player.take(50)
    assert (player.buffer.stats.underruns, player.buffer.stats.silence_ms) == (2, 50 + 60)


# --- several items


def test_a_second_reply_right_behind_the_first() -> None:
    player = Player()
    player.put("a", 30, level=1000)
    player.buffer.end("a")
    player.put("b", 30, level=2000)
    assert player.take(60) == "######"
    whole = np.concatenate(player.taken)
    assert (whole[:720] == 1000).all() and (whole[720:1440] == 2000).all()


def test_a_new_item_completes_the_one_before() -> None:
    player = Player()
    player.put("a", 100)
    player.take(120)
    player.put("a", 20)
    player.put("b", 50)
    assert player.take(90) == "/######/."


def test_samples_after_the_end_are_played_too() -> None:
    player = Player()
    player.put("a", 30)
    player.buffer.end("a")
    player.put("a", 30)
    assert player.take(70) == "######/"


def test_no_samples_are_no_item() -> None:
    buffer = JitterBuffer(RATE_HZ, stiff())
    buffer.put("a", sound(0), 0)
    buffer.end("a")
    assert buffer.flush() is None and buffer.position() is None


# --- whatever comes

PUT = st.tuples(st.just("put"), st.integers(0, 3000))
TAKE_OP = st.tuples(st.just("take"), st.integers(0, 2000))
END = st.tuples(st.just("end"), st.just(0))
OPS = st.lists(st.one_of(PUT, PUT, TAKE_OP, TAKE_OP, TAKE_OP, END), max_size=60)


@settings(max_examples=60, deadline=None)
@given(OPS, st.integers(0, 3000))
def test_every_sample_is_played_once_in_order(ops: list[tuple[str, int]], latency: int) -> None:
    """Without fades, so that the samples can be told apart: each is one more than the one before."""
    buffer = JitterBuffer(RATE_HZ, stiff(fade_ms=0))
    buffer.latency_samples = latency
    item, value, now_us = 0, 1, 0
    heard: dict[str, int] = {}
    out: list[int] = []
    for what, count in [*ops, ("end", 0), ("take", 60 * 3000), ("take", latency + 1)]:
        if what == "put":
            buffer.put(str(item), np.arange(value, value + count).astype(np.int16), now_us)
            value += count
        elif what == "end":
            buffer.end(str(item))
            item += 1
        else:
            taken = buffer.take(count, now_us)
            assert len(taken) == count
            out += taken.tolist()
            now_us += count * 1_000_000 // RATE_HZ
        if position := buffer.position():
            name, samples = position
            assert samples >= heard.get(name, 0) and int(name) >= max(map(int, heard), default=0)
            heard[name] = samples
    put = np.arange(1, value).astype(np.int16)
    assert [one for one in out if one] == [one for one in put.tolist() if one]
    assert buffer.stats.played_ms == (value - 1) * 1000 // RATE_HZ and buffer.stats.buffered_ms == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 200), st.integers(0, 300), st.integers(0, 9)), max_size=30), st.integers(100, 1000), st.booleans())
def test_no_gap_and_no_stop_clicks(arrivals: list[tuple[int, int, int]], tone_hz: int, elastic: bool) -> None:
    """A sine in one piece: however its deltas stall, wherever it is stopped, and if it is made longer: no jump is steeper than one sine that
    fades out and another that fades in."""
    peak = 20_000
    buffer, at, now_us = JitterBuffer(RATE_HZ, None if elastic else stiff()), 0, 0
    out = [np.zeros(1, np.int16)]
    for index, (length_ms, pause_ms, what) in enumerate(arrivals):
        if what == 9:
            buffer.flush()
            at = 0  # the next one begins where a reply does: at nothing
        count = samples_in(length_ms, RATE_HZ)
        wave = peak * np.sin(2 * np.pi * tone_hz * np.arange(at, at + count) / RATE_HZ)
        at += count
        item = f"item-{sum(1 for *_, flushed in arrivals[: index + 1] if flushed == 9)}"
        buffer.put(item, np.rint(wave).astype(np.int16), now_us)
        for _ in range(pause_ms // 10):
            out.append(buffer.take(TAKE, now_us))
            now_us += 10 * MS
    out += [buffer.take(TAKE, now_us), buffer.take(24_000 * 10, now_us + 10**6)]
    steepest = np.abs(np.diff(np.concatenate(out).astype(int))).max()
    assert steepest <= 2 * peak * 2 * np.pi * tone_hz / RATE_HZ + peak / 120 + peak / 240 + 4


# --- the shared traces


@pytest.mark.parametrize("name", TRACES)
def test_shared_traces(name: str) -> None:
    head, *ops = map(json.loads, (FIXTURES / "traces" / f"{name}.jsonl").read_text("utf-8").splitlines())
    for number, (op, found) in enumerate(zip(ops, run(head, ops), strict=True), 2):
        assert found == op, f"line {number}"


@pytest.mark.slow
@pytest.mark.parametrize("name", TRACES)
def test_shared_traces_are_what_the_script_writes(name: str) -> None:
    assert (FIXTURES / "traces" / f"{name}.jsonl").read_text("utf-8") == text_of(name)
