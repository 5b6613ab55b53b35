"""Recordings of one session take turns."""

import asyncio
import base64

import numpy as np
import pytest

from tests.support.fakes import FakeHearing, FakeTranscriber
from tests.support.signals import speech_like
from tests.support.wire import fake_engine, talking
from voice.audio.pcm import to_bytes
from voice.engines.base import Heard
from voice.engines.recording import Recording
from voice.errors import WorkerDied

SOUND = np.ones(16_000, np.int16)


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_is_heard_after_the_other_in_order() -> None:
    places, gates = asyncio.Semaphore(1), [asyncio.Event() for _ in range(3)]
    hearings = [FakeHearing(False, gate) for gate in gates]
    recordings = [Recording(hearing, places) for hearing in hearings]
    for recording in recordings:
        recording.feed(SOUND)
        recording.feed(SOUND)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        tasks = [group.create_task(recording.finish()) for recording in recordings]
        for n, gate in enumerate(gates):
            await turn()
            assert [hearing.samples for hearing in hearings] == [32_000] * (n + 1) + [0] * (2 - n)
            gate.set()
    assert [task.result() for task in tasks] == [Heard("heard 2000 ms")] * 3


async def test_who_is_dropped_or_whose_recogniser_dies_frees_the_place() -> None:
    places = asyncio.Semaphore(1)
    stuck, dead, last = (FakeHearing(deaf, gate) for deaf, gate in ((False, asyncio.Event()), (True, None), (False, None)))
    recordings = [Recording(hearing, places) for hearing in (stuck, dead, last)]
    for recording in recordings:
        recording.feed(SOUND)
    tasks = [asyncio.ensure_future(recording.finish()) for recording in recordings]
    await turn()
    assert (stuck.samples, dead.samples) == (16_000, 0)
    tasks[0].cancel()
    recordings[0].drop()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    with pytest.raises(WorkerDied):
        await tasks[1]
    assert stuck.dropped and await tasks[2] == Heard("heard 1000 ms")


async def test_a_dropped_one_is_not_heard() -> None:
    hearing = FakeHearing(False, None)
    recording = Recording(hearing, asyncio.Semaphore(1))
    recording.feed(SOUND)
    recording.drop()
    await recording.finish()
    assert hearing.dropped and hearing.samples == 0


@pytest.mark.slow
async def test_recordings_take_turns_and_who_speaks_does_not_wait_for_them() -> None:
    transcriber = FakeTranscriber()
    transcriber.gate = asyncio.Event()
    async with talking(fake_engine(transcriber)) as wire:
        await wire.settle(turn_detection=None, transcription={"model": "any"})
        audio = base64.b64encode(to_bytes(speech_like(500))).decode()
        item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
        for _ in range(3):
            await wire.send("conversation.item.create", item=item)
        await wire.send("response.create", response={"input": [item, item], "conversation": "none"})
        await wire.push(speech_like(1000))
        await wire.send("input_audio_buffer.commit")
        await wire.until("input_audio_buffer.committed")
        assert [hearing.samples > 0 for hearing in transcriber.hearings] == [True, False, False, False, False, True]
        transcriber.gate.set()
        await wire.until("response.done")
        assert all(hearing.samples > 0 for hearing in transcriber.hearings)
