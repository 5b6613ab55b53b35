"""The events that only other servers send: tool servers (MCP), telephones, WebRTC, diarisation, and names of the older protocol.

The talking side passes them on to the program; the embedded engine has no use for them. See `events.py`.
"""

from msgspec import UNSET, UnsetType

from voice.protocol.events import OWN_EVENTS, ServerEvent
from voice.protocol.objects import ConversationHead, Item


class ConversationCreated(ServerEvent, frozen=True, kw_only=True, tag="conversation.created"):
    """A conversation begins; told by services that do so right behind `session.created`."""

    conversation: ConversationHead = ConversationHead()


class ItemCreated(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.created"):
    """The older name of `conversation.item.added`; some services still say it."""

    item: Item
    previous_item_id: str | None = None


class TranscriptionSegment(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.segment"):
    """Who said what, where speakers are told apart; `start` and `end` in seconds."""

    item_id: str = ""
    content_index: int = 0
    id: str = ""
    speaker: str = ""
    start: float = 0.0
    end: float = 0.0
    text: str = ""


class DtmfReceived(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.dtmf_event_received"):
    """A key of a telephone, at a Unix time in seconds. The one event without an id of its own."""

    event: str = ""
    received_at: int = 0


class OutputBufferStarted(ServerEvent, frozen=True, kw_only=True, tag="output_audio_buffer.started"):
    """WebRTC: the sound of a response begins to play."""

    response_id: str = ""


class OutputBufferStopped(ServerEvent, frozen=True, kw_only=True, tag="output_audio_buffer.stopped"):
    """WebRTC: the sound of a response has been played."""

    response_id: str = ""


class OutputBufferCleared(ServerEvent, frozen=True, kw_only=True, tag="output_audio_buffer.cleared"):
    """WebRTC: the sound of a response was thrown away, since the user speaks or `output_audio_buffer.clear` came."""

    response_id: str = ""


class McpListToolsInProgress(ServerEvent, frozen=True, kw_only=True, tag="mcp_list_tools.in_progress"):
    """A tool server is being asked for its tools."""

    item_id: str = ""


class McpListToolsCompleted(ServerEvent, frozen=True, kw_only=True, tag="mcp_list_tools.completed"):
    """A tool server has told its tools."""

    item_id: str = ""


class McpListToolsFailed(ServerEvent, frozen=True, kw_only=True, tag="mcp_list_tools.failed"):
    """A tool server could not be asked."""

    item_id: str = ""


class McpCallInProgress(ServerEvent, frozen=True, kw_only=True, tag="response.mcp_call.in_progress"):
    """A tool server is being called."""

    item_id: str = ""
    output_index: int = 0


class McpCallCompleted(ServerEvent, frozen=True, kw_only=True, tag="response.mcp_call.completed"):
    """A call of a tool server is done; the item has its output."""

    item_id: str = ""
    output_index: int = 0


class McpCallFailed(ServerEvent, frozen=True, kw_only=True, tag="response.mcp_call.failed"):
    """A call of a tool server failed; the item says why."""

    item_id: str = ""
    output_index: int = 0


class McpArgumentsDelta(ServerEvent, frozen=True, kw_only=True, tag="response.mcp_call_arguments.delta"):
    """More of the arguments of such a call."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    delta: str = ""
    obfuscation: str | None | UnsetType = UNSET


class McpArgumentsDone(ServerEvent, frozen=True, kw_only=True, tag="response.mcp_call_arguments.done"):
    """All the arguments of such a call."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    arguments: str = ""


SERVER_EVENTS: tuple[type[ServerEvent], ...] = tuple(ServerEvent.__subclasses__())
"""All that are known, ours and these."""
FOREIGN_EVENTS: tuple[type[ServerEvent], ...] = SERVER_EVENTS[len(OWN_EVENTS) :]
"""Those of this file."""
