"""Minimal traces of one conversation in each dialect, written down from what is known of the services and not from our tables.

    python -m tests.support.dialect_trace        writes fixtures/traces/dialect-*.jsonl anew

A line is `{"dir": "client" | "up" | "down", "event"}`. `client`: what a client of today sends; `up`: what the service is to be sent, in order;
`down`: what the service sends. The conversation: a spoken turn, a typed one, a function call, and an answer that is interrupted.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.dialect_services import SERVICES, SOUND, WISHES, Event, Service

Line = dict[str, Any]

TRACES = Path(__file__).resolve().parent.parent.parent / "fixtures" / "traces"
WORDS = "conversation.item.input_audio_transcription."
USAGE = {
    "total_tokens": 30,
    "input_tokens": 20,
    "output_tokens": 10,
    "input_token_details": {"text_tokens": 15, "audio_tokens": 5, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 4, "audio_tokens": 6},
}


class Trace:
    """Writes the lines."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.lines: list[Line] = []
        self._before: str | None = None
        self._count = 0

    def put(self, way: str, kind: str, **fields: Any) -> None:
        self._count += 1
        told = {"event_id": f"event_{self._count:03d}", **self.service.extra} if way == "down" else {"event_id": f"mine_{self._count:03d}"}
        self.lines.append({"dir": way, "event": {"type": kind, **(told if way != "up" else {}), **fields}})

    def both(self, kind: str, theirs: Event | None = None, **fields: Any) -> None:
        """A request of the client, and what the service gets of it."""
        self.put("client", kind, **fields)
        event = self.lines[-1]["event"]
        self.lines.append({"dir": "up", "event": {**event, **(theirs or {})}})

    def begin(self) -> None:
        service = self.service
        self.put("down", "session.created", session={"id": "sess_1", "object": "realtime.session", "model": "m", **service.session})
        if service.asks_first is not None:
            self.put("up", "session.update", session=service.asks_first)
        for kind in service.heartbeat:
            self.put("down", kind)
        self.both("session.update", {"session": service.wishes}, session=WISHES)
        if service.asks_first is not None:
            self.put("down", "session.updated", session={"id": "sess_1", "object": "realtime.session", "model": "m", **service.asks_first})
        effective = {**service.session, **service.wishes, **service.effective}
        self.put("down", "session.updated", session={"id": "sess_1", "object": "realtime.session", "model": "m", **effective})

    def item(self, item: Event, heard: bool = False) -> None:
        """The service tells an item."""
        place = {"previous_item_id": self._before} if self.service.names else {}
        self.put("down", self.service.added, **place, item={"object": "realtime.item", **item})
        if self.service.heard_done if heard else self.service.done:
            self.put("down", "conversation.item.done", **place, item={"object": "realtime.item", **item})
        self._before = item["id"]

    def typed(self, item_id: str, text: str) -> None:
        item = {"id": item_id, "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        self.both("conversation.item.create", item=item)
        self.both("response.create")
        self.item({**item, "status": "completed"})

    def spoken(self, item_id: str, words: str, start_ms: int) -> None:
        name = {"item_id": item_id} if self.service.names else {}
        times = {"audio_start_ms": start_ms}, {"audio_end_ms": start_ms + 900}
        self.put("down", "input_audio_buffer.speech_started", **name, **(times[0] if self.service.names else {}))
        content = [{"type": "input_audio", "transcript": "" if self.service.early else None}]
        item = {"id": item_id, "type": "message", "role": "user", "content": content}
        about = {"item_id": item_id, "content_index": 0}
        before = self._before
        if self.service.early:
            self.item({**item, "status": "in_progress"})
            self.put("down", f"{WORDS}updated", **about, transcript=words[:5])
            self.put("down", f"{WORDS}completed", **about, transcript=words[:5], status="in_progress")
        self.put("down", "input_audio_buffer.speech_stopped", **name, **(times[1] if self.service.names else {}))
        place = {"previous_item_id": before} if self.service.names else {}
        self.put("down", "input_audio_buffer.committed", item_id=item_id, **place)
        if not self.service.early:
            self.item({**item, "status": "completed"}, heard=True)
        usage = {"usage": {"type": "duration", "seconds": 1.0}} if self.service.words_usage else {}
        status = {"status": "completed"} if self.service.early else {}
        self.put("down", f"{WORDS}completed", **about, transcript=words, **usage, **status)

    def answer(self, number: int, *items: Callable[["Trace", str, int], Event], status: str = "completed") -> None:
        response_id = f"resp_{number}"
        base = {"id": response_id, "object": "realtime.response", **self.service.base}
        hollow = {"status_details": "unimplemented", "usage": {}} if self.service.outside else {"status_details": None, "usage": None}
        self.put("down", "response.created", response={**base, "status": "in_progress", "output": [], **hollow})
        output = [tell(self, response_id, index) for index, tell in enumerate(items)]
        why = None if status == "completed" else {"type": status, "reason": "turn_detected"}
        ended = {**base, "status": status, "output": output, "status_details": why, "usage": USAGE}
        if self.service.outside:
            self.put("down", "response.done", response={**ended, **hollow}, response_id=response_id, usage=USAGE)
        else:
            self.put("down", "response.done", response=ended)
        if self.service.limits:
            self.put("down", "rate_limits.updated", rate_limits=[])

    def opens(self, response_id: str, index: int, item: Event) -> Event:
        """An item of an answer begins; gives what its pieces say of where they belong."""
        begun = {**item, "object": "realtime.item", "status": "in_progress"}
        if self.service.pieces:
            self.put("down", "response.output_item.added", response_id=response_id, output_index=index, item=begun)
            self.put("down", self.service.added, previous_item_id=self._before, item=begun)
        self._before = item["id"]
        return {"response_id": response_id, "output_index": index, **({"item_id": item["id"]} if self.service.names else {})}

    def closes(self, response_id: str, index: int, item: Event) -> Event:
        whole = {**item, "object": "realtime.item"}
        if self.service.done:
            self.put("down", "conversation.item.done", previous_item_id=None, item=whole)
            self.lines[-1]["event"]["previous_item_id"] = self.place_of(item["id"])
        if self.service.pieces:
            self.put("down", "response.output_item.done", response_id=response_id, output_index=index, item=whole)
        return whole

    def place_of(self, item_id: str) -> Any:
        told = (line["event"] for line in self.lines if line["event"]["type"] == self.service.added and "item" in line["event"])
        return next(event["previous_item_id"] for event in told if event["item"]["id"] == item_id)


def says(item_id: str, *words: str, status: str = "completed") -> Callable[[Trace, str, int], Event]:
    """A spoken message of so many deltas."""

    def tell(trace: Trace, response_id: str, index: int) -> Event:
        service, text = trace.service, "".join(words)
        item = {"id": item_id, "type": "message", "role": "assistant", "content": []}
        where = {**trace.opens(response_id, index, item), "content_index": 0}
        if service.pieces:
            trace.put("down", "response.content_part.added", **where, part={"type": "audio", "transcript": ""})
        for word in words:
            first, second = (f"{service.said}.delta", word), (f"{service.audio}.delta", SOUND)
            for kind, delta in (second, first) if service.early else (first, second):
                trace.put("down", kind, **where, delta=delta)
        if status != "completed":
            # Who is interrupted says so in the middle of it.
            trace.put("down", "input_audio_buffer.speech_started", item_id="item_stop", audio_start_ms=5_000)
            if not service.names:
                for name in ("item_id", "audio_start_ms"):
                    del trace.lines[-1]["event"][name]
            trace.both("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=10)
            if not service.cuts:
                del trace.lines[-1]
        ends = [(f"{service.audio}.done", {}), (f"{service.said}.done", {"transcript": text})]
        part = ("response.content_part.done", {} if service.early else {"part": {"type": "audio", "transcript": text}})
        for kind, fields in [ends[1], part, ends[0]] if service.early else [*ends, part]:
            if service.pieces or kind != part[0]:
                trace.put("down", kind, **where, **fields)
        said = {**item, "status": status, "content": [{"type": service.content, "transcript": text}]}
        told = {name: value for name, value in said.items() if name != "content"} if service.early else said
        trace.closes(response_id, index, told)
        return {**said, "object": "realtime.item"}

    return tell


def calls(item_id: str, *arguments: str) -> Callable[[Trace, str, int], Event]:
    """A function call."""

    def tell(trace: Trace, response_id: str, index: int) -> Event:
        service, text = trace.service, "".join(arguments)
        role = {"role": "tool"} if service.early else {}
        item = {"id": item_id, "type": "function_call", **role, "name": "get_weather", "call_id": "call_1", "arguments": ""}
        where = {**trace.opens(response_id, 0 if service.early else index, item), "call_id": "call_1"}
        for piece in arguments if service.pieces else ():
            trace.put("down", "response.function_call_arguments.delta", **where, delta=piece)
        name = {"name": "get_weather"} if service.call_name or not service.pieces else {}
        trace.put("down", "response.function_call_arguments.done", **where, **name, arguments=text)
        return trace.closes(response_id, index, {**item, "status": "completed", "arguments": text})

    return tell


def converse(service: Service) -> list[Line]:
    """The conversation."""
    trace = Trace(service)
    trace.begin()
    trace.spoken("item_time", "What time is it?", 300)
    trace.answer(1, says("item_ten", "It is", " ten."))
    trace.typed("item_thanks", "Thank you.")
    trace.answer(2, says("item_welcome", "You are welcome."))
    trace.typed("item_weather", "What is the weather in Seoul?")
    trace.answer(3, says("item_look", "I will look."), calls("item_call", '{"city":', '"Seoul"}'))
    output = {"id": "item_rain", "type": "function_call_output", "call_id": "call_1", "output": "rain"}
    trace.both("conversation.item.create", item=output)
    trace.both("response.create")
    trace.item({**output, **({"status": "completed"} if service.names else {})})
    trace.answer(4, says("item_rains", "It rains."))
    trace.typed("item_story", "Tell me a story.")
    trace.answer(5, says("item_once", "Once", " upon", status="incomplete"), status="cancelled")
    if service.cuts:
        trace.put("down", "conversation.item.truncated", item_id="item_once", content_index=0, audio_end_ms=10)
    stopped(trace)
    trace.answer(6, says("item_fine", "All right."))
    return trace.lines


def stopped(trace: Trace) -> None:
    """The turn that interrupted ends."""
    begun = len(trace.lines)
    trace.spoken("item_stop", "Stop, please.", 5_000)
    del trace.lines[begun]


def texts() -> Iterator[tuple[str, str]]:
    """The name and the text of each trace."""
    for name, service in SERVICES.items():
        yield name, "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in converse(service))


if __name__ == "__main__":
    for name, text in texts():
        (TRACES / f"dialect-{name}.jsonl").write_text(text)
