"""The events of a session on their way to the client, some of them late: what is sent next, and when.

    put ------------------------------------> READY ---> sent
      \\--- while nothing is to be sent ---> STUCK ---> READY, in the same order, when that is over
    late --- until its time ---> as `put`
    hold --- until others have passed, or none comes ---> as `put`, right behind them

What a fault sends by itself (`frame`) waits for nothing. Pure: `now` in seconds.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

A = TypeVar("A")
MAX_LATE_BYTES = 4 << 20
"""Of events that wait for their time. Beyond it the session has to wait, too."""
LONGEST_HOLD_S = 5.0
"""For the others that an event is to come behind: the client may be waiting for this one before it goes on."""
RESPONSE_DONE = "response.done"


@dataclass(slots=True)
class _Held:
    text: str
    kind: str
    events: int | None
    """How many are to pass yet; None: the next of its kind, or the end of its response."""
    until: float
    """Then it comes in any case."""


class Flow(Generic[A]):
    """See the top of the file. `sent` makes of an event's text what stands for it among the frames of the faults."""

    def __init__(self, sent: Callable[[str], A]) -> None:
        self._sent = sent
        self._ready: list[A] = []
        self._stuck: list[str] = []
        self._late: list[tuple[float, int, str, str]] = []
        self._late_bytes = 0
        self._count = 0
        self._held: list[_Held] = []
        self._silent_until = -math.inf

    @property
    def crowded(self) -> bool:
        """Whether nothing more should be put for now."""
        return bool(self._stuck) or self._late_bytes > MAX_LATE_BYTES

    def frame(self, frame: A) -> None:
        """Something that goes out in any case, behind what is ready."""
        self._ready.append(frame)

    def silence(self, until: float) -> None:
        """No event is sent until then."""
        self._silent_until = max(self._silent_until, until)

    def put(self, text: str, kind: str, now: float) -> None:
        """An event of this type, and what was held for it."""
        texts = [text, *self._let_go(kind)]
        if self._stuck or now < self._silent_until:
            self._stuck += texts
        else:
            self._ready += [self._sent(one) for one in texts]

    def late(self, text: str, kind: str, at: float) -> None:
        """An event that is put at that time."""
        self._count += 1
        self._late_bytes += len(text)
        heapq.heappush(self._late, (at, self._count, text, kind))

    def hold(self, text: str, kind: str, events: int | None, now: float) -> None:
        """An event that is put behind the next `events` ones; None: see `Reorder`."""
        self._held.append(_Held(text, kind, events, now + LONGEST_HOLD_S))

    def holds(self, kind: str) -> bool:
        """Whether an event of this type waits for another to pass."""
        return any(held.kind == kind for held in self._held)

    def pass_time(self, now: float) -> None:
        """What was to come by now."""
        if now >= self._silent_until and self._stuck:
            stuck, self._stuck = self._stuck, []
            self._ready += [self._sent(text) for text in stuck]
        while self._late and self._late[0][0] <= now:
            _, _, text, kind = heapq.heappop(self._late)
            self._late_bytes -= len(text)
            self.put(text, kind, now)
        while self._held and self._held[0].until <= now:
            held = self._held.pop(0)
            self.put(held.text, held.kind, now)

    def take(self) -> list[A]:
        """What is to be sent now; `pass_time` before."""
        ready, self._ready = self._ready, []
        return ready

    def deadline(self) -> float | None:
        """When time will bring more; None: not by time alone."""
        times = [*(late[0] for late in self._late[:1]), *(held.until for held in self._held[:1])]
        if self._stuck:
            times.append(self._silent_until)
        soonest = min(times, default=math.inf)
        return None if math.isinf(soonest) else soonest

    def rest(self) -> list[A]:
        """All that has not been sent, in order: the session is over."""
        late = [text for _, _, text, _ in sorted(self._late)]
        texts = [*self._stuck, *(held.text for held in self._held), *late]
        self.forget()
        return [*self.take(), *(self._sent(text) for text in texts)]

    def forget(self) -> None:
        """Nothing of what waits will be sent."""
        self._stuck, self._held, self._late, self._late_bytes = [], [], [], 0

    def _let_go(self, kind: str) -> list[str]:
        """What was held until an event of this type has passed."""
        free: list[_Held] = []
        kept: list[_Held] = []
        for held in self._held:
            if held.events is not None:
                held.events -= 1
            passed = held.events <= 0 if held.events is not None else kind in (held.kind, RESPONSE_DONE)
            (free if passed else kept).append(held)
        self._held = kept
        return [held.text for held in free]
