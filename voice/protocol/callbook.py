"""Which functions a server's events call: each call once, when it is whole, whatever the server leaves out or repeats.

    TOLD (named, or some of its arguments have come) --- its item is complete, or its response and nothing said otherwise ---> CALLED
    TOLD --- its item broke off, or its response without it ---> DROPPED: half of a call is not to be acted upon

Some servers tell a call in pieces, some only with `response.done`; some leave out the status of an item, or the name where the
arguments end. `function_call_arguments.done` alone says little: an answer that is cancelled closes its arguments too.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from voice.protocol import events as wire
from voice.protocol.events import ServerEvent, Unknown
from voice.protocol.notices import ReplyEnded
from voice.protocol.objects import Item

MAX_TOLD = 256
"""Calls of which not everything has come; the oldest go."""
MAX_REMEMBERED = 10_000
"""Calls that are known to have been made."""
_FIELDS = ("id", "call_id", "name", "arguments")


@dataclass(frozen=True, slots=True)
class Called:
    """A call to be made: an item of type `function_call` with id (as far as the server gave one), call_id, name and arguments."""

    item: Item
    response_id: str


@dataclass(slots=True)
class _Told:
    """What is known of a call that is not whole."""

    item: Item
    response_id: str
    written: bool = False
    """All its arguments have come."""


class Callbook:
    """See the top of the file."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}
        self._done: dict[str, None] = {}

    def event(self, event: ServerEvent | Unknown, active: str) -> list[Called]:
        """An event of the server. `active`: the response in progress, for those that do not say of which they are."""
        match event:
            case wire.OutputItemAdded(item=item) if item.type == "function_call":
                self._learn(item, event.response_id or active)
            case wire.CallArgumentsDelta():
                self._learn(_piece(event.item_id, event.call_id, "", event.delta), event.response_id or active, more=True)
            case wire.CallArgumentsDone():
                piece = _piece(event.item_id, event.call_id, event.name, event.arguments)
                self._learn(piece, event.response_id or active).written = True
            case wire.OutputItemDone(item=item) if item.type == "function_call":
                told = self._learn(item, event.response_id or active)
                told.written = True
                if item.status == "completed":
                    return self._call([told])
                if item.status == "incomplete":
                    self._drop([told])
            case _:
                pass
        return []

    def ended(self, ended: ReplyEnded) -> list[Called]:
        """A response is over: what it still calls. One without an id means whichever there is."""
        complete = ended.status == "completed"
        listed = [(item, self._learn(item, ended.response_id)) for item in ended.output if item.type == "function_call"]
        called = [told for item, told in listed if item.status == "completed" or (complete and item.status in (UNSET, None))]
        rest = [told for told in self._told.values() if told not in called and ended.response_id in ("", told.response_id)]
        if complete and not listed:
            # A server that lists nothing, and has told each call by itself.
            called, rest = rest, []
        found = self._call(called)
        self._drop(rest)
        return found

    def broken(self) -> list[Called]:
        """The link is gone: what was told in full is called, for nobody asks the next server for this answer again."""
        found = self._call([told for told in self._told.values() if told.written])
        self._told.clear()
        return found

    def _learn(self, item: Item, response_id: str, more: bool = False) -> _Told:
        """What an event says of a call, with what others have said. `more`: its arguments go on from those that are known."""
        told = self._told.setdefault(text_of(item.id) or text_of(item.call_id), _Told(Item(type="function_call"), response_id))
        known = {name: value for name in _FIELDS if (value := text_of(getattr(item, name)))}
        if more:
            known["arguments"] = text_of(told.item.arguments) + text_of(item.arguments)
        told.item = msgspec.structs.replace(told.item, **known)
        while len(self._told) > MAX_TOLD:
            del self._told[next(iter(self._told))]
        return told

    def _call(self, calls: Iterable[_Told]) -> list[Called]:
        found = []
        for told in calls:
            call_id = _call_id(told.item)
            if call_id and text_of(told.item.name) and call_id not in self._done:
                found.append(Called(msgspec.structs.replace(told.item, call_id=call_id), told.response_id))
            self._drop([told])
        return found

    def _drop(self, calls: Iterable[_Told]) -> None:
        """Nothing that comes later of these calls counts."""
        gone = {_call_id(told.item) for told in calls}
        self._told = {key: told for key, told in self._told.items() if _call_id(told.item) not in gone}
        for call_id in gone - {""}:
            self._done[call_id] = None
        while len(self._done) > MAX_REMEMBERED:
            del self._done[next(iter(self._done))]


def text_of(value: object) -> str:
    """A field that may be absent or null."""
    return value if isinstance(value, str) else ""


def _piece(item_id: str, call_id: str, name: str, arguments: str) -> Item:
    return Item(type="function_call", id=item_id, call_id=call_id, name=name, arguments=arguments)


def _call_id(item: Item) -> str:
    """By which its output is joined to a call: by the id of its item where a server gives no other."""
    return text_of(item.call_id) or text_of(item.id)
