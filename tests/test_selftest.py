"""One sentence spoken and heard: with actors in the models' places, and with the real models."""

import asyncio

import numpy as np
import pytest

from tests.support.fakes import SPEECH_HZ, WORD_MS, FakeSynthesizer, FakeTranscriber
from tests.support.needs import needs
from voice.engines.grammar import jsgf, tails
from voice.engines.selftest import SENTENCE, SILENCE_MS, hear, speak
from voice.engines.stt import make_transcriber
from voice.engines.tts import make_synthesizer
from voice.errors import WorkerDied


async def test_a_sentence_is_spoken_at_the_recognisers_rate() -> None:
    voice = FakeSynthesizer()
    spoken = await speak(voice, "one two three")
    assert SPEECH_HZ != 16_000 and spoken.samples.dtype == np.int16
    assert spoken.length_ms == 3 * WORD_MS and len(spoken.samples) == 3 * WORD_MS * 16
    assert 7000 < spoken.peak < 9000 and spoken.took_ms >= 0 and voice.closed == 1


async def test_a_voice_that_says_nothing_has_no_peak() -> None:
    spoken = await speak(FakeSynthesizer(), "")
    assert (spoken.length_ms, spoken.peak) == (0, 0)


async def test_it_is_heard_between_silences() -> None:
    understood = await hear(FakeTranscriber(), np.ones(16_000, np.int16))
    assert understood.text == f"heard {1000 + 2 * SILENCE_MS} ms"


async def test_failures_are_passed_on() -> None:
    with pytest.raises(WorkerDied):
        await speak(FakeSynthesizer(deaths=1))
    deaf = FakeTranscriber()
    deaf.deaf = True
    with pytest.raises(WorkerDied):
        await hear(deaf, np.ones(160, np.int16))


@pytest.mark.slow
@needs("pocketsphinx", "espeakng-loader")
async def test_the_sentence_is_one_that_our_recogniser_understands_from_our_voice() -> None:
    voice, transcriber = make_synthesizer("espeak"), make_transcriber("sphinx", jsgf(), tails(), 1)
    async with asyncio.timeout(60), voice, transcriber:
        assert (await hear(transcriber, (await speak(voice)).samples)).text == SENTENCE
