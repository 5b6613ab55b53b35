"""The models, by using them once: a sentence is spoken, detected and understood."""

import asyncio
from collections.abc import AsyncGenerator

from voice.audio.pcm import FRAME_SAMPLES, Samples
from voice.audio.vad import SileroDetector, make_detector
from voice.doctor.finding import BAD, NOTE, OK, Finding
from voice.engines.grammar import jsgf, tails
from voice.engines.selftest import SENTENCE, Spoken, Understood, hear, speak
from voice.engines.stt import make_transcriber
from voice.engines.tts import make_synthesizer
from voice.errors import MissingExtra, VoiceError, first_of

TIMEOUT_S = 60.0
"""A recogniser loads its models in a second; a machine under load takes many."""
SILENT_PEAK = 1000
"""Of 32767: speech is some 15,000."""


async def models(speech: str, needed: bool) -> AsyncGenerator[Finding, None]:
    """Synthesiser, detector, recogniser. `speech`: which synthesiser. `needed`: whether it is bad if one fails, or only good to know."""
    failed = BAD if needed else NOTE
    spoken, finding = await _synthesizer(speech, failed)
    yield finding
    yield detector(spoken.samples if spoken else None)
    yield await _recognizer(spoken, failed)


async def _synthesizer(name: str, failed: str) -> tuple[Spoken | None, Finding]:
    try:
        synthesizer = make_synthesizer(name)
        async with synthesizer, asyncio.timeout(TIMEOUT_S):
            spoken = await speak(synthesizer)
    except (VoiceError, BaseExceptionGroup, TimeoutError) as exc:
        return None, broken("synthesiser", failed, exc)
    said = f"{synthesizer.name}, {synthesizer.licence}: {spoken.length_ms} ms of speech"
    if spoken.peak < SILENT_PEAK:
        return None, Finding(
            "synthesiser", failed, f"{said}, which is silence", "try another one: --speech flite, or speech in the configuration"
        )
    return spoken, Finding("synthesiser", OK, said, "", spoken.took_ms)


def detector(speech: Samples | None) -> Finding:
    """Which detector there is, and whether it finds the speech in a spoken sentence."""
    try:
        found = make_detector()
    except VoiceError as exc:
        return broken("detector", BAD, exc)
    better = isinstance(found, SileroDetector)
    name, fix = ("silero behind webrtcvad", "") if better else ("webrtcvad", 'silero is better in noise: pip install "voice[local]"')
    if speech is None:
        return Finding("detector", OK if better else NOTE, name, fix)
    frames = [found.push(speech[at : at + FRAME_SAMPLES]) for at in range(0, len(speech) - FRAME_SAMPLES + 1, FRAME_SAMPLES)]
    share = 100 * sum(frames) // max(1, len(frames))
    if not any(frames):
        return Finding("detector", BAD, f"{name}: hears no speech in a spoken sentence", "install the packages again")
    return Finding("detector", OK if better else NOTE, f"{name}: speech in {share} % of a spoken sentence", fix)


async def _recognizer(spoken: Spoken | None, failed: str) -> Finding:
    heard: Understood | None = None
    try:
        transcriber = make_transcriber("sphinx", jsgf(), tails(), 1)
        async with transcriber, asyncio.timeout(TIMEOUT_S):
            if spoken is None:
                await transcriber.warm()
            else:
                heard = await hear(transcriber, spoken.samples)
    except (VoiceError, BaseExceptionGroup, TimeoutError) as exc:
        return broken("recogniser", failed, exc)
    if heard is None:
        return Finding("recogniser", OK, f"{transcriber.name} starts; without a synthesiser there is nothing to hear")
    if heard.text == SENTENCE:
        return Finding("recogniser", OK, f"{transcriber.name}: understood '{SENTENCE}'", "", heard.took_ms)
    # Words, but others: the recogniser works, and this voice is hard for it.
    fix = "another voice may be understood better: --speech flite"
    return Finding(
        "recogniser", NOTE if heard.text else failed, f"{transcriber.name}: heard '{heard.text}' of '{SENTENCE}'", fix, heard.took_ms
    )


def broken(name: str, state: str, exc: BaseException) -> Finding:
    """What a failure is, and what to do. A task group may have wrapped it."""
    exc = first_of(exc)
    if isinstance(exc, MissingExtra):
        said, _, fix = str(exc).partition(": ")
        return Finding(name, state, said, fix)
    if isinstance(exc, TimeoutError):
        return Finding(name, state, f"nothing within {TIMEOUT_S:.0f} s", "is this machine very busy? try again")
    if not isinstance(exc, VoiceError):
        raise exc
    return Finding(name, state, str(exc), "voice -v doctor shows what its process says")
