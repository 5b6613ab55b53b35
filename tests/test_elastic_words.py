"""Speech that playback has made longer is understood as before: a recogniser hears the same words in it."""

import asyncio

import numpy as np
import soundfile
import soxr

from tests.support.jitter_trace import FIXTURES
from tests.support.needs import needs
from tests.support.player import MS, RATE_HZ, TAKE
from voice.audio.jitter import JitterBuffer
from voice.audio.pcm import RATE_HZ as HOUSE_HZ
from voice.audio.pcm import Samples, silence
from voice.engines.stt import SphinxTranscriber

GRAMMAR = """#JSGF V1.0;
grammar test;
public <sentence> = what time is it | set a timer for ( one | two | five | nine ) minutes | what is ( ten | twenty ) ( three | two ) times seven;
"""
SPOKEN = {"timer-slt": "set a timer for five minutes", "remember-slt": "remember that my keys are in the kitchen"}
pytestmark = needs("pocketsphinx")


def played_short(sound: Samples) -> tuple[Samples, JitterBuffer]:
    """What is heard of a reply of which never more than 60 ms are there."""
    buffer, at, now_us, taken = JitterBuffer(RATE_HZ), 0, 0, []
    while not buffer.idle or not at:
        while at < len(sound) and buffer.stats.buffered_ms < 60:
            buffer.put("a", sound[at : at + 480], now_us)
            at += 480
            if at >= len(sound):
                buffer.end("a")
        taken.append(buffer.take(TAKE, now_us))
        now_us += 10 * MS
    return np.concatenate(taken), buffer


async def test_the_words_are_the_same() -> None:
    async with asyncio.timeout(240), SphinxTranscriber(GRAMMAR, (), workers=1) as transcriber:
        for name, words in SPOKEN.items():
            samples, rate_hz = soundfile.read(FIXTURES / "wav" / f"{name}.wav", dtype="int16")
            heard, buffer = played_short(soxr.resample(samples, rate_hz, RATE_HZ))
            longer = (len(heard) / RATE_HZ) / (len(samples) / rate_hz)
            assert longer > 1.12 and buffer.stats.underruns == 0 and buffer.stats.stretched_ms > 100
            sound = np.concatenate([silence(300), soxr.resample(heard, RATE_HZ, HOUSE_HZ), silence(500)])
            hearing = transcriber.listen()
            for start in range(0, len(sound), 320):
                hearing.feed(sound[start : start + 320])
            assert (await hearing.finish()).text == words
