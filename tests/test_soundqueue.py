"""A queue of sound is bounded by length; what is to be done between goes with the sound before it."""

import numpy as np

from voice.protocol.soundqueue import SoundQueue


def filled(count: int, max_ms: int = 100) -> SoundQueue:
    """So many frames of 20 ms."""
    queue = SoundQueue(max_ms)
    for n in range(count):
        queue.add((n * 320, np.full(320, n, np.int16)))
    return queue


def test_it_keeps_the_newest() -> None:
    queue = filled(7)
    assert queue.samples == 1600 and queue.start == 640
    assert [entry[1][0] for entry in queue if not callable(entry)] == [2, 3, 4, 5, 6]


def test_it_tells_what_had_to_go() -> None:
    queue = filled(5)
    assert [at for at, _ in queue.add((1600, np.zeros(480, np.int16)))] == [0, 320]


def test_what_was_to_be_done_behind_sound_goes_with_it() -> None:
    done: list[int] = []
    queue = filled(1)
    queue.add(lambda: done.append(1))
    for n in range(1, 6):
        queue.add((n * 320, np.zeros(320, np.int16)))
    assert not any(callable(entry) for entry in queue)


def test_an_act_without_sound_before_it_waits() -> None:
    queue = SoundQueue(100)
    queue.add(lambda: None)
    assert len(queue.take()) == 1


def test_no_sound_is_nothing() -> None:
    queue = SoundQueue(100)
    assert queue.add((0, np.zeros(0, np.int16))) == [] and queue.start is None and queue.take() == []


def test_since_a_position() -> None:
    queue = filled(4)
    queue.add(lambda: None)
    newer = queue.since(640)
    assert newer.start == 640 and newer.samples == 640 and callable(newer.take()[-1])
    assert queue.since(650).start == 650 and queue.since(650).samples == 630
    assert queue.since(1280).take() == []
