"""P9: start delay, underruns and silence of playback over recorded arrivals, beside simple policies.

    python bench/jitter.py [TRACE.csv ...]        those of fixtures/arrivals unless given

A trace has a row for each audio delta (reply, seq, audio_ms, sent_s, arrived_s). A loudspeaker takes 10 ms at a time; its clock is that of
the first delta of each reply, so that 0 ms means the very next callback. An underrun is playback that stopped in mid-reply for want of
samples; start is the silence from the first delta on. Silence and underruns are per minute of reply.

"fixed N" starts with N ms in the buffer; like ours, they go on with 120 ms after running dry. The oracle knows beforehand what each reply
needs: without stretching, no less start delay does without a gap. Ends with 1 if ours is worse than the figures
that a plain quantile reached (AIM) on every axis, if a fixed policy is as good on all axes, or if a link that delivers at 1.5x or faster
without a late delta had to wait or ran dry.
"""

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from voice.audio.arrivals import Arrivals, Needs
from voice.audio.jitter import JitterBuffer
from voice.audio.tuning import JitterSettings

ARRIVALS = Path(__file__).resolve().parent.parent / "fixtures" / "arrivals"
RATE_HZ = 24_000
TAKE = 240
TAKE_US = TAKE * 1_000_000 // RATE_HZ
RESUME_MS = JitterSettings().resume_ms
GOAL = (84.0, 0.56, 124.0)
"""Of playback that also lengthens pauses and stretches, which ours does not do yet."""
AIM = (75.0, 1.84, 311.0)
"""A quantile of arrival delay without stretching, over the traces that the goal was set with."""


@dataclass(frozen=True, slots=True)
class Delta:
    """One audio delta: its length and when it came."""

    length_ms: int
    came_us: int


@dataclass(frozen=True, slots=True)
class Row:
    """What a policy did: mean start delay in ms, underruns per minute, ms of silence per minute."""

    start_ms: float
    underruns: float
    silence_ms: float

    def axes(self) -> tuple[float, float, float]:
        return self.start_ms, self.underruns, self.silence_ms

    def __str__(self) -> str:
        return f"{self.start_ms:8.0f} {self.underruns:14.2f} {self.silence_ms:15.0f}"


Reply = list[Delta]
Policy = Callable[[list[Reply]], Row]


def read(path: Path) -> list[Reply]:
    """The replies of a trace. Raises: SystemExit, with a sentence, if it is none."""
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        replies = groupby(rows, key=lambda row: row["reply"])
        found = [[Delta(round(float(row["audio_ms"])), round(float(row["arrived_s"]) * 1e6)) for row in reply] for _, reply in replies]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as exc:
        raise SystemExit(f"{path}: not a trace of arrivals ({exc}); see fixtures/README.md") from exc
    if not found:
        raise SystemExit(f"{path}: no replies in it")
    return found


def minutes(replies: Sequence[Reply]) -> float:
    return sum(delta.length_ms for reply in replies for delta in reply) / 60_000


def ours(replies: list[Reply]) -> Row:
    """The buffer itself, sample by sample, one after the other as in a conversation."""
    buffer = JitterBuffer(RATE_HZ)
    for number, reply in enumerate(replies):
        waiting, now_us = list(reply), reply[0].came_us
        while waiting or buffer.stats.buffered_ms:
            while waiting and waiting[0].came_us <= now_us:
                delta = waiting.pop(0)
                buffer.put(str(number), np.ones(delta.length_ms * RATE_HZ // 1000, np.int16), delta.came_us)
                if not waiting:
                    buffer.end(str(number))
            buffer.take(TAKE, now_us)
            now_us += TAKE_US
    stats = buffer.stats
    return Row(stats.start_total_ms / len(replies), stats.underruns / minutes(replies), stats.silence_ms / minutes(replies))


def fixed(least_ms: int) -> Policy:
    """Start with so much in the buffer."""

    def play(replies: list[Reply]) -> Row:
        return averaged(replies, [simulated(reply, enough_at(reply, 0, least_ms)) for reply in replies])

    return play


def oracle(replies: list[Reply]) -> Row:
    """Waits exactly as long as each reply needs."""
    return averaged(replies, [simulated(reply, reply[0].came_us + needed(reply).needed_us) for reply in replies])


def averaged(replies: list[Reply], found: list[tuple[int, int, int]]) -> Row:
    start_us, underruns, silence_us = (sum(axis) for axis in zip(*found, strict=True))
    return Row(start_us / 1000 / len(replies), underruns / minutes(replies), silence_us / 1000 / minutes(replies))


def enough_at(reply: Reply, first: int, least_ms: int) -> int:
    """When so much of the deltas from `first` on has come, or the rest of the reply."""
    total_ms = 0
    for delta in reply[first:]:
        total_ms += delta.length_ms
        if total_ms >= least_ms:
            return delta.came_us
    return reply[-1].came_us


def simulated(reply: Reply, start_us: int) -> tuple[int, int, int]:
    """Playback from a moment on: start delay, underruns, silence in us."""
    due_us, underruns, silence_us = start_us, 0, 0
    for index, delta in enumerate(reply):
        if delta.came_us > due_us:
            resumed_us = enough_at(reply, index, RESUME_MS)
            underruns += 1
            silence_us += resumed_us - due_us
            due_us = resumed_us
        due_us += delta.length_ms * 1000
    return start_us - reply[0].came_us, underruns, silence_us


def needed(reply: Reply) -> Needs:
    arrivals = Arrivals(RATE_HZ, reply[0].came_us)
    for delta in reply:
        arrivals.add(delta.length_ms * RATE_HZ // 1000, delta.came_us)
    return Needs(arrivals.needed_us, arrivals.speed() or 0)


def no_reason_to_wait(replies: list[Reply]) -> bool:
    """Whether every reply comes at 1.5x or faster, and none has a late delta."""
    found = [needed(reply) for reply in replies]
    return all(reply.speed >= 1500 and not reply.needed_us for reply in found)


POLICIES: dict[str, Policy] = {
    "play at once": fixed(0),
    "fixed 100": fixed(100),
    "fixed 200": fixed(200),
    "fixed 400": fixed(400),
    "this buffer": ours,
    "oracle": oracle,
}


def mean(rows: Sequence[Row]) -> Row:
    return Row(*(sum(axis) / len(rows) for axis in zip(*(row.axes() for row in rows), strict=True)))


def missed(table: dict[str, list[Row]], traces: dict[str, list[Reply]]) -> list[str]:
    """Sentences on what is worse than it should be."""
    means = {name: mean(rows) for name, rows in table.items()}
    own = means["this buffer"].axes()
    found = []
    if all(value > aim for value, aim in zip(own, AIM, strict=True)):
        found.append(f"worse than a plain quantile ({AIM[0]:.0f} / {AIM[1]} / {AIM[2]:.0f}) on every axis")
    for name in (name for name in means if name.startswith("fixed")):
        other = means[name].axes()
        if other != own and all(theirs <= value for theirs, value in zip(other, own, strict=True)):
            found.append(f"{name} is as good on all axes")
    for (name, replies), row in zip(traces.items(), table["this buffer"], strict=True):
        if no_reason_to_wait(replies) and any(row.axes()):
            found.append(f"{name} comes fast enough, and yet: {row}")
    return found


def named(paths: list[Path]) -> dict[str, list[Reply]]:
    """The traces by the shortest names that tell them apart."""
    stems = [path.stem for path in paths]
    return {path.stem if stems.count(path.stem) == 1 else str(path): read(path) for path in paths}


def show(table: dict[str, list[Row]], traces: dict[str, list[Reply]]) -> None:
    width = max(map(len, ("this buffer", *traces))) + 2
    for policy, rows in table.items():
        print(f"{policy:{width}} start ms  underruns/min  silence ms/min")
        for name, row in zip(traces, rows, strict=True):
            print(f"  {name:{width}}{row}")
        print(f"  {'mean':{width}}{mean(rows)}\n")


def main() -> int:
    """Print the table; 1 if something is worse than it should be."""
    traces = named([Path(name) for name in sys.argv[1:]] or sorted(ARRIVALS.glob("*.csv")))
    table = {name: [policy(replies) for replies in traces.values()] for name, policy in POLICIES.items()}
    show(table, traces)
    own = mean(table["this buffer"])
    print(f"this buffer: {own}\ngoal of P9:  {Row(*GOAL)}   (no worse on any axis, better on one)")
    for value, goal, what in zip(own.axes(), GOAL, ("ms of start delay", "underruns/min", "ms of silence/min"), strict=True):
        if value > goal:
            print(f"  {value - goal:.2f} {what} are left for lengthened pauses and stretching to save")
    found = missed(table, traces)
    for sentence in found:
        print(f"MISSED: {sentence}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
