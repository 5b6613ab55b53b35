"""The order of a Realtime server's events, checked: one object sees a session from its first event on.

Every event has its place in a story, each told by a table (`order_rules.py`):

    response   created > items, one after the other > done > rate_limits.updated      (`order_replies.py`)
      message  output_item.added > item.added > (content_part.added > deltas > *.done > content_part.done)+ > item.done > output_item.done
      call     output_item.added > item.added > arguments.delta > arguments.done > item.done > output_item.done
    turn       speech_started > speech_stopped > committed > item.added > item.done   (or speech_started > cleared)
    idle       timeout_triggered > a system item's added and done > committed > item.added > item.done
    words      transcription.delta > completed | failed, of a user's item             (`order_items.py`)

Beside the order it keeps the conversation: each item's place must be true when it is told, and nothing is heard of an item that was
deleted. Out of band there are no `conversation.item` events; a transcription session has no responses. It needs nothing but JSON
dictionaries: `check(events)` works on the events of a trace as well as on those of a test.
"""

from collections.abc import Iterable, Set

from tests.support.order_items import Items
from tests.support.order_replies import Response, check_details
from tests.support.order_rules import (
    ADDED,
    COMMITTED,
    DONE,
    ITEM_ADDED,
    LIMITS,
    OURS,
    PART_ADDED,
    PROMPT,
    TIMED_OUT,
    TURN,
    WORDS,
    Event,
    OrderBroken,
    item_of,
    need,
)


class Order:
    """See the top of the file. `see` each event in turn; `complete` at the end.

    `between`: a response may be broken off between two items, too, where a tool runs that nobody sees.
    """

    def __init__(self, between: bool = False) -> None:
        self._between = between
        self.seen: list[Event] = []
        self.items = Items()
        self._event_ids: set[str] = set()
        self._open: dict[str, Response] = {}
        self._ended: set[str] = set()
        self._of_item: dict[str, Response] = {}
        self._prompt: tuple[tuple[str, ...], Event] | None = None
        self.over = False
        """The session has expired."""

    @property
    def conversation(self) -> list[str]:
        """The items' ids in the order of the conversation, as the events told it."""
        return self.items.ids

    @property
    def answers(self) -> Set[str]:
        """The items of responses."""
        return self._of_item.keys()

    def see(self, event: Event) -> None:
        """The next event. Raises: OrderBroken."""
        kind = event["type"]
        need(event, (kind == "session.created") == (not self.seen), "session.created is the first event, once")
        need(event, bool(event["event_id"]) and event["event_id"] not in self._event_ids, "an event has an id of its own")
        need(event, kind in OURS, "no event of a server of ours")
        names = [event.get("item_id", "x"), event.get("response_id", "x"), *(event[of]["id"] for of in ("item", "response") if of in event)]
        need(event, all(isinstance(name, str) and name for name in names), "items and responses have names")
        need(event, not self.over, "the session has expired")
        if kind == ADDED and event["item"].get("status") != "in_progress":
            # Who deletes an item may give another under its name.
            self.items.forget(event["item"]["id"])
        need(event, item_of(event) not in self.items.dead, "the item was deleted")
        self._in_one_breath(event)
        self._event_ids.add(event["event_id"])
        self.seen.append(event)
        if kind.startswith("response."):
            self._response(event)
        elif kind in (ADDED, DONE) and item_of(event) in self._of_item:
            item_id = str(item_of(event))
            self._of_item[item_id].see(event, item_id in self.items.cut_ms)
            self.items.answered(event)
        elif kind in TURN:
            self.items.turn(event)
        elif kind.startswith(WORDS):
            self.items.words(event)
        else:
            self._alone(event)

    def complete(self) -> None:
        """Nothing is left open. Raises: AssertionError."""
        assert not self._open, f"responses without an end: {list(self._open)}"
        assert self._prompt is None, f"the session ends behind {self._prompt}"
        self.items.complete()

    def _in_one_breath(self, event: Event) -> None:
        """What must come right behind the event before, and about the same item or response."""
        kind = event["type"]
        if kind == "conversation.item.deleted":
            return
        if self._prompt is None:
            need(event, kind != LIMITS, "rate limits follow the end of a response")
        else:
            allowed, before = self._prompt
            need(event, kind in allowed, f"right after {before['type']} comes {' or '.join(allowed)}")
            if before["type"] != TIMED_OUT and kind != LIMITS:
                need(event, item_of(event) == item_of(before), "about the same item")
        if kind == ADDED and item_of(event) not in self._of_item:
            self._prompt = ((DONE,), event)
        elif kind == DONE and item_of(event) in self._of_item:
            self._prompt = (("response.output_item.done",), event)
        else:
            allowed = PROMPT.get(kind, ())
            if kind == ITEM_ADDED and not (response.in_band if (response := self._open.get(event["response_id"])) else True):
                allowed = (PART_ADDED,) if event["item"]["type"] == "message" else ()
            self._prompt = (allowed, event) if allowed else None
        if kind == DONE and item_of(event) not in self._of_item and (idle := self.items.idle) is not None and idle != item_of(event):
            self._prompt = ((COMMITTED,), {**event, "item_id": idle})

    def _response(self, event: Event) -> None:
        kind = event["type"]
        response_id = event["response"]["id"] if "response" in event else event["response_id"]
        need(event, self.seen[0]["session"].get("type") != "transcription", "a transcription session has no responses")
        need(event, response_id not in self._ended, "the response has ended")
        if kind == "response.created":
            need(event, response_id not in self._open, "a response is created once")
            new = Response(event)
            busy = new.in_band and any(response.in_band for response in self._open.values())
            need(event, not busy, "one response at a time in the conversation")
            self._open[response_id] = new
            return
        if kind == "response.done":
            self._ended.add(response_id)
            if response_id in self._open:
                self._open.pop(response_id).end(event, self._between)
            else:
                # A response that fails before it begins is told by its end alone.
                need(event, event["response"]["status"] == "failed" and not event["response"]["output"], "no such response")
                check_details(event, "failed", event["response"]["status_details"])
            return
        need(event, response_id in self._open, "no such response")
        response = self._open[response_id]
        if kind == ITEM_ADDED:
            item_id = str(item_of(event))
            need(event, item_id not in self._of_item and not self.items.knows(item_id), "an item has an id of its own")
            self._of_item[item_id] = response
        need(event, self._of_item.get(str(item_of(event))) is response, "the item is of another response")
        response.see(event, item_of(event) in self.items.cut_ms)

    def _alone(self, event: Event) -> None:
        match event["type"]:
            case "input_audio_buffer.cleared":
                self.items.cleared()
            case "conversation.item.deleted":
                self.items.deleted(event)
            case "conversation.item.retrieved":
                self.items.retrieved(event)
            case "conversation.item.truncated":
                self.items.truncated(event, self._sound_ms(event["item_id"]))
            case "error":
                self.over = event["error"].get("code") == "session_expired"
                need(event, not (self.over and self._open), "responses end before the session does")
            case _:
                pass

    def _sound_ms(self, item_id: str) -> int | None:
        """How much of an answer was sent."""
        response = self._of_item.get(item_id)
        if response is None or not response.bytes_per_ms:
            return None
        return sum(item.sound_bytes for item in response.items if item.item_id == item_id) // response.bytes_per_ms


def check(events: Iterable[Event], complete: bool = True) -> None:
    """A whole session, as a list of JSON objects. Raises: AssertionError."""
    order = Order()
    for event in events:
        order.see(event)
    if complete:
        order.complete()


__all__ = ["Event", "Order", "OrderBroken", "check"]
