"""When the sound of replies arrives: recorded (fixtures/arrivals, or any trace of that shape) and computed, for links that nobody recorded.

A computed link has a producer (faster than speech by `speed`, which stalls now and then), a bottleneck (`thin`: its speed), pauses of the
radio and losses that hold back what is behind them; everything comes a little late, at random.
"""

import csv
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random

ARRIVALS = Path(__file__).resolve().parent.parent.parent / "fixtures" / "arrivals"
ROUND_TRIP_S = 0.025
REPLY_MS = 6_000


@dataclass(frozen=True, slots=True)
class Delta:
    """One audio delta: its length and when it came."""

    length_ms: int
    came_us: int


Reply = list[Delta]


@dataclass(frozen=True, slots=True)
class Link:
    """A kind of link. Times in s."""

    speed: float = 3.0
    """Of the producer, in real time."""
    delta_ms: int = 100
    thin: float = 0.0
    """Speed of the bottleneck in real time; 0: there is none."""
    pause: tuple[float, float] = (0.0, 0.0)
    """Every so often nothing passes, for so long."""
    loss: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """A delta is lost with this chance, and comes so much later, at least and at most, with all that is behind it."""
    stall: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """So often a second the producer stalls, for at least and at most so long."""
    late_s: float = 0.005
    """What everything is late by, in the mean."""


LINKS = {
    "clean": Link(),
    "fast": Link(speed=1.6, late_s=0.02),
    "slow": Link(speed=1.02, delta_ms=40, late_s=0.015),
    "thin": Link(thin=1.05, late_s=0.015),
    "thinner": Link(thin=0.98),
    "thin-lossy": Link(thin=1.2, loss=(0.01, 0.2, 0.4)),
    "loss": Link(loss=(0.01, 0.2, 0.3)),
    "burst-loss": Link(loss=(0.03, 0.2, 0.6)),
    "wifi": Link(pause=(4.3, 0.35)),
    "wifi-long": Link(pause=(4.3, 0.8)),
    "wifi-slow": Link(speed=1.05, delta_ms=40, pause=(4.3, 0.35)),
    "wifi-long-slow": Link(speed=1.1, delta_ms=40, pause=(6.0, 0.5)),
    "stalls": Link(stall=(0.45, 0.3, 1.2)),
    "stalls-less": Link(speed=2.0, stall=(0.15, 0.3, 0.8)),
}


def computed(link: Link, seed: int, replies: int = 12) -> list[Reply]:
    """Replies of 6 s over such a link, one after the other."""
    random = Random(seed)
    return [_reply(link, random) for _ in range(replies)]


def _reply(link: Link, random: Random) -> Reply:
    every_s, pause_s = link.pause
    chance, least_s, most_s = link.loss
    often, stall_least_s, stall_most_s = link.stall
    phase_s = random.uniform(0, every_s)
    stalls_s = random.expovariate(often) if often else float("inf")
    sent_s = free_s = held_s = came_s = 0.0
    deltas = []
    for _ in range(REPLY_MS // link.delta_ms):
        left_s = max(sent_s, free_s) + (link.delta_ms / 1000 / link.thin if link.thin else 0.0)
        if every_s and (left_s + phase_s) % every_s < pause_s:
            left_s += pause_s - (left_s + phase_s) % every_s
        free_s = left_s if link.thin or every_s else 0.0
        if random.random() < chance:
            held_s = max(held_s, left_s + random.uniform(least_s, most_s))
        came_s = max(came_s, held_s, left_s + ROUND_TRIP_S + random.expovariate(1 / link.late_s))
        deltas.append(Delta(link.delta_ms, round(came_s * 1e6)))
        sent_s += link.delta_ms / 1000 / link.speed
        if sent_s > stalls_s:
            sent_s += random.uniform(stall_least_s, stall_most_s)
            stalls_s = sent_s + random.expovariate(often)
    return deltas


def recorded(path: Path) -> list[Reply]:
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
