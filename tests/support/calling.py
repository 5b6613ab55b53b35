"""A talking session whose server is the test: what a server that calls functions says, and what the session sends, without an event loop."""

import json
from typing import Any

from tests.support.needs import missing
from tests.support.oracle import judge
from tests.support.served import counted
from voice.protocol.client import ClientSession
from voice.protocol.dead_air import Filler
from voice.protocol.notices import Notice, ToolStarted
from voice.protocol.objects import Audio, AudioInput, Session, Transcription, TurnDetection

Event = dict[str, Any]
SETTINGS = Session(audio=Audio(AudioInput(transcription=Transcription(), turn_detection=TurnDetection())))


def call_item(n: int, status: str = "completed", **more: Any) -> Event:
    """The item of the n-th call."""
    return {
        "type": "function_call",
        "id": f"i{n}",
        "call_id": f"c{n}",
        "name": "weather",
        "arguments": "" if status == "in_progress" else f'{{"n":{n}}}',
        "status": status,
        **more,
    }


class Caller:
    """See the top of the file. `up` is all that the session has sent to this link."""

    def __init__(self, settings: Session = SETTINGS, filler: Filler | None = None) -> None:
        self.client = ClientSession(settings, counted("c"), filler=filler or Filler(after_s=None))
        self.client.errands.on = True
        self.now = 100.0
        self.notices: list[Notice] = []
        self.up: list[Event] = []
        self.link()

    def link(self, ready: bool = True) -> None:
        """A new link; the server takes the settings."""
        self.notices += self.client.connected(self.now)
        self.up = []
        self.flush()
        if ready:
            self.ready()

    def ready(self) -> None:
        audio = {"input": {"format": {"type": "audio/pcm", "rate": 16_000}, "turn_detection": {"type": "server_vad"}, "transcription": {}}}
        self.tell("session.updated", session={"type": "realtime", "audio": audio})

    def tell(self, kind: str, **fields: Any) -> list[Notice]:
        """The server says this."""
        told = self.client.receive(json.dumps({"type": kind, "event_id": "e", **fields}), self.now)
        self.notices += told
        self.flush()
        return told

    def flush(self) -> None:
        for text in self.client.outgoing():
            if not missing("openai"):
                judge("client", text)
            self.up.append(json.loads(text))

    # What a server says.

    def begins(self, response_id: str) -> None:
        self.tell("response.created", response={"id": response_id, "status": "in_progress"})

    def calls(self, response_id: str, *numbers: int) -> None:
        """Calls, as the service tells them."""
        for n in numbers:
            where = {"response_id": response_id, "output_index": n}
            self.tell("response.output_item.added", item=call_item(n, "in_progress"), **where)
            self.tell("conversation.item.added", item=call_item(n, "in_progress"))
            self.tell("response.function_call_arguments.done", item_id=f"i{n}", call_id=f"c{n}", arguments=f'{{"n":{n}}}', **where)
            self.tell("conversation.item.done", item=call_item(n))
            self.tell("response.output_item.done", item=call_item(n), **where)

    def ends(self, response_id: str, *numbers: int, status: str = "completed") -> None:
        """`response.done`, with the calls of these numbers in it."""
        output = [call_item(n) for n in numbers]
        self.tell("response.done", response={"id": response_id, "status": status, "output": output})

    def answers_with(self, response_id: str, *numbers: int) -> None:
        """A whole response that calls these functions."""
        self.begins(response_id)
        self.calls(response_id, *numbers)
        self.ends(response_id, *numbers)

    def tells_of_outputs(self) -> None:
        """The server confirms every output that has reached it."""
        for item in self.outputs:
            self.tell("conversation.item.added", item={**item, "status": "completed"})

    # What the session did.

    def finish(self, n: int, output: str = '"clear"') -> bool:
        """The n-th call has come to an end."""
        wanted = self.client.errands.ended(f"c{n}", output)
        self.flush()
        return wanted

    @property
    def started(self) -> list[str]:
        """The calls that run or have run, by call_id."""
        return [notice.call_id for notice in self.notices if isinstance(notice, ToolStarted)]

    @property
    def items(self) -> list[Event]:
        """The items that it put into the conversation."""
        return [event["item"] for event in self.up if event["type"] == "conversation.item.create"]

    @property
    def outputs(self) -> list[Event]:
        return [item for item in self.items if item["type"] == "function_call_output"]

    @property
    def asked(self) -> list[Event]:
        """Its wishes for an answer."""
        return [event for event in self.up if event["type"] == "response.create"]

    def rows(self) -> list[str]:
        """What it sent, in short."""
        found = []
        for event in self.up:
            item = event.get("item", {})
            found.append(" ".join([event["type"], item.get("type", ""), item.get("call_id", item.get("id", ""))]).strip())
        return [row for row in found if not row.startswith("session.update")]
