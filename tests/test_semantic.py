"""Semantic turns with the real recogniser: a finished command ends at once, a thought that is cut by a pause is heard to its end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from tests.support.needs import FliteWav, needs
from tests.support.wire import Wire
from voice.audio.pcm import Samples, samples_in, silence
from voice.devices.wavfile import read_wav
from voice.engines.local import LocalEngine, LocalOptions, local_engine
from voice.engines.speaker import Clocks
from voice.links.base import memory_pair

pytestmark = [pytest.mark.slow, needs("pocketsphinx"), needs("flite")]

PAUSE_MS = 1500
FINISHED = ("what time is it", "set a timer for five minutes", "what is seventeen times four", "stop the timer")
CUT = (
    ("what is seventeen times", "four"),
    ("set a timer for", "five minutes"),
    ("remind me to", "buy some milk"),
    ("convert five miles", "to kilometers"),
    ("what is", "the time"),
    ("remember that my keys are", "in the kitchen"),
)


@pytest.fixture
async def engine() -> AsyncIterator[LocalEngine]:
    """Its clock stands still, so a busy machine makes no pause longer."""
    async with local_engine(LocalOptions(workers=1, warm=True, clocks=Clocks(lambda: 0.0, lambda: 0.0, None))) as made:
        yield made


def said(flite_wav: FliteWav, *parts: str) -> tuple[Samples, int]:
    """Sentences with `PAUSE_MS` between them and quiet round them; and where the last one ends, in ms."""
    pieces = [silence(500)]
    for n, part in enumerate(parts):
        sound = np.concatenate(list(read_wav(flite_wav(part))))
        loud = np.flatnonzero(np.abs(sound.astype(int)) > 150)
        pieces += [silence(PAUSE_MS if n else 0), sound[loud[0] : loud[-1] + 1]]
    end_ms = sum(map(len, pieces)) // 16
    samples = np.concatenate([*pieces, silence(6000)])
    hiss = np.random.default_rng(1).normal(0, 8, len(samples))
    return np.clip(samples + hiss, -32768, 32767).astype(np.int16), end_ms


async def turns(engine: LocalEngine, samples: Samples, **detection: Any) -> list[tuple[int, str]]:
    """Where each turn ended, in ms, and what was heard; the sound comes as fast as it can."""
    async with asyncio.timeout(150), asyncio.TaskGroup() as group:
        near, far = memory_pair()
        group.create_task(engine.serve(far), name="engine under test")
        wire = Wire(near)
        await wire.until("session.created")
        await wire.settle(turn_detection={"create_response": False, **detection}, transcription={"model": "any"})
        await wire.push(samples)
        # Behind all of the sound something that is answered when the sound has been looked at.
        await wire.send("session.update", session={"type": "realtime", "instructions": "Be brief."})
        await wire.until("session.updated")
        ends: dict[str, int] = {}
        words: dict[str, str] = {}
        while not words or len(words) < len(ends) or len(wire.of("input_audio_buffer.speech_started")) > len(ends):
            await wire.next()
            assert not wire.of("conversation.item.input_audio_transcription.failed")
            ends = {event["item_id"]: event["audio_end_ms"] for event in wire.of("input_audio_buffer.speech_stopped")}
            told = wire.of("conversation.item.input_audio_transcription.completed")
            words = {event["item_id"]: event["transcript"] for event in told}
        await near.close()
    return [(end_ms, words[item_id]) for item_id, end_ms in ends.items()]


async def test_finished_commands_end_where_their_speech_does(engine: LocalEngine, flite_wav: FliteWav) -> None:
    for text in FINISHED:
        samples, end_ms = said(flite_wav, text)
        # The second one begins 900 ms behind the first: had that not been judged finished, both would be one turn.
        again = np.concatenate([samples[: samples_in(end_ms + 900 - 500)], samples])
        heard = await turns(engine, again, type="semantic_vad")
        assert [words for _, words in heard] == [text, text]
        assert abs(heard[0][0] - end_ms - 240) <= 60


async def test_a_thought_cut_by_a_pause_is_one_turn_and_two_for_a_fixed_silence(engine: LocalEngine, flite_wav: FliteWav) -> None:
    for parts in CUT:
        samples, end_ms = said(flite_wav, *parts)
        [(told_ms, words)] = await turns(engine, samples, type="semantic_vad")
        # Both parts were heard; whether each word of the second one was is the recogniser's own affair.
        assert abs(told_ms - end_ms - 240) <= 80 and words.startswith(f"{parts[0]} "), (parts, words)
        assert len(await turns(engine, samples, type="server_vad")) == 2, parts
