"""A new server is told what was said, as text under the old ids; what was restored is replaced when it is cut."""

import json
from typing import Any

import msgspec

from tests.support.pair import Pair
from voice.protocol.codec import decode_client, encode
from voice.protocol.conversation import MAX_ITEMS
from voice.protocol.history import MAX_TOLD, History
from voice.protocol.lines import Line, lines_of
from voice.protocol.notices import ErrorReported
from voice.protocol.objects import Item, Session
from voice.protocol.requests import ClientEvent, ItemCreate
from voice.protocol.restore import Restorer


class Sent:
    def __init__(self) -> None:
        self.events: list[ClientEvent] = []
        self._count = 0

    def send(self, event: ClientEvent) -> None:
        decode_client(encode(event))
        self.events.append(event)

    def new_id(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    @property
    def shown(self) -> list[tuple[str, ...]]:
        rows = []
        for event in self.events:
            if isinstance(event, ItemCreate):
                part = (event.item.content or [])[0]
                rows.append((str(event.item.id), str(event.item.role), part.type, str(part.text)))
            else:
                rows.append((msgspec.to_builtins(event)["type"], msgspec.to_builtins(event)["item_id"]))
        return rows


def history() -> History:
    lines = History()
    lines.write("u1", "user", "what time is it")
    lines.write("a1", "assistant", "It is ten.")
    lines.write("u2", "user", "")
    return lines


def test_lines_with_words_are_restored_in_order() -> None:
    sent = Sent()
    Restorer(sent.send, sent.new_id).restore(history())
    assert sent.shown == [("u1", "user", "input_text", "what time is it"), ("a1", "assistant", "output_text", "It is ten.")]


def test_a_restored_answer_is_replaced_by_what_was_heard() -> None:
    sent = Sent()
    restorer = Restorer(sent.send, sent.new_id)
    assert not restorer.cut("a1", "It is")
    restorer.restore(history())
    sent.events.clear()
    assert restorer.cut("a1", "It is")
    assert sent.shown == [("conversation.item.delete", "a1"), (sent.shown[1][0], "assistant", "output_text", "It is")]


def test_one_of_which_nothing_was_heard_is_deleted() -> None:
    sent = Sent()
    restorer = Restorer(sent.send, sent.new_id)
    restorer.restore(history())
    sent.events.clear()
    assert restorer.cut("a1", "")
    assert sent.shown == [("conversation.item.delete", "a1")]


def test_a_long_conversation_leaves_room_on_the_server_for_what_is_typed() -> None:
    pair = Pair(Session(output_modalities=["text"]))
    for n in range(MAX_ITEMS):
        pair.deliver(pair.server.send("conversation.item.create", item=typed_line(f"i{n}")))
    pair.client.say("One more")
    pair.run()
    assert not any(isinstance(notice, ErrorReported) for notice in pair.notices)
    assert [event["item_id"] for event in pair.up if event["type"] == "conversation.item.delete"] == [
        f"i{n}" for n in range(MAX_ITEMS - MAX_TOLD)
    ]
    assert lines_of(pair.server.session.conversation.items())[-1] == Line("user", "One more")
    pair.client.connected()
    told = [json.loads(text)["type"] for text in pair.client.outgoing()]
    assert told.count("conversation.item.create") == MAX_TOLD


def typed_line(item_id: str) -> dict[str, Any]:
    return {"type": "message", "id": item_id, "role": "user", "content": [{"type": "input_text", "text": "x"}]}


def test_calls_are_restored_with_their_outputs_only() -> None:
    lines = history()
    for n, kinds in enumerate(["call output", "call", "output", "output call"]):
        for kind in kinds.split():
            name = {"call": "function_call", "output": "function_call_output"}[kind]
            lines.see(Item(type=name, id=f"{kind}{n}", call_id=f"c{n}", output="o"), f"{kind}{n}", None)
    sent = Sent()
    Restorer(sent.send, sent.new_id).restore(lines)
    assert [str(event.item.id) for event in sent.events if isinstance(event, ItemCreate)] == ["u1", "a1", "call0", "output0"]
