"""Truncation to what was heard: how far the end of each word is from where a recogniser hears it, for each voice.

    python bench/words.py [--voices espeak rms slt awb kal kal16] [--speed 1.0]

The judge is told the words and looks for them in the sound (`tests/support/aligned.py`, frames of 10 ms); a pause behind a word is
taken off. Words that it does not find, at the end of a sentence, do not count; how many there were is printed.
"""

import argparse
import asyncio
import sys
from contextlib import aclosing
from pathlib import Path

import numpy as np

# The tests' judge is not installed with the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.support.aligned import word_ends  # noqa: E402
from voice.audio.resample import resample  # noqa: E402
from voice.engines.base import Manner  # noqa: E402
from voice.engines.tts import EspeakSynthesizer, FliteSynthesizer, ManagedSynthesizer  # noqa: E402

GOAL_MEDIAN_MS, GOAL_P95_MS = 15, 90
QUIET = 120
TEXTS = (
    "It is ten thirty in the morning.",
    "Hello, I am glad to see you again, my old friend.",
    "Twenty three times 17 is 391.",
    "The meeting is at 10:30 on Monday, and it costs $2.10 for each of us.",
    "Dr. Smith lives at the end of the street; his house is the red one.",
    "Well, yes. I think so. You could ask her about the weather tomorrow, or look out of the window.",
    "5 km is 3.11 miles.",
    "One of the most important parts of a conversation is knowing when to stop and listen to what the other person has to say.",
    "First, open the door. Then walk through the long corridor, turn left, and take the second door on the right.",
)
SPELLED = {
    **{"$2.10": "two dollars and ten cents", "5": "five", "km": "kilometers", "Dr": "doctor", "10:30": "ten thirty", "17": "seventeen"},
    **{"391": "three hundred [and] ninety one", "3.11": "three point one one"},
}


async def errors_ms(synthesizer: ManagedSynthesizer, text: str, speed: float) -> tuple[list[int], int]:
    """The errors of a text's words, positive where the word was said to end too late, and how many were not found."""
    async with aclosing(synthesizer.speak_as(Manner(speed=speed), text)) as pieces:
        speech = [piece async for piece in pieces]
    words = [word for piece in speech for word in piece.words]
    sound = resample(np.concatenate([piece.samples for piece in speech]), speech[0].rate_hz, 16_000)
    audible = np.flatnonzero(np.abs(sound.astype(int)) > QUIET) // 16
    heard = word_ends(sound, [SPELLED.get(word.text, word.text.lower()) for word in words])
    ends = [int(audible[audible < end][-1]) + 1 for end in heard]
    return [word.end_ms - end for word, end in zip(words, ends, strict=False)], len(words) - len(ends)


async def measure(voice: str, speed: float) -> bool:
    """One line; whether it reaches the goal."""
    errors: list[int] = []
    lost = 0
    async with EspeakSynthesizer() if voice == "espeak" else FliteSynthesizer(voice) as synthesizer:
        for text in TEXTS:
            found, missing = await errors_ms(synthesizer, text, speed)
            errors += found
            lost += missing
    off = np.abs(errors)
    median, p95 = float(np.median(off)), float(np.percentile(off, 95))
    early = float(np.median(errors))
    print(
        f"{voice:8} {len(errors)} words ({lost} not found)   off by median {median:.0f}, p95 {p95:.0f}, most {off.max()} ms   middle {early:+.0f} ms"
    )
    return median <= GOAL_MEDIAN_MS and p95 <= GOAL_P95_MS


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--voices", nargs="+", default=["espeak", "rms", "slt", "awb", "kal", "kal16"])
    parser.add_argument("--speed", type=float, default=1.0)
    options = parser.parse_args()
    met = [await measure(voice, options.speed) for voice in options.voices]
    print(f"goal: median {GOAL_MEDIAN_MS} ms, p95 {GOAL_P95_MS} ms: {'met' if all(met) else 'missed'}")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
