"""A service's responses, retold in the order of today's protocol.

    created > items, one after the other > done        item: output_item.added > item.added > parts > item.done > output_item.done
                                                       part: content_part.added > deltas > audio.done, transcript.done > content_part.done

Whatever comes is told with all that has to stand before it, and an item is ended with all that has to stand behind: so services that leave
out parts, items, or their ends, and those that end them in another order, are understood alike. `response.done` says again what was told.
"""

from collections.abc import Callable
from typing import Any

from voice.protocol.dialect_items import items_of
from voice.protocol.dialect_output import OutputItem, part_of
from voice.protocol.dialect_sound import Way
from voice.protocol.dialect_told import Event, Item, Told, remember

ITEM_ADDED, ITEM_DONE = "response.output_item.added", "response.output_item.done"
CALL = "response.function_call_arguments."
LIMITS = "rate_limits.updated"
PIECES = ("response.output_audio.", "response.output_audio_transcript.", "response.output_text.", "response.content_part.", CALL)
_ECHOED = ("id", "object", "conversation_id", "output_modalities", "max_output_tokens", "metadata", "audio")
OPEN_ANSWERS = 64
"""Responses beside the conversation that go on at once; of more, the oldest is over, whether the service says so or not."""
WAITING_EVENTS = 10_000
"""Of items behind the one that is told."""


class Answers:
    """All responses of a session."""

    def __init__(self, told: Told, new_way: Callable[[], Way], silent_about: frozenset[str]) -> None:
        """`new_way`: for the sound of a part. `silent_about`: events that the service does not send."""
        self.modalities: list[str] = ["audio"]
        """What the session asks for."""
        self.asked: list[Event] = []
        """The client's `response.create` events that have led to nothing yet."""
        self._told, self._new_way = told, new_way
        self._ends_told, self._limits_told = ITEM_DONE not in silent_about, LIMITS not in silent_about
        self._open: dict[str, Answer] = {}
        self._over: dict[str, None] = {}
        self._limits: Event | None = None
        self.cancelled = False
        """The client has cancelled the response that is told."""

    def _in_band(self) -> "Answer | None":
        """The response that belongs to the conversation."""
        return next((answer for answer in self._open.values() if answer.in_band), None)

    def created(self, event: Event) -> None:
        """A response begins."""
        body = event.pop("response", None)
        body = body if isinstance(body, dict) else {}
        response_id = body.get("id") or self._told.new_id("resp")
        if response_id in self._open or response_id in self._over:
            return
        answer = Answer(self._told, self._head(response_id, body), self._new_way, self._ends_told)
        before = self._in_band()
        if before is not None and answer.in_band:
            # One at a time belongs to the conversation: that one is over, whether the service says so or not.
            self.done({"response": {"id": before.head["id"], "status": "cancelled"}})
        self._open[response_id] = answer
        self.cancelled = False
        self._told.put("response.created", event, response=answer.head)
        if len(self._open) > OPEN_ANSWERS:
            self.done({"response": {"id": next(iter(self._open)), "status": "cancelled"}})

    def _head(self, response_id: str, body: Event) -> Event:
        """What is said of a response when it begins; what the service leaves out is what was asked for."""
        asked = self._asked_with(body)
        fields = {name: value for name, value in body.items() if name not in ("status_details", "usage")}
        if "conversation_id" not in fields:
            self._told.conversation_id = self._told.conversation_id or self._told.new_id("conv")
            fields["conversation_id"] = None if asked.get("conversation") == "none" else self._told.conversation_id
        wanted = asked.get("output_modalities") or self.modalities
        return {
            "object": "realtime.response",
            "output_modalities": wanted,
            "metadata": asked.get("metadata"),
            **fields,
            "id": response_id,
            "status": "in_progress",
            "status_details": None,
            "output": [],
            "usage": None,
        }

    def _asked_with(self, body: Event) -> Event:
        """The parameters of the request that a response answers, as far as can be said."""
        told = body.get("metadata")
        same = [event for event in self.asked if "metadata" not in body or (_params(event).get("metadata") == told and told)]
        if not same:
            return {}
        self.asked.remove(same[0])
        return _params(same[0])

    def refused(self, event_id: str | None) -> None:
        """A client's event was refused: if it asked for a response, there is none."""
        self.asked = [event for event in self.asked if event_id is None or event.get("event_id") != event_id]

    def item(self, event: Event, item: Item) -> bool:
        """The service tells an item of the conversation: whether it is one of a response, which tells it itself."""
        if any(answer.knows(item["id"]) for answer in self._open.values()):
            return True
        answer = self._in_band()
        ours = item["type"] == "function_call" or item.get("role") == "assistant"
        fresh = item.get("status") == "in_progress" or (not item.get("status") and not item.get("content"))
        if answer is None or not ours or not fresh:
            return False
        answer.piece({"type": ITEM_ADDED, "item": item, "event_id": event.pop("event_id", None)})
        return True

    def piece(self, event: Event) -> None:
        """Something of a response."""
        response_id = event.get("response_id")
        if response_id in self._over:
            return
        only = next(iter(self._open.values())) if len(self._open) == 1 else None
        answer = self._open.get(str(response_id)) or (only if response_id is None else None)
        if answer is None:
            # Its beginning was not told: where another is told it can only be one beside the conversation.
            beside = {} if self._in_band() is None else {"conversation_id": None}
            self.created({"response": {"id": response_id, **beside}})
            answer = list(self._open.values())[-1]
        answer.piece(event)

    def done(self, event: Event) -> None:
        """A response ends. What it had begun ends before."""
        body = event.pop("response", None)
        body = body if isinstance(body, dict) else {}
        response_id = body.get("id") or event.pop("response_id", None) or next(iter(self._open), None) or self._told.new_id("resp")
        event.pop("response_id", None)
        if response_id in self._over:
            return
        if body.get("status") == "in_progress" and response_id not in self._open:
            # One service's documentation shows the beginning of a response under this name.
            self.created({**event, "response": body})
            return
        outside = event.pop("usage", None)
        head, output = self._ended(response_id, body)
        status = body.get("status") if body.get("status") not in (None, "in_progress") else "completed"
        ended = {"status": status, "status_details": self._why(str(status), body.get("status_details")), "output": output}
        said = {name: value for name, value in body.items() if name not in _ECHOED}
        echoed = {name: head[name] for name in _ECHOED if name in head}
        self._told.put("response.done", event, response={**said, **echoed, **ended, "usage": body.get("usage") or outside})
        limits, self._limits = self._limits, None
        if limits is not None or not self._limits_told:
            self._told.put(LIMITS, limits or {"rate_limits": []})

    def _ended(self, response_id: str, body: Event) -> tuple[Event, list[Item]]:
        """What was said of a response when it began, and its items. One that fails may never have begun; any other is begun now."""
        if response_id not in self._open:
            if body.get("status") == "failed" and not body.get("output"):
                remember(self._over, response_id, None)
                return self._head(response_id, body), []
            self.created({"response": {**body, "id": response_id}})
        remember(self._over, response_id, None)
        answer = self._open.pop(response_id)
        answer.finish(body)
        return answer.head, answer.items

    def limits(self, event: Event, behind_an_end: bool) -> None:
        """What is left of the limits. It is told behind the end of a response."""
        if behind_an_end:
            self._told.put(LIMITS, event)
        else:
            self._limits = event

    def _why(self, status: str, told: Any) -> Any:
        """Why a response is not completed, if the service says so in its own way or not at all."""
        if status == "completed":
            return None
        if isinstance(told, dict):
            return {"type": status, **told}
        match status:
            case "cancelled":
                return {"type": status, "reason": "client_cancelled" if self.cancelled else "turn_detected"}
            case "failed":
                return {"type": status, "error": {"type": "server_error", "code": None, "message": str(told or "The response failed.")}}
            case "incomplete":
                return {"type": status, "reason": "max_output_tokens"}
            case _:
                return {"type": status}


def _params(event: Event) -> Event:
    params = event.get("response")
    return params if isinstance(params, dict) else {}


class Answer:
    """One response. `head` is what its first event said."""

    def __init__(self, told: Told, head: Event, new_way: Callable[[], Way], ends_told: bool) -> None:
        self.head = head
        self.items: list[Item] = []
        self.in_band = head.get("conversation_id") is not None
        self._told, self._new_way, self._ends_told = told, new_way, ends_told
        self._spoken = head.get("output_modalities") == ["audio"]
        self._open: OutputItem | None = None
        self._waiting: list[Event] = []

    def knows(self, item_id: str) -> bool:
        """Whether an item is one of this response's."""
        mine = [*(item["id"] for item in self.items), *((self._open.item_id,) if self._open else ())]
        return item_id in mine or any(_item_id(event) == item_id for event in self._waiting)

    def piece(self, event: Event) -> None:
        """Something of an item, perhaps of one behind the open one: that waits."""
        wanted = self._wanted(event)
        if any(item["id"] == wanted for item in self.items):
            return
        if self._open is not None and self._open.item_id != wanted:
            if self._ends_told and event["type"] != ITEM_DONE:
                self._waiting.append({**event, "item_id": wanted})
                del self._waiting[:-WAITING_EVENTS]
                return
            self._close({}, "completed")
        if self._open is None:
            self._begin(wanted, event)
        assert self._open is not None
        if event["type"] == ITEM_DONE:
            item = event.get("item")
            self._close(item if isinstance(item, dict) else {}, "completed", event)
        elif event["type"] != ITEM_ADDED:
            self._open.tell(event)

    def _wanted(self, event: Event) -> str:
        """The item that an event is about; where nothing is said, the open one of that kind, or a new one."""
        named = _item_id(event)
        if named:
            return named
        call = event["type"].startswith(CALL)
        if self._open is not None and self._open.is_call == call and not self._open.called:
            return self._open.item_id
        return self._told.new_id("item")

    def _begin(self, item_id: str, event: Event) -> None:
        item = event.get("item")
        given = dict(item) if isinstance(item, dict) else {}
        given.update(id=item_id, object="realtime.item", status="in_progress")
        if event["type"].startswith(CALL):
            given.update(type="function_call", name=event.get("name") or "", call_id=event.get("call_id") or self._told.new_id("call"))
        given.setdefault("type", "message")
        if given["type"] == "message":
            given.update(role=given.get("role") or "assistant", content=[])
        elif given["type"] == "function_call":
            given.update(name=given.get("name") or "", call_id=given.get("call_id") or f"call_{item_id}", arguments="")
        else:
            given.pop("status")
        source = event if event["type"] == ITEM_ADDED else {}
        where = {"response_id": self.head["id"], "output_index": len(self.items)}
        fields = {"event_id": source.pop("event_id", None)}
        self._told.put(ITEM_ADDED, fields, **where, item=given)
        if self.in_band:
            self._told.added(given, {name: source[name] for name in ("previous_item_id",) if name in source})
        self._open = OutputItem(self._told, given, where, self._spoken, self._new_way)

    def _close(self, final: Item, status: str, source: Event | None = None) -> None:
        """The open item ends, and what waited for that is told."""
        assert self._open is not None
        item = self._open.end(final, status)
        if self.in_band:
            self._told.done(item, {})
        fields = {"event_id": source.pop("event_id", None)} if source else {}
        self._told.put(ITEM_DONE, fields, response_id=self.head["id"], output_index=len(self.items), item=item)
        self.items.append(item)
        self._open = None
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self.piece(event)

    def finish(self, body: Event) -> None:
        """The response ends: so do its items, and those of which nothing was told but in its end are told."""
        output = list(items_of({"response": {"output": body.get("output")}}))
        finals = {str(item.get("id")): item for item in output}
        status = "completed" if body.get("status") in (None, "completed") else "incomplete"
        while self._open is not None:
            self._close(finals.get(self._open.item_id, {}), status)
        for item in output if not self.items else ():
            if item.get("type") in ("message", "function_call") and part_of(item):
                self._at_once(item, status)

    def _at_once(self, item: Item, status: str) -> None:
        """An item of which the end of the response is the first to tell."""
        self._begin(str(item.get("id") or self._told.new_id("item")), {"type": ITEM_ADDED, "item": item})
        assert self._open is not None
        self._open.say(part_of(item))
        self._close(item, status)


def _item_id(event: Event) -> str | None:
    item = event.get("item")
    named = event.get("item_id") or (item.get("id") if isinstance(item, dict) else None)
    return named if isinstance(named, str) else None
