"""The playback buffer: reply sound comes in bursts and stalls, the loudspeaker wants so many samples every few milliseconds.

The items of replies are played in the order in which they came. The first of the queue is in one of three states:

    WAITING --may start--> PLAYING --no samples, more to come--> DRY --resume_ms are there, or the rest--> PLAYING

It may start (`starting.py`) when it has waited as long as past replies say that it may need (`arrivals.py`), or is so far ahead of the
loudspeaker that it need not wait, or is complete; and not with less than the device takes at a time: it would run dry at once.

A lead is never given up: nothing here plays faster than it was spoken. If it is low, pauses are made longer, then words (`lead.py`); if it
is gone, the sound dies away (`elastic.py`, `fades.py`). What is added is laid between two samples of the original: every sample is played
once, in order, until `flush`, and is exact but for a fade-in after a gap. `hold` lets playback rest; after `release` it goes on with
the very next sample.

What was heard is counted in original samples, less the latency of the device, through a map from samples handed out to samples of an
item (`playing.Runs`), in which what was added, silence too, has no place.

`web/jitter.js` is its twin, held to it by fixtures/traces/jitter-*.jsonl. Not safe for two threads: one owns it, which may be the audio
callback's (it never waits, and neither logs nor raises). All `now_us` are of one monotonic clock.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from voice.audio.arrivals import Arrivals
from voice.audio.fades import Fades
from voice.audio.lead import Lead
from voice.audio.pcm import Samples, ms_in, samples_in
from voice.audio.playing import Item, Runs, State
from voice.audio.starting import Starting
from voice.audio.tuning import JitterSettings

REMEMBERED = 32
"""Items of which `heard` still knows after they were played or flushed."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What was really played when playback was stopped."""

    item_id: str
    """The item at the loudspeaker, or the first to come there."""
    heard_ms: int
    """Of its original sound, rounded down; 0 if none was heard."""
    unheard: tuple[str, ...] = ()
    """The other items that were stopped: nothing of them was heard."""


@dataclass(frozen=True, slots=True)
class JitterStats:
    """Counters since the beginning. Sound at the end of a reply is no underrun, whatever the link does."""

    replies: int = 0
    """Items of which sound was played."""
    start_ms: int = 0
    """Silence between the last item's first delta and its first sample, while nothing else was played."""
    start_total_ms: int = 0
    """The same of all items."""
    underruns: int = 0
    """Times at which sound stopped in mid-reply for want of samples."""
    silence_ms: int = 0
    """How long it stopped, in sum."""
    played_ms: int = 0
    """Original sound handed to the device."""
    buffered_ms: int = 0
    """Sound that waits now, of all items."""
    late_max_ms: int = 0
    """The longest start delay that a reply would have needed."""
    lengthened_ms: int = 0
    """By how much pauses were made longer."""
    stretched_ms: int = 0
    """By how much words were."""


@dataclass(slots=True)
class _Counts:
    """In samples, but for the last."""

    out: int = 0
    """All that was handed out, silence too."""
    replies: int = 0
    start: int = 0
    start_total: int = 0
    underruns: int = 0
    silence: int = 0
    played: int = 0
    late_max_us: int = 0


class JitterBuffer:
    """See the top of this file."""

    def __init__(self, rate_hz: int = 24_000, settings: JitterSettings | None = None) -> None:
        """`rate_hz`: of what is put and taken. `settings` are measured ones unless given. Raises: ValueError if the rate is not positive."""
        if rate_hz < 1:
            raise ValueError(f"a sample rate is positive, not {rate_hz} Hz")
        self.rate_hz = rate_hz
        self.latency_samples = 0
        """From `take` to the air, in samples: what was taken later than this has not been heard. May change at any time."""
        self._settings = settings or JitterSettings()
        self.held = False
        """Whether playback rests: see `hold`."""
        self._starting = Starting(self._settings, rate_hz)
        self._lead = Lead(self._settings.lead, rate_hz, self._starting.past)
        self._items: deque[Item] = deque()
        self._gone: deque[Item] = deque(maxlen=REMEMBERED)
        self._runs = Runs()
        self._fades = Fades(samples_in(self._settings.fade_ms, rate_hz))
        self._flush_samples = samples_in(self._settings.flush_ms, rate_hz)
        self._counts = _Counts()

    def put(self, item_id: str, samples: Samples, now_us: int) -> None:
        """Sound of an item (int16, mono, any length; kept, not copied), behind all that was put before.

        A new item says that those before it are complete. Samples of an item that was flushed are the caller's to drop.
        """
        if not len(samples):
            return
        item = next((item for item in self._items if item.item_id == item_id), None)
        if item is None:
            for before in self._items:
                self._starting.end(before)
            item = Item(item_id, Arrivals(self.rate_hz, now_us))
            self._items.append(item)
        item.add(samples, now_us)
        self._counts.late_max_us = max(self._counts.late_max_us, item.arrivals.needed_us)

    def end(self, item_id: str) -> None:
        """The item is complete: the rest is played at once. Nothing happens if there is no such item (any more)."""
        for item in self._items:
            if item.item_id == item_id:
                self._starting.end(item)

    def take(self, count: int, now_us: int) -> Samples:
        """The next `count` samples for the loudspeaker, silence where there is nothing to play. For the audio callback."""
        out = np.zeros(count, np.int16)
        at = 0
        while at < count:
            item = self._next(count - at, now_us)
            if item:
                at += self._play(item, out[at:], self._counts.out + at)
                continue
            self._lead.rest()
            self._fades.stop(self._flush_samples if self.held else None)
            # A fade-out, or silence for the rest.
            quiet = self._fades.ring(out[at:]) or count - at
            if self._items and not self.held:
                self._items[0].silent += quiet
            at += quiet
        self._counts.out += count
        return out

    def hold(self) -> None:
        """Rests: the next `take` has `flush_ms` of fading sound, then silence, until `release`. Nothing is lost, what comes is kept,
        and no counter counts it."""
        self.held = True

    def release(self) -> None:
        """Plays on from the sample behind the last one that was given, fading in. Nothing happens if nothing is held."""
        self.held = False

    def flush(self) -> Stopped | None:
        """Stops: the next `take` has `flush_ms` of fading sound, then silence. Says what was heard; None if there was nothing to stop.

        What is held is stopped too, and nothing is held any more.
        """
        self.held = False
        self._settle()
        heard = self._runs.latest
        pending = [*([heard] if heard and not heard.finished else []), *self._runs.items(), *self._items]
        stopped = list(dict.fromkeys(pending))
        for item in self._items:
            self._starting.end(item)
            self._gone.append(item)
        self._items.clear()
        self._runs.clear()
        self._lead.rest()
        self._fades.stop(self._flush_samples)
        if not stopped:
            return None
        first, *others = stopped
        return Stopped(first.item_id, ms_in(first.heard, self.rate_hz), tuple(item.item_id for item in others))

    def position(self) -> tuple[str, int] | None:
        """(item, samples of it that were heard) of what is at the loudspeaker; None before the first and after the last sample."""
        self._settle()
        item = self._runs.latest
        return (item.item_id, item.heard) if item and not item.finished else None

    def heard(self, item_id: str) -> int:
        """How many ms of an item were heard, rounded down; 0 of one that is not known or was forgotten (the last 32 are known)."""
        self._settle()
        found = [item.heard for item in (*self._gone, *self._items) if item.item_id == item_id]
        return ms_in(found[-1], self.rate_hz) if found else 0

    @property
    def idle(self) -> bool:
        """Whether there is nothing left to play, and nothing more to come of what was."""
        return not self._items

    @property
    def stats(self) -> JitterStats:
        """The counters now."""
        counts = self._counts
        return JitterStats(
            replies=counts.replies,
            start_ms=ms_in(counts.start, self.rate_hz),
            start_total_ms=ms_in(counts.start_total, self.rate_hz),
            underruns=counts.underruns,
            silence_ms=ms_in(counts.silence, self.rate_hz),
            played_ms=ms_in(counts.played, self.rate_hz),
            buffered_ms=ms_in(sum(item.left for item in self._items), self.rate_hz),
            late_max_ms=counts.late_max_us // 1000,
            lengthened_ms=ms_in(self._lead.lengthened, self.rate_hz),
            stretched_ms=ms_in(self._lead.stretched, self.rate_hz),
        )

    def _next(self, count: int, now_us: int) -> Item | None:
        """The item that gives the next of `count` samples; None if there is none, or it is not time."""
        while self._items and self._items[0].ended and not self._items[0].left:
            self._gone.append(self._items.popleft())
        if not self._items or self.held:
            return None
        item = self._items[0]
        if item.left and (item.state is State.PLAYING or self._starting.may_start(item, count, now_us)):
            self._begin(item)
            return item
        if item.state is State.PLAYING:
            item.state = State.DRY
            self._fades.trail(self._lead.dry(item))
        return None

    def _begin(self, item: Item) -> None:
        """From WAITING or DRY to PLAYING, with what that means for the counters."""
        match item.state:
            case State.PLAYING:
                # Nothing is heard of this, but after `release`.
                self._fades.start(fade_in=True)
                return
            case State.WAITING:
                self._counts.replies += 1
                self._counts.start = item.silent
                self._counts.start_total += item.silent
                self._fades.start(fade_in=False)
            case State.DRY:
                self._counts.underruns += 1
                self._counts.silence += item.silent
                self._fades.start(fade_in=True)
        item.state = State.PLAYING
        item.silent = 0

    def _play(self, item: Item, out: Samples, out_from: int) -> int:
        """Some samples of the item into `out`; how many."""
        piece, own = self._lead.draw(item, len(out))
        self._fades.pass_on(piece, out)
        if own:
            self._runs.add(item, out_from, len(piece))
            self._counts.played += len(piece)
        # Here, and not only when somebody asks: else the map would grow.
        self._settle()
        return len(piece)

    def _settle(self) -> None:
        self._runs.settle(self._counts.out - self.latency_samples)
