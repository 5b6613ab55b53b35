"""The settings of sessions and responses, from a dialect into today's protocol and back. Pure functions over decoded JSON.

Partial settings stay partial: what is absent stays absent, and null stays null. What neither side's tables know passes under its own name.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from voice.audio.encoding import PCM
from voice.protocol.dialect import Dialect
from voice.protocol.dialect_parts import Detecting, Wording
from voice.protocol.dialect_sound import Formats, flat_name, read_format, read_ours, unread, write_ours
from voice.protocol.flat import FLAT_NAMES, PLACES, leaves, modalities, put
from voice.protocol.refusing import quoted

Settings = dict[str, Any]
NO_PATHS: Mapping[str, str] = MappingProxyType({})

_SERVER_VAD = frozenset(
    {"threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms", "create_response", "interrupt_response"}
)
_SEMANTIC_VAD = frozenset({"eagerness", "create_response", "interrupt_response"})
_DETECTION = _SERVER_VAD | _SEMANTIC_VAD | {"type"}
_TRANSCRIPTION = frozenset({"model", "language", "languages", "prompt", "keywords", "delay"})
_MUTED = frozenset({"none", "client_vad"})
"""Kinds of turn detection that are none, in whatever dialect."""


def to_theirs(settings: Settings, dialect: Dialect, formats: Formats) -> Settings:
    """Settings of today in a dialect; formats that are named become these."""
    found: Settings = {}
    words, sound = dialect.settings, dialect.sound
    names = {"input_audio_format": (formats.up, sound.formats_in), "output_audio_format": (formats.down, sound.formats_out)}
    for place, value in leaves(settings):
        name = FLAT_NAMES.get(place, place[0])
        if {name, place[0]} & words.untaken or (place == ("type",) and not words.typed):
            continue
        if name == "include" and words.transcription_sessions and settings.get("type") != "transcription":
            continue
        if name in names and read_ours(value) is not None:
            encoding, theirs = names[name]
            value = theirs.get(encoding.name) or flat_name(encoding.name) if name in words.flat else write_ours(encoding)
            if name == "input_audio_format" and sound.rate_field and encoding.name == PCM:
                found[sound.rate_field] = encoding.rate_hz
        elif name in _THEIRS:
            value = _THEIRS[name](value, dialect)
        put(found, (name,) if name in words.flat else place, value)
    return found


def to_ours(settings: Settings, dialect: Dialect, formats: Formats, asked: bool = False) -> Settings:
    """Settings in a dialect as today's protocol has them; formats that are named become these. What is nested already counts more.

    `asked`: by a client; a format that the dialect does not have is left for the server to refuse.
    """
    found: Settings = {}
    sound = dialect.sound
    named = {
        "input_audio_format": (formats.up, sound.formats_in, sound.rates_in_hz),
        "output_audio_format": (formats.down, sound.formats_out, sound.rates_out_hz),
    }
    for place, value in sorted(leaves(settings), key=lambda leaf: len(leaf[0])):
        if place[0] in dialect.settings.own or place[0] == dialect.sound.rate_field:
            continue
        name = place[0] if len(place) == 1 and place[0] in PLACES else FLAT_NAMES.get(place, "")
        if name in named:
            encoding, names, rates_hz = named[name]
            refused = asked and value is not None and read_format(value, names, rates_hz) is None
            value = unread(value) if refused else write_ours(encoding)
        elif name in _OURS:
            unknown = _unknown(name, value, dialect) if asked else {}
            value = _OURS[name](value, dialect)
            value = {**value, **unknown} if isinstance(value, dict) else value
        put(found, PLACES.get(name, place), value)
    return found


def tools_of_theirs(tools: Any) -> Any:
    """Tools as today's protocol declares them, whichever way they were written."""
    if not isinstance(tools, list):
        return tools
    return [{"type": "function", **tool["function"]} if _wrapped(tool) else tool for tool in tools]


def _wrapped(tool: Any) -> bool:
    return isinstance(tool, dict) and isinstance(tool.get("function"), dict)


def _their_tools(tools: Any, dialect: Dialect) -> Any:
    if not isinstance(tools, list) or not dialect.settings.wrapped_tools:
        return tools
    return [_wrap(tool) if isinstance(tool, dict) and tool.get("type") == "function" and not _wrapped(tool) else tool for tool in tools]


def _wrap(tool: Settings) -> Settings:
    return {"type": "function", "function": {name: value for name, value in tool.items() if name != "type"}}


def _their_modalities(value: Any, dialect: Dialect) -> Any:
    if not isinstance(value, list):
        return value
    return list(dialect.settings.spoken if "audio" in value else dialect.settings.written)


def _their_voice(value: Any, dialect: Dialect) -> Any:
    if not dialect.settings.voice_objects or not isinstance(value, str):
        return value
    return {"name": value, "type": "azure-standard" if "-" in value else "openai"}


def _our_voice(value: Any, _: Dialect) -> Any:
    return value["name"] if isinstance(value, dict) and isinstance(value.get("name"), str) else value


def _their_transcription(value: Any, dialect: Dialect) -> Any:
    if not isinstance(value, dict) or dialect.settings.transcriber is None:
        return value
    return {**value, "model": dialect.settings.transcriber}


def _our_transcription(value: Any, _: Dialect) -> Any:
    return _only(value, _TRANSCRIPTION) if isinstance(value, dict) else value


def their_detection(value: Any, detecting: Detecting) -> Any:
    """A turn detection of today in a dialect; null is what the dialect says for it."""
    if value is None:
        return dict(detecting.nobody) if isinstance(detecting.nobody, dict) else detecting.nobody
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    keys = (value.keys() if detecting.keys is None else detecting.keys) - {"type"}
    theirs = {name: entry for name, entry in value.items() if name in keys and (entry is not None or detecting.keys is None)}
    theirs |= {name: entry for name, entry in value.items() if name not in _DETECTION}
    return {"type": detecting.kinds.get(kind, kind) if isinstance(kind, str) else kind, **theirs}


def our_detection(value: Any) -> Any:
    """A turn detection in a dialect as today's protocol has it."""
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    if not isinstance(kind, str):
        return None if kind is None and "type" in value else value
    if kind in _MUTED:
        return None
    semantic = "semantic" in kind
    kind = "semantic_vad" if semantic else "server_vad" if "vad" in kind else kind
    return {"type": kind, **_only(value, _SEMANTIC_VAD if semantic else _SERVER_VAD)}


def _unknown(name: str, value: Any, dialect: Dialect) -> Settings:
    """What a client asks for within a setting that neither today's protocol nor its dialect knows: it is left for the server to refuse."""
    known = {"turn_detection": _DETECTION, "input_audio_transcription": _TRANSCRIPTION}.get(name)
    if known is None or not isinstance(value, dict):
        return {}
    return {key: entry for key, entry in value.items() if key not in known and f"{name}.{key}" not in dialect.settings.own}


def _only(value: Settings, names: frozenset[str]) -> Settings:
    """What today's protocol knows of an object, without what is null."""
    return {name: entry for name, entry in value.items() if name in names and entry is not None}


_THEIRS: dict[str, Callable[[Any, Dialect], Any]] = {
    "modalities": _their_modalities,
    "tools": _their_tools,
    "voice": _their_voice,
    "input_audio_transcription": _their_transcription,
    "turn_detection": lambda value, dialect: their_detection(value, dialect.detection),
}
_OURS: dict[str, Callable[[Any, Dialect], Any]] = {
    "modalities": lambda value, _: modalities(value),
    "tools": lambda value, _: tools_of_theirs(value),
    "voice": _our_voice,
    "input_audio_transcription": _our_transcription,
    "turn_detection": lambda value, _: our_detection(value),
}


def written(asked: Settings) -> dict[str, str]:
    """The settings that a client asks for: their paths today -> as it has written them."""
    places = sorted((place for place, _ in leaves(asked)), key=len)
    names = ((place, place[0] if len(place) == 1 else FLAT_NAMES.get(place, "")) for place in places)
    return {".".join(PLACES[name]): ".".join(place) for place, name in names if name in PLACES}


def their_path(param: str, wording: Wording, asked: Mapping[str, str] = NO_PATHS) -> str:
    """The path of a setting as an error to a client of the dialect names it: as it was `asked` for (see `written`), else as the dialect does."""
    return _renamed(param, {".".join(PLACES[name]): name for name in wording.flat} | {**asked})


def possible(param: str, dialect: Dialect) -> str | None:
    """What a setting may be in a dialect, in words, by its path today; None if a server of today can say that."""
    words, sound = dialect.settings, dialect.sound
    match param.partition(".")[2]:
        case "audio.input.format" if "input_audio_format" in words.flat:
            return quoted(sound.formats_in.values())
        case "audio.output.format" if "output_audio_format" in words.flat:
            return quoted(sound.formats_out.values())
        case "output_modalities" if words.spoken != ("audio",):
            return " and ".join(str(list(value)) for value in dict.fromkeys((words.spoken, words.written)))
    return None


def our_path(param: str, wording: Wording) -> str:
    """The path of a setting as an error of today names it."""
    return _renamed(param, {name: ".".join(PLACES[name]) for name in wording.flat})


def _renamed(param: str, names: dict[str, str]) -> str:
    head, dot, rest = param.partition(".")
    if head not in ("session", "response") or not dot:
        return param
    for old, new in sorted(names.items(), key=lambda pair: -len(pair[0])):
        if rest == old or rest.startswith((f"{old}.", f"{old}[")):
            return f"{head}.{new}{rest[len(old) :]}"
    return param
