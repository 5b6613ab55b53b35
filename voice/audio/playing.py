"""The items of replies that are played, and which of their samples have left the loudspeaker: for `jitter.py`."""

import enum
from collections import deque
from dataclasses import dataclass

from voice.audio.arrivals import Arrivals
from voice.audio.pcm import Samples
from voice.audio.quiet import Quiet
from voice.audio.tape import Tape


class State(enum.Enum):
    """Of an item; `jitter.py` says what leads from one to the next."""

    WAITING = enum.auto()
    PLAYING = enum.auto()
    DRY = enum.auto()


class Item:
    """One item of a reply: its sound that is still to be played, and where it is."""

    def __init__(self, item_id: str, arrivals: Arrivals) -> None:
        self.item_id = item_id
        self.arrivals = arrivals
        self.state = State.WAITING
        self.ended = False
        self.played = 0
        self.silent = 0
        """Samples of silence given out while it waited, or since it ran dry."""
        self.heard = 0
        """Samples that left the loudspeaker, as far as counted."""
        self.quiet = Quiet(arrivals.rate_hz)
        self._tape = Tape(arrivals.rate_hz)

    @property
    def left(self) -> int:
        """Samples that are here and were not played."""
        return self.arrivals.received - self.played

    @property
    def finished(self) -> bool:
        """Whether nothing of it is still to be heard, or to come."""
        return self.ended and self.heard == self.arrivals.received

    def add(self, samples: Samples, now_us: int) -> None:
        """A delta has come."""
        self._tape.add(samples)
        self.quiet.add(samples)
        self.arrivals.add(len(samples), now_us)

    def draw(self, limit: int) -> Samples:
        """The next samples, at most `limit` (a view)."""
        piece = self._tape.read(limit)
        self.played += len(piece)
        return piece

    def around(self, back: int, ahead: int) -> Samples | None:
        """The last `back` samples that were drawn and the next `ahead` ones, in one piece; None where there are not so many."""
        return self._tape.around(back, ahead)


@dataclass(slots=True)
class Run:
    """Samples of one item that were handed out together."""

    item: Item
    out_from: int
    """The first, counted in all samples handed out."""
    item_from: int
    """The first, counted in the item's samples."""
    count: int


class Runs:
    """What was handed out and has not been heard yet."""

    def __init__(self) -> None:
        self.latest: Item | None = None
        """The item of which something was heard last."""
        self._runs: deque[Run] = deque()

    def add(self, item: Item, out_from: int, count: int) -> None:
        """The last `count` samples that `item` gave are handed out."""
        last = self._runs[-1] if self._runs else None
        if last and last.item is item and last.out_from + last.count == out_from:
            last.count += count
        else:
            self._runs.append(Run(item, out_from, item.played - count, count))

    def settle(self, out: int) -> None:
        """Everything before sample `out` has been heard."""
        while self._runs and self._runs[0].out_from < out:
            run = self._runs[0]
            heard = min(run.count, out - run.out_from)
            # What was heard stays heard, whatever latency the device has now.
            run.item.heard = max(run.item.heard, run.item_from + heard)
            self.latest = run.item
            if heard < run.count:
                break
            self._runs.popleft()

    def items(self) -> list[Item]:
        """Those of which something is on its way to the loudspeaker, each once, in order."""
        return list(dict.fromkeys(run.item for run in self._runs))

    def clear(self) -> None:
        self._runs.clear()
        self.latest = None
