"""What a `response.create` asks for: checked, and filled in from the session. Nothing has begun when it is refused.

Null and absent mean the same everywhere: what the session says. An `input` is answered instead of the conversation, also an empty
one; sound in it is heard like a turn, and its words belong to this response alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET

from voice.audio.encoding import Encoding
from voice.audio.pcm import ms_in
from voice.errors import ProtocolError
from voice.policy.usage import Letters, Tokens, heard_tokens, letters, spoken_tokens
from voice.protocol.allowed import check_answers
from voice.protocol.conversation import Conversation, Entry
from voice.protocol.items import given_item
from voice.protocol.objects import Audio, AudioOutput, Content, Item, ResponseParams, Session
from voice.protocol.orders import ListenEnded, ListenMore, ListenStarted, ReplyWanted, listening
from voice.protocol.refusing import missing, one_of, unknown, wrong_kind
from voice.protocol.reply import ReplyPlan
from voice.protocol.settings import audio_input, audio_output, check_audio, encoding_of, merged_output
from voice.protocol.tools import check_choice, toolbox

MAX_METADATA_PAIRS, MAX_METADATA_KEY, MAX_METADATA_VALUE = 16, 64, 512
"""As on the service, letters: a program that is tried here is not to be refused there."""
Listening = ListenStarted | ListenMore | ListenEnded


@dataclass(frozen=True, slots=True)
class Asked:
    """A response that can begin."""

    plan: ReplyPlan
    order: ReplyWanted
    listen: tuple[Listening, ...]
    """What is to be heard of its `input`, before the order."""


def asked(
    session: Session,
    params: ResponseParams,
    conversation: Conversation,
    conversation_id: str,
    new_id: Callable[[str], str],
    heard_item: str | None = None,
) -> Asked:
    """What is asked for, complete. Raises: ProtocolError with the path of what cannot be."""
    _refuse(session, params, conversation_id)
    listen: list[Listening] = []
    context = None
    if isinstance(params.input, list):
        encoding = encoding_of(audio_input(session))
        context = tuple(_entry(item, f"response.input[{i}]", conversation, encoding, new_id, listen) for i, item in enumerate(params.input))
    tools = _chosen(params.tools, session.tools, [])
    choice = _chosen(params.tool_choice, session.tool_choice, "auto")
    instructions = _chosen(params.instructions, session.instructions, "")
    read = [conversation.get(str(item.id)) for item in conversation.items()] if context is None else context
    plan = _plan(session, params, None if params.conversation == "none" else conversation_id, new_id, _tokens_in(instructions, tools, read))
    if params.tool_choice in (UNSET, None) and read and read[-1].item.type == "function_call_output":
        # A session that wants a call each time wants none about what came of one: that would go on for ever.
        choice = choice if choice == "none" else "auto"
    parallel = _chosen(params.parallel_tool_calls, session.parallel_tool_calls, True)
    box = toolbox(tools, choice, parallel)
    order = ReplyWanted(
        plan.response_id,
        plan.spoken,
        instructions,
        context,
        heard_item,
        plan.voice,
        plan.speed,
        box,
        beside=plan.conversation_id is None,
        instructed=bool(instructions) and isinstance(params.instructions, str),
    )
    return Asked(plan, order, tuple(listen))


def _chosen(own: Any, sessions: Any, otherwise: Any) -> Any:
    """The response's value, else the session's."""
    return next((value for value in (own, sessions) if value is not UNSET and value is not None), otherwise)


def _entry(
    item: Item, path: str, conversation: Conversation, encoding: Encoding, new_id: Callable[[str], str], listen: list[Listening]
) -> Entry:
    """One entry of an `input`; what is to be heard of it goes into `listen`. Raises: ProtocolError."""
    if item.type == "item_reference":
        if not isinstance(item.id, str):
            raise missing(f"{path}.id")
        try:
            return conversation.get(item.id)
        except ProtocolError as exc:
            raise ProtocolError(str(exc), exc.code, f"{path}.id") from exc
    # Under an id of our own: the client's may be that of an item in the conversation.
    item_id = new_id("item")
    given = given_item(item, item_id, path, encoding)
    entry = Entry(given.item)
    entry.audio_ms = ms_in(sum(samples.size for _, samples in given.sounds))
    listen += listening(item_id, given.sounds)
    return entry


def _plan(
    session: Session, params: ResponseParams, conversation_id: str | None, new_id: Callable[[str], str], tokens_in: Tokens
) -> ReplyPlan:
    output = audio_output(session)
    wanted = params.audio.output if isinstance(params.audio, Audio) else None
    if isinstance(wanted, AudioOutput):
        output = merged_output(output, wanted)
    return ReplyPlan(
        response_id=new_id("resp"),
        modality="text" if _chosen(params.output_modalities, session.output_modalities, ["audio"]) == ["text"] else "audio",
        encoding=encoding_of(output),
        conversation_id=conversation_id,
        # A response names its voice, as the service's models want it, where a session may hold an object.
        audio=Audio(output=AudioOutput(format=output.format, voice=_voice_name(output.voice))),
        voice=_voice_name(output.voice),
        speed=output.speed if isinstance(output.speed, int | float) else 1.0,
        max_output_tokens=_chosen(params.max_output_tokens, session.max_output_tokens, "inf"),
        metadata=params.metadata if isinstance(params.metadata, dict) else None,
        tokens_in=tokens_in,
    )


def _voice_name(voice: object) -> str:
    """A voice is given by its name, or as an object with its id."""
    named = voice.get("id") if isinstance(voice, dict) else voice
    return named if isinstance(named, str) else ""


def _tokens_in(instructions: str, tools: list[Any], entries: Iterable[Entry]) -> Tokens:
    """What an answer reads and hears: of what was heard the sound counts, of what was said the sound and the words."""
    read = letters(instructions) + (letters(msgspec.json.encode(tools).decode()) if tools else Letters())
    heard = 0
    for entry in entries:
        item = entry.item
        for text in (item.name, item.arguments, item.output, *(_words(part) for part in item.content or ())):
            read += letters(text) if isinstance(text, str) else Letters()
        heard += heard_tokens(entry.audio_ms) if item.role == "user" else spoken_tokens(entry.audio_ms, 1000)
    return Tokens(read.tokens, heard)


def _words(part: Content) -> object:
    return part.transcript if part.type == "output_audio" else part.text


def _refuse(session: Session, params: ResponseParams, conversation_id: str) -> None:
    """Raises: ProtocolError with the path of what cannot be."""
    if isinstance(params.audio, Audio) and params.audio.input not in (UNSET, None):
        raise unknown("response.audio.input")
    check_audio(params.audio, "response.audio")
    check_answers(params, "response")
    if params.conversation != conversation_id:
        one_of(params.conversation, "response.conversation", ("auto", "none"))
    tools = _chosen(params.tools, session.tools, [])
    check_choice(params.tool_choice, tools, "response.tool_choice")
    if params.tool_choice == "required" and not tools:
        raise ProtocolError("Tool choice 'required' needs at least one tool in 'tools'.", "invalid_value", "response.tool_choice")
    _check_metadata(params.metadata if isinstance(params.metadata, dict) else {})


def _check_metadata(metadata: dict[str, Any]) -> None:
    path = "response.metadata"
    if len(metadata) > MAX_METADATA_PAIRS:
        message = f"Invalid '{path}': too many properties. Expected at most {MAX_METADATA_PAIRS}, but got {len(metadata)}."
        raise ProtocolError(message, "object_above_max_properties", path)
    for name, value in metadata.items():
        place = f"{path}.{name[:MAX_METADATA_KEY]}"
        if not isinstance(value, str):
            raise wrong_kind(place, "a string")
        if len(name) > MAX_METADATA_KEY or len(value) > MAX_METADATA_VALUE:
            message = f"Invalid '{place}': too long. A key has at most {MAX_METADATA_KEY} letters, a value {MAX_METADATA_VALUE}."
            raise ProtocolError(message, "string_above_max_length", place)
