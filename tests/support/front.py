"""A client in front of a stage (`protocol/backstage.py`) in front of our answering session, without an event loop.

The test is the client, the model behind, and the tools: `ask` and `say` play the client, `call` and `words` the model, `give` a tool's output.
What the client is told passes the order checker and the models of the `openai` package, as if a server had said it; nothing that it is told
holds a `SECRET`, which the tools' names and the words about the client do.
"""

import json
from typing import Any

from tests.support.needs import missing
from tests.support.oracle import judge
from tests.support.order import Order
from tests.support.served import Served, counted, sound
from tests.support.signals import tone
from voice.protocol.backstage import Backstage, Staged
from voice.protocol.shownresponse import HiddenCall
from voice.protocol.tools import Tool
from voice.protocol.untrusted import quoted
from voice.protocol.veil import Veil

Event = dict[str, Any]
SECRET = "zebra"
ORDERS = Tool(f"{SECRET}_orders", "Looks up an order.", {"type": "object", "properties": {"number": {"type": "integer"}}})
REFUND = Tool(f"{SECRET}_refund", "Refunds an order.")
THEIRS = {"type": "function", "name": "theirs", "parameters": {"type": "object", "properties": {}}}


def veil(**facts: object) -> Veil:
    """Two tools, and words about the client."""
    return Veil((ORDERS, REFUND), {ORDERS.name, REFUND.name}, quoted(facts or {"basket": [f"a {SECRET}"]}, "m4rk"))


class Front:
    """See the top of the file."""

    def __init__(self, chosen: Veil | None = None) -> None:
        self.server = Served()
        self.stage = Backstage(chosen or veil(), counted("b"))
        self.told: list[Event] = []
        self.calls: list[HiddenCall] = []
        self.up: list[Event] = []
        """What the server behind was sent."""
        self.order = Order(between=True)
        self._given = 0
        self.run()

    def run(self) -> list[Event]:
        """Hand over what the server behind has said; returns what the client was told."""
        seen = len(self.told)
        while self._given < len(self.server.sent):
            event = self.server.sent[self._given]
            self._given += 1
            self._do(self.stage.down(json.dumps(event)))
        return self.told[seen:]

    def ask(self, kind: str, **fields: Any) -> list[Event]:
        """An event of the client; returns what it is told."""
        seen = len(self.told)
        self._do(self.stage.up(json.dumps({"type": kind, **fields})))
        self.run()
        return self.told[seen:]

    def say(self, text: str = "Where is my order?", **params: Any) -> list[Event]:
        """A typed message, and a wish for an answer."""
        content = [{"type": "input_text", "text": text}]
        told = self.ask("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        return told + self.ask("response.create", **({"response": params} if params else {}))

    def hear(self, pattern: str) -> list[Event]:
        """The client's microphone."""
        seen = len(self.told)
        self.server.append(sound(pattern, 24_000))
        self.run()
        return self.told[seen:]

    def call(self, name: str, call_id: str, arguments: str = "{}") -> None:
        """The model calls a function in its newest response."""
        self.server.session.call(self._reply, call_id, name, arguments)
        self.server.take()
        self.run()

    def words(self, text: str) -> None:
        """The model says something in its newest response."""
        self.server.say(text, *([tone(100, rate_hz=24_000)] if self.server.wanted()[-1].spoken else []))
        self.run()

    def end(self) -> list[Event]:
        """The model has ended its newest response; returns what the client is told."""
        self.server.end()
        return self.run()

    def give(self, call_id: str, output: str = "it is on its way") -> list[Event]:
        """A tool has ended."""
        seen = len(self.told)
        self._do(self.stage.finished(call_id, output))
        self.run()
        return self.told[seen:]

    def of(self, kind: str) -> list[Event]:
        """What the client was told of this type."""
        return [event for event in self.told if event["type"] == kind]

    def sent(self, kind: str) -> list[Event]:
        """What the server behind was sent of this type."""
        return [event for event in self.up if event["type"] == kind]

    @property
    def _reply(self) -> str:
        return self.server.wanted()[-1].response_id

    def _do(self, staged: Staged) -> None:
        for text in staged.down:
            if not missing("openai"):
                judge("server", text)
            event = json.loads(text)
            assert SECRET not in text and "m4rk" not in text, text
            self.told.append(event)
            self.order.see(event)
        self.calls += staged.calls
        for text in staged.up:
            if not missing("openai"):
                judge("client", text)
            self.up.append(json.loads(text))
            self.server.text(text)


def kinds(events: list[Event]) -> list[str]:
    """The events' types."""
    return [event["type"] for event in events]
