"""The pocketsphinx child: `python -m voice.workers.sphinx`. It holds the GIL while it decodes, hence a process of its own.

Each utterance goes through two decoders while it is spoken: the general English model, and a grammar of sentences, whose decoder
has a dictionary of its own words only (25 MB less than with the whole one). Who is right is decided by the parent (`voice.engines.opinion`).

Down: "load" {grammar, words} gets ready, and is answered by "loaded" {phones of each word}; "listen" {grammar} opens a job, and with what
a "part" of an earlier job has told it goes on behind that part; "audio" carries 16-bit PCM at 16 kHz, "so far" asks what has been understood
up to here, "finish" ends it, "drop" forgets it at once.
Up: "part" {bytes} when a part of a long utterance has been heard, which ends so many bytes after its beginning, with all that another child
has to know; "so far", see `Ear.so_far`; "heard", see `Ear.evidence`, then "end".

The same samples give the same text: they are cut anew into blocks of 100 ms, and what pocketsphinx would carry over from one utterance
to the next (see `decoders.py`) is set at each beginning, from the head of the utterance itself.
"""

import os
import pickle
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, NoReturn

import numpy as np

from voice.audio.denoise import CLEAN_DB, Denoiser, Noise, measure
from voice.audio.pcm import RATE_HZ, Samples, empty, from_bytes, silence, to_bytes
from voice.workers.decoders import USUAL_MEAN, Models
from voice.workers.hiss import Hiss
from voice.workers.process import Frame, child_pipes, read_frames, writer

BLOCK_SAMPLES = RATE_HZ // 10
HEAD_SAMPLES = RATE_HZ * 3 // 2
"""Noise and cepstral mean are measured in so much of an utterance before decoding begins, or up to its first pause; decoding catches up
in an eighth of the time. Word errors of 16 sentences, clean and at 20 dB: after 1 s .11 and .60, 1.5 s .08 and .49, 2 s .08 and .44, all of it
.08 and .52; after 2 s twice as much is left to do at the end of a short command in noise."""
HEAD_LEAST_SAMPLES = RATE_HZ
_PAUSE_BLOCKS = 2
_STANDS_OUT = 4.0
"""There is speech in a head whose loudest block has 4 times the power of its quietest, and a block below their geometric mean is quiet."""
LEAD = silence(100)
"""In front of every clean utterance: the decoder wants silence first, and takes a first sound for it where there is none (a file or a message that
begins with speech: 74 of 80 commands understood without it, 78 with it; nothing changes where there is silence). In noise it does harm."""
LONG_SAMPLES = RATE_HZ * 15
TOO_LONG_SAMPLES = RATE_HZ * 30
"""After 15 s the next quiet block, after 30 s any block ends a part: the work at the end grows with the length of the last part only."""
_QUIET = 0.1
"""A block of a tenth of the part's loudness is quiet."""
_HALF_SURE = 0.5
"""What the words of an utterance that goes on are taken for: that is the middle of what it is at the end."""
Evidence = dict[str, Any]


class Head:
    """The beginning of an utterance, from which is learnt what its noise and its speaker sound like."""

    def __init__(self) -> None:
        self._blocks: list[Samples] = []
        self._powers: list[float] = []

    def push(self, block: Samples) -> bool:
        """Keep a block; True if it is the last one: there has been enough, or a pause follows speech."""
        self._blocks.append(block)
        self._powers.append(1.0 + float(np.mean(block.astype(np.float64) ** 2)))
        count = sum(map(len, self._blocks))
        return count >= HEAD_SAMPLES or (count >= HEAD_LEAST_SAMPLES and self._pauses())

    def _pauses(self) -> bool:
        low, high = min(self._powers), max(self._powers)
        return high > _STANDS_OUT * low and max(self._powers[-_PAUSE_BLOCKS:]) ** 2 < low * high

    def samples(self) -> Samples:
        """All of it."""
        return np.concatenate([empty(), *self._blocks])


class Ear:
    """One utterance. The iterators do the work, a block of audio at each step: who iterates no further has saved the rest."""

    def __init__(self, models: Models, state: bytes = b"") -> None:
        self._models = models
        self._pending = bytearray()
        self._heard_bytes = 0
        self._head: Head | None = Head()
        self._noise: Noise | None = None
        self._denoiser: Denoiser | None = None
        self._hiss = Hiss(empty())
        self._mean = USUAL_MEAN
        self._part_samples = 0
        self._part_energy = 0.0
        self._said: list[tuple[list[str], float]] = []
        """Words and their mean probability, of each finished part."""
        self._trial: Ear | None = None
        if state:
            self._resume(state)

    def _resume(self, state: bytes) -> None:
        """Go on behind a part, in whatever process: the decoders start anew there anyway."""
        self._heard_bytes, self._noise, self._denoiser, self._hiss, self._mean, self._said = pickle.loads(state)
        self._head = None
        self._models.commands.stop()
        self._models.general.start(self._mean)

    def part(self) -> tuple[int, bytes] | None:
        """If a part has ended with the last step of `feed`: how many bytes have been heard, and the state to go on from there."""
        if not self._said or self._part_samples:
            return None
        state = (self._heard_bytes, self._noise, self._denoiser, self._hiss, self._mean, self._said)
        return self._heard_bytes, pickle.dumps(state)

    def feed(self, audio: bytes) -> Iterator[None]:
        """Hear 16-bit PCM."""
        self._pending += audio
        while len(self._pending) >= 2 * BLOCK_SAMPLES:
            block = from_bytes(bytes(self._pending[: 2 * BLOCK_SAMPLES]))
            del self._pending[: 2 * BLOCK_SAMPLES]
            self._heard_bytes += 2 * BLOCK_SAMPLES
            yield from self._hear(block)

    def finish(self) -> Iterator[None]:
        """Hear what is left; then `evidence` is complete."""
        yield from self._hear(from_bytes(bytes(self._pending[: len(self._pending) // 2 * 2])))
        self._pending.clear()
        if self._head is not None:
            yield from self._begin(self._head.samples())
        if self._denoiser is not None:
            yield from self._decode(self._denoiser.flush())

    def look(self) -> Iterator[None]:
        """Hear all that is there for `so_far`. While nothing is decoded yet, the decoders are free to try: they start anew afterwards."""
        self._trial = None
        if self._head is not None:
            self._trial = Ear(self._models)
            yield from self._trial.feed(to_bytes(self._head.samples()) + bytes(self._pending))
            yield from self._trial.finish()

    def so_far(self) -> Evidence:
        """As `evidence`, of an utterance that may go on, after `look`. How sure the words are is known at the end only.

        "ending" is how often a sentence ends there; the command may be the beginning of a sentence only, or the "whole" of it.
        """
        ear = self._trial or self
        words = [word for part, _ in ear._said for word in part] + self._models.general.so_far()
        command = [] if ear._said else self._models.commands.so_far()
        if self._trial is not None:
            self._models.general.stop()
            self._models.commands.stop()
            self._trial = None
        told = ear._told(words, command, _HALF_SURE if words else 0.0)
        return {**told, "ending": self._models.general.ending(words), "whole": self._models.paths.whole(command)}

    def evidence(self) -> Evidence:
        """What both decoders understood, as the data of a "heard" frame."""
        command, _ = self._models.commands.stop()
        self._said.append(self._models.general.stop())
        words = [word for part, _ in self._said for word in part]
        weights = [len(part) for part, _ in self._said]
        sure = float(np.average([sure for _, sure in self._said], weights=weights)) if words else 0.0
        # No sentence of the grammar is so long that it has parts.
        return self._told(words, command if len(self._said) == 1 else [], sure)

    def _told(self, words: Sequence[str], command: Sequence[str], sure: float) -> Evidence:
        return {
            "words": words,
            "phones": self._models.general.phones(words),
            "sure": sure,
            "command_words": command,
            "command_phones": [phone for word in self._models.general.phones(command) for phone in word],
            "snr_db": self._noise.snr_db if self._noise is not None else None,
        }

    def _hear(self, block: Samples) -> Iterator[None]:
        if not len(block):
            return
        if self._head is None:
            yield from self._decode(self._hiss.push(block) if self._denoiser is None else self._denoiser.push(block))
            return
        if self._head.push(block):
            yield from self._begin(self._head.samples())

    def _begin(self, head: Samples) -> Iterator[None]:
        """The head is complete: learn from it, then catch up."""
        self._head = None
        self._noise = measure(head)
        if self._noise is not None and self._noise.snr_db < CLEAN_DB:
            self._denoiser = Denoiser(self._noise)
            head = self._denoiser.push(head)
        else:
            self._hiss = Hiss(head)
            head = self._hiss.push(np.concatenate((LEAD, head))) if len(head) else head
        self._mean = self._models.mean(to_bytes(head))
        if len(head):
            self._models.commands.start(self._mean)
            self._models.general.start(self._mean)
        for start in range(0, len(head), BLOCK_SAMPLES):
            yield from self._decode(head[start : start + BLOCK_SAMPLES])

    def _decode(self, samples: Samples) -> Iterator[None]:
        if not len(samples):
            return
        block = to_bytes(samples)
        self._models.general.feed(block)
        if not self._said:
            self._models.commands.feed(block)
        self._count(samples)
        yield

    def _count(self, samples: Samples) -> None:
        """End a part that has become long, in a pause if there is one."""
        power = float(np.mean(samples.astype(np.float64) ** 2))
        self._part_samples += len(samples)
        self._part_energy += power * len(samples)
        quiet = power < _QUIET**2 * self._part_energy / self._part_samples
        if self._part_samples >= TOO_LONG_SAMPLES or (quiet and self._part_samples >= LONG_SAMPLES):
            self._said.append(self._models.general.stop())
            self._models.general.start(self._mean)
            self._part_samples, self._part_energy = 0, 0.0


class _Desk:
    """Where frames arrive, and where the parent can take a job back."""

    def __init__(self, orders: BinaryIO, leave: Callable[[int], object] = os._exit) -> None:
        self._waiting: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        """Not bounded here: the parent waits for room in the pipe (`Job.drain`) and bounds what an utterance may be."""
        self._dropped = 0
        threading.Thread(target=self._fill, args=(orders, leave), daemon=True).start()

    def _fill(self, orders: BinaryIO, leave: Callable[[int], object]) -> None:
        try:
            for frame in read_frames(orders):
                if frame.kind == "drop":
                    self._dropped = max(self._dropped, frame.job)
                self._waiting.put(frame)
        finally:
            # The parent hung up or died: leave at once, whatever the decoders are doing.
            leave(0)

    def take(self) -> Frame:
        return self._waiting.get()

    def wants(self, job: int) -> bool:
        """The job was not dropped. Jobs are numbered upwards and served one after the other."""
        return job > self._dropped


class _Child:
    """Serves one job at a time; a new one ends the one before."""

    def __init__(self, desk: _Desk, write: Callable[[Frame], None]) -> None:
        self._desk = desk
        self._write = write
        self._models: Models | None = None
        self._ear: Ear | None = None
        self._job = 0

    def run(self) -> NoReturn:
        """Serve for ever."""
        while True:
            frame = self._desk.take()
            match frame.kind:
                case "load":
                    words = frame.data["words"]
                    phones = self._load(frame.data["grammar"]).general.phones(words)
                    self._write(Frame(frame.job, "loaded", {"phones": dict(zip(words, phones, strict=True))}))
                    self._write(Frame(frame.job, "end"))
                case "listen":
                    self._ear, self._job = Ear(self._load(frame.data["grammar"]), frame.audio), frame.job
                case "audio" | "so far" | "finish" if frame.job == self._job and self._ear is not None:
                    self._hear(self._ear, frame)

    def _load(self, grammar: str) -> Models:
        if self._models is None or self._models.grammar != grammar:
            self._models = Models(grammar)
        return self._models

    def _hear(self, ear: Ear, frame: Frame) -> None:
        work = {"audio": lambda: ear.feed(frame.audio), "so far": ear.look, "finish": ear.finish}[frame.kind]
        for _ in work():
            if not self._desk.wants(frame.job):
                break
            if frame.kind == "audio" and (part := ear.part()) is not None:
                self._write(Frame(frame.job, "part", {"bytes": part[0]}, part[1]))
        wanted = self._desk.wants(frame.job)
        if wanted and frame.kind == "so far":
            self._write(Frame(frame.job, "so far", ear.so_far()))
        if wanted and frame.kind == "finish":
            self._write(Frame(frame.job, "heard", ear.evidence()))
        if not wanted or frame.kind == "finish":
            self._ear = None
            self._write(Frame(frame.job, "end"))


def main() -> None:
    """Be the child: never returns, the process ends when standard input does."""
    orders, frames = child_pipes()
    _Child(_Desk(orders), writer(frames)).run()


if __name__ == "__main__":
    main()
