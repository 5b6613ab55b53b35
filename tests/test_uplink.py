"""Sound on its way up: at the server's rate, in order, each sample once; and the server's times on our count."""

import base64
import json

import numpy as np
import pytest

from tests.support.signals import tone
from voice.audio.pcm import Samples, silence
from voice.audio.resample import resample
from voice.protocol.ledger import FrameCount, Ledger
from voice.protocol.outbox import MAX_AUDIO_MS, Outbox
from voice.protocol.uplink import APPEND_MS, RESEND_MS, Uplink


class Bench:
    """An uplink and what the server got."""

    def __init__(self, rate_hz: int | None = 16_000, max_audio_ms: int = MAX_AUDIO_MS) -> None:
        self.ledger, self.outbox = Ledger(), Outbox(max_audio_ms)
        self.uplink = Uplink(self.outbox, self.ledger)
        if rate_hz:
            self.uplink.open(rate_hz)

    def push(self, samples: Samples, send: bool = True) -> None:
        self.uplink.capture(samples)
        if send:
            self.uplink.send(samples)

    def arrived(self) -> list[Samples]:
        """Everything on its way arrives."""
        pieces = []
        for text, piece in self.outbox.take():
            if piece.start != piece.end:
                self.uplink.sent(piece)
            if text.startswith("{"):
                pieces.append(np.frombuffer(base64.b64decode(json.loads(text)["audio"]), "<i2").astype(np.int16))
        return pieces


def ramp(count: int, start: int = 0) -> Samples:
    return (np.arange(start, start + count) % 30_000).astype(np.int16)


@pytest.mark.parametrize("step", [1, 7, 320, 999, 16_000])
def test_every_sample_goes_once_and_in_order(step: int) -> None:
    bench = Bench()
    samples = ramp(3_333)
    for at in range(0, len(samples), step):
        bench.push(samples[at : at + step])
    bench.uplink.flush()
    pieces = bench.arrived()
    assert np.array_equal(np.concatenate(pieces), samples)
    assert {len(piece) for piece in pieces[:-1]} == {APPEND_MS * 16}
    assert bench.uplink.position == 3_333 and bench.uplink.position_ms == 208


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 48_000])
def test_at_another_rate_too(rate_hz: int) -> None:
    bench = Bench(rate_hz)
    samples = tone(1000)
    for at in range(0, len(samples), 320):
        bench.push(samples[at : at + 320])
    bench.uplink.flush()
    sent = np.concatenate(bench.arrived())
    want = resample(samples, 16_000, rate_hz)
    assert len(sent) == rate_hz and np.corrcoef(sent[200:-200], want[200:-200])[0, 1] > 0.99


def test_sound_is_held_until_the_server_is_ready() -> None:
    bench = Bench(None)
    bench.push(ramp(640))
    done: list[str] = []
    bench.uplink.then(lambda: done.append("behind"))
    assert bench.arrived() == [] and done == []
    bench.uplink.flush()
    bench.uplink.nudge()
    bench.uplink.open(16_000)
    bench.push(ramp(640, 640))
    assert done == ["behind"] and np.array_equal(np.concatenate(bench.arrived()), ramp(1280))
    bench.uplink.then(lambda: done.append("at once"))
    assert done == ["behind", "at once"]


def test_too_much_held_sound_goes_and_is_accounted_for() -> None:
    bench = Bench(None)
    done: list[str] = []
    bench.push(tone(1000))
    bench.uplink.then(lambda: done.append("its sound is gone"))
    for _ in range(750):
        bench.push(ramp(320))
    bench.uplink.open(16_000)
    assert done == [] and sum(len(piece) for piece in bench.arrived()) == RESEND_MS * 16
    bench.ledger.commit(0, 16_000)
    assert bench.ledger.total() == FrameCount(800, 750, {"bound": 50}, 0)


def test_single_samples_are_bounded_too() -> None:
    bench = Bench(None)
    for _ in range(RESEND_MS * 2 + 1_000):
        bench.push(ramp(8))
    bench.uplink.open(16_000)
    bench.uplink.flush()
    assert RESEND_MS * 16 <= sum(len(piece) for piece in bench.arrived()) < (RESEND_MS + 1) * 16


def test_a_nudge_sends_what_waits_for_more() -> None:
    bench = Bench()
    bench.push(ramp(100))
    assert bench.arrived() == []
    bench.uplink.nudge()
    assert [len(piece) for piece in bench.arrived()] == [100]
    bench.push(ramp(700))
    bench.uplink.nudge()
    assert sum(len(piece) for piece in bench.arrived()) == 700
    assert bench.uplink.to_local_ms(50) == 50


def test_a_server_that_came_late_counts_from_its_first_sample() -> None:
    bench = Bench(None)
    bench.push(silence(1000), send=False)
    bench.push(silence(200))
    bench.uplink.open(24_000)
    assert bench.uplink.to_local_ms(0) == 1000
    bench.push(silence(400))
    bench.uplink.flush()
    bench.arrived()
    assert [bench.uplink.to_local_ms(ms) for ms in (0, 100, 600)] == [1000, 1100, 1600]


def test_what_was_not_sent_is_added_back() -> None:
    """Own turns: two of them with a second of silence between, which the server never hears of."""
    bench = Bench()
    bench.push(silence(500), send=False)
    bench.push(silence(200))
    bench.uplink.flush()
    bench.push(silence(1000), send=False)
    bench.push(silence(300))
    bench.uplink.flush()
    bench.arrived()
    assert [bench.uplink.to_local_ms(ms) for ms in (0, 199, 200, 499)] == [500, 699, 1700, 1999]


def test_what_was_dropped_is_added_back() -> None:
    bench = Bench(max_audio_ms=200)
    bench.push(silence(400))
    bench.arrived()
    assert bench.ledger.total().discarded == {"bound": 10, "silence": 10}
    bench.push(silence(200))
    bench.arrived()
    bench.push(silence(600))
    bench.arrived()
    assert [bench.uplink.to_local_ms(ms) for ms in (0, 199, 200, 399, 400)] == [200, 399, 400, 599, 1000]
    bench.ledger.commit(0, 1200)
    assert bench.ledger.total() == FrameCount(60, 30, {"bound": 30}, 0)


def test_on_a_new_link_the_server_counts_anew() -> None:
    bench = Bench()
    bench.push(silence(400))
    bench.arrived()
    bench.uplink.close(400)
    bench.push(silence(100))
    bench.uplink.open(24_000)
    bench.push(silence(100))
    bench.uplink.flush()
    assert sum(len(piece) for piece in bench.arrived()) == 200 * 24
    assert bench.uplink.to_local_ms(0) == 400


def test_times_that_no_server_should_send_do_no_harm() -> None:
    bench = Bench()
    assert bench.uplink.to_local_ms(-5) == -5 and bench.uplink.to_local_ms(10**12) == 10**12


def test_what_is_not_known_yet_is_sent_again_on_a_new_link() -> None:
    bench = Bench()
    bench.push(ramp(16_000))
    bench.arrived()
    bench.uplink.close(600)
    bench.push(ramp(16_000)[:3200])
    bench.uplink.open(16_000)
    bench.uplink.flush()
    again = np.concatenate(bench.arrived())
    assert again.size == (400 + 200) * 16
    assert bench.uplink.to_local_ms(0) == 600


def test_a_commit_is_made_again_behind_its_sound() -> None:
    bench = Bench()
    done: list[str] = []
    for name in ("first", "second"):
        bench.push(silence(400))
        bench.uplink.then(lambda name=name: done.append(name))  # type: ignore[misc]
    bench.uplink.close(500)
    bench.uplink.open(16_000)
    assert done == ["first", "second", "second"]


def test_sound_that_is_too_old_to_be_sent_again_is_stale() -> None:
    bench = Bench()
    for _ in range(1000):
        bench.push(silence(20))
        bench.arrived()
    bench.uplink.close(0)
    bench.ledger.commit(0, 20_000)
    assert bench.ledger.total() == FrameCount(1000, 750, {"stale": 250}, 0)
    bench.uplink.open(16_000)
    assert sum(len(piece) for piece in bench.arrived()) == RESEND_MS * 16


def test_a_link_that_was_never_ready_loses_nothing_of_what_is_held() -> None:
    bench = Bench(None)
    bench.push(silence(300))
    bench.uplink.close(300)
    bench.uplink.open(16_000)
    bench.uplink.flush()
    assert sum(len(piece) for piece in bench.arrived()) == 300 * 16


def test_what_is_sent_is_made_louder_once_and_in_order() -> None:
    """Held back, resent or not: each sample once through the gain."""
    passed: list[int] = []

    def doubled(samples: Samples) -> Samples:
        passed.append(len(samples))
        return (samples * 2).astype(np.int16)

    outbox = Outbox(MAX_AUDIO_MS)
    uplink = Uplink(outbox, Ledger(), doubled)
    sound = ramp(3_200)
    for at in range(0, 3_200, 320):
        if at == 1_600:
            uplink.open(16_000)
        if at == 2_240:
            uplink.close(0)
            outbox.take()
            uplink.open(16_000)
        uplink.capture(sound[at : at + 320])
        uplink.send(sound[at : at + 320])
    uplink.flush()
    got = np.concatenate([np.frombuffer(base64.b64decode(json.loads(text)["audio"]), "<i2") for text, _ in outbox.take()])
    assert np.array_equal(got, 2 * sound) and sum(passed) == 3_200
