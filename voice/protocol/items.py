"""Items that a client puts into the conversation: what is refused, and what becomes of it.

The table says what each role may contain, as on the service: an assistant's sound cannot be given, its words can.
"""

import base64
from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from voice.audio.encoding import PCM, Encoding
from voice.audio.pcm import RATE_HZ, Samples
from voice.audio.resample import resample
from voice.errors import ProtocolError
from voice.protocol.codec import must_be_short, must_fit
from voice.protocol.objects import Content, Item
from voice.protocol.refusing import missing, one_of

CONTENTS = {
    "system": ("input_text",),
    "user": ("input_text", "input_audio", "input_image"),
    "assistant": ("output_text",),
}
"""Role of a message -> types of its parts."""
NEEDED = {
    "message": ("role", "content"),
    "function_call": ("name", "arguments"),
    "function_call_output": ("call_id", "output"),
    "mcp_list_tools": ("server_label", "tools"),
    "mcp_call": ("server_label", "name", "arguments"),
    "mcp_approval_request": ("server_label", "name", "arguments"),
    "mcp_approval_response": ("approval_request_id", "approve"),
}
"""Type of an item -> fields that it must have. Those of tool servers are kept for a client that restores a conversation; nothing is done about them."""
STATUSES = ("completed", "incomplete", "in_progress")
MAX_PARTS = 64
"""Of one message: each of its sounds is heard by itself."""
_USUAL = Encoding(PCM, 24_000)


@dataclass(frozen=True, slots=True)
class Given:
    """An item as it goes into the conversation: complete, without base64."""

    item: Item
    sounds: tuple[tuple[int, Samples], ...]
    """The index of each part that is sound, and the sound: int16, mono, 16 kHz."""


def given_item(item: Item, item_id: str, path: str = "item", encoding: Encoding = _USUAL) -> Given:
    """What a client's item is here; `path` is where it stands in the event, `encoding` how its sound is written. Raises: ProtocolError."""
    one_of(item.type, f"{path}.type", NEEDED)
    must_be_short(item_id, f"{path}.id")
    if item_id == "root":
        raise ProtocolError("Invalid value: 'root'. As a 'previous_item_id' it means the beginning.", "invalid_value", f"{path}.id")
    one_of(item.status, f"{path}.status", STATUSES)
    for name in NEEDED[item.type]:
        if getattr(item, name) in (UNSET, None):
            raise missing(f"{path}.{name}")
    sounds: list[tuple[int, Samples]] = []
    if item.type == "message":
        one_of(item.role, f"{path}.role", CONTENTS)
        sounds = _checked_parts(item.content or [], CONTENTS[str(item.role)], f"{path}.content", encoding)
        content = [msgspec.structs.replace(part, audio=UNSET) for part in item.content or ()]
        item = msgspec.structs.replace(item, content=content)
    if item.type == "function_call" and item.call_id in (UNSET, None):
        # Optional on the wire, and without one its output could not be told from another's.
        item = msgspec.structs.replace(item, call_id=f"call_{item_id}")
    item = msgspec.structs.replace(item, id=item_id)
    if not item.type.startswith("mcp_"):
        # Those of tool servers have neither, on the service. Nothing goes on with what is given: it is complete, or was broken off.
        status = "incomplete" if item.status == "incomplete" else "completed"
        item = msgspec.structs.replace(item, object="realtime.item", status=status)
    must_fit(item, path)
    return Given(item, tuple(sounds))


def _checked_parts(parts: list[Content], allowed: tuple[str, ...], path: str, encoding: Encoding) -> list[tuple[int, Samples]]:
    """The sounds among a message's parts, each with its index."""
    if len(parts) > MAX_PARTS:
        message = f"Invalid '{path}': array too long. Expected at most {MAX_PARTS} parts, but got {len(parts)}."
        raise ProtocolError(message, "array_above_max_length", path)
    sounds = ((i, _checked_part(part, allowed, f"{path}[{i}]", encoding)) for i, part in enumerate(parts))
    return [(i, samples) for i, samples in sounds if samples is not None]


def _checked_part(part: Content, allowed: tuple[str, ...], path: str, encoding: Encoding) -> Samples | None:
    """The sound of a part; None if it is none."""
    one_of(part.type, f"{path}.type", allowed)
    wanted = {"input_audio": "audio", "input_image": "image_url"}.get(part.type, "text")
    value = getattr(part, wanted)
    if not isinstance(value, str):
        raise missing(f"{path}.{wanted}")
    if wanted != "audio":
        return None
    if not value:
        raise ProtocolError(f"Invalid value for '{path}.audio': there is no sound in it.", "invalid_value", f"{path}.audio")
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError as exc:
        raise ProtocolError(f"Invalid value for '{path}.audio': expected base64-encoded audio.", "invalid_value", f"{path}.audio") from exc
    try:
        return resample(encoding.decode(data), encoding.rate_hz, RATE_HZ)
    except ValueError as exc:
        raise ProtocolError(f"Invalid value for '{path}.audio': {exc}.", "invalid_value", f"{path}.audio") from exc
