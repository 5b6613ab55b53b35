"""Minimal traces of one conversation in each dialect, written down from what is known of the services and not from our tables.

    python -m tests.support.dialect_trace        writes fixtures/traces/dialect-*.jsonl anew

A line is `{"dir": "client" | "up" | "down", "event"}`. `client`: what a client of today sends; `up`: what the service is to be sent, in order;
`down`: what the service sends. The conversation: a spoken turn, a typed one, a function call, and an answer that is interrupted.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Event = dict[str, Any]
Line = dict[str, Any]

TRACES = Path(__file__).resolve().parent.parent.parent / "fixtures" / "traces"
PCM = {"type": "audio/pcm", "rate": 24_000}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "name": "get_weather", "description": "The weather in a city.", "parameters": PARAMETERS}
DETECTION = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
SOUND = base64.b64encode((1_000 * np.sin(np.arange(240) / 8)).astype("<i2").tobytes()).decode()
"""10 ms of a tone at 24 kHz."""
WORDS = "conversation.item.input_audio_transcription."
USAGE = {
    "total_tokens": 30,
    "input_tokens": 20,
    "output_tokens": 10,
    "input_token_details": {"text_tokens": 15, "audio_tokens": 5, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 4, "audio_tokens": 6},
}
WISHES: Event = {
    "type": "realtime",
    "output_modalities": ["audio"],
    "instructions": "Be brief.",
    "audio": {
        "input": {"format": PCM, "transcription": {"model": "whisper-1"}, "turn_detection": DETECTION},
        "output": {"format": PCM, "voice": "alloy"},
    },
    "tools": [TOOL],
}
_FLAT: Event = {
    "modalities": ["audio", "text"],
    "instructions": "Be brief.",
    "input_audio_format": "pcm16",
    "input_audio_transcription": {"model": "whisper-1"},
    "turn_detection": DETECTION,
    "output_audio_format": "pcm16",
    "voice": "alloy",
    "tools": [TOOL],
}
_WRAPPED = {"type": "function", "function": {name: value for name, value in TOOL.items() if name != "type"}}


@dataclass(frozen=True)
class Service:
    """How a service tells a conversation."""

    wishes: Event
    """What becomes of the client's settings."""
    session: Event
    """What it tells of its own at first, beside its name."""
    effective: Event = field(default_factory=dict)
    """What it tells when they are in effect, where that is not what was sent."""
    audio: str = "response.audio"
    said: str = "response.audio_transcript"
    added: str = "conversation.item.created"
    heard_done: bool = False
    """It tells when a heard item is done."""
    done: bool = False
    """It tells when any other is."""
    names: bool = True
    pieces: bool = True
    """It tells an answer's items and parts."""
    early: bool = False
    """It tells a heard item before the turn is over, and all its words again each time."""
    call_name: bool = False
    words_usage: bool = False
    base: Event = field(default_factory=dict)
    """What each response says of itself."""
    outside: bool = False
    limits: bool = False
    asks_first: Event | None = None
    """What the service must be sent when its session begins."""
    heartbeat: tuple[str, ...] = ()
    extra: Event = field(default_factory=dict)
    """What stands in each event besides."""
    cuts: bool = True
    """It can be told what was not heard."""
    content: str = "audio"
    """The kind of an assistant's words in items."""


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


_OLD_BASE = {
    "conversation_id": "conv_1",
    "modalities": ["audio", "text"],
    "voice": "alloy",
    "output_audio_format": "pcm16",
    "temperature": 0.8,
}
_OLD_BASE |= {"max_output_tokens": "inf", "metadata": None}
_GA_BASE = {"conversation_id": "conv_1", "output_modalities": ["audio"], "max_output_tokens": "inf", "metadata": None}
_GA_BASE |= {"audio": {"output": {"format": PCM, "voice": "alloy"}}}
_SMALL_BASE = {"conversation_id": "conv_1", "modalities": ["text", "audio"], "voice": "alloy"}
_TWO_KEYS = {"prefix_padding_ms": 300, "silence_duration_ms": 500}

SERVICES = {
    "ga": Service(
        wishes=WISHES,
        session={"type": "realtime", "audio": WISHES["audio"]},
        audio="response.output_audio",
        said="response.output_audio_transcript",
        added="conversation.item.added",
        heard_done=True,
        done=True,
        call_name=True,
        words_usage=True,
        base=_GA_BASE,
        limits=True,
        content="output_audio",
    ),
    "beta": Service(
        wishes=_FLAT,
        session={"modalities": ["audio", "text"], "temperature": 0.8, "client_secret": None, "turn_detection": DETECTION},
        words_usage=True,
        base=_OLD_BASE,
        limits=True,
    ),
    "voicelive": Service(
        wishes={
            **_FLAT,
            "modalities": ["text", "audio"],
            "input_audio_sampling_rate": 24_000,
            "voice": {"name": "alloy", "type": "openai"},
        },
        session={
            "modalities": ["audio"],
            "input_audio_sampling_rate": 24_000,
            "output_audio_format": None,
            "avatar": None,
            "greeting": None,
        },
        effective={"turn_detection": {**DETECTION, "speech_duration_ms": None, "auto_truncate": False}, "modalities": ["audio", "text"]},
        heard_done=True,
        call_name=True,
        base={**_OLD_BASE, "voice": {"name": "alloy", "type": "openai"}, "temperature": None},
    ),
    "xai": Service(
        wishes={
            **{name: value for name, value in _FLAT.items() if not name.startswith(("input_", "output_"))},
            "modalities": ["audio"],
            "audio": {"input": {"format": PCM, "transcription": {"model": "grok-transcribe"}}, "output": {"format": PCM}},
        },
        session={"voice": "ara", "modalities": ["audio"], "turn_detection": {"type": None}, "tools": []},
        effective={
            "tools": [_WRAPPED],
            "input_audio_format": "not specified",
            "output_audio_format": "not specified",
            "input_audio_transcription": {"model": "grok-transcribe"},
            "temperature": -1.0,
            "keep_context": False,
            "is_kids_mode": False,
        },
        audio="response.output_audio",
        said="response.output_audio_transcript",
        added="conversation.item.added",
        early=True,
        call_name=True,
        outside=True,
        asks_first={"turn_detection": {"type": "server_vad"}},
        heartbeat=("conversation.created", "ping"),
        extra={"previous_item_id": None},
        cuts=False,
    ),
    "qwen": Service(
        wishes={
            **_FLAT,
            "modalities": ["text", "audio"],
            "input_audio_format": "pcm",
            "output_audio_format": "pcm",
            "input_audio_transcription": {"model": "qwen3-asr-flash-realtime"},
            "tools": [_WRAPPED],
        },
        session={
            "modalities": ["text", "audio"],
            "input_audio_format": "pcm",
            "output_audio_format": "pcm",
            "temperature": 0.8,
            "enable_search": False,
        },
        base=_SMALL_BASE,
        cuts=False,
    ),
    "stepfun": Service(
        wishes={**_FLAT, "modalities": ["text", "audio"], "turn_detection": {"type": "server_vad", **_TWO_KEYS}},
        session={"modalities": ["text", "audio"], "input_audio_format": "pcm16", "output_audio_format": "pcm16"},
        base=_SMALL_BASE,
        asks_first={"turn_detection": {"type": "server_vad"}},
        cuts=False,
    ),
    "glm": Service(
        wishes={
            **_FLAT,
            "modalities": ["text", "audio"],
            "input_audio_format": "wav",
            "output_audio_format": "pcm",
            "turn_detection": {"type": "server_vad"},
            "beta_fields": {"chat_mode": "audio", "tts_source": "e2e"},
        },
        session={"input_audio_format": "wav", "output_audio_format": "pcm", "turn_detection": {"type": "client_vad"}},
        names=False,
        pieces=False,
        asks_first={"turn_detection": {"type": "server_vad"}, "beta_fields": {"chat_mode": "audio", "tts_source": "e2e"}},
        heartbeat=("heartbeat",),
        extra={"client_timestamp": 1_700_000_000_000},
        cuts=False,
    ),
}
"""As docs/providers.md tells them: recorded (voicelive, xai), or read about."""


def texts() -> Iterator[tuple[str, str]]:
    """The name and the text of each trace."""
    for name, service in SERVICES.items():
        yield name, "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in converse(service))


if __name__ == "__main__":
    for name, text in texts():
        (TRACES / f"dialect-{name}.jsonl").write_text(text)
