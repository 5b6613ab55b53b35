"""Settings as the beta of the protocol wrote them, flat, and as they are nested today: both ways.

Of a session or of a response; in full, or only what changes. Used strictly where a request still comes in the older form (`nested`), and
leniently between two parties of whom one speaks it: what is not known here keeps its name, so that whoever reads it may complain.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from voice.errors import ProtocolError

_PLACES = {
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
_FORMATS = {"pcm16": {"type": "audio/pcm", "rate": 24_000}, "g711_ulaw": {"type": "audio/pcmu"}, "g711_alaw": {"type": "audio/pcma"}}
_GONE = frozenset({"temperature", "type"})
"""What the protocol of today has no place for."""
FLAT_NAMES: Mapping[tuple[str, ...], str] = {place: name for name, place in _PLACES.items()}
"""Where a setting stands today -> its flat name."""
FORMAT_NAMES = {"audio/pcm": "pcm16", "audio/pcmu": "g711_ulaw", "audio/pcma": "g711_alaw"}


def nested(flat: dict[str, Any], kind: str) -> dict[str, Any]:
    """The settings of a session of this `kind` ("realtime", "transcription"). Raises: ProtocolError for a name that the beta did not know."""
    for name, value in flat.items():
        if name not in _PLACES and name not in _GONE:
            raise ProtocolError(f"Unknown parameter: '{name[:80]}'.", "unknown_parameter", name[:80])
        if name.endswith("_format") and (not isinstance(value, str) or value not in _FORMATS):
            message = f"Invalid value for '{name}'. Supported values are: 'pcm16', 'g711_ulaw' and 'g711_alaw'."
            raise ProtocolError(message, "invalid_value", name)
    return {"type": kind, **unflattened({name: value for name, value in flat.items() if name not in _GONE}, kind)}


def unflattened(flat: Mapping[str, Any], kind: str = "realtime") -> dict[str, Any]:
    """Flat settings as nested ones; what is nested already, or is not known, stays where it is.

    ["audio", "text"] said that speech comes with its words; today it always does, and "audio" says it.
    """
    found: dict[str, Any] = {}
    for name, value in flat.items():
        if name == "modalities":
            if kind == "transcription":
                continue
            value = ["audio"] if isinstance(value, list) and "audio" in value else value
        if name.endswith("_format"):
            value = _FORMATS.get(value, {"type": value}) if isinstance(value, str) else value
        *path, last = _PLACES.get(name, (name,))
        inner = found
        for step in path:
            if not isinstance(inner.get(step), dict):
                inner[step] = {}
            inner = inner[step]
        inner[last] = value
    return found


def flattened(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings as flat ones; what has no flat name stays where it is."""
    found: dict[str, Any] = {}
    for place, value in _leaves(settings):
        name = FLAT_NAMES.get(place)
        if name is None:
            inner = found
            for step in place[:-1]:
                inner = inner.setdefault(step, {})
            inner[place[-1]] = value
            continue
        if name == "modalities" and isinstance(value, list):
            value = ["audio", "text"] if "audio" in value else value
        if name.endswith("_format") and isinstance(value, dict):
            value = FORMAT_NAMES.get(str(value.get("type")), value.get("type"))
        found[name] = value
    return found


def _leaves(settings: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each setting and where it stands: only `audio` and its two sides are opened."""
    for name, value in settings.items():
        place = (*path, name)
        if isinstance(value, dict) and (place == ("audio",) or (path == ("audio",) and name in ("input", "output"))):
            yield from _leaves(value, place)
        else:
            yield place, value
