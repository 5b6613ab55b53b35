"""Settings as the beta of the protocol wrote them, flat, as the nested ones of today. For requests that still come in the older form."""

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


def nested(flat: dict[str, Any], kind: str) -> dict[str, Any]:
    """The settings of a session of this `kind` ("realtime", "transcription"). Raises: ProtocolError for a name that the beta did not know.

    ["audio", "text"] said that speech comes with its words; today it always does, and "audio" says it.
    """
    session: dict[str, Any] = {"type": kind}
    for name, value in flat.items():
        if name in _GONE:
            continue
        if name not in _PLACES:
            raise ProtocolError(f"Unknown parameter: '{name[:80]}'.", "unknown_parameter", name[:80])
        if name == "modalities":
            if kind == "transcription":
                continue
            value = ["audio"] if isinstance(value, list) and "audio" in value else value
        if name.endswith("_format"):
            if not isinstance(value, str) or value not in _FORMATS:
                message = f"Invalid value for '{name}'. Supported values are: 'pcm16', 'g711_ulaw' and 'g711_alaw'."
                raise ProtocolError(message, "invalid_value", name)
            value = _FORMATS[value]
        *path, last = _PLACES[name]
        inner = session
        for step in path:
            inner = inner.setdefault(step, {})
        inner[last] = value
    return session
