"""The player between two rates and two threads."""

import threading

import numpy as np
import pytest

from tests.support.signals import tone
from voice.devices.player import REMEMBERED, STALLED_S, Player


class Clock:
    """Time as the samples taken tell it."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def drain(player: Player, clock: Clock, limit_ms: int = 5_000) -> np.ndarray:
    """What is heard until nothing more is to come, 10 ms at a time."""
    taken = []
    for _ in range(limit_ms // 10):
        taken.append(player.take(player.rate_hz // 100))
        clock.now_s += 0.01
        if not player.busy:
            return np.concatenate(taken)
    raise AssertionError("it does not end")


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("length_ms", [20, 330, 1_000, 2_044])
def test_a_reply_is_heard_whole_at_the_rate_of_the_card(rate_hz: int, length_ms: int) -> None:
    clock = Clock()
    player = Player(rate_hz, clock=clock)
    sound = tone(length_ms, rate_hz=24_000)
    for at in range(0, len(sound), 480):
        player.play("one", sound[at : at + 480], 24_000)
    player.end("one")
    heard = drain(player, clock)
    assert player.heard_ms("one") == length_ms
    assert 0 <= length_ms - player.stats.played_ms <= 1 and player.stats.underruns == 0
    energy = float(np.square(heard.astype(float)).sum()) / rate_hz
    wanted = float(np.square(sound.astype(float)).sum()) / 24_000
    assert abs(energy / wanted - 1) < 0.05


def test_a_new_item_completes_the_one_before() -> None:
    clock = Clock()
    player = Player(48_000, clock=clock)
    player.play("one", tone(100, rate_hz=24_000), 24_000)
    player.play("two", tone(200, rate_hz=16_000), 16_000)
    player.end("two")
    drain(player, clock)
    assert (player.heard_ms("one"), player.heard_ms("two"), player.heard_ms("three")) == (100, 200, 0)
    began = [player.began_s("one"), player.began_s("two")]
    assert began[0] is not None and began[1] is not None and began[1] - began[0] == pytest.approx(0.1, abs=0.011)


def test_what_the_card_holds_back_has_not_been_heard() -> None:
    clock = Clock()
    player = Player(48_000, clock=clock)
    player.delayed_by(0.05)
    player.play("one", tone(1_000, rate_hz=24_000), 24_000)
    for _ in range(20):
        player.take(480)
        clock.now_s += 0.01
    heard = player.stop()
    assert heard is not None and (heard.item_id, heard.heard_ms) == ("one", 150)
    assert player.began_s("one") == pytest.approx(100.05, abs=0.011)
    assert np.abs(player.take(480)[-200:]).max() == 0, "silent after a ramp of 5 ms"
    assert not player.busy and player.stop() is None


def test_what_comes_after_a_stop_is_another_reply() -> None:
    clock = Clock()
    player = Player(16_000, clock=clock)
    player.play("one", tone(500, rate_hz=24_000), 24_000)
    player.take(1_600)
    player.stop()
    player.play("two", tone(40, rate_hz=24_000), 24_000)
    player.end("two")
    drain(player, clock)
    assert player.heard_ms("one") == 100 and player.heard_ms("two") == 40


def test_a_server_that_stops_in_mid_reply_does_not_keep_the_floor() -> None:
    clock = Clock()
    player = Player(16_000, clock=clock)
    player.play("one", tone(100), 16_000)
    for _ in range(60):
        player.take(160)
        clock.now_s += 0.01
    assert player.busy, "more may come"
    clock.now_s += STALLED_S
    assert not player.busy


def test_a_long_reply_that_came_at_once_is_heard_to_its_end() -> None:
    clock = Clock()
    player = Player(16_000, clock=clock)
    player.delayed_by(0.05)
    player.play("one", tone(7_000), 16_000)
    player.end("one")
    drain(player, clock, limit_ms=8_000)
    assert player.heard_ms("one") == 7_000


def test_beginnings_are_forgotten_in_order() -> None:
    clock = Clock()
    player = Player(16_000, clock=clock)
    for number in range(REMEMBERED + 10):
        player.play(f"item {number}", tone(20), 16_000)
        player.end(f"item {number}")
        drain(player, clock)
    assert player.began_s("item 9") is None and player.began_s("item 10") is not None


def test_two_threads_lose_nothing() -> None:
    player = Player(24_000)
    taken = []

    def take() -> None:
        # In this order: all has been put before it is done.
        while not done.is_set() or player.busy:
            taken.append(player.take(240))

    done = threading.Event()
    thread = threading.Thread(target=take)
    thread.start()
    for number in range(400):
        player.play("one", np.full(240, 1_000 + number, np.int16), 24_000)
    player.end("one")
    done.set()
    thread.join(20)
    heard = np.concatenate(taken)
    assert player.heard_ms("one") == 4_000
    steps = heard[(heard >= 1_000) & (np.arange(len(heard)) >= 0)]
    assert set(range(1_000, 1_400)) <= set(steps.tolist()), "every block is there"


def test_held_and_released_it_plays_all_of_it() -> None:
    clock = Clock()
    player = Player(48_000, clock=clock)
    player.play("one", tone(500, rate_hz=24_000), 24_000)
    player.end("one")
    player.take(4_800)
    player.hold()
    assert player.held and np.abs(player.take(4_800)[240:]).max() == 0, "silent after a ramp of 5 ms"
    assert player.busy and player.heard_ms("one") == 100
    player.release()
    assert not player.held
    drain(player, clock)
    assert player.heard_ms("one") == 500 and player.stats.underruns == 0


def test_a_latency_that_grows_while_it_plays_takes_nothing_back() -> None:
    """A headset is connected: Bluetooth is 200 ms late."""
    clock = Clock()
    player = Player(16_000, clock=clock)
    player.play("one", tone(1_000), 16_000)
    player.take(8_000)
    assert player.heard_ms("one") == 500
    player.delayed_by(0.22)
    heard = []
    for _ in range(40):
        player.take(160)
        heard.append(player.heard_ms("one"))
    assert heard[:22] == [500] * 22 and heard[22:] == list(range(510, 690, 10))


def test_what_was_taken_last_can_be_looked_at() -> None:
    player = Player(24_000, clock=Clock())
    assert not len(player.last)
    player.play("one", tone(400, rate_hz=24_000), 24_000)
    assert player.take(2_400) is player.last and np.any(player.last)
