"""The playback buffer: what it says was heard, and how it is stopped."""

import numpy as np

from tests.support.player import RATE_HZ, Player, stiff
from voice.audio.jitter import REMEMBERED, JitterBuffer, Stopped
from voice.audio.pcm import samples_in

# --- what was heard


def test_the_position_is_in_samples_of_the_item() -> None:
    player = Player()
    assert player.buffer.position() is None
    player.put("a", 100)
    assert player.buffer.position() is None
    player.take(30)
    assert player.buffer.position() == ("a", 720) and player.buffer.heard("a") == 30
    player.take(100)
    assert player.buffer.position() == ("a", 2400)
    player.buffer.end("a")
    player.take(10)
    assert player.buffer.position() is None and player.buffer.heard("a") == 100


def test_the_latency_of_the_device_has_not_been_heard() -> None:
    player = Player()
    player.buffer.latency_samples = samples_in(50, RATE_HZ)
    player.put("a", 100)
    player.buffer.end("a")
    player.put("b", 100)
    for heard in (None, None, None, None, None, ("a", 240), ("a", 480)):
        player.take(10)
        assert player.buffer.position() == heard
    player.take(60)
    assert (player.buffer.position(), player.buffer.heard("a")) == (("a", 1920), 80)
    player.take(30)
    assert (player.buffer.position(), player.buffer.heard("a")) == (("b", 240), 100)
    player.buffer.latency_samples = 0
    assert player.buffer.position() == ("b", 1440)


def test_a_gap_within_the_latency_is_not_sound() -> None:
    player = Player()
    player.buffer.latency_samples = samples_in(60, RATE_HZ)
    player.put("a", 40)
    player.take(60)
    player.put("a", 120)
    player.take(20)
    assert player.buffer.position() == ("a", samples_in(20, RATE_HZ))
    player.take(30)
    assert player.buffer.position() == ("a", samples_in(40, RATE_HZ))
    player.take(40)
    assert player.buffer.position() == ("a", samples_in(70, RATE_HZ))


def test_what_was_played_is_remembered_for_a_while() -> None:
    player = Player()
    for number in range(REMEMBERED + 1):
        player.reply(f"item-{number}", [0], delta_ms=10 + 10 * (number % 3))
    assert player.buffer.heard("item-0") == 0
    assert [player.buffer.heard(f"item-{number}") for number in (1, 2, REMEMBERED)] == [20, 30, 30]


def test_of_an_item_that_came_again_the_newer_counts() -> None:
    player = Player()
    player.reply("a", [0], delta_ms=50)
    player.put("a", 100)
    player.take(20)
    assert (player.buffer.heard("a"), player.buffer.position()) == (20, ("a", 480))
    player.buffer.end("a")
    player.take(100)
    assert player.buffer.heard("a") == 100


def test_it_is_idle_when_all_was_taken_and_no_more_comes() -> None:
    player = Player()
    assert player.buffer.idle
    player.put("a", 20)
    player.take(50)
    assert not player.buffer.idle
    player.buffer.end("a")
    player.take(10)
    assert player.buffer.idle
    player.put("b", 20)
    player.buffer.flush()
    assert player.buffer.idle


# --- stopping


def test_flush_fades_for_5_ms_and_says_what_was_heard() -> None:
    player = Player()
    player.put("a", 1000)
    player.take(70)
    assert player.buffer.flush() == Stopped("a", 70)
    assert player.take(30) == "/.."
    ramp = player.taken[-3]
    assert 990 < ramp[0] < 1000 and (np.diff(ramp[:120]) < 0).all() and not ramp[119:].any()
    assert player.buffer.heard("a") == 70 and player.buffer.stats.buffered_ms == 0
    assert player.buffer.flush() is None


def test_flush_before_anything_was_heard() -> None:
    player = Player()
    player.put("a", 100)
    assert player.buffer.flush() == Stopped("a", 0)
    assert player.take(20) == ".."


def test_flush_names_all_that_was_stopped() -> None:
    player = Player()
    player.buffer.latency_samples = samples_in(30, RATE_HZ)
    for item in "abc":
        player.put(item, 50)
        player.buffer.end(item)
    player.take(60)
    assert player.buffer.flush() == Stopped("a", 30, ("b", "c"))
    player.take(60)
    assert [player.buffer.heard(item) for item in "abc"] == [30, 0, 0]


def test_flush_in_a_gap() -> None:
    player = Player()
    player.put("a", 50)
    player.take(200)
    assert player.buffer.flush() == Stopped("a", 50)
    assert player.take(20) == ".."


def test_flush_after_the_last_sample_was_heard_has_nothing_to_stop() -> None:
    player = Player()
    player.put("a", 50)
    player.buffer.end("a")
    player.take(100)
    assert player.buffer.flush() is None


def test_after_a_flush_the_next_reply_is_exact() -> None:
    player = Player()
    player.put("a", 500)
    player.take(50)
    player.buffer.flush()
    player.take(50)
    player.put("b", 100, level=1500)
    assert player.take(100) == "#" * 10
    assert (np.concatenate(player.taken[-10:]) == 1500).all()


def test_a_reply_that_was_stopped_teaches_too() -> None:
    player = Player(JitterBuffer(RATE_HZ, stiff(learn_ms=0)))
    player.put("a", 100)
    player.take(300)
    player.put("a", 100)
    player.take(30)
    player.buffer.flush()
    player.take(10)
    assert player.reply("b", [0, *[100] * 5]).startswith("." * 40 + "#")
