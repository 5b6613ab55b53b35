"""Semantic turns: what is thought of whole sentences and of their beginnings in a pause, and what the question costs.

    python bench/pauses.py [--set development] [--show]

The sentences of `bench/recognition.py` by flite, each as a whole and cut behind one of its words (always the same one), with 300 ms of
silence before and the pause of `audio/patience.py` behind. Whoever changes the judge looks at the set "development" only.

Goals: nine whole commands of ten are finished; no more than one whole foreign sentence of ten is held open to the longest wait, and no more
than one beginning of ten is taken for finished.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import soundfile
import soxr
from recognition import DEVELOPMENT, HELD_OUT, Material, Voice

from voice.audio.patience import PAUSE_MS, Thought
from voice.audio.pcm import RATE_HZ, Samples, silence, to_bytes
from voice.engines.ending import thought
from voice.engines.grammar import jsgf, tails
from voice.engines.opinion import Carrier, Evidence, foretell
from voice.engines.skills import match_whole
from voice.workers.decoders import Models
from voice.workers.sphinx import BLOCK_SAMPLES, Ear

SETS = {"held-out": HELD_OUT, "development": DEVELOPMENT}
GOAL_FINISHED, GOAL_HELD, GOAL_CUT = 0.9, 0.1, 0.1
HISS = 8
"""Deviation of the noise under everything: a quiet room. In digital silence a recogniser hears better than anywhere."""


def spoken(text: str, voice: Voice, seed: int) -> Samples:
    """The sentence from its first sound to its last, with silence round it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "speech.wav")
        manner = [
            "--setf",
            f"duration_stretch={voice.stretch}",
            *(["--setf", f"int_f0_target_mean={voice.pitch_hz}"] if voice.pitch_hz else []),
        ]
        subprocess.run(["flite", "-voice", voice.name, *manner, "-t", text, "-o", path], check=True)
        samples, rate_hz = soundfile.read(path, dtype="int16")
    samples = soxr.resample(samples, rate_hz, RATE_HZ)
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 150)
    samples = np.concatenate([silence(300), samples[loud[0] : loud[-1] + 1], silence(PAUSE_MS)])
    noise = np.random.default_rng(seed).normal(0, HISS, len(samples))
    return np.clip(np.rint(samples + noise), -32768, 32767).astype(np.int16)


class Judge:
    """The recogniser and the judge, in this process."""

    def __init__(self) -> None:
        self._models = Models(jsgf())
        words = sorted({word for tail in tails() for word in tail.split()})
        phones = dict(zip(words, self._models.general.phones(words), strict=True))
        rows = [tuple(tail.split()) for tail in tails()]
        self._carriers = tuple(Carrier(row, tuple(phone for word in row for phone in phones[word])) for row in rows)
        self.asked_ms: list[float] = []

    def thinks(self, samples: Samples) -> tuple[Thought, str]:
        """What is thought in the pause at the end, and of which words."""
        ear = Ear(self._models)
        for start in range(0, len(samples), BLOCK_SAMPLES):
            list(ear.feed(to_bytes(samples[start : start + BLOCK_SAMPLES])))
        begun_s = time.process_time()
        list(ear.look())
        so_far = foretell(msgspec.convert(ear.so_far(), Evidence), self._carriers, match_whole)
        told = thought(so_far)
        self.asked_ms.append((time.process_time() - begun_s) * 1000)
        list(ear.finish())
        ear.evidence()
        return told, so_far.text


def judged(judge: Judge, material: Material, texts: Sequence[str], show: bool) -> tuple[Counter[Thought], Counter[Thought]]:
    """How often each thought came of whole sentences, and of their beginnings."""
    chance = random.Random(material.seed)
    whole, begun = Counter[Thought](), Counter[Thought]()
    for n, text in enumerate(texts):
        words = text.split()
        voice = material.voices[n % len(material.voices)]
        cuts = [(whole, text)]
        if len(words) > 1:
            cuts.append((begun, " ".join(words[: chance.randrange(1, len(words))])))
        for counts, said in cuts:
            told, heard = judge.thinks(spoken(said, voice, n))
            counts[told] += 1
            if show and told is (Thought.UNFINISHED if counts is whole else Thought.FINISHED):
                print(f"    {told.value}: said {said!r}, heard {heard!r}")
    return whole, begun


def main() -> int:
    """Print the tables; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=SETS, default="held-out")
    parser.add_argument("--show", action="store_true", help="print each mistake")
    options = parser.parse_args()
    material, judge = SETS[options.set], Judge()
    print(f"{options.set:24}{'clips':>6}" + "".join(f"{kind.value:>12}" for kind in Thought))
    shares: dict[str, float] = {}
    for name, texts in (("commands", material.commands), ("foreign sentences", material.foreign)):
        tables = judged(judge, material, texts, options.show)
        for kind, counts in zip((name, f"{name}, cut"), tables, strict=True):
            print(f"{kind:24}{counts.total():>6}" + "".join(f"{counts[told]:>12}" for told in Thought))
            shares |= {f"{kind}: {told.value}": counts[told] / counts.total() for told in Thought}
    asked = sorted(judge.asked_ms)
    print(f"a question: p50 {statistics.median(asked):.1f} ms, most {asked[-1]:.0f} ms of CPU (while nothing is decoded yet all is tried)")
    cut = max(shares["commands, cut: finished"], shares["foreign sentences, cut: finished"])
    goals = (
        shares["commands: finished"] >= GOAL_FINISHED,
        shares["foreign sentences: unfinished"] <= GOAL_HELD,
        cut <= GOAL_CUT,
    )
    return 0 if all(goals) else 1


if __name__ == "__main__":
    sys.exit(main())
