"""What `voice talk` needs of a microphone and of a loudspeaker: cards (`sound.py`) and files (`wavmic.py`, `paced.py`) are both.

Both belong to whoever opened them, not to a session: sessions come and go while they run.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from voice.audio.echo import EchoReading
from voice.audio.jitter import JitterStats, Stopped
from voice.audio.pcm import Samples


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of the microphone."""

    samples: Samples
    """What is heard: int16, mono, 16 kHz, 320 of them; without the loudspeaker's echo, where there is a canceller."""
    dropped: bool = False
    """Nobody fetched it in time, or there was no device: silence of the same length is in its place."""
    stale: bool = False
    """Dropped because it was too old when the device gave it."""
    captured: Samples | None = None
    """The same 20 ms as the card gave them, if `samples` was processed."""
    played: Samples | None = None
    """What the loudspeaker was handed in the same 20 ms: as many samples at 16 kHz, mono; None where that is not known."""
    delay_ms: int = 0
    """A hint, from the stream's times: how much later than `played` its echo is in `captured`."""


class Microphone(Protocol):
    """Where speech comes from."""

    @property
    def name(self) -> str:
        """For people, one line."""
        ...

    @property
    def latency_s(self) -> float:
        """From the air to `frames`, now."""
        ...

    def frames(self) -> AsyncGenerator[Frame, None]:
        """What is said from now on, in real time, without a gap. One reader at a time. A device that goes does not end it: whoever
        opened the device is told."""
        ...

    @property
    def ended(self) -> bool:
        """Nothing more is said: a file is at its end (its frames go on, with silence)."""
        ...

    @property
    def echo(self) -> EchoReading | None:
        """What it hears of the loudspeaker; None where it can hear none, or nobody measures that."""
        ...


class Loudspeaker(Protocol):
    """Where replies are heard. From the event loop only."""

    name: str
    """For people, one line."""
    last: Samples
    """The last block that the device took, at the device's rate; to be read only."""

    def play(self, item_id: str, samples: Samples, rate_hz: int) -> None:
        """More of an item (int16, mono, any length), behind all before it; never waits."""
        ...

    def end(self, item_id: str) -> None:
        """The item is complete."""
        ...

    def stop(self) -> Stopped | None:
        """Silence within 5 ms. Says what was heard; None if there was nothing to stop."""
        ...

    def hold(self) -> None:
        """Silence within 5 ms; nothing is lost, and what comes is kept. Until `release`, or `stop`, which says what was heard."""
        ...

    def release(self) -> None:
        """Play on from the sample behind the last one that sounded, fading in."""
        ...

    @property
    def held(self) -> bool:
        """Whether it rests between `hold` and `release`."""
        ...

    def heard_ms(self, item_id: str) -> int:
        """How much of an item was heard, of its own ms; 0 of one that was forgotten (the last 32 are known)."""
        ...

    def began_s(self, item_id: str) -> float | None:
        """When its first sample was heard (monotonic seconds); None: it was not, or was forgotten."""
        ...

    @property
    def busy(self) -> bool:
        """Something is heard or waits to be."""
        ...

    @property
    def stranded(self) -> bool:
        """Something waits to be heard, and for long there has been no device that plays it."""
        ...

    @property
    def stats(self) -> JitterStats:
        """The counters of the playback buffer."""
        ...
