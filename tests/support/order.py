"""The order of a Realtime server's events, checked: one object sees a session from its first event on.

Every event has its place in one of three stories, each told by a table:

    response   created > output_item.added > item.added > content_part.added > deltas > *.done > content_part.done
               > item.done > output_item.done > done > rate_limits.updated   (or created > done)
    turn       speech_started > speech_stopped > committed > item.added > item.done   (or speech_started > cleared)
    words      transcription.delta > completed | failed, of an item that is known

It needs nothing but JSON dictionaries: `check(events)` works on the events of a trace as well as on those of a test.
"""

from collections.abc import Iterable
from typing import Any

Event = dict[str, Any]

DELTAS = ("response.output_audio.delta", "response.output_audio_transcript.delta", "response.output_text.delta")
_CLOSING = (*DELTAS, "response.output_audio.done", "response.output_text.done")

# Last event of a response -> what may be its next. Out of band the `conversation.item` ones are passed over.
RESPONSE: dict[str, tuple[str, ...]] = {
    "response.created": ("response.output_item.added", "response.done"),
    "response.output_item.added": ("conversation.item.added",),
    "conversation.item.added": ("response.content_part.added",),
    "response.content_part.added": _CLOSING,
    **dict.fromkeys(DELTAS, _CLOSING),
    "response.output_audio.done": ("response.output_audio_transcript.done",),
    "response.output_audio_transcript.done": ("response.content_part.done",),
    "response.output_text.done": ("response.content_part.done",),
    "response.content_part.done": ("conversation.item.done",),
    "conversation.item.done": ("response.output_item.done",),
    "response.output_item.done": ("response.done",),
}
# Last event of a user's item -> what may be its next; "" is the beginning.
TURN: dict[str, tuple[str, ...]] = {
    "": ("input_audio_buffer.speech_started", "input_audio_buffer.committed", "conversation.item.added"),
    "input_audio_buffer.speech_started": ("input_audio_buffer.speech_stopped",),
    "input_audio_buffer.speech_stopped": ("input_audio_buffer.committed",),
    "input_audio_buffer.committed": ("conversation.item.added",),
    "conversation.item.added": ("conversation.item.done",),
    "conversation.item.done": (),
}
STATUS = {"completed": "completed", "cancelled": "incomplete", "failed": "incomplete", "incomplete": "incomplete"}
"""Of a response -> of its item."""
WORDS = "conversation.item.input_audio_transcription."


class OrderBroken(AssertionError):
    """An event came where it must not; the message ends with the event."""

    def __init__(self, why: str, event: Event) -> None:
        super().__init__(f"{why}: {str(event)[:300]}")


class _Response:
    def __init__(self, event: Event) -> None:
        self.last = "response.created"
        self.in_band = event["response"].get("conversation_id") is not None
        self.item_id: str | None = None
        self.text = ""
        self.item: Any = None


class Order:
    """See the top of the file. `see` each event in turn; `complete` at the end."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self._event_ids: set[str] = set()
        self._responses: dict[str, _Response] = {}
        self._by_item: dict[str, str] = {}
        self._ended: set[str] = set()
        self._turns: dict[str, str] = {}
        self._previous: dict[str, str | None] = {}
        self._words: dict[str, str] = {}
        self._limits_due = 0

    def see(self, event: Event) -> None:
        """The next event. Raises: OrderBroken."""
        kind = event["type"]
        self._need(event, (kind == "session.created") == (not self.seen), "session.created is the first event, once")
        self._need(event, bool(event["event_id"]) and event["event_id"] not in self._event_ids, "an event has an id of its own")
        self._event_ids.add(event["event_id"])
        self.seen.append(event)
        item_id = event.get("item_id") or event.get("item", {}).get("id")
        if kind.startswith("response."):
            self._response(event)
        elif kind in RESPONSE and item_id in self._by_item:
            self._step(self._responses[self._by_item[item_id]], event)
            self._chain(item_id, event)
        elif kind in TURN:
            self._turn(item_id, event)
        elif kind.startswith(WORDS):
            self._transcribe(item_id, event)
        elif kind == "input_audio_buffer.cleared":
            self._turns = {name: last for name, last in self._turns.items() if last != "input_audio_buffer.speech_started"}
        elif kind == "rate_limits.updated":
            self._need(event, self._limits_due > 0, "rate limits follow the end of a response")
            self._limits_due -= 1

    def complete(self) -> None:
        """Nothing is left open. Raises: AssertionError."""
        turns = {item_id: last for item_id, last in self._turns.items() if TURN[last]}
        assert not self._responses, f"responses without an end: {list(self._responses)}"
        assert not turns, f"turns without an end: {turns}"
        assert not self._limits_due, "no rate limits after a response"

    def _response(self, event: Event) -> None:
        response_id = event["response"]["id"] if "response" in event else event["response_id"]
        self._need(event, response_id not in self._ended, "the response has ended")
        if event["type"] == "response.created":
            self._need(event, response_id not in self._responses, "a response is created once")
            self._need(event, event["response"]["status"] == "in_progress", "a new response is in progress")
            self._need(event, self._limits_due == 0, "rate limits come before the next response")
            new = _Response(event)
            busy = new.in_band and any(response.in_band for response in self._responses.values())
            self._need(event, not busy, "one response at a time in the conversation")
            self._responses[response_id] = new
            return
        self._need(event, response_id in self._responses, "no such response")
        response = self._responses[response_id]
        self._step(response, event)
        if event["type"] == "response.output_item.added":
            response.item_id = event["item"]["id"]
            self._by_item[response.item_id] = response_id
        elif event["type"] == "response.done":
            self._end(response, event)

    def _step(self, response: _Response, event: Event) -> None:
        kind = event["type"]
        allowed = RESPONSE[response.last]
        if not response.in_band and allowed[0].startswith("conversation.item."):
            allowed = RESPONSE[allowed[0]]
        self._need(event, kind in allowed, f"after {response.last} comes {' or '.join(allowed)}")
        response.last = kind
        item_id = event.get("item_id") or event.get("item", {}).get("id")
        self._need(event, response.item_id in (None, item_id) or kind == "response.done", "one item a response")
        if kind in (DELTAS[1], DELTAS[2]):
            response.text += event["delta"]
        said = event.get("transcript", event.get("text"))
        self._need(event, said is None or said == response.text, f"the deltas said {response.text!r}")
        if kind in ("conversation.item.done", "response.output_item.done"):
            self._need(event, response.item in (None, event["item"]), "the item is the same in both events")
            response.item = event["item"]

    def _end(self, response: _Response, event: Event) -> None:
        body = event["response"]
        self._need(event, body["status"] in STATUS, "a response that is done has a final status")
        self._need(event, body["output"] == ([response.item] if response.item else []), "the output is what was sent")
        fits = response.item is None or response.item["status"] == STATUS[body["status"]]
        self._need(event, fits, "the item's status follows the response's")
        self._need(event, (body["status_details"] is None) == (body["status"] == "completed"), "what is not completed says why")
        self._ended.add(body["id"])
        del self._responses[body["id"]]
        self._limits_due += 1

    def _turn(self, item_id: str, event: Event) -> None:
        kind, last = event["type"], self._turns.get(item_id, "")
        self._need(event, kind in TURN[last], f"after {last or 'nothing'} comes {' or '.join(TURN[last]) or 'nothing'}")
        speaking = any(one == "input_audio_buffer.speech_started" for one in self._turns.values())
        self._need(event, kind != "input_audio_buffer.speech_started" or not speaking, "one turn at a time")
        self._turns[item_id] = kind
        if kind not in ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"):
            self._chain(item_id, event)

    def _chain(self, item_id: str, event: Event) -> None:
        previous = self._previous.setdefault(item_id, event["previous_item_id"])
        self._need(event, previous == event["previous_item_id"] != item_id, "an item keeps its place")

    def _transcribe(self, item_id: str, event: Event) -> None:
        kind = event["type"].removeprefix(WORDS)
        self._need(event, item_id in self._turns, "words of an item that nobody knows")
        self._need(event, self._words.get(item_id) in (None, "delta"), "the words were final")
        self._words[item_id] = kind

    @staticmethod
    def _need(event: Event, good: bool, why: str) -> None:
        if not good:
            raise OrderBroken(why, event)


def check(events: Iterable[Event], complete: bool = True) -> None:
    """A whole session, as a list of JSON objects. Raises: AssertionError."""
    order = Order()
    for event in events:
        order.see(event)
    if complete:
        order.complete()
