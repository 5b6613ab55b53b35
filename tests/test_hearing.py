"""The sound of an utterance on its way to a worker, and what it asks of the pool."""

import asyncio

import numpy as np
import pytest

from voice.audio.pcm import RATE_HZ
from voice.engines import hearing as hearings
from voice.engines.base import Heard, SoFar
from voice.engines.hearing import SphinxHearing, Tape
from voice.protocol.buffer import MAX_TURN_S

SECOND = RATE_HZ * 2


def test_an_utterance_is_heard_as_long_as_a_turn_may_be() -> None:
    assert hearings.LONGEST_S == MAX_TURN_S
    offered: list[SphinxHearing] = []
    hearing = SphinxHearing(offered.append)
    for _ in range(MAX_TURN_S // 10 + 5):
        hearing.feed(np.ones(10 * RATE_HZ, np.int16))
    assert offered == [hearing]
    limit = MAX_TURN_S * SECOND
    assert hearing.tape.piece(limit - 4) == b"\1\0\1\0" and hearing.tape.piece(limit) == b""


def test_what_a_worker_has_heard_is_not_kept() -> None:
    tape = Tape(lambda: 0.0)
    for n in range(40):
        tape.add(bytes([n]) * SECOND)
    tape.pass_on(16 * SECOND, b"a state")
    assert (tape.passed, tape.length, tape.state) == (16 * SECOND, 40 * SECOND, b"a state")
    assert tape.piece(16 * SECOND) == bytes([16]) * (SECOND // 5)
    assert tape.piece(40 * SECOND - 2) == b"\x27\x27" and tape.piece(40 * SECOND) == b""
    for _ in range(100):
        tape.add(bytes(10 * SECOND))
    assert tape.length == 600 * SECOND


@pytest.mark.parametrize(
    ("fed", "want"),
    [
        ([(0.0, 2.9)], False),
        ([(0.0, 3.1)], True),
        ([(float(n), 1.0) for n in range(120)], False),
        ([(n / 5, 1.0) for n in range(3)], False),
        ([(n / 5, 1.0) for n in range(5)], True),
        ([(0.0, 1.0), (3.0, 2.0), (9.0, 6.0)], False),
        ([(0.0, 1.0), (0.1, 9.0), (60.0, 0.1)], True),
    ],
)
def test_what_comes_faster_than_speech_is_a_recording(fed: list[tuple[float, float]], want: bool) -> None:
    now = 0.0
    tape = Tape(lambda: now)
    for now, seconds in fed:  # noqa: B007
        tape.add(bytes(int(seconds * RATE_HZ) * 2))
    assert tape.hasty is want


def test_a_part_is_begun_again_a_few_times_only() -> None:
    tape = Tape(lambda: 0.0)
    tape.add(bytes(20 * SECOND))
    told = []
    for _ in range(5):
        told.append(tape.gives_way)
        tape.returns += 1
    assert told == [True, True, True, False, False]
    tape.pass_on(15 * SECOND, b"")
    assert tape.gives_way


async def test_who_rests_comes_back_with_more_sound_an_end_or_a_question() -> None:
    offered: list[SphinxHearing] = []
    for rouse in ("feed", "finish", "ask"):
        hearing = SphinxHearing(offered.append)
        assert await hearing.so_far() == SoFar("") and not offered
        hearing.feed(np.ones(320, np.int16))
        hearing.feed(np.ones(320, np.int16))
        assert offered == [hearing] and await hearing.change(1.0)
        hearing.rest()
        assert offered == [hearing]
        task = None
        match rouse:
            case "feed":
                hearing.feed(np.ones(320, np.int16))
            case "finish":
                task = asyncio.ensure_future(hearing.finish())
            case "ask":
                task = asyncio.ensure_future(hearing.so_far())
        await asyncio.sleep(0)
        assert offered == [hearing, hearing]
        hearing.settle(Heard("yes"))
        if task is not None:
            assert await task == (Heard("yes") if rouse == "finish" else None)
        offered.clear()


async def test_what_came_while_the_worker_was_given_up_is_not_forgotten() -> None:
    offered: list[SphinxHearing] = []
    hearing = SphinxHearing(offered.append)
    hearing.feed(np.ones(320, np.int16))
    assert await hearing.change(1.0)
    hearing.feed(np.ones(320, np.int16))
    assert offered == [hearing]
    hearing.rest()
    assert offered == [hearing, hearing]


async def test_who_has_to_leave_says_so_to_the_worker() -> None:
    hearing = SphinxHearing(lambda _: None)
    hearing.feed(np.ones(320, np.int16))
    told: list[bool] = []
    hearing.on_drop = lambda: told.append(hearing.leaving)
    hearing.leave()
    assert told == [True] and not hearing.over and await hearing.change(1.0)
    assert hearing.tape.length == 640
