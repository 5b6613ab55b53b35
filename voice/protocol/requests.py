"""The events that a client sends (GA names), one struct each, and nothing else."""

from msgspec import UNSET, Struct, UnsetType

from voice.protocol.objects import Item, ResponseParams, Session


class ClientEvent(Struct, frozen=True, tag_field="type", kw_only=True):
    """What every event of a client may have: an id that an `error` event names as its cause."""

    event_id: str | None | UnsetType = UNSET


class SessionUpdate(ClientEvent, frozen=True, tag="session.update"):
    """Change some settings; absent ones stay."""

    session: Session


class BufferAppend(ClientEvent, frozen=True, tag="input_audio_buffer.append"):
    """More of the user's audio; base64 on the wire, bytes of the session's input format here."""

    audio: bytes


class BufferCommit(ClientEvent, frozen=True, tag="input_audio_buffer.commit"):
    """Make the buffered audio an item of the conversation."""


class BufferClear(ClientEvent, frozen=True, tag="input_audio_buffer.clear"):
    """Forget the buffered audio."""


class OutputBufferClear(ClientEvent, frozen=True, tag="output_audio_buffer.clear"):
    """Has a meaning over WebRTC only; over a WebSocket it is accepted and does nothing."""


class ItemCreate(ClientEvent, frozen=True, tag="conversation.item.create"):
    """Add an item: at the end, after `previous_item_id`, or with "root" at the front."""

    item: Item
    previous_item_id: str | None | UnsetType = UNSET


class ItemRetrieve(ClientEvent, frozen=True, tag="conversation.item.retrieve"):
    """Ask for an item with its audio."""

    item_id: str


class ItemDelete(ClientEvent, frozen=True, tag="conversation.item.delete"):
    """Remove an item."""

    item_id: str


class ItemTruncate(ClientEvent, frozen=True, tag="conversation.item.truncate"):
    """Cut an assistant's item to the audio that was heard."""

    item_id: str
    content_index: int
    audio_end_ms: int


class ResponseCreate(ClientEvent, frozen=True, tag="response.create"):
    """Ask for a response."""

    response: ResponseParams | None | UnsetType = UNSET


class ResponseCancel(ClientEvent, frozen=True, tag="response.cancel"):
    """Stop the active response (or the one named)."""

    response_id: str | None | UnsetType = UNSET


CLIENT_EVENTS: tuple[type[ClientEvent], ...] = tuple(ClientEvent.__subclasses__())
