"""The tables of the order checker (`order.py`): what may come after what, and what must."""

from typing import Any

Event = dict[str, Any]

AUDIO_DELTA = "response.output_audio.delta"
SAID_DELTA = "response.output_audio_transcript.delta"
TEXT_DELTA = "response.output_text.delta"
CALL_DELTA = "response.function_call_arguments.delta"
ADDED, DONE = "conversation.item.added", "conversation.item.done"
ITEM_ADDED, ITEM_DONE = "response.output_item.added", "response.output_item.done"
PART_ADDED, PART_DONE = "response.content_part.added", "response.content_part.done"
STARTED, STOPPED = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
COMMITTED, TIMED_OUT = "input_audio_buffer.committed", "input_audio_buffer.timeout_triggered"
LIMITS = "rate_limits.updated"
WORDS = "conversation.item.input_audio_transcription."

Steps = dict[str, tuple[str, ...]]
_MESSAGE: Steps = {
    ITEM_ADDED: (ADDED,),
    ADDED: (PART_ADDED,),
    PART_DONE: (PART_ADDED, DONE),
    DONE: (ITEM_DONE,),
}
_SPOKEN = (SAID_DELTA, AUDIO_DELTA, "response.output_audio.done")
_WRITTEN = (TEXT_DELTA, "response.output_text.done")
STEPS: dict[str, Steps] = {
    "audio": {
        **_MESSAGE,
        **dict.fromkeys((PART_ADDED, SAID_DELTA, AUDIO_DELTA), _SPOKEN),
        "response.output_audio.done": ("response.output_audio_transcript.done",),
        "response.output_audio_transcript.done": (PART_DONE,),
    },
    "text": {
        **_MESSAGE,
        **dict.fromkeys((PART_ADDED, TEXT_DELTA), _WRITTEN),
        "response.output_text.done": (PART_DONE,),
    },
    "function_call": {
        ITEM_ADDED: (ADDED,),
        **dict.fromkeys((ADDED, CALL_DELTA), (CALL_DELTA, "response.function_call_arguments.done")),
        "response.function_call_arguments.done": (DONE,),
        DONE: (ITEM_DONE,),
    },
}
"""Of an output item, by its kind or that of its part: last event -> what may be its next. Out of band `ADDED` and `DONE` are passed over."""

# Of a user's item, of one that a client gave, and of the one of an idle timeout: last event -> what may be its next.
TURN: Steps = {
    "": (STARTED, TIMED_OUT, COMMITTED, ADDED),
    STARTED: (STOPPED,),
    STOPPED: (COMMITTED,),
    TIMED_OUT: (COMMITTED,),
    COMMITTED: (ADDED,),
    ADDED: (DONE,),
    DONE: (),
}

PROMPT: Steps = {
    "response.done": (LIMITS,),
    STOPPED: (COMMITTED,),
    TIMED_OUT: (ADDED,),
    COMMITTED: (ADDED,),
    ITEM_ADDED: (ADDED,),
    "response.output_audio.done": ("response.output_audio_transcript.done",),
    "response.output_audio_transcript.done": (PART_DONE,),
    "response.output_text.done": (PART_DONE,),
    "response.function_call_arguments.done": (DONE, ITEM_DONE),
}
"""What our server sends in one breath: nothing comes between but items that must go to make room (`conversation.item.deleted`).
Out of band no `conversation.item` event follows."""

STATUS = {"completed": "completed", "cancelled": "incomplete", "failed": "incomplete", "incomplete": "incomplete"}
"""Of a response -> of the item that it was busy with."""
REASONS = {"cancelled": {"turn_detected", "client_cancelled"}, "incomplete": {"max_output_tokens", "content_filter"}}
ECHOED = ("id", "object", "conversation_id", "output_modalities", "max_output_tokens", "metadata", "audio")
"""What `response.created` says and `response.done` must say again."""
BYTES_PER_MS = {"audio/pcmu": 8, "audio/pcma": 8}
"""At 16 bit and 24 kHz it is 48; see `bytes_per_ms`."""
OURS = frozenset(
    {
        *("session.created", "session.updated", "error", "conversation.item.deleted", "conversation.item.retrieved"),
        *("conversation.item.truncated", "input_audio_buffer.cleared", "response.created", "response.done"),
        *(f"{WORDS}{kind}" for kind in ("delta", "completed", "failed")),
        *(kind for steps in (TURN, PROMPT, *STEPS.values()) for pair in steps.items() for kind in (pair[0], *pair[1]) if kind),
    }
)
"""All that a server of ours sends."""


class OrderBroken(AssertionError):
    """An event came where it must not; the message ends with the event."""

    def __init__(self, why: str, event: Event) -> None:
        super().__init__(f"{why}: {str(event)[:300]}")


def need(event: Event, good: bool, why: str) -> None:
    """Raises: OrderBroken unless `good`."""
    if not good:
        raise OrderBroken(why, event)


def item_of(event: Event) -> str | None:
    """The item that an event is about."""
    named = event.get("item_id") or event.get("item", {}).get("id")
    return named if isinstance(named, str) else None


def bytes_per_ms(response: Event) -> int:
    """Of a response's sound; 0 if it does not say."""
    chosen = ((response.get("audio") or {}).get("output") or {}).get("format") or {}
    return BYTES_PER_MS.get(chosen.get("type", ""), 2 * int(chosen.get("rate") or 0) // 1000)
