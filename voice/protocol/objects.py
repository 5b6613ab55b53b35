"""The nested objects of the Realtime protocol (GA): sessions, items, responses.

One struct serves both directions. An absent field is UNSET and is not sent; null is None. Fields that nobody here reads are
still listed, because the server names unknown keys in its errors. Source: the GA reference and recordings of the service.
"""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

EXTRA = "\uffff"
"""The name of `extra` inside the codec: a letter that Unicode reserves for the inside of programs."""


class AudioFormat(Struct, frozen=True):
    """`audio/pcm` (16-bit little-endian mono), `audio/pcmu` or `audio/pcma`."""

    type: str
    rate: int | None | UnsetType = UNSET
    """Hz; absent means 24000 for PCM and 8000 for G.711."""


class Transcription(Struct, frozen=True):
    """Whether and how the user's speech is written down."""

    model: str | None | UnsetType = UNSET
    language: str | None | UnsetType = UNSET
    languages: list[str] | None | UnsetType = UNSET
    prompt: str | None | UnsetType = UNSET
    keywords: list[str] | None | UnsetType = UNSET
    delay: str | None | UnsetType = UNSET


class NoiseReduction(Struct, frozen=True):
    """The kind of microphone that the service is told of."""

    type: str | None | UnsetType = UNSET
    strength: float | None | UnsetType = UNSET


class TurnDetection(Struct, frozen=True):
    """Who ends a turn: `server_vad`, `semantic_vad`; null instead of the object means the client does."""

    type: str = "server_vad"
    threshold: float | None | UnsetType = UNSET
    """0..1; higher wants clearer speech."""
    prefix_padding_ms: int | None | UnsetType = UNSET
    silence_duration_ms: int | None | UnsetType = UNSET
    idle_timeout_ms: int | None | UnsetType = UNSET
    create_response: bool | None | UnsetType = UNSET
    interrupt_response: bool | None | UnsetType = UNSET
    eagerness: str | None | UnsetType = UNSET


class Reasoning(Struct, frozen=True):
    """How long a reasoning model may think."""

    effort: str | None | UnsetType = UNSET


class Tracing(Struct, frozen=True):
    """What a service's traces are filed under."""

    workflow_name: str | None | UnsetType = UNSET
    group_id: str | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET


class TokenLimits(Struct, frozen=True):
    """How many tokens of the conversation are kept."""

    post_instructions: int | None | UnsetType = UNSET


class Truncation(Struct, frozen=True):
    """What happens to a conversation that has become too long: this share of it is kept."""

    type: str
    retention_ratio: float | None | UnsetType = UNSET
    token_limits: TokenLimits | None | UnsetType = UNSET


class PromptTemplate(Struct, frozen=True):
    """A prompt that is kept at the service, and what is filled in."""

    id: str
    version: str | None | UnsetType = UNSET
    variables: dict[str, Any] | None | UnsetType = UNSET


class AudioInput(Struct, frozen=True):
    """What goes up."""

    format: AudioFormat | None | UnsetType = UNSET
    transcription: Transcription | None | UnsetType = UNSET
    noise_reduction: NoiseReduction | None | UnsetType = UNSET
    turn_detection: TurnDetection | None | UnsetType = UNSET


class AudioOutput(Struct, frozen=True):
    """What comes down."""

    format: AudioFormat | None | UnsetType = UNSET
    voice: str | dict[str, Any] | None | UnsetType = UNSET
    speed: float | None | UnsetType = UNSET


class Audio(Struct, frozen=True):
    """Both directions of sound."""

    input: AudioInput | None | UnsetType = UNSET
    output: AudioOutput | None | UnsetType = UNSET


class Session(Struct, frozen=True):
    """The settings of a session; in `session.update` only those that change."""

    type: str | UnsetType = UNSET
    id: str | None | UnsetType = UNSET
    object: str | None | UnsetType = UNSET
    model: str | None | UnsetType = UNSET
    output_modalities: list[str] | None | UnsetType = UNSET
    instructions: str | None | UnsetType = UNSET
    audio: Audio | None | UnsetType = UNSET
    tools: list[dict[str, Any]] | None | UnsetType = UNSET
    tool_choice: str | dict[str, Any] | None | UnsetType = UNSET
    parallel_tool_calls: bool | None | UnsetType = UNSET
    max_output_tokens: int | str | None | UnsetType = UNSET
    reasoning: Reasoning | None | UnsetType = UNSET
    tracing: str | Tracing | None | UnsetType = UNSET
    truncation: str | Truncation | None | UnsetType = UNSET
    prompt: PromptTemplate | None | UnsetType = UNSET
    include: list[str] | None | UnsetType = UNSET
    expires_at: int | None | UnsetType = UNSET
    """Unix seconds of the server's clock."""


class Content(Struct, frozen=True, rename={"extra": EXTRA}):
    """One part of an item: input_text, input_audio, input_image, output_text, output_audio."""

    type: str
    text: str | None | UnsetType = UNSET
    transcript: str | None | UnsetType = UNSET
    audio: str | None | UnsetType = UNSET
    """Base64 of the audio; only in an item that is retrieved or created."""
    image_url: str | None | UnsetType = UNSET
    detail: str | None | UnsetType = UNSET
    extra: dict[str, Any] | UnsetType = UNSET
    """As in `Item`."""


class Item(Struct, frozen=True, rename={"extra": EXTRA}):
    """One entry of the conversation: message, function_call, function_call_output, mcp_list_tools, mcp_call, mcp_approval_request or
    mcp_approval_response; or a kind that is not known here."""

    type: str
    id: str | None | UnsetType = UNSET
    object: str | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    role: str | None | UnsetType = UNSET
    content: list[Content] | None | UnsetType = UNSET
    phase: str | None | UnsetType = UNSET
    name: str | None | UnsetType = UNSET
    call_id: str | None | UnsetType = UNSET
    arguments: str | None | UnsetType = UNSET
    output: str | None | UnsetType = UNSET
    server_label: str | None | UnsetType = UNSET
    tools: list[dict[str, Any]] | None | UnsetType = UNSET
    error: dict[str, Any] | str | None | UnsetType = UNSET
    approval_request_id: str | None | UnsetType = UNSET
    approve: bool | None | UnsetType = UNSET
    reason: str | None | UnsetType = UNSET
    extra: dict[str, Any] | UnsetType = UNSET
    """Fields that are not listed here, of an upstream's item; on the wire they stand beside the others (`codec.py`)."""


class ResponseParams(Struct, frozen=True):
    """What `response.create` may ask for; absent fields are the session's."""

    output_modalities: list[str] | None | UnsetType = UNSET
    instructions: str | None | UnsetType = UNSET
    audio: Audio | None | UnsetType = UNSET
    tools: list[dict[str, Any]] | None | UnsetType = UNSET
    tool_choice: str | dict[str, Any] | None | UnsetType = UNSET
    parallel_tool_calls: bool | None | UnsetType = UNSET
    max_output_tokens: int | str | None | UnsetType = UNSET
    conversation: str | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET
    """Pairs of text; `asked.py` refuses other values, and names them, which the decoder does not."""
    input: list[Item] | None | UnsetType = UNSET
    prompt: PromptTemplate | None | UnsetType = UNSET
    reasoning: Reasoning | None | UnsetType = UNSET


class ErrorDetail(Struct, frozen=True):
    """What an `error` event says; `event_id` is that of the client's event that caused it."""

    type: str = ""
    message: str = ""
    code: str | None = None
    param: str | None = None
    event_id: str | None = None


class StatusDetails(Struct, frozen=True):
    """Why a response is not `completed`."""

    type: str = ""
    reason: str | UnsetType = UNSET
    error: dict[str, Any] | None | UnsetType = UNSET


class InputTokens(Struct, frozen=True):
    """`cached_tokens` are a part of the others, never on top."""

    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0
    cached_tokens: int = 0
    cached_tokens_details: dict[str, int] | None | UnsetType = UNSET


class OutputTokens(Struct, frozen=True):
    """What was generated."""

    text_tokens: int = 0
    audio_tokens: int = 0
    reasoning_tokens: int | None | UnsetType = UNSET


class Usage(Struct, frozen=True):
    """What a response has cost, in tokens."""

    total_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    input_token_details: InputTokens | None | UnsetType = UNSET
    output_token_details: OutputTokens | None | UnsetType = UNSET


class Response(Struct, frozen=True):
    """A response as `response.created` and `response.done` show it."""

    id: str | None | UnsetType = UNSET
    object: str = "realtime.response"
    status: str | None | UnsetType = UNSET
    status_details: StatusDetails | str | None = None
    output: list[Item] | UnsetType = UNSET
    conversation_id: str | None = None
    output_modalities: list[str] | None | UnsetType = UNSET
    max_output_tokens: int | str | None | UnsetType = UNSET
    audio: Audio | None | UnsetType = UNSET
    usage: Usage | None = None
    metadata: dict[str, Any] | None = None


class ConversationHead(Struct, frozen=True):
    """A conversation as `conversation.created` shows it."""

    id: str | None | UnsetType = UNSET
    object: str | None | UnsetType = UNSET


class Part(Struct, frozen=True):
    """A content part on the wire: the types stay `text` and `audio` in GA too."""

    type: str = ""
    text: str | None | UnsetType = UNSET
    transcript: str | None | UnsetType = UNSET
    audio: str | None | UnsetType = UNSET
