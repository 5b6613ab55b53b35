"""Sessions whose events are in order, one of each story: material for tests of the order checker, written down without any server."""

import base64
from typing import Any

from tests.support.order_rules import Event

FORMAT = {"type": "audio/pcm", "rate": 24_000}
USAGE = {
    "total_tokens": 30,
    "input_tokens": 20,
    "output_tokens": 10,
    "input_token_details": {"text_tokens": 15, "audio_tokens": 5},
    "output_token_details": {"text_tokens": 4, "audio_tokens": 6},
}


class Teller:
    """Tells a session, event by event."""

    def __init__(self, kind: str = "realtime") -> None:
        self.events: list[Event] = []
        self.ids: list[str] = []
        self.put("session.created", session={"type": kind})

    def put(self, kind: str, **fields: Any) -> Event:
        self.events.append({"type": kind, "event_id": f"event_{len(self.events)}", **fields})
        return self.events[-1]

    def item(self, item: Event, done: bool = True, place: int | None = None) -> None:
        """Added, and done at once."""
        if item["id"] not in self.ids:
            self.ids.insert(len(self.ids) if place is None else place, item["id"])
        self.put("conversation.item.added", item=item, previous_item_id=self.before(item["id"]))
        if done:
            self.put("conversation.item.done", item=item, previous_item_id=self.before(item["id"]))

    def before(self, item_id: str) -> str | None:
        place = self.ids.index(item_id)
        return self.ids[place - 1] if place else None

    def turn(self, item_id: str, start_ms: int = 0, speech: bool = True) -> None:
        """A user's turn, heard by the server's detector or committed by the client."""
        if speech:
            self.put("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=start_ms)
            self.put("input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=start_ms + 900)
        self.ids.append(item_id)
        self.put("input_audio_buffer.committed", item_id=item_id, previous_item_id=self.before(item_id))
        self.item(user(item_id))

    def words(self, item_id: str, text: str) -> None:
        where = {"item_id": item_id, "content_index": 0}
        self.put("conversation.item.input_audio_transcription.delta", **where, delta=text)
        self.put(
            "conversation.item.input_audio_transcription.completed", **where, transcript=text, usage={"type": "duration", "seconds": 1}
        )


class Answer:
    """A response of a `Teller`."""

    def __init__(self, teller: Teller, response_id: str, modality: str = "audio", in_band: bool = True) -> None:
        self.teller, self.in_band, self.modality = teller, in_band, modality
        self.output: list[Event] = []
        self.base: Event = {
            "id": response_id,
            "object": "realtime.response",
            "conversation_id": "conv_1" if in_band else None,
            "output_modalities": [modality],
            "max_output_tokens": "inf",
            "metadata": {"of": response_id},
            "audio": {"output": {"format": FORMAT}},
        }
        start = {**self.base, "status": "in_progress", "status_details": None, "output": [], "usage": None}
        teller.put("response.created", response=start)

    def _where(self, item_id: str) -> Event:
        return {"response_id": self.base["id"], "item_id": item_id, "output_index": len(self.output)}

    def _open(self, item: Event) -> None:
        self.teller.put("response.output_item.added", response_id=self.base["id"], output_index=len(self.output), item=item)
        if self.in_band:
            self.teller.item(item, done=False)

    def _close(self, item: Event) -> None:
        if self.in_band:
            self.teller.put("conversation.item.done", item=item, previous_item_id=self.teller.before(item["id"]))
        self.teller.put("response.output_item.done", response_id=self.base["id"], output_index=len(self.output), item=item)
        self.output.append(item)

    def message(self, item_id: str, *parts: str, status: str = "completed") -> None:
        """A message of so many parts; each word is a delta."""
        item = {"type": "message", "id": item_id, "role": "assistant", "status": "in_progress", "content": []}
        self._open(item)
        content = [self._part(item_id, index, text) for index, text in enumerate(parts)]
        self._close({**item, "status": status, "content": content})

    def _part(self, item_id: str, index: int, text: str) -> Event:
        put, where = self.teller.put, {**self._where(item_id), "content_index": index}
        said = "transcript" if self.modality == "audio" else "text"
        stem = "response.output_audio_transcript" if self.modality == "audio" else "response.output_text"
        put("response.content_part.added", **where, part={"type": self.modality, said: ""})
        for word in text.split(" "):
            put(f"{stem}.delta", **where, delta=word if word == text.split(" ")[0] else f" {word}")
            if self.modality == "audio":
                put("response.output_audio.delta", **where, delta=base64.b64encode(bytes(4800)).decode())
        if self.modality == "audio":
            put("response.output_audio.done", **where)
        put(f"{stem}.done", **where, **{said: text})
        put("response.content_part.done", **where, part={"type": self.modality, said: text})
        return {"type": f"output_{self.modality}", said: text}

    def call(self, item_id: str, name: str, *arguments: str, status: str = "completed") -> None:
        """A function call whose arguments come in pieces."""
        item = {
            "type": "function_call",
            "id": item_id,
            "status": "in_progress",
            "name": name,
            "call_id": f"call_{item_id}",
            "arguments": "",
        }
        self._open(item)
        where = {**self._where(item_id), "call_id": item["call_id"]}
        for piece in arguments:
            self.teller.put("response.function_call_arguments.delta", **where, delta=piece)
        self.teller.put("response.function_call_arguments.done", **where, name=name, arguments="".join(arguments))
        self._close({**item, "status": status, "arguments": "".join(arguments)})

    def done(self, status: str = "completed", **details: Any) -> None:
        why = {"type": status, **details} if details else None
        body = {**self.base, "status": status, "status_details": why, "output": self.output, "usage": USAGE}
        self.teller.put("response.done", response=body)
        self.teller.put("rate_limits.updated", rate_limits=[])


def user(item_id: str) -> Event:
    content = [{"type": "input_audio", "transcript": None}]
    return {"type": "message", "id": item_id, "role": "user", "status": "completed", "content": content}


def text(item_id: str, role: str = "user", words: str = "Hello") -> Event:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "id": item_id, "role": role, "status": "completed", "content": [{"type": kind, "text": words}]}


def voice_turns() -> Teller:
    """Heard turns, the second cuts the first's answer."""
    told = Teller()
    told.put("session.updated", session={"type": "realtime"})
    told.turn("user_1")
    answer = Answer(told, "resp_1")
    told.words("user_1", "What time is it?")
    answer.message("said_1", "It is ten", status="incomplete")
    answer.done("cancelled", reason="turn_detected")
    told.put("conversation.item.truncated", item_id="said_1", content_index=0, audio_end_ms=150)
    told.turn("user_2", 1000)
    answer = Answer(told, "resp_2")
    answer.message("said_2", "Ten again")
    answer.done()
    cut = {**text("said_1", "assistant"), "status": "incomplete", "content": [{"type": "output_audio", "transcript": "It"}]}
    told.put("conversation.item.retrieved", item=cut)
    return told


def typed_turns() -> Teller:
    """Items that a client places, deletes and asks about; answers in text, one beside the other."""
    told = Teller()
    told.item(text("typed_1"))
    told.item(text("first", "system"), place=0)
    told.item({"type": "function_call_output", "id": "result", "status": "completed", "call_id": "call_0", "output": "42"}, place=1)
    answer = Answer(told, "resp_1", "text")
    beside = Answer(told, "resp_2", "text", in_band=False)
    beside.message("aside", "By the way")
    answer.message("said_1", "Hello to you", "and more")
    beside.done()
    answer.done()
    told.put("conversation.item.deleted", item_id="typed_1")
    told.ids.remove("typed_1")
    told.put("error", error={"type": "invalid_request_error", "code": "item_not_found"})
    told.item(text("typed_2"))
    return told


def calls() -> Teller:
    """A message and two calls in one response; the answer behind their outputs; one that is stopped in mid-call."""
    told = Teller()
    told.item(text("typed_1"))
    answer = Answer(told, "resp_1")
    answer.message("said_1", "Let me look")
    answer.call("call_1", "weather", '{"city":', '"Seoul"}')
    answer.call("call_2", "clock")
    answer.done()
    for number in (1, 2):
        output = {
            "type": "function_call_output",
            "id": f"out_{number}",
            "status": "completed",
            "call_id": f"call_call_{number}",
            "output": "x",
        }
        told.item(output)
    answer = Answer(told, "resp_2")
    answer.message("said_2", "It rains")
    answer.done()
    beside = Answer(told, "resp_3", "text", in_band=False)
    beside.call("aside", "clock", "{", "}")
    beside.message("aside_too", "By the way")
    beside.done()
    answer = Answer(told, "resp_4")
    answer.call("call_3", "weather", '{"ci', status="incomplete")
    answer.done("cancelled", reason="client_cancelled")
    return told


def short_ends() -> Teller:
    """Responses that end before their first item, fail before they begin, or reach a limit; a turn that is forgotten; an idle timeout."""
    told = Teller()
    told.turn("user_1", speech=False)
    Answer(told, "resp_1").done("cancelled", reason="client_cancelled")
    Answer(told, "resp_2").done("failed", error={"code": "engine_failed"})
    lost = {
        "id": "resp_3",
        "status": "failed",
        "status_details": {"type": "failed", "error": {"code": "quota"}},
        "output": [],
        "usage": None,
    }
    told.put("response.done", response=lost)
    told.put("rate_limits.updated", rate_limits=[])
    answer = Answer(told, "resp_4", "text")
    answer.message("said_1", "This is too", status="incomplete")
    answer.done("incomplete", reason="max_output_tokens")
    told.put("input_audio_buffer.speech_started", item_id="user_2", audio_start_ms=2000)
    told.put("input_audio_buffer.cleared")
    told.put("input_audio_buffer.timeout_triggered", item_id="user_3", audio_start_ms=3000, audio_end_ms=8000)
    told.item(text("nobody", "system", "No user speech was detected."))
    told.turn("user_3", speech=False)
    Answer(told, "resp_5").done("cancelled", reason="turn_detected")
    told.put("error", error={"type": "invalid_request_error", "code": "session_expired"})
    return told


def transcription() -> Teller:
    """Turns and words, no answers."""
    told = Teller("transcription")
    told.put("session.updated", session={"type": "transcription"})
    told.turn("user_1")
    told.words("user_1", "One")
    told.turn("user_2", 1000)
    told.turn("user_3", 2000)
    told.put("conversation.item.input_audio_transcription.failed", item_id="user_3", content_index=0, error={"code": "x"})
    told.words("user_2", "Two")
    return told


SESSIONS: dict[str, list[Event]] = {make.__name__: make().events for make in (voice_turns, typed_turns, calls, short_ends, transcription)}
