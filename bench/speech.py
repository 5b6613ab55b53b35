"""The synthesisers: time to the first sound, speed, memory; and how well a recogniser understands the answers.

    python bench/speech.py [--runs 10] [--voices en-us en-us+f2 ...]

A short answer is spoken again and again by a warm child. First sound and real-time factor are those that a session sees, child,
pipe and event loop included; memory is what the child alone occupies. `understood` counts answers that pocketsphinx picks, by a
grammar, out of confusable ones; the general model's word error rate stands beside it. `--voices` compares espeak-ng voices.
"""

import argparse
import asyncio
import dataclasses
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from voice.audio.pcm import RATE_HZ, Samples, silence
from voice.engines import tts
from voice.engines.tts import EspeakSynthesizer, FliteSynthesizer, ManagedSynthesizer
from voice.errors import MissingError

GOAL_UNDERSTOOD = 18
GOAL_FIRST_MS = {"espeak": 30.0, "flite": 120.0}
SENTENCE = "Five kilometers is three point one one miles, and the timer is set."
ANSWERS = (
    "it is ten thirty|it is ten past four in the afternoon|today is friday|twenty three times seventeen is three hundred ninety one|"
    "five kilometers is three point one one miles|your timer is set for five minutes|i will remember that|seven plus eight is fifteen|"
    "one hundred divided by four is twenty five|it is sixteen oh five|good morning|you are welcome|i do not know that|"
    "the timer is done|minus three degrees|two dollars and ten cents|ten miles is sixteen point zero nine kilometers|"
    "i heard you say sound check|twelve divided by five is two point four|goodbye"
).split("|")
CONFUSABLE = (
    "it is two thirty|it is ten thirteen|it is ten past five in the afternoon|it is ten past four in the morning|today is sunday|"
    "today is monday|twenty three times seventy is three hundred ninety one|twenty three times seventeen is three hundred ninety nine|"
    "five kilometers is three point one nine miles|nine kilometers is three point one one miles|your timer is set for nine minutes|"
    "your timer is set for fifteen minutes|i will remember this|seven plus eight is fifty|eleven plus eight is fifteen|"
    "one hundred divided by four is twenty nine|one hundred divided by five is twenty five|it is sixty oh five|it is sixteen oh nine|"
    "good evening|good afternoon|you are not welcome|i do know that|i do not know what|the time is done|minus two degrees|"
    "minus three inches|two dollars and twenty cents|ten dollars and two cents|ten miles is sixty point zero nine kilometers|"
    "ten miles is sixteen point zero five kilometers|i heard you say sound|twelve divided by nine is two point four|"
    "twelve divided by five is two point five|good night|hello|thank you"
).split("|")


@dataclasses.dataclass(frozen=True)
class Speed:
    first_ms: float
    factor: float
    """CPU and waiting, as a part of the speech's length."""
    memory_mb: float


async def samples(synthesizer: ManagedSynthesizer, text: str) -> Samples:
    """A text as 16 kHz speech, a quarter of a second of silence around it."""
    async with aclosing(synthesizer.speak(text)) as speech:
        pieces = [piece async for piece in speech]
    spoken = soxr.resample(np.concatenate([piece.samples for piece in pieces]), pieces[0].rate_hz, RATE_HZ)
    return np.concatenate([silence(250), spoken, silence(250)]).astype(np.int16)


async def speed(synthesizer: Any, runs: int) -> Speed:
    firsts, factors = [], []
    await synthesizer.warm()
    for _ in range(runs):
        begun = time.perf_counter()
        first, length_ms = 0.0, 0.0
        async with aclosing(synthesizer.speak(SENTENCE)) as pieces:
            async for piece in pieces:
                first = first or time.perf_counter() - begun
                length_ms += len(piece.samples) * 1000 / piece.rate_hz
        firsts.append(first * 1000)
        factors.append((time.perf_counter() - begun) * 1000 / length_ms)
        await asyncio.sleep(0.02)
    return Speed(statistics.median(firsts), statistics.median(factors), memory_mb(synthesizer.pid))


def memory_mb(pid: int) -> float:
    """What a process alone occupies; 0 where there is no /proc."""
    status = Path(f"/proc/{pid}/status")
    resident = re.search(r"RssAnon:\s+(\d+)", status.read_text() if status.exists() else "")
    return int(resident.group(1)) / 1024 if resident else 0.0


class Judge:
    """pocketsphinx with a grammar of all the answers, and with its general model."""

    def __init__(self) -> None:
        import pocketsphinx

        model = Path(pocketsphinx.get_model_path()) / "en-us"
        common = {"hmm": str(model / "en-us"), "dict": str(model / "cmudict-en-us.dict"), "loglevel": "FATAL"}
        with tempfile.NamedTemporaryFile("w", suffix=".gram") as grammar:
            grammar.write(f"#JSGF V1.0;\ngrammar answers;\npublic <answer> = {' | '.join([*ANSWERS, *CONFUSABLE])};\n")
            grammar.flush()
            self._grammar = pocketsphinx.Decoder(jsgf=grammar.name, **common)
        self._general = pocketsphinx.Decoder(lm=str(model / "en-us.lm.bin"), **common)
        self._mean = self._grammar.get_cmn(False)

    def picks(self, speech: Samples) -> str:
        return self._hear(self._grammar, speech)

    def hears(self, speech: Samples) -> str:
        return self._hear(self._general, speech)

    def _hear(self, decoder: Any, speech: Samples) -> str:
        decoder.set_cmn(self._mean)
        decoder.start_utt()
        decoder.process_raw(speech.tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return re.sub(r"\(\d+\)", "", found.hypstr) if found else ""


def errors(want: Sequence[str], got: Sequence[str]) -> int:
    """Words inserted, deleted and replaced."""
    row = list(range(len(got) + 1))
    for index, word in enumerate(want, 1):
        above, row[0] = row[:], index
        for column, other in enumerate(got, 1):
            row[column] = min(above[column] + 1, row[column - 1] + 1, above[column - 1] + (word != other))
    return row[-1]


async def understood(synthesizer: ManagedSynthesizer, judge: Judge) -> tuple[int, float]:
    """How many answers are picked, and the general model's word error rate."""
    picked = wrong = words = 0
    for answer in ANSWERS:
        speech = await samples(synthesizer, answer.capitalize() + ".")
        picked += judge.picks(speech) == answer
        wrong += errors(answer.split(), judge.hears(speech).split())
        words += len(answer.split())
    return picked, wrong / words


async def measure(make: Any, runs: int, judge: Judge) -> bool:
    """Print one synthesiser's figures; whether its goals are met."""
    async with make() as synthesizer:
        found = await speed(synthesizer, runs)
        picked, rate = await understood(synthesizer, judge)
    goal = GOAL_FIRST_MS[synthesizer.name]
    print(
        f"{synthesizer.name:8} first sound {found.first_ms:6.1f} ms (goal {goal:.0f})   RTF {found.factor:.4f}   child {found.memory_mb:.0f} MB   "
        f"understood {picked}/{len(ANSWERS)} (goal {GOAL_UNDERSTOOD})   WER {rate:.2f}"
    )
    return found.first_ms <= goal and picked >= GOAL_UNDERSTOOD


async def compare(voices: Sequence[str], judge: Judge) -> None:
    for voice in voices:
        tts._VOICES["en"], plus, variant = voice.partition("+")
        tts.VARIANT = plus + variant
        async with EspeakSynthesizer() as synthesizer:
            picked, rate = await understood(synthesizer, judge)
        print(f"{voice:16} understood {picked}/{len(ANSWERS)}   WER {rate:.2f}", flush=True)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--voices", nargs="+", metavar="VOICE")
    options = parser.parse_args()
    judge = Judge()
    if options.voices:
        await compare(options.voices, judge)
        return 0
    met = True
    for make in (EspeakSynthesizer, FliteSynthesizer):
        try:
            met = await measure(make, options.runs, judge) and met
        except MissingError as exc:
            print(exc)
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
