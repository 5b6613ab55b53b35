"""The local engine's three places, played by our own small actors: what they are given decides what they give."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import numpy as np

from voice.audio.pcm import Samples, samples_in
from voice.engines.base import Called, Heard, Prompt, Said, Saying, Speech, WordTime
from voice.errors import WorkerDied

SPEECH_HZ = 22_050
WORD_MS = 200


class FakeHearing:
    """Understands how long it was spoken to: "heard 1240 ms"."""

    def __init__(self, deaf: bool, gate: asyncio.Event | None, heard: Heard | None = None) -> None:
        self._heard = heard
        self.samples = 0
        self.dropped = False
        self._deaf = deaf
        self._gate = gate

    def feed(self, samples: Samples) -> None:
        assert not self.dropped
        self.samples += samples.size

    async def finish(self) -> Heard:
        if self._gate is not None:
            await self._gate.wait()
        if self._deaf:
            raise WorkerDied("the recogniser died")
        return self._heard or Heard(f"heard {self.samples // 16} ms")

    def drop(self) -> None:
        self.dropped = True


class FakeTranscriber:
    """Gives out `FakeHearing`s and remembers them; `deaf` ones die at the end of the turn."""

    name = "fake recogniser"

    def __init__(self) -> None:
        self.deaf = False
        self.gate: asyncio.Event | None = None
        self.heard: Heard | None = None
        self.hearings: list[FakeHearing] = []

    def listen(self) -> FakeHearing:
        self.hearings.append(FakeHearing(self.deaf, self.gate, self.heard))
        return self.hearings[-1]


class FakeSynthesizer:
    """Every word is 200 ms (`word_ms`) of tone; dies `deaths` times first."""

    name = "fake voice"
    licence = "ours"

    def __init__(self, deaths: int = 0, gate: asyncio.Event | None = None, word_ms: int = WORD_MS) -> None:
        self.deaths = deaths
        self.gate = gate
        self.word_ms = word_ms
        self.closed = 0

    async def speak(self, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
        if self.deaths:
            self.deaths -= 1
            raise WorkerDied("the synthesiser died")
        count = samples_in(self.word_ms, SPEECH_HZ)
        tone = (8000 * np.sin(np.arange(count) * 440 * 2 * np.pi / SPEECH_HZ)).astype(np.int16)
        try:
            for n, word in enumerate(text.split()):
                yield Speech(tone, SPEECH_HZ, (WordTime(word, n * self.word_ms, (n + 1) * self.word_ms),))
                if self.gate is not None:
                    await self.gate.wait()
        finally:
            self.closed += 1


class FakeResponder:
    """Repeats the last line and says how many there were; may have something to announce."""

    def __init__(self, due_s: float | None = None, answer: Callable[[Prompt], Sequence[str | Called]] | None = None) -> None:
        self.due = due_s
        self.prompts: list[Prompt] = []
        self._answer = answer

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:
        self.prompts.append(prompt)
        texts: Sequence[str | Called] = (
            self._answer(prompt) if self._answer else [f"{prompt.lines[-1].text}.", f"{len(prompt.lines)} lines."]
        )
        for text in texts:
            yield Said(text) if isinstance(text, str) else text

    def due_s(self) -> float | None:
        return self.due

    def announce(self, now: float) -> Sequence[Said]:
        if self.due is None or now < self.due:
            return ()
        self.due = None
        return [Said("Time is up.")]
