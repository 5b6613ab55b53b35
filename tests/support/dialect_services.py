"""How the services tell a conversation: facts for `dialect_trace.py`, written down without a look at the tables that translate."""

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Event = dict[str, Any]

PCM = {"type": "audio/pcm", "rate": 24_000}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "name": "get_weather", "description": "The weather in a city.", "parameters": PARAMETERS}
DETECTION = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
SOUND = base64.b64encode((1_000 * np.sin(np.arange(240) / 8)).astype("<i2").tobytes()).decode()
"""10 ms of a tone at 24 kHz."""
WISHES: Event = {
    "type": "realtime",
    "output_modalities": ["audio"],
    "instructions": "Be brief.",
    "audio": {
        "input": {"format": PCM, "transcription": {"model": "whisper-1"}, "turn_detection": DETECTION},
        "output": {"format": PCM, "voice": "alloy"},
    },
    "tools": [TOOL],
}
_FLAT: Event = {
    "modalities": ["audio", "text"],
    "instructions": "Be brief.",
    "input_audio_format": "pcm16",
    "input_audio_transcription": {"model": "whisper-1"},
    "turn_detection": DETECTION,
    "output_audio_format": "pcm16",
    "voice": "alloy",
    "tools": [TOOL],
}
_WRAPPED = {"type": "function", "function": {name: value for name, value in TOOL.items() if name != "type"}}


@dataclass(frozen=True)
class Service:
    """How a service tells a conversation."""

    wishes: Event
    """What becomes of the client's settings."""
    session: Event
    """What it tells of its own at first, beside its name."""
    effective: Event = field(default_factory=dict)
    """What it tells when they are in effect, where that is not what was sent."""
    audio: str = "response.audio"
    said: str = "response.audio_transcript"
    added: str = "conversation.item.created"
    heard_done: bool = False
    """It tells when a heard item is done."""
    done: bool = False
    """It tells when any other is."""
    names: bool = True
    pieces: bool = True
    """It tells an answer's items and parts."""
    early: bool = False
    """It tells a heard item before the turn is over, and all its words again each time."""
    call_name: bool = False
    words_usage: bool = False
    base: Event = field(default_factory=dict)
    """What each response says of itself."""
    outside: bool = False
    limits: bool = False
    asks_first: Event | None = None
    """What the service must be sent when its session begins."""
    heartbeat: tuple[str, ...] = ()
    extra: Event = field(default_factory=dict)
    """What stands in each event besides."""
    cuts: bool = True
    """It can be told what was not heard."""
    content: str = "audio"
    """The kind of an assistant's words in items."""


_OLD_BASE = {
    "conversation_id": "conv_1",
    "modalities": ["audio", "text"],
    "voice": "alloy",
    "output_audio_format": "pcm16",
    "temperature": 0.8,
}
_OLD_BASE |= {"max_output_tokens": "inf", "metadata": None}
_GA_BASE = {"conversation_id": "conv_1", "output_modalities": ["audio"], "max_output_tokens": "inf", "metadata": None}
_GA_BASE |= {"audio": {"output": {"format": PCM, "voice": "alloy"}}}
_SMALL_BASE = {"conversation_id": "conv_1", "modalities": ["text", "audio"], "voice": "alloy"}
_TWO_KEYS = {"prefix_padding_ms": 300, "silence_duration_ms": 500}

SERVICES = {
    "ga": Service(
        wishes=WISHES,
        session={"type": "realtime", "audio": WISHES["audio"]},
        audio="response.output_audio",
        said="response.output_audio_transcript",
        added="conversation.item.added",
        heard_done=True,
        done=True,
        call_name=True,
        words_usage=True,
        base=_GA_BASE,
        limits=True,
        content="output_audio",
    ),
    "beta": Service(
        wishes=_FLAT,
        session={"modalities": ["audio", "text"], "temperature": 0.8, "client_secret": None, "turn_detection": DETECTION},
        words_usage=True,
        base=_OLD_BASE,
        limits=True,
    ),
    "voicelive": Service(
        wishes={
            **_FLAT,
            "modalities": ["text", "audio"],
            "input_audio_sampling_rate": 24_000,
            "voice": {"name": "alloy", "type": "openai"},
        },
        session={
            "modalities": ["audio"],
            "input_audio_sampling_rate": 24_000,
            "output_audio_format": None,
            "avatar": None,
            "greeting": None,
        },
        effective={"turn_detection": {**DETECTION, "speech_duration_ms": None, "auto_truncate": False}, "modalities": ["audio", "text"]},
        heard_done=True,
        call_name=True,
        base={**_OLD_BASE, "voice": {"name": "alloy", "type": "openai"}, "temperature": None},
    ),
    "xai": Service(
        wishes={
            **{name: value for name, value in _FLAT.items() if not name.startswith(("input_", "output_"))},
            "modalities": ["audio"],
            "audio": {"input": {"format": PCM, "transcription": {"model": "grok-transcribe"}}, "output": {"format": PCM}},
        },
        session={"voice": "ara", "modalities": ["audio"], "turn_detection": {"type": None}, "tools": []},
        effective={
            "tools": [_WRAPPED],
            "input_audio_format": "not specified",
            "output_audio_format": "not specified",
            "input_audio_transcription": {"model": "grok-transcribe"},
            "temperature": -1.0,
            "keep_context": False,
            "is_kids_mode": False,
        },
        audio="response.output_audio",
        said="response.output_audio_transcript",
        added="conversation.item.added",
        early=True,
        call_name=True,
        outside=True,
        asks_first={"turn_detection": {"type": "server_vad"}},
        heartbeat=("conversation.created", "ping"),
        extra={"previous_item_id": None},
        cuts=False,
    ),
    "qwen": Service(
        wishes={
            **_FLAT,
            "modalities": ["text", "audio"],
            "input_audio_format": "pcm",
            "output_audio_format": "pcm",
            "input_audio_transcription": {"model": "qwen3-asr-flash-realtime"},
            "tools": [_WRAPPED],
        },
        session={
            "modalities": ["text", "audio"],
            "input_audio_format": "pcm",
            "output_audio_format": "pcm",
            "temperature": 0.8,
            "enable_search": False,
        },
        base=_SMALL_BASE,
        cuts=False,
    ),
    "stepfun": Service(
        wishes={**_FLAT, "modalities": ["text", "audio"], "turn_detection": {"type": "server_vad", **_TWO_KEYS}},
        session={"modalities": ["text", "audio"], "input_audio_format": "pcm16", "output_audio_format": "pcm16"},
        base=_SMALL_BASE,
        asks_first={"turn_detection": {"type": "server_vad"}},
        cuts=False,
    ),
    "glm": Service(
        wishes={
            **_FLAT,
            "modalities": ["text", "audio"],
            "input_audio_format": "wav",
            "output_audio_format": "pcm",
            "turn_detection": {"type": "server_vad"},
            "beta_fields": {"chat_mode": "audio", "tts_source": "e2e"},
        },
        session={"input_audio_format": "wav", "output_audio_format": "pcm", "turn_detection": {"type": "client_vad"}},
        names=False,
        pieces=False,
        asks_first={"turn_detection": {"type": "server_vad"}, "beta_fields": {"chat_mode": "audio", "tts_source": "e2e"}},
        heartbeat=("heartbeat",),
        extra={"client_timestamp": 1_700_000_000_000},
        cuts=False,
    ),
}
"""As docs/providers.md tells them: recorded (voicelive, xai), or read about."""
