"""A conversation of today on its way through a dialect and back: what the tests of the interpreters share."""

import copy
import json
from collections.abc import Callable, Iterable
from typing import Any

from voice.protocol.dialect import DIALECTS
from voice.protocol.interpreter import ClientInterpreter, Passage, ServerInterpreter

Event = dict[str, Any]


def counted(prefix: str) -> Callable[[str], str]:
    """Ids that count up: event_x1, item_x2."""
    count = 0

    def new_id(kind: str) -> str:
        nonlocal count
        count += 1
        return f"{kind}_{prefix}{count}"

    return new_id


def before_client(name: str = "beta") -> ClientInterpreter:
    return ClientInterpreter(DIALECTS[name], counted("by_client_"))


def before_server(name: str = "beta") -> ServerInterpreter:
    return ServerInterpreter(DIALECTS[name], counted("by_server_"))


def events(passage: Passage) -> list[Event]:
    """What goes on; nothing was answered."""
    assert passage.back == ()
    return [json.loads(text) for text in passage.on]


def down(party: ClientInterpreter | ServerInterpreter, sent: Iterable[Event]) -> list[Event]:
    """All that becomes of what a server sends."""
    return [json.loads(text) for event in sent for text in party.down(json.dumps(event)).on]


def up(party: ClientInterpreter | ServerInterpreter, sent: Iterable[Event]) -> list[Event]:
    """All that becomes of what a client sends."""
    return [json.loads(text) for event in sent for text in party.up(json.dumps(event)).on]


def spoken_as(name: str, sent: Iterable[Event]) -> list[Event]:
    """A session of today as a server of a dialect would tell it."""
    return down(before_client(name), copy.deepcopy(list(sent)))


def through(name: str, sent: Iterable[Event]) -> list[Event]:
    """A session of today as a client of today sees it through a dialect."""
    return down(before_server(name), spoken_as(name, sent))


def conversation(told: Iterable[Event]) -> list[Event]:
    """What a session comes to: its finished items in the order in which they were told, with the user's words."""
    items: dict[str, Event] = {}
    for event in told:
        match event["type"]:
            case "conversation.item.done":
                items[event["item"]["id"]] = event["item"]
            case "conversation.item.input_audio_transcription.completed":
                item = copy.deepcopy(items[event["item_id"]])
                item["content"][event["content_index"]]["transcript"] = event["transcript"]
                items[event["item_id"]] = item
            case "conversation.item.deleted":
                items.pop(event["item_id"], None)
    return [{name: value for name, value in item.items() if name != "object"} for item in items.values()]


def ends(told: Iterable[Event]) -> list[tuple[Any, ...]]:
    """How each response ended: its name, its status, why, what it said, and the echo of its metadata."""
    bodies = [event["response"] for event in told if event["type"] == "response.done"]
    return [(body["id"], body["status"], body["status_details"], [item["id"] for item in body["output"]]) for body in bodies]
