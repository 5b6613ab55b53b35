"""The order of a response's events: one story from `response.created` to `response.done`, told by the tables of `order_rules.py`."""

from typing import Any

from tests.support.order_rules import (
    ADDED,
    AUDIO_DELTA,
    CALL_DELTA,
    DONE,
    ECHOED,
    ITEM_ADDED,
    ITEM_DONE,
    REASONS,
    SAID_DELTA,
    STATUS,
    STEPS,
    TEXT_DELTA,
    Event,
    bytes_per_ms,
    item_of,
    need,
)


class OutputItem:
    """One item of a response, from `output_item.added` to `output_item.done`."""

    def __init__(self, event: Event) -> None:
        self.item_id: str = event["item"]["id"]
        self.index: int = event["output_index"]
        self.given: Event = event["item"]
        self.item: Any = None
        self.sound_bytes = 0
        self._call = event["item"]["type"] == "function_call"
        self._kind = "function_call" if self._call else "audio"
        self._last = ITEM_ADDED
        self._text = ""
        self._parts: list[str] = []

    @property
    def done(self) -> bool:
        """It had its last event."""
        return self._last == ITEM_DONE

    def step(self, event: Event, in_band: bool, spoken: bool, cut: bool) -> None:
        """Its next event. `cut`: the item was truncated, its words may be fewer than its deltas said."""
        kind = event["type"]
        allowed = STEPS[self._kind].get(self._last, ())
        if not in_band:
            allowed = tuple(after for one in allowed for after in (STEPS[self._kind][one] if one in (ADDED, DONE) else (one,)))
        need(event, kind in allowed, f"after {self._last} comes {' or '.join(allowed) or 'nothing'}")
        self._last = kind
        need(event, event.get("output_index", self.index) == self.index, "an item keeps its output_index")
        match kind:
            case "response.content_part.added":
                self._kind, self._text = event["part"]["type"], ""
                need(event, self._kind == ("audio" if spoken else "text"), "a part is of the response's modality")
                need(event, event["content_index"] == len(self._parts), "parts are counted from 0")
                need(event, not event["part"].get("transcript") and not event["part"].get("text"), "a part begins empty")
            case "response.content_part.done":
                need(event, event["content_index"] == len(self._parts), "parts are counted from 0")
                told = event["part"].get("transcript", event["part"].get("text"))
                need(event, event["part"]["type"] == self._kind and told == self._text, f"the part said {self._text!r}")
                self._parts.append(self._text)
            case "conversation.item.added":
                need(event, event["item"] == self.given, "the item is the same in both events")
            case "conversation.item.done" | "response.output_item.done":
                self._finish(event, cut)
            case _:
                self._say(event, cut)

    def _say(self, event: Event, cut: bool) -> None:
        kind = event["type"]
        need(event, not (cut and kind in (SAID_DELTA, TEXT_DELTA, AUDIO_DELTA)), "nothing is added to an item that was truncated")
        if cut and self._text.startswith(event.get("transcript", self._text)):
            # What was not heard is not said again when the item ends.
            self._text = event.get("transcript", self._text)
        need(event, event.get("content_index", len(self._parts)) == len(self._parts), "no such part")
        if kind in (SAID_DELTA, TEXT_DELTA, CALL_DELTA):
            need(event, event["delta"] != "", "a delta says something")
            self._text += event["delta"]
        elif kind == AUDIO_DELTA:
            self.sound_bytes += len(event["delta"]) * 3 // 4 - event["delta"][-2:].count("=")
        for name in ("transcript", "text", "arguments"):
            need(event, event.get(name, self._text) == self._text, f"the deltas said {self._text!r}")
        if self._call:
            need(event, event["call_id"] == self.given["call_id"], "a call keeps its call_id")
            need(event, event.get("name", self.given["name"]) == self.given["name"], "a call keeps its name")

    def _finish(self, event: Event, cut: bool) -> None:
        item = event["item"]
        need(event, self.item in (None, item), "the item is the same in both events")
        need(event, item["status"] in ("completed", "incomplete"), "an item that is done has a final status")
        self.item = item
        for name in ("id", "type", "role", "name", "call_id"):
            need(event, item.get(name) == self.given.get(name), f"an item keeps its {name}")
        if self._call:
            need(event, item["arguments"] == self._text, f"the deltas said {self._text!r}")
            return
        said = [part.get("transcript", part.get("text")) for part in item["content"]]
        fits = said == self._parts or cut and all(told.startswith(kept) for kept, told in zip(said, self._parts, strict=True))
        need(event, fits, f"the parts said {self._parts}")


class Response:
    """One response, from `response.created` to `response.done`."""

    def __init__(self, event: Event) -> None:
        self.given: Event = event["response"]
        self.in_band = self.given.get("conversation_id") is not None
        self.items: list[OutputItem] = []
        need(event, self.given["status"] == "in_progress", "a new response is in progress")
        need(event, not self.given.get("output"), "a new response has no output")
        need(event, self.given.get("usage") is None and self.given.get("status_details") is None, "a new response has no end")

    @property
    def bytes_per_ms(self) -> int:
        """Of its sound."""
        return bytes_per_ms(self.given)

    def see(self, event: Event, cut: bool = False) -> None:
        """An event between the first and the last, of the response or of the conversation. Raises: OrderBroken."""
        open_item = self.items[-1] if self.items and not self.items[-1].done else None
        if event["type"] == ITEM_ADDED:
            need(event, open_item is None, "one item after the other")
            need(event, event["output_index"] == len(self.items), "output items are counted from 0")
            need(event, event["item"]["status"] == "in_progress" and not event["item"].get("content"), "a new item is empty")
            need(event, not event["item"].get("arguments"), "a new call has no arguments")
            self.items.append(OutputItem(event))
            return
        need(event, open_item is not None and open_item.item_id == item_of(event), "an item has to be open")
        assert open_item is not None
        open_item.step(event, self.in_band, self.given.get("output_modalities") == ["audio"], cut)

    def end(self, event: Event, between: bool = False) -> None:
        """`response.done`. `between`: it may be broken off behind a complete item. Raises: OrderBroken."""
        body = event["response"]
        status, details = body["status"], body["status_details"]
        need(event, status in STATUS, "a response that is done has a final status")
        need(event, all(item.done for item in self.items), "its items are done before")
        need(event, body["output"] == [item.item for item in self.items], "the output is what was sent")
        for name in ECHOED:
            need(event, body.get(name) == self.given.get(name), f"{name} is what it was when it began")
        ends = [item.item["status"] for item in self.items]
        need(event, all(one == "completed" for one in ends[:-1]), "only the last item can be incomplete")
        call = bool(self.items) and self.items[-1].given["type"] == "function_call"
        fits = not ends or ends[-1] == STATUS[status] or ((call or between) and ends[-1] == "completed")
        need(event, fits, "the item's status follows the response's")
        check_details(event, status, details)
        check_usage(event, body.get("usage"))


def check_details(event: Event, status: str, details: Any) -> None:
    """Why a response is not completed. Raises: OrderBroken."""
    need(event, (details is None) == (status == "completed"), "what is not completed says why")
    if details is not None:
        need(event, details["type"] == status, "the details are of the status")
        need(event, details.get("reason") in REASONS.get(status, {None, details.get("reason")}), "a reason that there is")
        need(event, status != "failed" or bool(details.get("error")), "a failure says what failed")


def check_usage(event: Event, usage: Any) -> None:
    """The tokens add up. Raises: OrderBroken."""
    need(event, usage is not None, "a response that is done has its usage")
    went_in, came_out = usage["input_token_details"], usage["output_token_details"]
    need(event, usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"], "the tokens add up")
    parts = went_in["text_tokens"] + went_in["audio_tokens"] + (went_in.get("image_tokens") or 0)
    need(event, usage["input_tokens"] == parts, "the input tokens add up")
    need(event, usage["output_tokens"] == came_out["text_tokens"] + came_out["audio_tokens"], "the output tokens add up")
