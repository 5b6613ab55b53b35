"""Whatever a client, a model and slow tools do in any order: the client's view is in order, nothing leaks, nothing hangs, nothing runs twice."""

import random
from collections import Counter
from typing import Any

import pytest

from tests.support.front import ORDERS, REFUND, THEIRS, Front
from voice.protocol.rounds import State
from voice.protocol.tools import MAX_ROUNDS

SEEDS, STEPS = 24, 45
TURN = "....########" + "." * 60


class Storm:
    """One conversation; `dice` decides what happens next."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.front = Front()
        self.given: set[str] = set()
        self.count = 0
        self.seen: Counter[State] = Counter()
        turns = {"type": "server_vad", "interrupt_response": seed % 2 == 0, "create_response": seed % 4 < 3}
        audio = {"input": {"turn_detection": turns}}
        self.front.ask("session.update", session={"type": "realtime", "tools": [THEIRS], "audio": audio})

    @property
    def open(self) -> bool:
        """Whether the model is at work."""
        wanted = self.front.server.wanted()
        return bool(wanted) and self.front.server.session._intake.replies.get(wanted[-1].response_id) is not None

    @property
    def running(self) -> list[str]:
        """Calls whose tools are at work."""
        return [call.call_id for call in self.front.calls if call.call_id not in self.given]

    def step(self) -> None:
        """Something happens."""
        works = {self.hear: 2, self.touch: 2, self.cancel: 1, self.wish: 1, self.give: 3 * bool(self.running)}
        works |= {self.call: 8, self.words: 3, self.front.end: 8} if self.open else {self.ask: 9}
        self.dice.choices(list(works), list(works.values()))[0]()
        self.seen[self.front.stage._rounds.state] += 1
        ids = [call.call_id for call in self.front.calls]
        assert len(ids) == len(set(ids)) and not [call for call in self.front.calls if call.name == "theirs"]
        outputs = [event["item"]["call_id"] for event in self.front.sent("conversation.item.create") if "output" in event["item"]]
        assert len(outputs) == len(set(outputs)), "each call has one output"
        for before, event in zip(self.front.up, self.front.up[1:], strict=False):
            if event["type"] == "response.create" and event.get("event_id", "").startswith("event_b"):
                assert before["item"]["type"] == "function_call_output", "a round follows the last output"

    def ask(self) -> None:
        self.front.say(**self.dice.choice(({}, {}, {"output_modalities": ["text"]}, {"conversation": "none"})))

    def wish(self) -> None:
        self.front.ask("response.create", event_id="wish")

    def cancel(self) -> None:
        created = self.front.of("response.created")
        named = {"response_id": created[-1]["response"]["id"]} if created and self.dice.random() < 0.5 else {}
        self.front.ask("response.cancel", **named)

    def hear(self) -> None:
        self.front.hear(self.dice.choice(("....########", "#" + "." * 60, TURN, TURN)))

    def call(self) -> None:
        self.count += 1
        self.front.call(self.dice.choice((*[ORDERS.name] * 5, *[REFUND.name] * 2, "theirs")), f"call_{self.count}")

    def words(self) -> None:
        self.front.words("Well then.")

    def give(self) -> None:
        call_id = self.dice.choice(self.running)
        self.given.add(call_id)
        shown = self.front.stage._rounds.open.main
        creates = len(self.front.sent("response.create"))
        self.front.give(call_id)
        if shown is not None and shown.calls.keys() & set(self.running):
            assert len(self.front.sent("response.create")) == creates, "a round waits for all outputs"

    def touch(self) -> None:
        """Any item, also of those that the client cannot know."""
        items = self.front.server.session.conversation.items()
        if not items:
            return
        fields: dict[str, Any] = {"item_id": str(self.dice.choice(items).id)}
        kind = self.dice.choice(("retrieve", "delete", "truncate", "create"))
        if kind == "truncate":
            fields |= {"content_index": 0, "audio_end_ms": 10}
        elif kind == "create":
            message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hm."}]}
            fields = {"previous_item_id": fields["item_id"], "item": message}
        self.front.ask(f"conversation.item.{kind}", **fields)

    def calm(self) -> None:
        """The tools end, and so does whoever answers: nothing is left open."""
        for _ in range(4 * MAX_ROUNDS):
            while self.running:
                self.give()
            self.front.hear("." * 60)
            if self.open:
                self.front.end()
            for reply in self.front.server.wanted():
                # Those beside the conversation.
                self.front.server.session.end_reply(reply.response_id)
            self.front.server.take()
            self.front.run()
        assert not self.running and not self.open and self.front.stage._rounds.state is State.IDLE
        self.front.order.complete()


@pytest.mark.parametrize("first", range(4))
def test_any_order_of_things(first: int) -> None:
    seen: Counter[State] = Counter()
    for seed in range(first, SEEDS, 4):
        storm = Storm(seed)
        for _ in range(STEPS):
            storm.step()
        storm.calm()
        seen += storm.seen
    assert seen[State.WAITING] > 15 and seen[State.OPEN] > 20 and seen[State.IDLE] > 20, seen
