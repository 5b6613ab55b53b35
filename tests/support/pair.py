"""Both ends of a Realtime session on a wire without an event loop: what one sends the other has received when a call returns.

What the client sends is judged too (`oracle.py`); what the server sends is checked by `Served`.
"""

import json
from typing import Any

from tests.support.needs import missing
from tests.support.oracle import judge
from tests.support.served import Served, counted, sound
from voice.audio.turns import TurnDetector
from voice.protocol.client import ClientSession
from voice.protocol.notices import Notice
from voice.protocol.objects import Session


class Pair:
    """A `ClientSession` and a `ServerSession`; the engine is the test, through `server` (a `Served`)."""

    def __init__(self, settings: Session, detector: TurnDetector | None = None, gate: bool = False) -> None:
        self.server = Served()
        self.client = ClientSession(settings, counted("c"), detector, gate=gate)
        self.notices: list[Notice] = []
        self.up: list[dict[str, Any]] = []
        self.cut = False
        """While True nothing that the client sends arrives."""
        self.client.connected()
        for event in self.server.sent:
            self.notices += self.client.receive(json.dumps(event), 0.0)
        self.run()

    def run(self) -> list[Notice]:
        """Hand over until nobody has anything to say; returns what the client was told."""
        before = len(self.notices)
        seen = len(self.server.sent)
        while not self.cut:
            texts = self.client.outgoing()
            for text in texts:
                if not missing("openai"):
                    judge("client", text)
                self.up.append(json.loads(text))
                self.server.text(text)
            self.server.take()
            news, seen = self.server.sent[seen:], len(self.server.sent)
            for event in news:
                self.notices += self.client.receive(json.dumps(event), self.server.now)
            if not texts and not news:
                break
        return self.notices[before:]

    def deliver(self, events: list[dict[str, Any]]) -> list[Notice]:
        """Give events that the server has sent outside of `run` to the client."""
        told = []
        for event in events:
            told += self.client.receive(json.dumps(event), self.server.now)
        self.notices += told
        return told + self.run()

    def push(self, pattern: str) -> list[Notice]:
        """The microphone hears this, frame by frame; returns what the client was told."""
        before = len(self.notices)
        for character in pattern:
            self.notices += self.client.push_audio(sound(character))
            self.run()
        return self.notices[before:]

    def reply(self, text: str = "Hello there.", ms: int = 300) -> list[Notice]:
        """The engine answers the newest order."""
        return self.deliver(self.server.reply(text, ms))
