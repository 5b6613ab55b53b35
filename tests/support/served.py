"""The answering session with a test for a client: events go in and come out as dictionaries, without an event loop.

Every event that the server sends passes the order checker (`order.py`) and, where the `openai` package is installed, its typed
models. The detector is played by the sound itself: `sound("..####..")` is silence and tone, one character a frame of 20 ms.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support.needs import missing
from tests.support.oracle import judge
from tests.support.order import Order
from tests.support.signals import tone
from voice.audio.pcm import FRAME_MS, RATE_HZ, Samples, dbfs, samples_in, to_bytes
from voice.audio.turns import TurnDetector
from voice.protocol.objects import Session, TurnDetection
from voice.protocol.orders import Order as EngineOrder
from voice.protocol.orders import ReplyWanted
from voice.protocol.server import ServerSession
from voice.protocol.settings import defaults, turn_settings

LIFE_S = 3600.0
LOUD_DBFS = -40.0


def sound(pattern: str, rate_hz: int = RATE_HZ) -> Samples:
    """A tone for each "#", silence for each ".": 20 ms each."""
    loud = tone(FRAME_MS * max(1, len(pattern)), rate_hz=rate_hz)
    speech = np.repeat([character == "#" for character in pattern], samples_in(FRAME_MS, rate_hz))
    return np.where(speech, loud[: len(speech)], 0).astype(np.int16)


def counted(side: str) -> Callable[[str], str]:
    """Ids that count up: item_s1, item_s2."""
    counts: dict[str, int] = {}

    def new_id(kind: str) -> str:
        counts[kind] = counts.get(kind, 0) + 1
        return f"{kind}_{side}{counts[kind]}"

    return new_id


class Loudness:
    """Hears speech in what is loud, and remembers the thresholds that it was given."""

    def __init__(self, threshold: float = 0.5) -> None:
        self.thresholds = [threshold]

    def push(self, frame: Samples) -> bool:
        return dbfs(frame) > LOUD_DBFS

    def reset(self) -> None:
        pass

    def tune(self, threshold: float) -> None:
        self.thresholds.append(threshold)


def loud_turns(detection: TurnDetection | None = None) -> TurnDetector:
    """The turn detector of the house over `Loudness`."""
    settings = turn_settings(detection or TurnDetection())
    return TurnDetector(settings, Loudness(settings.threshold))


class Served:
    """A `ServerSession` and a client that is a test: events in and out are dictionaries."""

    def __init__(self, ends_at: float = LIFE_S, settings: Session | None = None, recogniser: str = "", side: str = "s") -> None:
        self.now = 0.0
        self.order = Order()
        self.orders: list[EngineOrder] = []
        self.heard: list[Loudness] = []
        start = settings or defaults("voice-test", "sess_1", int(LIFE_S), "test")
        self.session = ServerSession(start, counted(side), self._make_detector, ends_at, recogniser)
        # By this object, event by event.
        self.session.judged_elsewhere = True  # type: ignore[attr-defined]
        self.take()

    def _make_detector(self, detection: TurnDetection) -> TurnDetector:
        settings = turn_settings(detection)
        self.heard.append(Loudness(settings.threshold))
        return TurnDetector(settings, self.heard[-1])

    def send(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """An event of the client; returns what the server sends."""
        return self.text(json.dumps({"type": kind, **fields}))

    def text(self, text: str | bytes) -> list[dict[str, Any]]:
        """The same as a raw text."""
        self.orders += self.session.receive(text, self.now)
        return self.take()

    def update(self, **session: Any) -> list[dict[str, Any]]:
        """`session.update`."""
        return self.send("session.update", session={"type": "realtime", **session})

    def append(self, samples: Samples) -> list[dict[str, Any]]:
        """Sound, at the rate of the session."""
        return self.send("input_audio_buffer.append", audio=base64.b64encode(to_bytes(samples)).decode())

    def hear(self, pattern: str, rate_hz: int = 24_000) -> list[dict[str, Any]]:
        """Sound, as a pattern."""
        return self.append(sound(pattern, rate_hz))

    def tick(self, now: float) -> list[dict[str, Any]]:
        """Time passes."""
        self.now = now
        self.orders += self.session.tick(now)
        return self.take()

    def wanted(self) -> list[ReplyWanted]:
        """The replies that were ordered, oldest first."""
        return [order for order in self.orders if isinstance(order, ReplyWanted)]

    def say(self, text: str, *pieces: Samples, rate_hz: int = 24_000) -> list[dict[str, Any]]:
        """The engine says this in the newest reply, with this sound."""
        self.session.say(self.wanted()[-1].response_id, text)
        for samples in pieces:
            self.session.sound(self.wanted()[-1].response_id, samples, rate_hz)
        return self.take()

    def end(self, failure: str | None = None) -> list[dict[str, Any]]:
        """The engine ends the newest reply."""
        self.orders += self.session.end_reply(self.wanted()[-1].response_id, failure)
        return self.take()

    def reply(self, text: str = "Hello there.", ms: int = 300) -> list[dict[str, Any]]:
        """The engine answers: words, a tone, the end."""
        spoken = [tone(ms, rate_hz=24_000)] if self.wanted()[-1].spoken else []
        return self.say(text, *spoken) + self.end()

    def take(self) -> list[dict[str, Any]]:
        """What the server sends now, checked."""
        events = []
        for text in self.session.outgoing():
            if not missing("openai"):
                judge("server", text)
            assert len(text) < 1 << 20, "an event stays under 1 MiB"
            events.append(json.loads(text))
            self.order.see(events[-1])
        return events

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Everything that the server has sent."""
        return self.order.seen


def types(events: list[dict[str, Any]]) -> list[str]:
    """The events' types."""
    return [event["type"] for event in events]
