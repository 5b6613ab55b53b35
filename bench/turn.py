"""P8: from the end of speech to the first sound of the reply, beyond the silence window; on flite and human speech.

    python bench/turn.py [--runs 1] [WAV...]

Plays recordings in real time to the embedded engine through `voice replay --realtime` and reads `first_audio_ms`. The silence window
(500 ms) is taken off: it is the price of knowing that somebody has stopped, not of answering. Without WAVs: the fixtures, and
the people of alsa-utils and pocketsphinx-testdata where Debian's packages are installed.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WINDOW_MS = 500
GOAL_MS = 250
SOURCES = {
    "synthetic (fixtures/wav)": sorted((ROOT / "fixtures/wav").glob("*.wav")),
    "human (alsa-utils)": [path for path in sorted(Path("/usr/share/sounds/alsa").glob("*.wav")) if path.name != "Noise.wav"],
    "human (pocketsphinx-testdata)": sorted(Path("/usr/share/pocketsphinx/test/data").glob("*/*.wav")),
}


def waits_ms(files: Sequence[Path]) -> list[int]:
    """What each answered turn waited beyond the window."""
    command = [sys.executable, "-m", "voice", "replay", "--realtime", "--json", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    turns = [json.loads(line) for line in done.stdout.splitlines()]
    return [turn["first_audio_ms"] - WINDOW_MS for turn in turns if turn.get("first_audio_ms") is not None]


def main() -> int:
    """Print a row for each source; 1 if the median of all misses the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    sources = {"given": options.files} if options.files else SOURCES
    everything: list[int] = []
    print(f"{'source':32}{'turns':>6}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}")
    for name, files in sources.items():
        if not files:
            print(f"{name:32}  not installed: apt-get install alsa-utils pocketsphinx-testdata")
            continue
        waits = sorted(wait for _ in range(options.runs) for wait in waits_ms(files))
        everything += waits
        if waits:
            p95 = waits[min(round(0.95 * len(waits)), len(waits) - 1)]
            print(f"{name:32}{len(waits):>6}{statistics.median(waits):>9.0f}{p95:>9.0f}{waits[-1]:>9.0f}")
    median = statistics.median(everything) if everything else float("inf")
    print(f"all: p50 {median:.0f} ms beyond the {WINDOW_MS} ms window (goal {GOAL_MS} ms)")
    return 0 if median <= GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())
