"""The events that our server sends (GA names), one struct each, and nothing else; `foreign.py` has those that only others send.

`event_id` comes last and is filled in by the session that sends. Fields have a default, so that an event of an upstream that leaves one out,
or says null, is still understood; only what an event would be nothing without is required.
"""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from voice.protocol.objects import ErrorDetail, Item, Part, Response, Session


class ServerEvent(Struct, frozen=True, tag_field="type", kw_only=True):
    """What every event of a server has."""

    event_id: str = ""


class Unknown(Struct, frozen=True):
    """An event of a type that we do not know: kept, never fatal."""

    type: str
    raw: dict[str, Any]


class ErrorEvent(ServerEvent, frozen=True, kw_only=True, tag="error"):
    """Something was refused or has failed; the session goes on unless the link is closed too."""

    error: ErrorDetail = ErrorDetail()


class SessionCreated(ServerEvent, frozen=True, kw_only=True, tag="session.created"):
    """The first event of every connection."""

    session: Session = Session()


class SessionUpdated(ServerEvent, frozen=True, kw_only=True, tag="session.updated"):
    """The whole of the settings in effect after a `session.update`."""

    session: Session = Session()


class BufferCommitted(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.committed"):
    """The buffered audio has become (will become) the item `item_id`."""

    item_id: str = ""
    previous_item_id: str | None = None


class BufferCleared(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.cleared"):
    """The answer to `input_audio_buffer.clear`."""


class SpeechStarted(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.speech_started"):
    """`audio_start_ms` counts from the session's first sample and includes the prefix padding."""

    audio_start_ms: int = 0
    item_id: str = ""


class SpeechStopped(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.speech_stopped"):
    """`audio_end_ms` includes the silence that ended the turn."""

    audio_end_ms: int = 0
    item_id: str = ""


class TimeoutTriggered(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.timeout_triggered"):
    """Nobody has spoken for `idle_timeout_ms`: the silence from `audio_start_ms` to `audio_end_ms` becomes the item `item_id`."""

    audio_start_ms: int = 0
    audio_end_ms: int = 0
    item_id: str = ""


class ItemAdded(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.added"):
    """The item stands in the conversation, perhaps unfinished."""

    item: Item
    previous_item_id: str | None = None


class ItemDone(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.done"):
    """The item is finished."""

    item: Item
    previous_item_id: str | None = None


class ItemRetrieved(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.retrieved"):
    """The answer to `conversation.item.retrieve`, with the item's audio."""

    item: Item


class ItemDeleted(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.deleted"):
    """The item is gone."""

    item_id: str = ""


class ItemTruncated(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.truncated"):
    """The assistant's item was cut to what was heard."""

    item_id: str = ""
    content_index: int = 0
    audio_end_ms: int = 0
    transcript: str | None | UnsetType = UNSET
    """Our extension: the words that are left, those that had ended by `audio_end_ms`."""
    estimated: bool | None | UnsetType = UNSET
    """Our extension: true if the words were guessed in proportion to the sound, since nobody told when each ends."""


class TranscriptionDelta(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.delta"):
    """More of what the user said."""

    item_id: str = ""
    content_index: int | None | UnsetType = UNSET
    delta: str | None | UnsetType = UNSET
    logprobs: list[dict[str, Any]] | None | UnsetType = UNSET


class TranscriptionCompleted(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.completed"):
    """What the user said: replaces all earlier text of the item."""

    item_id: str = ""
    content_index: int = 0
    transcript: str = ""
    usage: dict[str, Any] | None | UnsetType = UNSET
    languages: list[dict[str, Any]] | None | UnsetType = UNSET
    logprobs: list[dict[str, Any]] | None | UnsetType = UNSET


class TranscriptionFailed(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.failed"):
    """What the user said could not be written down."""

    item_id: str = ""
    content_index: int = 0
    error: dict[str, Any] = {}


class ResponseCreated(ServerEvent, frozen=True, kw_only=True, tag="response.created"):
    """A response begins."""

    response: Response = Response()


class ResponseDone(ServerEvent, frozen=True, kw_only=True, tag="response.done"):
    """The one terminal event of a response; its status is the truth."""

    response: Response = Response()


class OutputItemAdded(ServerEvent, frozen=True, kw_only=True, tag="response.output_item.added"):
    """A new item of the response."""

    response_id: str = ""
    output_index: int = 0
    item: Item


class OutputItemDone(ServerEvent, frozen=True, kw_only=True, tag="response.output_item.done"):
    """An item of the response is finished."""

    response_id: str = ""
    output_index: int = 0
    item: Item


class ContentPartAdded(ServerEvent, frozen=True, kw_only=True, tag="response.content_part.added"):
    """A new part of an item."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    content_index: int = 0
    part: Part | UnsetType = UNSET


class ContentPartDone(ServerEvent, frozen=True, kw_only=True, tag="response.content_part.done"):
    """A part of an item is finished."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    content_index: int = 0
    part: Part | UnsetType = UNSET


class TextDelta(ServerEvent, frozen=True, kw_only=True, tag="response.output_text.delta"):
    """More text."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    content_index: int = 0
    delta: str = ""


class TextDone(ServerEvent, frozen=True, kw_only=True, tag="response.output_text.done"):
    """The whole text."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    content_index: int = 0
    text: str = ""


class TranscriptDelta(ServerEvent, frozen=True, kw_only=True, tag="response.output_audio_transcript.delta"):
    """More of the words that the audio says."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    content_index: int = 0
    delta: str = ""


class TranscriptDone(ServerEvent, frozen=True, kw_only=True, tag="response.output_audio_transcript.done"):
    """All the words that the audio says."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    content_index: int = 0
    transcript: str = ""


class AudioDelta(ServerEvent, frozen=True, kw_only=True, tag="response.output_audio.delta"):
    """More audio; `delta` is base64 on the wire and bytes of the session's output format here."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    content_index: int = 0
    delta: bytes


class AudioDone(ServerEvent, frozen=True, kw_only=True, tag="response.output_audio.done"):
    """The end of the audio."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    content_index: int = 0


class CallArgumentsDelta(ServerEvent, frozen=True, kw_only=True, tag="response.function_call_arguments.delta"):
    """More of the arguments of a function call; together they are the JSON text of one object."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    call_id: str = ""
    delta: str = ""


class CallArgumentsDone(ServerEvent, frozen=True, kw_only=True, tag="response.function_call_arguments.done"):
    """All the arguments of a function call, and the name of the function (which older servers do not tell here)."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    call_id: str = ""
    name: str = ""
    arguments: str = ""


class RateLimitsUpdated(ServerEvent, frozen=True, kw_only=True, tag="rate_limits.updated"):
    """What is left of the limits: `name` ("requests" or "tokens"), `limit`, `remaining`, `reset_seconds`."""

    rate_limits: list[dict[str, Any]] = []


OWN_EVENTS: tuple[type[ServerEvent], ...] = tuple(ServerEvent.__subclasses__())
"""Those of this file."""
