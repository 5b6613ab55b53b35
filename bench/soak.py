"""Memory of `voice talk` over an hour of talk, in virtual time: capture, canceller, detector, session, playback and recording at work.

    python bench/soak.py [--minutes 60]        three minutes of CPU an hour, and 350 MB in the temporary folder for the recording

An answer every 12 s, a third of them interrupted, a third coughed into (`tests/support/hour.py`). What is resident is told after each tenth; the twin, which
keeps a conversation's newest sound as the service does, and its bounds, are in the same process. Goal: from the first tenth to the end 8 MB more at most.
"""

import argparse
import gc
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.hour import resident, talked  # noqa: E402
from tests.support.virtual_time import played  # noqa: E402

GOAL_MB = 8.0


def main() -> int:
    """Print a row for each tenth; 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60)
    options = parser.parse_args()
    held: list[float] = []

    def look(minute: int) -> None:
        gc.collect()
        held.append(resident() / 2**20)
        print(f"{minute:>4} min: {held[-1]:6.1f} MB, {time.process_time():5.1f} s of CPU", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        report = played(talked(options.minutes, look, Path(folder)))
    print(
        f"{report.turns} turns, {report.stopped} stopped, {report.captions} captions; {held[-1] - held[1]:.1f} MB more (goal {GOAL_MB:.0f})"
    )
    return 0 if held[-1] - held[1] <= GOAL_MB else 1


if __name__ == "__main__":
    sys.exit(main())
