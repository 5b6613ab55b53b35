"""Flat settings of the beta as nested ones."""

from typing import Any

import pytest

from voice.errors import ProtocolError
from voice.protocol.flat import nested

PCM = {"type": "audio/pcm", "rate": 24_000}


@pytest.mark.parametrize(
    ("flat", "want"),
    [
        ({}, {}),
        ({"model": "m", "instructions": "Be brief.", "temperature": 0.8}, {"model": "m", "instructions": "Be brief."}),
        ({"modalities": ["audio", "text"]}, {"output_modalities": ["audio"]}),
        ({"modalities": ["text"]}, {"output_modalities": ["text"]}),
        ({"voice": "verse", "speed": 1.2}, {"audio": {"output": {"voice": "verse", "speed": 1.2}}}),
        (
            {"input_audio_format": "pcm16", "output_audio_format": "g711_ulaw", "turn_detection": None},
            {"audio": {"input": {"format": PCM, "turn_detection": None}, "output": {"format": {"type": "audio/pcmu"}}}},
        ),
        (
            {"input_audio_transcription": {"model": "whisper-1"}, "input_audio_noise_reduction": {"type": "near_field"}},
            {"audio": {"input": {"transcription": {"model": "whisper-1"}, "noise_reduction": {"type": "near_field"}}}},
        ),
        (
            {"max_response_output_tokens": "inf", "tools": [], "tool_choice": "auto"},
            {"max_output_tokens": "inf", "tools": [], "tool_choice": "auto"},
        ),
    ],
)
def test_flat_settings_find_their_place(flat: dict[str, Any], want: dict[str, Any]) -> None:
    assert nested(flat, "realtime") == {"type": "realtime", **want}


def test_a_session_that_only_writes_down_speaks_in_no_way() -> None:
    assert nested({"modalities": ["text"], "input_audio_format": "pcm16"}, "transcription") == {
        "type": "transcription",
        "audio": {"input": {"format": PCM}},
    }


@pytest.mark.parametrize(
    ("flat", "code", "param"),
    [
        ({"voise": "verse"}, "unknown_parameter", "voise"),
        ({"audio": {}}, "unknown_parameter", "audio"),
        ({"input_audio_format": "mp3"}, "invalid_value", "input_audio_format"),
        ({"output_audio_format": {"type": "audio/pcm"}}, "invalid_value", "output_audio_format"),
    ],
)
def test_what_the_beta_did_not_know_is_named(flat: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(ProtocolError) as told:
        nested(flat, "realtime")
    assert (told.value.code, told.value.param) == (code, param)
