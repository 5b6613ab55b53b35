"""What every implementation of an engine's interface must do. A new one is one more line in the table of its kind.

Same input, same output, whatever came before; nothing for nothing; an abandoned call is over at once and harms no other;
hostile and very long input; many at once.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.needs import FliteWav, needs
from voice.audio.pcm import Samples, empty, silence
from voice.engines.base import Heard, Manner, Speech
from voice.engines.stt import ManagedTranscriber, make_transcriber
from voice.engines.tts import EspeakSynthesizer, FliteSynthesizer, ManagedSynthesizer
from voice.errors import WorkerDied

SYNTHESIZERS: list[tuple[str, Callable[[], ManagedSynthesizer], pytest.MarkDecorator]] = [
    ("espeak", EspeakSynthesizer, needs("espeakng-loader")),
    ("flite", FliteSynthesizer, needs("flite")),
]
TEXT = "It is 10:30, and 5 km is 3.11 miles."
OTHER = "Something quite different was said before it!"
HOSTILE = [
    "[[h@'loU]] <speak><break time='9s'/>hello</speak>",
    "a\x00b\x01\x1b[31m\ud800\u202e hello",
    "😀" * 500 + " hello",
    "hello " + "xy" * 60 + " " + "9" * 40,
    "héllo 안녕 你好 مرحبا שלום नमस्ते hello",
    "%s %n {0} $(reboot) `ls` '; DROP TABLE hello; --",
]


@pytest.fixture(params=[pytest.param(make, id=name, marks=mark) for name, make, mark in SYNTHESIZERS])
async def synthesizer(request: pytest.FixtureRequest) -> AsyncIterator[ManagedSynthesizer]:
    async with asyncio.timeout(60), request.param() as made:
        yield made


async def speech(synthesizer: ManagedSynthesizer, text: str, language: str = "en") -> list[Speech]:
    async with aclosing(synthesizer.speak(text, language)) as pieces:
        return [piece async for piece in pieces]


def samples(pieces: list[Speech]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int16), *(piece.samples for piece in pieces)])


def digest(pieces: list[Speech]) -> str:
    words = [(word.text, word.start_ms, word.end_ms) for piece in pieces for word in piece.words]
    return hashlib.sha256(samples(pieces).tobytes() + repr(words).encode()).hexdigest()


async def test_speech_is_audible_and_does_not_clip(synthesizer: ManagedSynthesizer) -> None:
    pieces = await speech(synthesizer, TEXT)
    sound = samples(pieces)
    assert len({piece.rate_hz for piece in pieces}) == 1 and all(piece.samples.dtype == np.int16 for piece in pieces)
    assert 2000 < len(sound) * 1000 / pieces[0].rate_hz < 8000
    assert 6000 < np.abs(sound.astype(int)).max() < 32767
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 200) * 1000 // pieces[0].rate_hz
    assert loud[0] <= 30
    assert 80 <= len(sound) * 1000 // pieces[0].rate_hz - loud[-1] <= 150


async def test_pieces_are_short(synthesizer: ManagedSynthesizer) -> None:
    pieces = await speech(synthesizer, TEXT)
    assert len(pieces) > 20
    assert max(len(piece.samples) * 1000 / piece.rate_hz for piece in pieces) <= 100


async def test_words_are_those_of_the_text_and_fill_the_time(synthesizer: ManagedSynthesizer) -> None:
    pieces = await speech(synthesizer, TEXT + " Yes!")
    words = [word for piece in pieces for word in piece.words]
    assert [word.text for word in words] == "It is 10:30 and 5 km is 3.11 miles Yes".split()
    total_ms = len(samples(pieces)) * 1000 // pieces[0].rate_hz
    assert all(0 <= word.start_ms < word.end_ms <= total_ms for word in words)
    assert all(one.end_ms <= two.start_ms for one, two in zip(words, words[1:], strict=False))
    at = 0
    for piece in pieces:
        end = at + len(piece.samples)
        for word in piece.words:
            assert at * 1000 // piece.rate_hz <= word.start_ms <= end * 1000 // piece.rate_hz
        at = end


async def test_words_end_with_their_sound_and_close_the_text_so_far(synthesizer: ManagedSynthesizer) -> None:
    text = "Well, yes. Yes. It costs $2.10 - or more, perhaps; ask (again) at 10:30."
    pieces = await speech(synthesizer, text)
    sound, rate_hz = np.abs(samples(pieces).astype(int)), pieces[0].rate_hz
    words = [word for piece in pieces for word in piece.words]
    assert [text[: word.closes].split()[-1] for word in words] == [token for token in text.split() if token != "-"]
    for word, following in zip(words, words[1:], strict=False):
        pause = sound[word.end_ms * rate_hz // 1000 + rate_hz // 500 : following.start_ms * rate_hz // 1000]
        assert not len(pause) or pause.max() <= 200, f"{word} ends before its sound"
    # The pause between two sentences is no part of the words.
    last = next(n for n, word in enumerate(words) if text[: word.closes].endswith("yes."))
    assert 100 <= words[last + 1].start_ms - words[last].end_ms <= 150


@pytest.mark.parametrize("speed", [0.25, 0.4, 0.5, 0.8, 1.2, 1.5])
async def test_speed_is_obeyed_and_the_words_follow(synthesizer: ManagedSynthesizer, speed: float) -> None:
    text = "The meeting is at 10:30 on Monday. Hello, I am glad to see you again; first open the door, then walk through."

    def ends(pieces: list[Speech]) -> list[int]:
        return [word.end_ms for piece in pieces for word in piece.words]

    usual = await speech(synthesizer, text)
    pieces = [piece async for piece in synthesizer.speak_as(Manner(speed=speed), text)]
    assert len(samples(usual)) / len(samples(pieces)) == pytest.approx(speed, rel=0.05)
    # Whoever speaks faster spares the pauses before the words, so that single ends are a little off.
    assert ends(pieces) == pytest.approx([end / speed for end in ends(usual)], rel=0.08, abs=60 / speed)
    assert digest(await speech(synthesizer, text)) == digest(usual), "it holds for one text"


async def test_voices_are_chosen_by_name_and_others_are_its_own(synthesizer: ManagedSynthesizer) -> None:
    async def said(voice: str) -> str:
        return digest([piece async for piece in synthesizer.speak_as(Manner(voice), TEXT)])

    names = synthesizer.voices()
    assert len(names) >= 2 and synthesizer.name not in names
    want = digest(await speech(synthesizer, TEXT))
    heard = [await said(name) for name in names[:4]]
    assert len(set(heard)) == len(heard) and heard == [await said(name.upper()) for name in names[:4]]
    for unknown in ("alloy", "marin", synthesizer.name, "", "../x", "f5 f4", "\x00"):
        assert await said(unknown) == want, unknown


async def test_the_same_text_gives_the_same_samples_whatever_came_before(synthesizer: ManagedSynthesizer) -> None:
    want = digest(await speech(synthesizer, TEXT))
    assert digest(await speech(synthesizer, TEXT)) == want
    other = digest(await speech(synthesizer, OTHER))
    assert other != want
    await speech(synthesizer, "안녕하세요.", "ko")
    assert digest(await speech(synthesizer, TEXT)) == want
    for pieces_read in (1, 4, 11):
        async with aclosing(synthesizer.speak(OTHER + " " + OTHER)) as pieces:
            for _ in range(pieces_read):
                await anext(pieces)
        assert digest(await speech(synthesizer, TEXT)) == want


async def test_another_process_gives_the_same_samples(synthesizer: ManagedSynthesizer) -> None:
    want = digest(await speech(synthesizer, TEXT))
    await asyncio.sleep(0)
    async with type(synthesizer)() as second:
        assert digest(await speech(second, TEXT)) == want


async def test_nothing_to_say_gives_nothing(synthesizer: ManagedSynthesizer) -> None:
    for text in ("", " ", "...", "😀", "<br/>", "\n\n"):
        assert await speech(synthesizer, text) == [], text


async def test_a_call_given_up_in_mid_sentence_is_over_at_once(synthesizer: ManagedSynthesizer) -> None:
    want = digest(await speech(synthesizer, TEXT))
    long = "This sentence goes on and on, without an end. " * 2_000
    begun = time.perf_counter()
    async with aclosing(synthesizer.speak(long)) as pieces:
        await anext(pieces)
    assert digest(await speech(synthesizer, TEXT)) == want
    assert time.perf_counter() - begun < 30  # to speak all of it takes flite 80 s, and longer where everything does


async def test_a_cancelled_task_frees_the_synthesiser(synthesizer: ManagedSynthesizer) -> None:
    want = digest(await speech(synthesizer, TEXT))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await speech(synthesizer, TEXT * 500)
    assert digest(await speech(synthesizer, TEXT)) == want


async def test_hostile_text_is_spoken_or_dropped(synthesizer: ManagedSynthesizer) -> None:
    for text in HOSTILE:
        words = [word.text for piece in await speech(synthesizer, text) for word in piece.words]
        assert "hello" in words, text
        assert not any("break" in word or "\x1b" in word for word in words), text


async def test_an_unknown_language_is_spoken_in_english(synthesizer: ManagedSynthesizer) -> None:
    want = digest(await speech(synthesizer, "Hello there.", "en"))
    for language in ("../../etc", "en+whisper", "EN_us", "k" * 1000, "\x00", "", "xx"):
        assert digest(await speech(synthesizer, "Hello there.", language)) == want, language


async def test_speakers_at_the_same_time_do_not_mix(synthesizer: ManagedSynthesizer) -> None:
    texts = [f"This is speaker number {number}. It is {number} o'clock." for number in range(6)]
    want = [digest(await speech(synthesizer, text)) for text in texts]
    got = await asyncio.gather(*(speech(synthesizer, text) for text in texts))
    assert [digest(pieces) for pieces in got] == want


@pytest.mark.slow
async def test_ten_kilobytes_are_spoken_to_the_end(synthesizer: ManagedSynthesizer) -> None:
    text = "".join(f"Sentence number {number} of a long text. " for number in range(290))
    assert len(text) > 10_000
    words = [word for piece in await speech(synthesizer, text) for word in piece.words]
    assert [word.text for word in words] == [word.strip(".") for word in text.split()]
    assert all(one.start_ms <= two.start_ms for one, two in zip(words, words[1:], strict=False))


# --- recognisers ---------------------------------------------------------------------------------------------------

SMALL_GRAMMAR = "#JSGF V1.0;\ngrammar small;\npublic <sentence> = what time is it | what is ( one | two | six ) plus ( two | ten );\n"
TRANSCRIBERS: list[tuple[str, Callable[[], ManagedTranscriber], pytest.MarkDecorator]] = [
    ("sphinx", lambda: make_transcriber("sphinx", SMALL_GRAMMAR, ("remember that",), workers=1), needs("pocketsphinx", "flite")),
]
NOTHING = Heard("", confidence=0.0)


# Slow: each test starts processes that load half a second's worth of models.
@pytest.fixture(params=[pytest.param(make, id=name, marks=[mark, pytest.mark.slow]) for name, make, mark in TRANSCRIBERS])
async def transcriber(request: pytest.FixtureRequest) -> AsyncIterator[ManagedTranscriber]:
    async with asyncio.timeout(60), request.param() as made:
        await made.warm()
        yield made


def turn(path: Path) -> Samples:
    """Speech with the silence round it that a turn has."""
    sound, _ = soundfile.read(path, dtype="int16")
    return np.concatenate([silence(300), sound, silence(500)])


async def hear(transcriber: ManagedTranscriber, sound: Samples, size: int = 320) -> Heard:
    hearing = transcriber.listen()
    for start in range(0, len(sound), size):
        hearing.feed(sound[start : start + size])
    return await hearing.finish()


async def test_the_same_speech_gives_the_same_words_whatever_came_before(transcriber: ManagedTranscriber, flite_wav: FliteWav) -> None:
    speech = turn(flite_wav("what is six plus two", "rms"))
    want = await hear(transcriber, speech)
    assert want.text == "what is six plus two" and want.language == "en" and 0.5 < want.confidence <= 1.0
    loud = np.random.default_rng(6).normal(0, 3000, 16_000).astype(np.int16)
    for before, size in ((loud, 1), (speech[:5000], 4001)):
        await hear(transcriber, before, max(size, 160))
        assert await hear(transcriber, speech, max(size, 333)) == want


async def test_nothing_to_hear_is_nothing(transcriber: ManagedTranscriber) -> None:
    assert await transcriber.listen().finish() == NOTHING
    hearing = transcriber.listen()
    hearing.feed(empty())
    assert await hearing.finish() == NOTHING
    for sound in (silence(1), silence(2500)):
        heard = await hear(transcriber, sound)
        assert (heard.text, heard.command) == ("", False) and heard.confidence < 0.5


@pytest.mark.slow
async def test_a_dropped_utterance_is_over_and_harms_no_other(transcriber: ManagedTranscriber, flite_wav: FliteWav) -> None:
    speech = turn(flite_wav("what time is it", "rms"))
    for fed in (0, 1000, len(speech)):
        hearing = transcriber.listen()
        hearing.feed(speech[:fed])
        hearing.drop()
        hearing.drop()
        hearing.feed(speech)
        assert await hearing.finish() == NOTHING
    hearing = transcriber.listen()
    hearing.feed(speech)
    heard = await hearing.finish()
    hearing.drop()
    assert heard.text == "what time is it" and await hearing.finish() == heard


@pytest.mark.slow
async def test_utterances_at_the_same_time_do_not_mix(transcriber: ManagedTranscriber, flite_wav: FliteWav) -> None:
    texts = ["what time is it", "what is one plus ten", "what is two plus two"]
    speech = [turn(flite_wav(text, "rms")) for text in texts]
    hearings = [transcriber.listen() for _ in texts]
    for start in range(0, max(map(len, speech)), 1600):
        for hearing, sound in zip(hearings, speech, strict=True):
            hearing.feed(sound[start : start + 1600])
    heard = await asyncio.gather(*(hearing.finish() for hearing in hearings))
    assert [each.text for each in heard] == texts


async def test_after_the_block_nothing_is_heard(transcriber: ManagedTranscriber) -> None:
    async with type(transcriber)(SMALL_GRAMMAR, (), 1) as closing:
        hearing = closing.listen()
        hearing.feed(silence(500))
    for late in (hearing, closing.listen()):
        late.feed(silence(500))
        with pytest.raises(WorkerDied):
            await late.finish()
