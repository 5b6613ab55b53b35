"""Settings as the beta of the protocol wrote them, flat, and as they are nested today: where each stands, in either form.

Of a session or of a response; in full, or only what changes. `nested` is for requests that still come in the older form; the dialects
(`dialect_settings.py`) read and write both forms by the same table.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from voice.errors import ProtocolError

Place = tuple[str, ...]

PLACES: Mapping[str, Place] = MappingProxyType(
    {
        "model": ("model",),
        "instructions": ("instructions",),
        "modalities": ("output_modalities",),
        "max_response_output_tokens": ("max_output_tokens",),
        "tools": ("tools",),
        "tool_choice": ("tool_choice",),
        "tracing": ("tracing",),
        "include": ("include",),
        "voice": ("audio", "output", "voice"),
        "speed": ("audio", "output", "speed"),
        "output_audio_format": ("audio", "output", "format"),
        "input_audio_format": ("audio", "input", "format"),
        "input_audio_transcription": ("audio", "input", "transcription"),
        "input_audio_noise_reduction": ("audio", "input", "noise_reduction"),
        "turn_detection": ("audio", "input", "turn_detection"),
    }
)
"""The flat name of a setting -> where it stands today."""
FLAT_NAMES: Mapping[Place, str] = MappingProxyType({place: name for name, place in PLACES.items()})
_FORMATS = {"pcm16": {"type": "audio/pcm", "rate": 24_000}, "g711_ulaw": {"type": "audio/pcmu"}, "g711_alaw": {"type": "audio/pcma"}}
_GONE = frozenset({"temperature", "type"})
"""What the protocol of today has no place for."""


def nested(flat: dict[str, Any], kind: str) -> dict[str, Any]:
    """The settings of a session of this `kind` ("realtime", "transcription"). Raises: ProtocolError for a name that the beta did not know."""
    session: dict[str, Any] = {"type": kind}
    for name, value in flat.items():
        if name in _GONE:
            continue
        if name not in PLACES:
            raise ProtocolError(f"Unknown parameter: '{name[:80]}'.", "unknown_parameter", name[:80])
        if name == "modalities":
            if kind == "transcription":
                continue
            value = modalities(value)
        if name.endswith("_format"):
            if not isinstance(value, str) or value not in _FORMATS:
                message = f"Invalid value for '{name}'. Supported values are: 'pcm16', 'g711_ulaw' and 'g711_alaw'."
                raise ProtocolError(message, "invalid_value", name)
            value = _FORMATS[value]
        put(session, PLACES[name], value)
    return session


def modalities(value: Any) -> Any:
    """Those of today. ["audio", "text"] said that speech comes with its words; today it always does, and "audio" says it."""
    return ["audio"] if isinstance(value, list) and "audio" in value else value


def put(settings: dict[str, Any], place: Place, value: Any) -> None:
    """Set what stands at a place; what is in its way goes."""
    for step in place[:-1]:
        if not isinstance(settings.get(step), dict):
            settings[step] = {}
        settings = settings[step]
    settings[place[-1]] = value


def leaves(settings: Mapping[str, Any], path: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Each setting and where it stands: only `audio` and its two sides are opened."""
    for name, value in settings.items():
        place = (*path, name)
        if isinstance(value, dict) and place in (("audio",), ("audio", "input"), ("audio", "output")):
            yield from leaves(value, place)
        else:
            yield place, value
