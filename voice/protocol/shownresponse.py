"""A response as a client sees it: one, though the server behind makes several of it, and without the calls that are not the client's affair.

The bookkeeping of `rounds.py`: which items it has, under which numbers, what was called in its newest round, what it has cost. Pure.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from voice.protocol.lenient import fields, text
from voice.protocol.unseen import MAX_ITEMS, Unseen

Event = dict[str, Any]
ECHOED = ("id", "object", "conversation_id", "output_modalities", "max_output_tokens", "metadata", "audio")
"""What the end of a response says as its beginning did."""


@dataclass(frozen=True, slots=True)
class HiddenCall:
    """A tool of the server's that is to be run."""

    call_id: str
    name: str
    arguments: str = field(repr=False)
    """JSON as text, as the model wrote it."""


class ShownResponse:
    """`given`: the response as `response.created` tells it. `params`: what the client has asked for with it; none for a spoken turn."""

    def __init__(self, given: Event, params: Event) -> None:
        self.given = given
        self.params = params
        self.current = str(given.get("id"))
        """The response behind that makes its newest part."""
        self.round = 1
        self.shifted = False
        """Its events have other numbers or names than those that came."""
        self.calls: dict[str, HiddenCall] = {}
        """Of this round, in their order, each complete."""
        self.read: list[Event] = []
        """Our calls and their outputs: what a further round has to be shown where it does not read the conversation."""
        self._output: list[Event] = []
        self._usage: Any = None
        self._indices: dict[str, int] = {}

    @property
    def id(self) -> str:
        """As the client knows it."""
        return str(self.given.get("id"))

    def item(self, item_id: str) -> None:
        """One more item that the client sees."""
        self._indices.setdefault(item_id, len(self._indices))

    def called(self, item: Event, unseen: Unseen) -> None:
        """A call of the server's own tools. One that was broken off, or that came before, is none."""
        item_id = str(item.get("id"))
        call_id = text(item.get("call_id")) or item_id
        if item.get("status") not in (None, "completed") or call_id in self.calls:
            return
        unseen.hide(item_id, call_id)
        self.shifted = True
        call = HiddenCall(call_id, str(item.get("name")), text(item.get("arguments")) or "{}")
        self.calls[call_id] = call
        self.read.append({"type": "function_call", "call_id": call_id, "name": call.name, "arguments": call.arguments})

    def goes_on(self, response_id: str) -> None:
        """The next round has begun."""
        self.current = response_id
        self.calls = {}
        self.round += 1

    def named(self, event: Event) -> Event:
        """An event of it, under the client's id and number."""
        if not self.shifted or event.get("response_id") != self.current:
            return event
        event = {**event, "response_id": self.id}
        if "output_index" in event:
            item_id = text(event.get("item_id")) or text(fields(event.get("item")).get("id"))
            event["output_index"] = self._indices.get(item_id, event["output_index"])
        return event

    def add(self, output: list[Event], usage: Any) -> None:
        """A round is over: what the client sees of it, and what it has cost."""
        self._output += output
        self._usage = total(self._usage, usage)

    def ended(self, response: Event) -> Event:
        """Its end, of the end of its last round."""
        if not self.shifted:
            return response
        echoed = {name: self.given[name] for name in ECHOED if name in self.given}
        return {**response, **echoed, "output": self._output, "usage": self._usage}


class OpenResponses:
    """Those that are open for the client: the one of the conversation, and those beside it. `is_ours`: whether a function is the server's own."""

    def __init__(self, is_ours: Callable[[str], bool], unseen: Unseen) -> None:
        self.main: ShownResponse | None = None
        self.beside: dict[str, ShownResponse] = {}
        """By their ids. Our tools are not offered to them; a model that calls one nevertheless is not shown to do so, and nothing runs."""
        self._is_ours = is_ours
        self._unseen = unseen
        self._called: dict[str, None] = {}
        """Calls of ours that a response has ended with: each is answered once."""

    @property
    def plain(self) -> bool:
        """Whether all their events go on as they came."""
        return not any(shown.shifted for shown in (self.main, *self.beside.values()) if shown is not None)

    def of(self, response_id: object) -> ShownResponse | None:
        """The one that a response of the server behind is a part of."""
        if self.main is not None and response_id == self.main.current:
            return self.main
        return self.beside.get(str(response_id))

    def item_added(self, event: Event) -> None:
        """`response.output_item.added`."""
        item, shown = fields(event.get("item")), self.of(event.get("response_id"))
        hidden = self.hides(item)
        if shown is not None and hidden:
            shown.shifted = True
        elif shown is not None:
            shown.item(str(item.get("id")))

    def hides(self, item: Event) -> bool:
        """Whether an item is a call of ours, whatever it is a part of: its id is not seen from now on."""
        if item.get("type") != "function_call" or not self._is_ours(text(item.get("name"))):
            return False
        self._unseen.hide(text(item.get("id")), text(item.get("call_id")))
        return True

    def item_done(self, event: Event) -> None:
        """`response.output_item.done` of an unseen item."""
        if (shown := self.of(event.get("response_id"))) is not None:
            shown.called(fields(event.get("item")), self._unseen)

    def named(self, event: Event) -> Event:
        """Any event, under the client's id and number if it is of one of them."""
        shown = self.of(event.get("response_id"))
        return event if shown is None else shown.named(event)

    def add(self, shown: ShownResponse, response: Event) -> list[Event]:
        """A round of a response is over; what of its output the client sees."""
        output, ours = self._parted(response)
        for item in ours:
            # Of a server that has told of it only here.
            shown.called(item, self._unseen)
        self._ended(shown.calls)
        shown.add(output, response.get("usage"))
        return output

    def stray(self, response: Event) -> tuple[Event, list[str]]:
        """The end of a response whose beginning nobody has told: as the client sees it, and calls of ours in it, which nobody else answers."""
        output, ours = self._parted(response)
        complete = [text(item.get("call_id")) for item in ours if item.get("status") in (None, "completed")]
        calls = [call_id for call_id in dict.fromkeys(complete) if call_id and call_id not in self._called]
        self._ended(calls)
        return ({**response, "output": output} if isinstance(response.get("output"), list) else response), calls

    def _parted(self, response: Event) -> tuple[list[Event], list[Event]]:
        """The output of a response: what the client sees of it, and calls of ours."""
        output = response.get("output")
        items = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
        ours = [item for item in items if self.hides(item)]
        return [item for item in items if item not in ours and text(item.get("id")) not in self._unseen.items], ours

    def _ended(self, calls: Iterable[str]) -> None:
        self._called.update(dict.fromkeys(calls))
        while len(self._called) > MAX_ITEMS:
            del self._called[next(iter(self._called))]


def total(one: Any, other: Any) -> Any:
    """The sum of two usages, number by number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: total(one.get(name), other.get(name)) for name in {**one, **other}}
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one + other
    return other if one is None else one
