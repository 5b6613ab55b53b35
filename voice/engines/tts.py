"""The synthesisers: text in, pieces of speech with the times of their words out.

Each keeps its library in a child process (`workers/espeak.py`, `flite.py`, `piper.py`). What is read, and as which words,
is decided in `spoken.py`, for all of them alike. A synthesiser is used inside `async with`, by any number of speakers at once:

    async with make_synthesizer("auto") as synthesizer:
        async with aclosing(synthesizer.speak("It is 10:30.")) as pieces:
            async for piece in pieces: ...
"""

import asyncio
import contextlib
import importlib.util
import os
import re
import signal
from collections.abc import AsyncGenerator, Callable, Sequence
from ctypes.util import find_library
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from voice.audio.pcm import from_bytes
from voice.engines.base import Speech, Synthesizer
from voice.engines.pieces import Pieces
from voice.engines.sentences import each_sentence
from voice.engines.spoken import Spoken, spoken
from voice.errors import MissingError, MissingExtra, UsageError, WorkerDied
from voice.workers.piper import find_model
from voice.workers.process import Job, Worker

SILENT_S = 20.0
"""A child that has told nothing for so long hangs: a sentence takes it 10 ms (espeak) or 400 ms (flite)."""

_VOICES = {
    **{"en": "en-us", "en-gb": "en", "fil": "en-us", "zh": "cmn", "zh-hk": "yue", "zh-mo": "yue", "zh-yue": "yue"},
    **{"in": "id", "iw": "he", "nn": "nb", "no": "nb", "sh": "sr"},
}
"""Where espeak-ng's name of a language is not its BCP 47 code."""
ENGLISH_VOICE = "en-us"
VARIANT = "+f5"
"""One speaker in all languages. Of some 40 variants this is the one that a recogniser understands best: 19 of 20 answers
out of 57 confusable ones, where the plain voice reaches 12 (`bench/speech.py --voices en-us en-us+f2 en-us+f5`)."""
_MANNER = {"rate_wpm": 170, "pitch": 50, "range": 50, "gap": 1, "volume": 95}
"""Peaks at 0.5 to 0.95 of full scale in 13 languages, no clipping; the loudest is Vietnamese."""


class ManagedSynthesizer(Synthesizer, Protocol):
    """A synthesiser with a life: children start on first use (or `warm`) and are gone after the block."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None: ...

    async def warm(self) -> None:
        """Get ready before the first sentence. Raises: WorkerDied, MissingError."""


class _ChildSynthesizer:
    """Speaks through a child process; a child that died is started again for the next sentence."""

    reads = ""
    """The only language whose numbers and signs it can read; "" if it reads many."""

    def __init__(self, name: str, worker: Worker, order: Callable[[str], dict[str, Any]]) -> None:
        self.name = name
        self._worker = worker
        self._order = order
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        task = group.create_task(self._worker.run(), name=f"{self.name} reader")
        self._stack.callback(task.cancel)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.__aexit__(kind, value, trace)

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is none."""
        return self._worker.pid

    async def warm(self) -> None:
        """Start the child. Raises: WorkerDied, MissingError."""
        async with contextlib.aclosing(self._read(Spoken("a", ()), "en", 0)) as pieces:
            async for _ in pieces:
                pass

    async def speak(self, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
        """Text of any length as speech, sentence by sentence. Raises: WorkerDied, MissingError."""
        base, at = 0, 0
        for sentence in each_sentence(text):
            at = text.index(sentence, at)
            said = _placed(spoken(sentence, self.reads or language), at)
            at += len(sentence)
            if not said.text:
                await asyncio.sleep(0)  # megabytes of nothing must not hold the loop
                continue
            async with contextlib.aclosing(self._read(said, language, base)) as pieces:
                async for piece in pieces:
                    base += len(piece.samples)
                    yield piece

    async def _read(self, said: Spoken, language: str, base: int) -> AsyncGenerator[Speech, None]:
        """One sentence."""
        pieces: Pieces | None = None
        async with self._worker.job() as job:
            job.send("speak", {"text": said.text, **self._order(language)})
            async for rate_hz, audio, marks in self._chunks(job):
                pieces = pieces or Pieces(rate_hz, said.words, base)
                for piece in pieces.push(from_bytes(audio), marks):
                    yield piece
        for piece in pieces.finish() if pieces else ():
            yield piece

    async def _chunks(self, job: Job) -> AsyncGenerator[tuple[int, bytes, Sequence[tuple[int, int]]], None]:
        """What the child says about a job."""
        frames = aiter(job)
        while True:
            try:
                async with asyncio.timeout(SILENT_S):
                    frame = await anext(frames)
            except StopAsyncIteration:
                return
            except TimeoutError as exc:
                self._kill()
                raise WorkerDied(f"the {self.name} process hung: nothing for {SILENT_S:.0f} s") from exc
            if frame.kind == "missing":
                raise MissingError(str(frame.data["message"]))
            if frame.kind == "audio":
                yield frame.data["rate_hz"], frame.audio, frame.data["marks"]

    def _kill(self) -> None:
        """End a child that hangs in C code; the next sentence starts another one."""
        if self._worker.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._worker.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


class EspeakSynthesizer(_ChildSynthesizer):
    """espeak-ng, in any of its hundred languages; English where it does not know one. Raises: MissingExtra."""

    licence = "GPL-3.0-or-later (espeak-ng, in a process of its own)"

    def __init__(self) -> None:
        if importlib.util.find_spec("espeakng_loader") is None:
            raise MissingExtra("espeakng-loader", "local")
        super().__init__("espeak", Worker("voice.workers.espeak", name="espeak"), espeak_order)


class FliteSynthesizer(_ChildSynthesizer):
    """flite, where the system has it: English only. `voice` is rms, slt, awb, kal or kal16. Raises: MissingError.

    rms, since a recogniser's general model makes half as many errors with it as with slt (0.08 and 0.15 on 20 answers).
    """

    licence = "BSD-like (CMU flite)"
    reads = "en"

    def __init__(self, voice: str = "rms") -> None:
        if not re.fullmatch(r"[a-z0-9]{1,20}", voice):
            raise UsageError(f"flite has no voice {voice!r}: rms, slt, awb, kal or kal16")
        if find_library("flite") is None or find_library(f"flite_cmu_us_{voice}") is None:
            raise MissingError(f"flite's voice {voice!r} is not installed (Debian, Ubuntu: apt-get install flite)")
        super().__init__("flite", Worker("voice.workers.flite", voice, name="flite"), lambda language: {})


class PiperSynthesizer(_ChildSynthesizer):
    """piper with the voice in `folder`, in the language of that voice. Raises: MissingError, MissingExtra."""

    licence = "GPL-3.0-or-later (piper-tts, in a process of its own); the voice's model has a licence of its own"

    def __init__(self, folder: Path) -> None:
        find_model(folder)
        if importlib.util.find_spec("piper") is None:
            raise MissingError("piper-tts is not installed: pip install piper-tts")
        super().__init__("piper", Worker("voice.workers.piper", str(folder), name="piper"), lambda language: {})


def _placed(said: Spoken, at: int) -> Spoken:
    """A sentence whose words close so much more of the text, as part of which it is spoken."""
    return Spoken(said.text, tuple(replace(word, closes=at + word.closes) for word in said.words))


def espeak_order(language: str) -> dict[str, Any]:
    """Which of espeak-ng's voices to try for a language (BCP 47), best first, and how to speak."""
    return {"voices": [name + VARIANT for name in espeak_voices(language)], **_MANNER}


def espeak_voices(language: str) -> list[str]:
    """Names of voices for a language, the most exact first, English last."""
    parts = language.lower().replace("_", "-").split("-")
    if not all(re.fullmatch(r"[a-z0-9]{1,8}", part) for part in parts):
        return [ENGLISH_VOICE]
    tags = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return list(dict.fromkeys([*(_VOICES.get(tag, tag) for tag in tags), ENGLISH_VOICE]))


def _piper(folder: Path | None) -> PiperSynthesizer:
    if folder is None:
        raise UsageError("piper needs the folder of a voice")
    return PiperSynthesizer(folder)


SYNTHESIZERS: dict[str, Callable[[Path | None], ManagedSynthesizer]] = {
    "espeak": lambda folder: EspeakSynthesizer(),
    "flite": lambda folder: FliteSynthesizer(),
    "piper": _piper,
}
"""By name. A new one is a line here; the contract test finds it."""


def make_synthesizer(name: str = "auto", folder: Path | None = None) -> ManagedSynthesizer:
    """The synthesiser of this name; auto is piper if a model folder is given, else espeak. Raises: UsageError, MissingError."""
    chosen = ("piper" if folder else "espeak") if name == "auto" else name
    if chosen not in SYNTHESIZERS:
        raise UsageError(f"no synthesiser {name!r}: auto, {', '.join(SYNTHESIZERS)}")
    return SYNTHESIZERS[chosen](folder)
