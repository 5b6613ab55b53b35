"""Settings of a dialect as those of today, and the other way round."""

from typing import Any

import pytest

from voice.audio.encoding import PCM, PCMU, Encoding
from voice.protocol.dialect import DIALECTS
from voice.protocol.dialect_settings import our_path, their_path, to_ours, to_theirs, tools_of_theirs
from voice.protocol.dialect_sound import Formats, first_of

TOOL = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
WRAPPED = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
PCM_24 = {"type": "audio/pcm", "rate": 24_000}


def theirs(name: str, **settings: Any) -> dict[str, Any]:
    return to_theirs(settings, DIALECTS[name], first_of(DIALECTS[name].sound))


def ours(name: str, **settings: Any) -> dict[str, Any]:
    return to_ours(settings, DIALECTS[name], Formats())


def heard(**settings: Any) -> dict[str, Any]:
    return {"audio": {"input": settings}}


BETA = [
    ({"modalities": ["audio", "text"]}, {"output_modalities": ["audio"]}),
    ({"modalities": ["text"]}, {"output_modalities": ["text"]}),
    ({"voice": "alloy", "speed": 1.5}, {"audio": {"output": {"voice": "alloy", "speed": 1.5}}}),
    (
        {"input_audio_format": "pcm16", "output_audio_format": "pcm16"},
        {"audio": {"input": {"format": PCM_24}, "output": {"format": PCM_24}}},
    ),
    ({"input_audio_transcription": None}, heard(transcription=None)),
    (
        {"input_audio_transcription": {"model": "whisper-1", "language": "ko"}},
        heard(transcription={"model": "whisper-1", "language": "ko"}),
    ),
    ({"input_audio_noise_reduction": {"type": "far_field"}}, heard(noise_reduction={"type": "far_field"})),
    ({"turn_detection": None}, heard(turn_detection=None)),
    ({"turn_detection": {"type": "server_vad", "threshold": 0.4}}, heard(turn_detection={"type": "server_vad", "threshold": 0.4})),
    ({"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}, heard(turn_detection={"type": "semantic_vad", "eagerness": "low"})),
    ({"max_response_output_tokens": 7}, {"max_output_tokens": 7}),
    (
        {"tools": [TOOL], "tool_choice": "auto", "instructions": "", "tracing": "auto"},
        {"tools": [TOOL], "tool_choice": "auto", "instructions": "", "tracing": "auto"},
    ),
    ({}, {}),
    ({"instructions": None}, {"instructions": None}),
    ({"a_novelty": {"b": 1}}, {"a_novelty": {"b": 1}}),
]


@pytest.mark.parametrize(("flat", "nested"), BETA)
def test_the_betas_settings_go_both_ways(flat: dict[str, Any], nested: dict[str, Any]) -> None:
    """Only what is named is changed: what is absent stays absent, and null stays null."""
    assert ours("beta", **flat) == nested
    assert theirs("beta", **nested) == flat


def test_what_only_one_side_knows_is_not_told_to_the_other() -> None:
    assert ours("beta", temperature=0.8, client_secret={"value": "x"}) == {}
    assert theirs("beta", type="realtime", truncation="auto", prompt=None, reasoning=None, parallel_tool_calls=True, include=None) == {}
    assert theirs("beta", type="transcription", include=["x"]) == {"include": ["x"]}
    assert theirs("beta", **heard(turn_detection={"type": "server_vad", "idle_timeout_ms": 5000, "threshold": None})) == {
        "turn_detection": {"type": "server_vad"}
    }


def test_settings_in_both_forms_at_once_are_understood() -> None:
    """Clients on the move from one to the other mix them."""
    assert ours("beta", type="realtime", voice="old", audio={"output": {"voice": "new"}}, output_modalities=["text"]) == {
        "type": "realtime",
        "output_modalities": ["text"],
        "audio": {"output": {"voice": "new"}},
    }


def test_telephone_sound() -> None:
    formats = Formats(Encoding(PCMU, 8_000), Encoding(PCM, 24_000))
    assert to_ours({"input_audio_format": "g711_ulaw"}, DIALECTS["beta"], formats) == heard(format={"type": "audio/pcmu"})
    assert to_theirs(heard(format={"type": "audio/pcmu"}), DIALECTS["beta"], formats) == {"input_audio_format": "g711_ulaw"}


def test_an_asked_format_that_nobody_knows_is_left_to_be_refused() -> None:
    assert to_ours({"input_audio_format": "mp3"}, DIALECTS["beta"], Formats(), asked=True) == heard(format={"type": "mp3"})
    assert to_ours({"input_audio_format": "not specified"}, DIALECTS["xai"], Formats()) == heard(format=PCM_24)
    assert theirs("beta", **heard(format="pcm16")) == {"input_audio_format": "pcm16"}


@pytest.mark.parametrize(
    ("name", "asked", "sent"),
    [
        ("voicelive", heard(format=PCM_24), {"input_audio_format": "pcm16", "input_audio_sampling_rate": 24_000}),
        ("voicelive", {"audio": {"output": {"voice": "alloy"}}}, {"voice": {"name": "alloy", "type": "openai"}}),
        (
            "voicelive",
            {"audio": {"output": {"voice": "en-US-AvaNeural"}}},
            {"voice": {"name": "en-US-AvaNeural", "type": "azure-standard"}},
        ),
        (
            "voicelive",
            heard(turn_detection={"type": "semantic_vad", "eagerness": "low"}),
            {"turn_detection": {"type": "azure_semantic_vad"}},
        ),
        ("voicelive", {"output_modalities": ["audio"]}, {"modalities": ["text", "audio"]}),
        ("xai", heard(format=PCM_24, turn_detection=None), {**heard(format=PCM_24), "turn_detection": None}),
        ("xai", heard(transcription={"model": "whisper-1"}), heard(transcription={"model": "grok-transcribe"})),
        ("qwen", {"tools": [TOOL]}, {"tools": [WRAPPED]}),
        ("qwen", heard(format=PCM_24), {"input_audio_format": "pcm"}),
        ("qwen", {"max_output_tokens": 7, "tracing": None}, {}),
        ("stepfun", {"output_modalities": ["text"]}, {"modalities": ["text", "audio"]}),
        ("stepfun", heard(turn_detection={"type": "semantic_vad"}), {"turn_detection": {"type": "server_vad"}}),
        ("glm", heard(turn_detection=None), {"turn_detection": {"type": "client_vad"}}),
        ("glm", heard(turn_detection={"type": "server_vad", "threshold": 0.5}), {"turn_detection": {"type": "server_vad"}}),
        ("glm", heard(format=PCM_24), {"input_audio_format": "wav"}),
        ("glm", {"max_output_tokens": 7}, {"max_output_tokens": 7}),
    ],
)
def test_what_each_service_is_asked(name: str, asked: dict[str, Any], sent: dict[str, Any]) -> None:
    assert theirs(name, **asked) == sent


@pytest.mark.parametrize(
    ("name", "told", "want"),
    [
        (
            "voicelive",
            {"voice": {"name": "alloy", "type": "openai"}, "avatar": None, "animation": None},
            {"audio": {"output": {"voice": "alloy"}}},
        ),
        (
            "voicelive",
            {"turn_detection": {"type": "azure_semantic_vad_multilingual", "remove_filler_words": False}},
            heard(turn_detection={"type": "semantic_vad"}),
        ),
        (
            "voicelive",
            {"input_audio_transcription": {"model": "m", "language": None, "phrase_list": None}},
            heard(transcription={"model": "m"}),
        ),
        ("xai", {"turn_detection": {"type": None}, "tools": [WRAPPED]}, {**heard(turn_detection=None), "tools": [TOOL]}),
        ("xai", {"temperature": -1.0, "keep_context": False}, {}),
        ("qwen", {"modalities": ["text", "audio"], "top_k": 50, "tools": [WRAPPED]}, {"output_modalities": ["audio"], "tools": [TOOL]}),
        ("glm", {"turn_detection": {"type": "client_vad"}, "beta_fields": {}}, heard(turn_detection=None)),
        ("stepfun", {"turn_detection": None}, heard(turn_detection=None)),
    ],
)
def test_what_each_service_tells(name: str, told: dict[str, Any], want: dict[str, Any]) -> None:
    assert ours(name, **told) == want


def test_odd_values_pass_as_they_are() -> None:
    """Whoever reads them complains in its own words."""
    odd = {"tools": "none", "voice": 7, "modalities": "audio", "turn_detection": 3, "input_audio_transcription": [1]}
    for name in DIALECTS:
        assert to_ours({**odd}, DIALECTS[name], Formats())["tools"] == "none"
    assert theirs("qwen", tools=[3, {"type": "mcp"}]) == {"tools": [3, {"type": "mcp"}]}
    assert tools_of_theirs([3]) == [3]
    assert ours("beta", turn_detection={"type": 3}) == heard(turn_detection={"type": 3})


@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        ("session.turn_detection.threshold", "session.audio.input.turn_detection.threshold"),
        ("session.turn_detection", "session.audio.input.turn_detection"),
        ("session.tools[0].name", "session.tools[0].name"),
        ("session.input_audio_format", "session.audio.input.format"),
        ("session.voice", "session.audio.output.voice"),
        ("response.modalities", "response.output_modalities"),
        ("response.output_audio_format", "response.audio.output.format"),
        ("session.max_response_output_tokens", "session.max_output_tokens"),
        ("item.content[0].type", "item.content[0].type"),
        ("session", "session"),
        ("session.voices", "session.voices"),
    ],
)
def test_paths_in_errors_go_both_ways(flat: str, nested: str) -> None:
    words = DIALECTS["beta"].settings
    assert our_path(flat, words) == nested
    assert their_path(nested, words) == flat
