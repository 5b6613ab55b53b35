"""Which synthesiser, which voice, and what happens when a child dies, hangs or cannot begin."""

import asyncio
import importlib.util
import os
import signal
from contextlib import aclosing, suppress

import pytest

from tests.support.needs import needs
from voice.engines import tts
from voice.engines.base import Speech
from voice.engines.tts import EspeakSynthesizer, FliteSynthesizer, espeak_order, espeak_voices, make_synthesizer
from voice.errors import MissingError, MissingExtra, UsageError, WorkerDied


async def speech(synthesizer: tts.ManagedSynthesizer, text: str, language: str = "en") -> list[Speech]:
    async with aclosing(synthesizer.speak(text, language)) as pieces:
        return [piece async for piece in pieces]


@pytest.mark.parametrize(
    ("language", "want"),
    [
        ("en", ["en-us"]),
        ("EN_us", ["en-us"]),
        ("en-GB", ["en", "en-us"]),
        ("ko", ["ko", "en-us"]),
        ("ko-KR", ["ko-kr", "ko", "en-us"]),
        ("zh-Hans-CN", ["zh-hans-cn", "zh-hans", "cmn", "en-us"]),
        ("zh-HK", ["yue", "cmn", "en-us"]),
        ("pt-BR", ["pt-br", "pt", "en-us"]),
        ("no", ["nb", "en-us"]),
        ("", ["en-us"]),
        ("../../etc/passwd", ["en-us"]),
        ("en+whisper", ["en-us"]),
    ],
)
def test_voices_of_a_language(language: str, want: list[str]) -> None:
    assert espeak_voices(language) == want
    assert espeak_order(language).fields["voices"] == [name + tts.VARIANT for name in espeak_voices(language)]


def test_an_unknown_synthesiser_is_named() -> None:
    with pytest.raises(UsageError, match="no synthesiser 'festival': auto, espeak, flite, piper"):
        make_synthesizer("festival")


@needs("espeakng-loader")
def test_auto_is_espeak_and_says_its_licence() -> None:
    synthesizer = make_synthesizer()
    assert isinstance(synthesizer, EspeakSynthesizer)
    assert synthesizer.name == "espeak" and "GPL-3" in synthesizer.licence


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "espeakng_loader" else find(name, *rest))
    with pytest.raises(MissingExtra, match=r"espeakng-loader is not installed: pip install \"voice\[local\]\""):
        make_synthesizer("espeak")


def test_a_missing_flite_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tts, "find_library", lambda name: None)
    with pytest.raises(MissingError, match="flite's voice 'rms' is not installed"):
        make_synthesizer("flite")
    with pytest.raises(UsageError, match="no voice '../x'"):
        FliteSynthesizer("../x")


@needs("espeakng-loader")
async def test_a_killed_child_is_told_and_the_next_call_works() -> None:
    async with EspeakSynthesizer() as synthesizer:
        want = [piece.samples.tobytes() for piece in await speech(synthesizer, "It is ten.")]
        with pytest.raises(WorkerDied):
            async with aclosing(synthesizer.speak("Some long story. " * 400)) as pieces:
                async for _ in pieces:
                    # Pieces that had come before it was gone are still read: the second one finds nobody to kill.
                    if (pid := synthesizer.pid) is not None:
                        with suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
        assert [piece.samples.tobytes() for piece in await speech(synthesizer, "It is ten.")] == want


@needs("espeakng-loader")
async def test_a_hanging_child_is_ended_and_the_next_call_works(monkeypatch: pytest.MonkeyPatch) -> None:
    async with EspeakSynthesizer() as synthesizer:
        await synthesizer.warm()
        assert synthesizer.pid is not None
        os.kill(synthesizer.pid, signal.SIGSTOP)
        monkeypatch.setattr(tts, "SILENT_S", 0.1)
        with pytest.raises(WorkerDied, match="the espeak process hung"):
            await speech(synthesizer, "It is ten.")
        monkeypatch.setattr(tts, "SILENT_S", 20.0)
        async with asyncio.timeout(30):
            while synthesizer.pid is not None:  # noqa: ASYNC110 - the child's end is told to the worker alone
                await asyncio.sleep(0)
        assert await speech(synthesizer, "It is ten.")


@needs("espeakng-loader")
async def test_no_child_is_left() -> None:
    async with EspeakSynthesizer() as synthesizer:
        await synthesizer.warm()
        pid = synthesizer.pid
        assert pid is not None
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@needs("espeakng-loader")
async def test_korean_sounds_different_from_english() -> None:
    async with EspeakSynthesizer() as synthesizer:
        korean = await speech(synthesizer, "안녕하세요 😀 세계 hello 3.11 마일.", "ko")
        assert [word.text for piece in korean for word in piece.words] == ["안녕하세요", "세계", "hello", "3.11", "마일"]
        english = await speech(synthesizer, "안녕하세요 😀 세계 hello 3.11 마일.", "en")
        assert b"".join(p.samples.tobytes() for p in korean) != b"".join(p.samples.tobytes() for p in english)
