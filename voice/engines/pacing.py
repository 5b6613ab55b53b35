"""When each piece of a scripted reply goes out, and how much sound is in it: by a factor of real time, or as pieces once arrived.

Pure. Used by `recital.py`; `fixtures/arrivals` has recordings.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from voice.errors import ConfigError

PIECE_MS = 100
FACTOR = 3.0
"""What the paid service does, about: ahead of who listens, and not so far that much is thrown away when he interrupts."""
COLUMNS = ("reply", "audio_ms", "arrived_s")


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one piece."""

    due_s: float
    """From the first piece of the reply."""
    length_ms: float
    """How much sound goes there."""


Recorded = tuple[tuple[Slot, ...], ...]
"""Replies, each as the places of its pieces."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """Either a factor, or arrivals of replies that were recorded."""

    factor: float = FACTOR
    """Sound goes out so many times faster than it is played; infinite: all at once."""
    piece_ms: int = PIECE_MS
    recorded: Recorded = ()
    """One recording a reply; they take turns. Without any the factor counts."""

    def slots(self, use: int) -> Iterator[Slot]:
        """Places for the pieces of a reply, without an end; `use`: how often it was given before."""
        if not self.recorded:
            at = 0
            while True:
                yield Slot(at / 1000 / self.factor, self.piece_ms)
                at += self.piece_ms
        begins_s = 0.0
        while True:
            recording = self.recorded[use % len(self.recorded)]
            for slot in recording:
                yield Slot(begins_s + slot.due_s, slot.length_ms)
            last = recording[-1]
            # One that is too short goes on with the next, at its own mean pace.
            begins_s += last.due_s + (last.due_s / (len(recording) - 1) if last.due_s else last.length_ms / 1000)
            use += 1


def read_arrivals(text: str, name: str) -> Recorded:
    """Recorded arrivals: one row a piece, `reply,seq,audio_ms,sent_s,arrived_s` (only three of these count). Raises: ConfigError."""
    first, *rows = text.splitlines() or [""]
    names = [column.strip() for column in first.split(",")]
    if missing := [column for column in COLUMNS if column not in names]:
        raise ConfigError(f"{name}:1: the first line names the columns, and '{missing[0]}' is not among them")
    found: dict[str, list[tuple[float, float]]] = {}
    for number, line in enumerate(rows, 2):
        if not line.strip():
            continue
        row = dict(zip(names, (value.strip() for value in line.split(",")), strict=False))
        length_ms, arrived_s = (_number(row.get(column, ""), column, f"{name}:{number}") for column in COLUMNS[1:])
        before = found.setdefault(row.get(COLUMNS[0], ""), [])
        if length_ms <= 0:
            raise ConfigError(f"{name}:{number}: audio_ms is above 0")
        if before and arrived_s < before[-1][1]:
            raise ConfigError(f"{name}:{number}: arrived_s is before that of the line above")
        before.append((length_ms, arrived_s))
    if not found:
        raise ConfigError(f"{name}:1: no arrivals in it")
    return tuple(tuple(Slot(at_s - pieces[0][1], length_ms) for length_ms, at_s in pieces) for pieces in found.values())


def _number(text: str, column: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f"{where}: {column} is a number, not '{text[:40]}'")
    return value
