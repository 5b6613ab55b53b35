"""The dialects of the protocol as data: one row a service, read by the interpreter (`interpreter.py`).

The protocol of today (GA) is the hub: it is what our own session, client and relay speak, and each row says in what a service differs from it.
Nothing here acts, and nothing anywhere asks for a dialect's name: a new service is a new row. What was seen in recorded traffic and what was only
read about is told apart in docs/providers.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from voice.audio.encoding import PCM, PCMA, PCMU
from voice.protocol.dialect_parts import NOTHING, Detecting, Names, Sounding, Telling, Wording
from voice.protocol.flat import PLACES


@dataclass(frozen=True, slots=True)
class Dialect:
    """In what a service differs from the protocol of today."""

    name: str
    settings: Wording = Wording()
    detection: Detecting = Detecting()
    sound: Sounding = Sounding()
    events: Telling = Telling()
    lacks: frozenset[str] = NOTHING
    """Client events that it does not know: they are answered for it, or refused."""

    @property
    def plain(self) -> bool:
        """Nothing differs."""
        return self == Dialect(self.name)


OLD_NAMES: Names = MappingProxyType(
    {
        "response.output_audio.delta": "response.audio.delta",
        "response.output_audio.done": "response.audio.done",
        "response.output_audio_transcript.delta": "response.audio_transcript.delta",
        "response.output_audio_transcript.done": "response.audio_transcript.done",
        "response.output_text.delta": "response.text.delta",
        "response.output_text.done": "response.text.done",
        "conversation.item.added": "conversation.item.created",
    }
)
"""Events of today -> those of the beta."""
ONLY_TODAY = frozenset(
    {
        "conversation.item.input_audio_transcription.segment",
        "input_audio_buffer.dtmf_event_received",
        "input_audio_buffer.timeout_triggered",
        "mcp_list_tools.completed",
        "mcp_list_tools.failed",
        "mcp_list_tools.in_progress",
        "response.mcp_call.completed",
        "response.mcp_call.failed",
        "response.mcp_call.in_progress",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
    }
)
"""Events that the beta has nothing like. Its clients are not told of them: none of their requests leads to one."""
_DETECTION_KEYS = frozenset({"threshold", "prefix_padding_ms", "silence_duration_ms", "create_response", "interrupt_response", "eagerness"})
_BETA_WORDING = Wording(
    flat=frozenset(PLACES),
    typed=False,
    spoken=("audio", "text"),
    untaken=frozenset({"truncation", "prompt", "reasoning", "parallel_tool_calls"}),
    own=frozenset({"temperature", "client_secret"}),
    transcription_sessions=True,
)
_BETA_FORMATS: Names = MappingProxyType({PCM: "pcm16", PCMU: "g711_ulaw", PCMA: "g711_alaw"})
_BETA_SOUND = Sounding(formats_in=_BETA_FORMATS, formats_out=_BETA_FORMATS)
_OLD = ONLY_TODAY | {"conversation.item.done"}
_LIMITS = frozenset({"rate_limits.updated"})
_NO_WEBRTC = frozenset({"output_audio_buffer.clear"})
"""It has a meaning over WebRTC only, and was not always known elsewhere."""
_ALONE = _NO_WEBRTC | frozenset({"conversation.item.truncate", "conversation.item.retrieve", "conversation.item.delete"})
"""Client events that the documentation of small services does not name."""
_SAMPLING = frozenset({"temperature", "top_p", "top_k", "max_tokens", "repetition_penalty", "presence_penalty", "seed", "enable_search"})
_SPOKEN = ("text", "audio")
_BETA_EVENTS = Telling(names=OLD_NAMES, old_content=True, silent_about=_OLD, call_names=False)

_BETA = Dialect("beta", _BETA_WORDING, Detecting(keys=_DETECTION_KEYS), _BETA_SOUND, _BETA_EVENTS, _NO_WEBRTC)
_VOICE_LIVE = Dialect(
    "voicelive",
    Wording(
        flat=frozenset(PLACES),
        typed=False,
        spoken=_SPOKEN,
        voice_objects=True,
        untaken=frozenset({"truncation", "prompt", "reasoning", "tracing"}),
        own=_BETA_WORDING.own
        | {"animation", "avatar", "greeting", "handoff", "input_audio_echo_cancellation", "output_audio_timestamp_types"}
        | {"truncation_strategy", "interim_response", "reasoning_effort"}
        | {"input_audio_transcription.custom_speech", "input_audio_transcription.phrase_list"}
        | {f"turn_detection.{name}" for name in ("auto_truncate", "distinguish_user_id", "end_of_utterance_detection", "languages")}
        | {f"turn_detection.{name}" for name in ("remove_filler_words", "speech_duration_ms")},
    ),
    Detecting(kinds={"semantic_vad": "azure_semantic_vad"}, keys=_DETECTION_KEYS - {"eagerness"}),
    Sounding(_BETA_FORMATS, _BETA_FORMATS, rates_in_hz=(24_000, 16_000), rate_field="input_audio_sampling_rate"),
    Telling(
        names=OLD_NAMES, old_content=True, silent_about=ONLY_TODAY | _LIMITS, words_usage=False, extras=frozenset({"cache_write_tokens"})
    ),
)
_XAI = Dialect(
    "xai",
    Wording(
        flat=frozenset(PLACES) - {"input_audio_format", "output_audio_format", "input_audio_transcription"},
        typed=False,
        transcriber="grok-transcribe",
        untaken=frozenset(
            {"truncation", "prompt", "reasoning", "parallel_tool_calls", "tracing", "include", "input_audio_noise_reduction"}
        ),
        own=_BETA_WORDING.own
        | {"asr_classifier", "asr_validation_backchannel_ignore_list", "asr_validation_ignore_list", "echo_detection_match_types"}
        | {"echo_detection_threshold_ms", "enable_echo_detection_filtering", "enable_noise_suppression", "enable_phonetic_spelling"}
        | {"is_kids_mode", "keep_context", "response_patient_starter_config", "xvad_settings"},
    ),
    Detecting(kinds={"semantic_vad": "server_vad"}, keys=_DETECTION_KEYS - {"eagerness"}, at_first=False),
    Sounding(rates_in_hz=(), rates_out_hz=()),
    Telling(
        silent_about=_LIMITS | {"conversation.item.done"},
        places=False,
        whole_words=True,
        words_usage=False,
        usage_outside=True,
        greets=("ping",),
        chatter=frozenset({"ping"}),
        extras=frozenset({"rid", "latency", "audio_duration_ms", "ts", "start_time", "replayed", "grok_tokens", "output_audio_seconds"}),
    ),
    _ALONE - {"conversation.item.delete"},
)
_QWEN = Dialect(
    "qwen",
    Wording(
        flat=frozenset(PLACES),
        typed=False,
        spoken=_SPOKEN,
        wrapped_tools=True,
        transcriber="qwen3-asr-flash-realtime",
        untaken=_BETA_WORDING.untaken | {"tracing", "include", "input_audio_noise_reduction", "speed", "max_response_output_tokens"},
        own=_BETA_WORDING.own | _SAMPLING | {"search_options", "smooth_output"},
    ),
    Detecting(keys=_DETECTION_KEYS - {"eagerness"}),
    Sounding({PCM: "pcm"}, {PCM: "pcm"}, rates_in_hz=(16_000,)),
    Telling(names=OLD_NAMES, old_content=True, silent_about=_OLD | _LIMITS, call_names=False, words_usage=False),
    _ALONE,
)
_STEPFUN = Dialect(
    "stepfun",
    Wording(
        flat=frozenset(PLACES),
        typed=False,
        spoken=_SPOKEN,
        written=_SPOKEN,
        untaken=_BETA_WORDING.untaken | {"tracing", "include", "input_audio_noise_reduction", "speed"},
        own=_BETA_WORDING.own | {"turn_detection.energy_awakeness_threshold"},
    ),
    Detecting(kinds={"semantic_vad": "server_vad"}, keys=frozenset({"prefix_padding_ms", "silence_duration_ms"}), at_first=False),
    Sounding({PCM: "pcm16"}, {PCM: "pcm16"}),
    Telling(names=OLD_NAMES, old_content=True, silent_about=_OLD | _LIMITS, call_names=False, words_usage=False),
    _ALONE - {"conversation.item.delete"},
)
_GLM = Dialect(
    "glm",
    Wording(
        flat=frozenset(PLACES) - {"max_response_output_tokens"},
        typed=False,
        spoken=_SPOKEN,
        always={"beta_fields": {"chat_mode": "audio", "tts_source": "e2e"}},
        untaken=_BETA_WORDING.untaken | {"tracing", "include", "input_audio_noise_reduction", "speed"},
        own=_BETA_WORDING.own | {"beta_fields"},
    ),
    Detecting({"semantic_vad": "server_vad"}, frozenset(), {"type": "client_vad"}, at_first=False, repeated=True),
    Sounding({PCM: "wav"}, {PCM: "pcm"}, rates_in_hz=(16_000,), wav=True),
    Telling(
        names=OLD_NAMES,
        old_content=True,
        silent_about=_OLD
        | {"response.output_item.added", "response.output_item.done", "response.content_part.added", "response.content_part.done"}
        | {"response.function_call_arguments.delta"}
        | _LIMITS,
        item_names=False,
        places=False,
        words_usage=False,
        greets=("heartbeat",),
        chatter=frozenset({"heartbeat"}),
        extras=frozenset({"client_timestamp"}),
    ),
    _ALONE,
)
_ROWS = (Dialect("ga"), Dialect("azure"), _BETA, _VOICE_LIVE, _XAI, _QWEN, _STEPFUN, _GLM, replace(_BETA, name="holysheep"))

DIALECTS: Mapping[str, Dialect] = MappingProxyType({row.name: row for row in _ROWS})
"""By name."""
