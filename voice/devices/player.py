"""The playback buffer between the two who use it: the event loop puts replies in, a device's callback takes them out.

A lock keeps them apart; both hold it for some microseconds at a time. What is put is brought to the device's rate here, one stream of
the resampler for each item, so that the callback has nothing to do but to copy.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from voice.audio.jitter import JitterBuffer, JitterStats, Stopped
from voice.audio.pcm import Samples, empty, ms_in
from voice.audio.resample import Resampler

REMEMBERED = 64
"""Items whose beginning is remembered."""
STALLED_S = 5.0
"""A reply that has run dry for so long is not heard any more, whatever its server does."""
US = 1_000_000


@dataclass(slots=True)
class _Length:
    """Of an item."""

    rate_hz: int
    """Of what came."""
    came: int = 0
    """Samples at that rate."""
    given: int = 0
    """Samples at the device's rate."""


class Player:
    """See the top of the file. `latency_s`: from `take` to the air."""

    def __init__(self, rate_hz: int, latency_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate_hz = rate_hz
        self.tap: Callable[[Samples, int, float], None] | None = None
        """Told by `take` what it gave, at which rate, and when the first of it is in the air (monotonic seconds)."""
        self._clock = clock
        self._lock = threading.Lock()
        self._buffer = JitterBuffer(rate_hz)
        self._buffer.latency_samples = round(latency_s * rate_hz)
        self._open: tuple[str, int, Resampler] | None = None
        self._lengths: dict[str, _Length] = {}
        self._began_s: dict[str, float] = {}
        self._sounded_s = 0.0
        self.last = empty()
        """The last block that was taken, for whoever shows how loud it is."""

    def delayed_by(self, latency_s: float) -> None:
        """From `take` to the air, where it is known only once the device is open; may change while it plays."""
        with self._lock:
            self._buffer.latency_samples = round(latency_s * self.rate_hz)

    def play(self, item_id: str, samples: Samples, rate_hz: int) -> None:
        """More of an item at `rate_hz`. A new item says that the one before it is complete."""
        if self._open is None or self._open[:2] != (item_id, rate_hz):
            self._close()
            self._open = (item_id, rate_hz, Resampler(rate_hz, self.rate_hz))
            self._lengths[item_id] = _Length(rate_hz)
            if len(self._lengths) > REMEMBERED:
                del self._lengths[next(iter(self._lengths))]
        self._lengths[item_id].came += len(samples)
        self._put(item_id, self._open[2].push(samples))

    def end(self, item_id: str) -> None:
        """The item is complete: the rest is played at once."""
        if self._open is not None and self._open[0] == item_id:
            self._close()
        with self._lock:
            self._buffer.end(item_id)

    def stop(self) -> Stopped | None:
        """Stops; says what was heard."""
        self._open = None
        with self._lock:
            return self._buffer.flush()

    def hold(self) -> None:
        """Silence within 5 ms, and nothing is lost; until `release` or `stop`."""
        with self._lock:
            self._buffer.hold()

    def release(self) -> None:
        """Play on from the very next sample."""
        with self._lock:
            self._buffer.release()

    @property
    def held(self) -> bool:
        """Whether it rests between `hold` and `release`."""
        return self._buffer.held

    def take(self, count: int) -> Samples:
        """The next samples for the loudspeaker. For the audio callback: never waits for more than another's copy."""
        now_s = self._clock()
        with self._lock:
            self.last = out = self._buffer.take(count, round(now_s * US))
            at = self._buffer.position()
            if not self._buffer.idle and self._buffer.stats.buffered_ms:
                self._sounded_s = now_s
            if at is not None and at[1] and at[0] not in self._began_s:
                self._began_s[at[0]] = now_s - at[1] / self.rate_hz
                if len(self._began_s) > REMEMBERED:
                    del self._began_s[next(iter(self._began_s))]
            air_s = now_s + (self._buffer.latency_samples - count) / self.rate_hz
        if self.tap is not None:
            self.tap(out, self.rate_hz, air_s)
        return out

    def began_s(self, item_id: str) -> float | None:
        """When the item's first sample was heard."""
        return self._began_s.get(item_id)

    def heard_ms(self, item_id: str) -> int:
        """How much of the item was heard, of its own ms: the whole of it is as long as it came, whatever the device's rate makes of it."""
        with self._lock:
            heard_ms = self._buffer.heard(item_id)
        length = self._lengths.get(item_id)
        complete = self._open is None or self._open[0] != item_id
        if length is not None and complete and heard_ms == ms_in(length.given, self.rate_hz):
            return ms_in(length.came, length.rate_hz)
        return heard_ms

    @property
    def busy(self) -> bool:
        """Something is heard or waits to be."""
        with self._lock:
            if not self._buffer.idle and self._buffer.stats.buffered_ms:
                return True
            return self._buffer.position() is not None and self._clock() - self._sounded_s < STALLED_S

    @property
    def stats(self) -> JitterStats:
        """The counters of the buffer."""
        with self._lock:
            return self._buffer.stats

    def _close(self) -> None:
        if self._open is not None:
            item_id, _, resampler = self._open
            self._open = None
            self._put(item_id, resampler.flush())

    def _put(self, item_id: str, samples: Samples) -> None:
        if len(samples):
            now_s = self._clock()
            self._lengths[item_id].given += len(samples)
            with self._lock:
                self._buffer.put(item_id, samples, round(now_s * US))
