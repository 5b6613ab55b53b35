"""What other servers do to a talking session, event by event: the scripted traces of session_trace.py."""

import base64
from typing import Any

import numpy as np

Line = dict[str, Any]


def do(what: str, **how: Any) -> Line:
    return {"dir": "do", "event": {"do": what, **how}}


def down(kind: str, **fields: Any) -> Line:
    return {"dir": "down", "event": {"type": kind, "event_id": "event_s", **fields}}


def ready(rate_hz: int | None = 16_000) -> Line:
    pcm: Line = {"type": "audio/pcm"} if rate_hz is None else {"type": "audio/pcm", "rate": rate_hz}
    detection = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 200, "silence_duration_ms": 400}
    hearing = {"format": pcm, "turn_detection": detection, "transcription": {"model": "whisper-1"}}
    audio = {"input": hearing, "output": {"format": {"type": "audio/pcm", "rate": 24_000}}}
    return down("session.updated", session={"type": "realtime", "audio": audio})


def error(code: str | None, event_id: str | None = None, message: str = "No.") -> Line:
    return down("error", error={"type": "invalid_request_error", "code": code, "message": message, "event_id": event_id})


def created(response_id: str) -> Line:
    return down("response.created", response={"id": response_id, "status": "in_progress"})


def done(response_id: str, status: str = "completed", details: Any = None) -> Line:
    return down("response.done", response={"id": response_id, "status": status, "status_details": details, "output": []})


def words(kind: str, item_id: str, text: str) -> Line:
    field = {"delta": "delta", "done": "transcript" if "audio" in kind else "text"}[kind.rpartition(".")[2]]
    return down(f"response.{kind}", response_id="r", item_id=item_id, output_index=0, content_index=0, **{field: text})


def item(kind: str, item_id: str | None, role: str, text: str | None, after: str | None, **more: Any) -> Line:
    part = {"type": "input_audio" if role == "user" else "output_audio", "transcript": text}
    fields = {"item": {"type": "message", "id": item_id, "role": role, "content": [part], **more}}
    return down(f"conversation.item.{kind}", previous_item_id=after, **fields)


SOUND = "AAABAP//AgD+/w=="
"""0, 1, -1, 2, -2."""

REFUSED = [
    do("connected"),
    do("say", text="hello"),
    error("invalid_value", "event_client000099", "Of something else."),
    error("invalid_value", "event_client000001", "Only 24000."),
    ready(24_000),
    error("invalid_value", "event_client000001", "Late."),
    created("r1"),
    done("r1"),
]
"""A server that takes 24 kHz only."""

STUBBORN = [
    do("connected"),
    error("invalid_value", "event_client000001"),
    error("unknown_parameter", "event_client000002"),
    do("say", text="hello"),
    ready(None),
]
"""A server that takes no settings of ours."""

BUSY = [
    do("connected"),
    do("say", text="one"),
    do("say", text="two"),
    ready(),
    error("conversation_already_has_active_response", "event_client000004", "Active."),
    done("unknown"),
    created("r1"),
    done("somebody else's"),
    do("say", text="three"),
    done("r1"),
    created("r2"),
    error("conversation_already_has_active_response", "event_client000007", "Late, for what seemed fulfilled."),
    done("r2", "failed", {"type": "failed", "error": {"code": "server_error", "message": "Broken."}}),
    error("too_many_responses", "event_client000008", "No."),
    created("r3"),
    done("r3", "incomplete", {"type": "incomplete", "reason": "max_output_tokens"}),
    done("", "cancelled", "unimplemented"),
]
"""Responses that cross each other."""

BARGED = [
    do("connected"),
    ready(),
    down("input_audio_buffer.speech_started", audio_start_ms=1200, item_id="u1"),
    down("input_audio_buffer.speech_stopped", audio_end_ms=2600, item_id="u1"),
    down("input_audio_buffer.committed", item_id="u1", previous_item_id=None),
    created("r1"),
    item("added", "u1", "user", None, None, status="completed"),
    item("added", "a1", "assistant", None, "u1", status="in_progress"),
    words("output_audio_transcript.delta", "a1", "One two "),
    words("output_audio.delta", "a1", SOUND),
    words("output_audio.delta", "a1", SOUND),
    down("input_audio_buffer.speech_started", audio_start_ms=4000, item_id="u2"),
    do("interrupt", item_id="a1", heard_ms=60_000),
    do("interrupt", item_id="a1", heard_ms=60_000),
    words("output_audio.delta", "a1", SOUND),
    words("output_audio_transcript.delta", "a1", "three"),
    words("output_audio_transcript.done", "a1", "One two three"),
    error("response_cancel_not_active", "event_client000002", "Nothing is active."),
    error("response_cancel_not_active", "event_client000099", "Of somebody else."),
    done("r1", "cancelled", {"type": "cancelled", "reason": "turn_detected"}),
    down("conversation.item.truncated", item_id="a1", content_index=0, audio_end_ms=0),
    words("output_audio.delta", "a2", SOUND),
    do("interrupt", item_id="a2", heard_ms=0),
    do("interrupt", item_id=None, heard_ms=0),
    down("conversation.item.deleted", item_id="a2"),
]
"""The user speaks over an answer, and over one that had been sent whole."""

QUARTER_S = base64.b64encode(bytes(12_000)).decode()
"""250 ms of silence."""


def truncated(item_id: str, audio_end_ms: int, **ours: Any) -> Line:
    return down("conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=audio_end_ms, **ours)


CUT = [
    do("connected"),
    ready(),
    created("r1"),
    item("added", "a1", "assistant", None, None, status="in_progress"),
    words("output_audio_transcript.delta", "a1", "One two three. "),
    words("output_audio.delta", "a1", QUARTER_S),
    words("output_audio.delta", "a1", QUARTER_S),
    words("output_audio_transcript.delta", "a1", "Four five six 일곱 여덟."),
    words("output_audio.delta", "a1", QUARTER_S),
    do("interrupt", item_id="a1", heard_ms=740),
    truncated("a1", 740, transcript="One two three. Four five", estimated=False),
    words("output_audio_transcript.done", "a1", "One two three. Four five six 일곱 여덟."),
    item("done", "a1", "assistant", "One two three. Four five", None, status="incomplete"),
    done("r1", "cancelled", {"type": "cancelled", "reason": "client_cancelled"}),
    created("r2"),
    item("added", "a2", "assistant", None, "a1", status="in_progress"),
    words("output_audio_transcript.delta", "a2", "The service cuts by itself."),
    words("output_audio.delta", "a2", QUARTER_S),
    words("output_audio.delta", "a2", QUARTER_S),
    truncated("a2", 450),
    words("output_audio.delta", "a2", QUARTER_S),
    item("done", "a2", "assistant", "The service cuts by itself.", "a1", status="completed"),
    done("r2"),
    created("r3"),
    item("added", "a3", "assistant", None, "a2", status="in_progress"),
    words("output_audio.delta", "a3", QUARTER_S),
    words("output_audio_transcript.done", "a3", "Words come last."),
    item("done", "a3", "assistant", "Words come last.", "a2", status="completed"),
    do("interrupt", item_id="a3", heard_ms=125),
    truncated("a3", 125, transcript="Words", estimated=True),
    truncated("nobody's", 125, transcript="Who?", estimated=False),
    do("connected"),
    ready(),
]
"""Answers that are cut: by us and told by a server of ours, by the server itself, with words that come last; then another link."""

ODD = [
    do("connected"),
    down("session.created", session={"type": "realtime", "id": "s"}),
    ready(),
    down("ping"),
    down("response.output_audio.delta", response_id="r", item_id="a", delta="%%%"),
    down("response.output_audio.delta", response_id="r", item_id="a", delta="AAA="),
    down("response.output_audio.delta", response_id="r", item_id="a", delta="AAAA"),
    down("response.output_audio.delta", response_id="r", item_id="a", delta=""),
    down("response.output_audio.delta", response_id="r", item_id="a"),
    down("response.output_text.delta", response_id="r", item_id="t"),
    down("response.created"),
    down("response.created", response={}),
    down("response.done", response={"status": None, "status_details": None}),
    created("r2"),
    down("response.function_call_arguments.done", response_id="r2", item_id="f", call_id="c", name="n", arguments="{}"),
    down("response.output_text.done", item_id=7, text=3.5),
    down("response.done", response={"id": 12}),
    down("response.done", response=None),
    down("input_audio_buffer.speech_started", item_id="w", audio_start_ms="320"),
    down("input_audio_buffer.speech_stopped", item_id="w", audio_end_ms=900.4),
    down("input_audio_buffer.committed", item_id=None, previous_item_id=5),
    down("input_audio_buffer.speech_started", audio_start_ms={}),
    down("input_audio_buffer.committed"),
    down("conversation.item.input_audio_transcription.completed", item_id="w", transcript=None),
    down("conversation.item.created", item={"type": "message", "id": 9, "role": "user", "content": []}),
    down("mcp_list_tools.in_progress", item_id="m"),
    down("conversation.item.input_audio_transcription.delta", item_id="u"),
    down("conversation.item.input_audio_transcription.delta", item_id="u", delta="what "),
    down("conversation.item.input_audio_transcription.completed", item_id="u", transcript="what time"),
    down("conversation.item.input_audio_transcription.failed", item_id="v", error={"message": "deaf"}),
    {"dir": "down", "event": "not an object"},
    {"dir": "down", "event": ["type"]},
    {"dir": "down", "event": None},
    {"dir": "down", "event": {"no": "type"}},
    {"dir": "down", "event": {"type": 7}},
    {"dir": "down", "event": {"type": "__proto__"}},
    {"dir": "down", "event": {"type": "constructor", "session": {}}},
    error(None, None, "Without a code."),
    down("error", error={"type": "server_error"}),
    down("error"),
    item("added", None, "user", "nameless", None),
    item("done", "x", "system", "be kind", "missing"),
    down("conversation.item.added", item={"type": "function_call", "id": "f", "name": "n", "arguments": "{}"}),
]
"""What no server should send."""

ORDER = [
    do("connected"),
    ready(),
    down("conversation.item.input_audio_transcription.completed", item_id="u1", transcript="early words"),
    item("added", "a1", "assistant", None, None, status="in_progress"),
    item("added", "u1", "user", None, "root"),
    item("added", "u2", "user", "second", "a1"),
    item("added", "u3", "user", "between", "a1"),
    item("done", "a1", "assistant", "the answer", "u2", status="incomplete"),
    words("output_text.done", "a2", "typed"),
    item("done", "a2", "assistant", None, "u3"),
    down("conversation.item.deleted", item_id="u2"),
    down("conversation.item.deleted", item_id="never"),
    item("added", "u4", "user", "\u202e<img src=x onerror=alert(1)>", "a2"),
]
"""Lines in the order of the conversation, whatever comes first."""


def push(number: int) -> Line:
    """200 ms of the microphone, all samples different from those of other pieces."""
    samples = np.arange(number * 3200, (number + 1) * 3200, dtype="<i2")
    return do("push", audio=base64.b64encode(samples.tobytes()).decode())


LONGER = base64.b64encode(np.arange(4800, dtype="<i2").tobytes()).decode()
"""200 ms of an answer."""

BROKEN = [
    do("connected"),
    push(0),
    ready(),
    *(push(number) for number in range(1, 5)),
    down("input_audio_buffer.speech_started", audio_start_ms=300, item_id="u1"),
    down("input_audio_buffer.committed", item_id="u1"),
    item("added", "u1", "user", None, None),
    created("r1"),
    do("connected"),
    push(5),
    ready(),
    down("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u2"),
    down("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="u2"),
    down("input_audio_buffer.committed", item_id="u2"),
    item("added", "u2", "user", None, None),
    down("conversation.item.input_audio_transcription.completed", item_id="u2", transcript="count"),
    created("r2"),
    item("added", "a1", "assistant", None, "u2", status="in_progress"),
    words("output_audio_transcript.delta", "a1", "one two"),
    words("output_audio.delta", "a1", LONGER),
    do("connected"),
    ready(),
    do("interrupt", item_id="a1", heard_ms=150),
    do("say", text="go on"),
    do("connected"),
    ready(),
    created("r3"),
    do("connected"),
    ready(),
]
"""Links that break over a turn that nobody knows yet, in an answer, over a typed message, and before its answer."""

OVER = {"type": "failed", "error": {"type": "invalid_request_error", "code": "session_expired", "message": "Over."}}
EXPIRED = [
    do("connected"),
    ready(),
    do("say", text="hello"),
    item("added", "item_client000001", "user", "hello", None),
    created("r1"),
    done("r1", "failed", OVER),
    error("session_expired"),
    do("connected"),
    ready(),
    item("added", "item_client000001", "user", "hello", None),
    created("r"),
    item("added", "a1", "assistant", None, "item_client000001", status="in_progress"),
    words("output_audio_transcript.delta", "a1", "one two"),
    done("r", "failed", OVER),
    error("session_expired"),
    do("connected"),
    ready(),
]
"""Sessions that expire before an answer, which is asked for again, and in the middle of one, which is not. Their ends are told first."""


def call(kind: str, n: int, after: str | None, **more: Any) -> Line:
    fields = {"type": "function_call", "id": f"f{n}", "call_id": f"call{n}", "name": "look", **more}
    return down(f"conversation.item.{kind}", previous_item_id=after, item=fields)


def output(item_id: str, n: int, after: str | None, text: str) -> Line:
    fields = {"type": "function_call_output", "id": item_id, "call_id": f"call{n}", "output": text}
    return down("conversation.item.added", previous_item_id=after, item=fields)


CALLED = [
    do("connected"),
    ready(),
    item("added", "u1", "user", "look", None, status="completed"),
    created("r1"),
    call("added", 1, "u1", arguments="", status="in_progress"),
    down("response.function_call_arguments.done", response_id="r1", item_id="f1", call_id="call1", output_index=0, arguments='{"a":1}'),
    call("done", 1, "u1", arguments='{"a":1}', status="completed"),
    call("added", 2, "f1", arguments='{"b":', status="incomplete"),
    done("r1"),
    output("o1", 1, "f1", "seen"),
    output("o9", 9, "o1", "of a call that nobody knows"),
    output("o1", 1, "f1", ""),
    item("added", "a1", "assistant", "It is seen.", "o9", status="completed"),
    call("added", 3, "a1", arguments="{}", status="completed"),
    output("o3", 3, "f3", "once"),
    output("o4", 3, "o3", "twice"),
    output("o5", 5, "o4", "before its call"),
    call("created", 5, "o5", arguments="{}", status="completed"),
    item("added", "f2", "assistant", "A message under the id of a call.", None, status="completed"),
    call("added", 6, "a1", call_id=None),
    do("connected"),
    ready(),
    down("conversation.item.deleted", item_id="o3"),
    do("connected"),
]
"""Functions that were called, some with what came of them."""

MADE = [{"type": "message", "id": name, "role": "assistant", "content": [{"type": "output_audio"}]} for name in ("a1", "a2", "a3")]
UNHEARD = [
    do("connected"),
    ready(),
    created("r"),
    words("output_audio_transcript.delta", "a1", "One."),
    words("output_audio.delta", "a1", QUARTER_S),
    do("interrupt", item_id="a1", heard_ms=200),
    words("output_audio_transcript.delta", "a2", "Two."),
    words("output_audio.delta", "a2", QUARTER_S),
    words("output_audio_transcript.delta", "a3", "Three."),
    down("response.done", response={"id": "r", "status": "cancelled", "output": [*MADE, {"type": "function_call", "id": "f1"}]}),
    created("r"),
    words("output_audio.delta", "a4", QUARTER_S),
    done("r"),
    created("r2"),
    do("interrupt", item_id=None, heard_ms=0),
    do("connected"),
    ready(),
    created("r2"),
    down("response.done", response={"id": "r2", "status": "completed", "output": MADE}),
]
"""Answers of which more comes after they were stopped."""

SCRIPTED: dict[str, list[Line]] = {
    "refused": REFUSED,
    "stubborn": STUBBORN,
    "busy": BUSY,
    "barged": BARGED,
    "cut": CUT,
    "odd": ODD,
    "order": ORDER,
    "broken": BROKEN,
    "expired": EXPIRED,
    "called": CALLED,
    "unheard": UNHEARD,
}
