"""The synthesisers: text in, pieces of speech with the times of their words out.

Each keeps its library in a child process (`workers/espeak.py`, `flite.py`, `piper.py`). What is read, and as which words,
is decided in `spoken.py`, for all of them alike. A synthesiser is used inside `async with`, by any number of speakers at once:

    async with make_synthesizer("auto") as synthesizer:
        async with aclosing(synthesizer.speak("It is 10:30.")) as pieces:
            async for piece in pieces: ...
"""

import asyncio
import contextlib
import functools
import importlib.util
import os
import re
import signal
from collections.abc import AsyncGenerator, Callable, Sequence
from ctypes.util import find_library
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from voice.audio.pcm import empty, from_bytes
from voice.audio.stretch import Stretch
from voice.engines.base import Manner, Mannered, Speech, Synthesizer
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
WPM_FASTER, WPM_SLOWER = 137, 156
"""By how much the words a minute change with the speed, above 1 and below: espeak-ng's pauses do not change with its rate. With them a
sentence of 8.8 s is within 2 % of its length at the speed, 0.5 to 1.5."""
SLOWEST = 0.5
"""espeak-ng's least rate, 80 words a minute, is a speed of 0.45; what is slower is stretched."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a child is asked for beside the text, and by how much its sound is to be made longer: what it cannot do itself."""

    fields: dict[str, Any]
    longer: float = 1.0


class ManagedSynthesizer(Synthesizer, Mannered, Protocol):
    """A synthesiser with a life: children start on first use (or `warm`) and are gone after the block."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None: ...

    async def warm(self) -> None:
        """Get ready before the first sentence. Raises: WorkerDied, MissingError."""


class _ChildSynthesizer:
    """Speaks through a child process; a child that died is started again for the next sentence."""

    reads = ""
    """The only language whose numbers and signs it can read; "" if it reads many."""

    def __init__(self, name: str, worker: Worker, order: Callable[[str, Manner], Asked]) -> None:
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
        # The task group is not told what the block raised: it would wrap the program's own exception in a group.
        await self._stack.aclose()

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is none."""
        return self._worker.pid

    async def warm(self) -> None:
        """Start the child. Raises: WorkerDied, MissingError."""
        async with contextlib.aclosing(self._read(Spoken("a", ()), self._order("en", Manner()), 0)) as pieces:
            async for _ in pieces:
                pass

    def speak(self, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
        """Text of any length as speech, sentence by sentence. Raises: WorkerDied, MissingError."""
        return self.speak_as(Manner(), text, language)

    def voices(self) -> Sequence[str]:
        """The names that `Manner.voice` can choose from."""
        return ()

    async def speak_as(self, manner: Manner, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
        """The same in this manner."""
        base, at = 0, 0
        for sentence in each_sentence(text):
            at = text.index(sentence, at)
            said = _placed(spoken(sentence, self.reads or language), at)
            at += len(sentence)
            if not said.text:
                await asyncio.sleep(0)  # megabytes of nothing must not hold the loop
                continue
            async with contextlib.aclosing(self._read(said, self._order(language, manner), base)) as pieces:
                async for piece in pieces:
                    base += len(piece.samples)
                    yield piece

    async def _read(self, said: Spoken, asked: Asked, base: int) -> AsyncGenerator[Speech, None]:
        """One sentence."""
        pieces: Pieces | None = None
        stretch: Stretch | None = None
        async with self._worker.job() as job:
            job.send("speak", {"text": said.text, **asked.fields})
            async for rate_hz, audio, marks in self._chunks(job):
                samples, pieces = from_bytes(audio), pieces or Pieces(rate_hz, said.words, base)
                if asked.longer != 1.0:
                    stretch = stretch or Stretch(rate_hz, asked.longer)
                    samples, marks = stretch.push(samples), [(round(at * asked.longer), position) for at, position in marks]
                for piece in pieces.push(samples, marks):
                    yield piece
        if pieces is not None:
            for piece in [*pieces.push(stretch.flush() if stretch else empty()), *pieces.finish()]:
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
        found = importlib.util.find_spec("espeakng_loader")
        if found is None:
            raise MissingExtra("espeakng-loader", "local")
        self._variants = _variants([Path(folder) for folder in found.submodule_search_locations or ()])
        super().__init__("espeak", Worker("voice.workers.espeak", name="espeak"), self._asked)

    def voices(self) -> Sequence[str]:
        """espeak-ng's variants: speakers that speak every language."""
        return tuple(self._variants.values())

    def _asked(self, language: str, manner: Manner) -> Asked:
        variant = self._variants.get(manner.voice.lower())
        return espeak_order(language, f"+{variant}" if variant else VARIANT, manner.speed)


FLITE_VOICES = ("rms", "slt", "awb", "kal", "kal16")


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
        super().__init__("flite", Worker("voice.workers.flite", voice, name="flite"), self._asked)
        self._voice = voice

    def voices(self) -> Sequence[str]:
        """Those of flite's that are installed."""
        return _flite_voices()

    def _asked(self, language: str, manner: Manner) -> Asked:
        wanted = manner.voice.lower()
        known = wanted not in ("", self._voice) and wanted in self.voices()
        return Asked({"voice": wanted if known else self._voice, "speed": manner.speed})


class PiperSynthesizer(_ChildSynthesizer):
    """piper with the voice in `folder`, in the language of that voice. Raises: MissingError, MissingExtra."""

    licence = "GPL-3.0-or-later (piper-tts, in a process of its own); the voice's model has a licence of its own"

    def __init__(self, folder: Path) -> None:
        find_model(folder)
        if importlib.util.find_spec("piper") is None:
            raise MissingError("piper-tts is not installed: pip install piper-tts")
        super().__init__(
            "piper", Worker("voice.workers.piper", str(folder), name="piper"), lambda language, manner: Asked({"speed": manner.speed})
        )


def _placed(said: Spoken, at: int) -> Spoken:
    """A sentence whose words close so much more of the text, as part of which it is spoken."""
    return Spoken(said.text, tuple(replace(word, closes=at + word.closes) for word in said.words))


def espeak_order(language: str, variant: str = VARIANT, speed: float = 1.0) -> Asked:
    """Which of espeak-ng's voices to try for a language (BCP 47), best first, and how to speak."""
    own_speed = max(speed, SLOWEST)
    rate_wpm = round(_MANNER["rate_wpm"] + (own_speed - 1) * (WPM_FASTER if own_speed > 1 else WPM_SLOWER))
    voices = [name + variant for name in espeak_voices(language)]
    return Asked({"voices": voices, **_MANNER, "rate_wpm": rate_wpm}, own_speed / speed)


def _variants(folders: Sequence[Path]) -> dict[str, str]:
    """The names of espeak-ng's variants, by their lower-case form."""
    found = sorted(file.name for folder in folders for file in (folder / "espeak-ng-data" / "voices" / "!v").glob("*"))
    return {name.lower(): name for name in found if re.fullmatch(r"\w{1,30}", name)}


def espeak_voices(language: str) -> list[str]:
    """Names of voices for a language, the most exact first, English last."""
    parts = language.lower().replace("_", "-").split("-")
    if not all(re.fullmatch(r"[a-z0-9]{1,8}", part) for part in parts):
        return [ENGLISH_VOICE]
    tags = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return list(dict.fromkeys([*(_VOICES.get(tag, tag) for tag in tags), ENGLISH_VOICE]))


@functools.cache
def _flite_voices() -> tuple[str, ...]:
    """Looked for once: a search asks the system's linker, which takes it some 10 ms."""
    return tuple(name for name in FLITE_VOICES if find_library(f"flite_cmu_us_{name}") is not None)


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
