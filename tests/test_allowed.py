"""What a session or a response may be asked for; each refusal names the path of the value."""

from typing import Any

import msgspec
import pytest

from tests.support.needs import needs
from voice.errors import ProtocolError
from voice.protocol.allowed import EFFORTS, INCLUDABLE, check_answers
from voice.protocol.objects import ResponseParams, Session
from voice.protocol.settings import check

FUNCTION = {"type": "function", "name": "weather", "description": "says it", "parameters": {"type": "object", "properties": {}}}
MCP = {"type": "mcp", "server_label": "s", "server_url": "https://tools.example", "headers": {"a": "b"}, "require_approval": "never"}

GOOD: list[dict[str, Any]] = [
    {"tools": []},
    {"tools": [FUNCTION]},
    {"tools": [{"type": "function", "name": "a-b_c9", "description": None, "parameters": None}]},
    {"tool_choice": "none"},
    {"tool_choice": "required"},
    {"tracing": "auto"},
    {"tracing": {"workflow_name": "w", "group_id": None, "metadata": {"a": [1]}}},
    {"truncation": "disabled"},
    {"truncation": {"type": "retention_ratio", "retention_ratio": 0}},
    {"truncation": {"type": "retention_ratio", "retention_ratio": 1, "token_limits": {"post_instructions": 8000}}},
    {"prompt": {"id": "pmpt_1", "version": "2", "variables": {"city": "Paris", "photo": {"type": "input_image"}}}},
    {"include": list(INCLUDABLE)},
    {"include": []},
    {"reasoning": {"effort": "xhigh"}},
    {"reasoning": {}},
    {"max_output_tokens": 1},
    {"max_output_tokens": 4096},
    {"max_output_tokens": "inf"},
    {"parallel_tool_calls": False},
    {"audio": {"input": {"noise_reduction": {"type": "far_field", "strength": 0.5}}}},
    {"audio": {"input": {"transcription": {"model": "whisper-1", "language": "pt-BR", "languages": ["en", "ko"], "delay": "low"}}}},
    {"audio": {"input": {"transcription": {"language": "", "prompt": "names", "keywords": ["k"]}}}},
    {"audio": {"input": {"transcription": {}, "noise_reduction": {}}}},
    {"audio": {"output": {"voice": "marin"}}},
    {"audio": {"output": {"voice": {"id": "voice_1"}}}},
]

RATIO = {"type": "retention_ratio", "retention_ratio": 0.5}
V, T, U, M = "invalid_value", "invalid_type", "unknown_parameter", "missing_required_parameter"
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"tools": [{}]}, M, "tools[0].type"),
    ({"tools": [{"type": None}]}, M, "tools[0].type"),
    ({"tools": [{"type": 5}]}, T, "tools[0].type"),
    ({"tools": [{"type": "web_search"}]}, V, "tools[0].type"),
    ({"tools": [FUNCTION, {"type": "function"}]}, M, "tools[1].name"),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, U, "tools[0].function"),
    ({"tools": [{**FUNCTION, "name": "what is it"}]}, V, "tools[0].name"),
    ({"tools": [{**FUNCTION, "name": ""}]}, V, "tools[0].name"),
    ({"tools": [{**FUNCTION, "name": 7}]}, T, "tools[0].name"),
    ({"tools": [{**FUNCTION, "parameters": "{}"}]}, T, "tools[0].parameters"),
    ({"tools": [{**FUNCTION, "parameters": []}]}, T, "tools[0].parameters"),
    ({"tools": [{**FUNCTION, "description": {}}]}, T, "tools[0].description"),
    ({"tools": [{**FUNCTION, "meta": 1}]}, U, "tools[0].meta"),
    ({"tools": [FUNCTION, MCP]}, V, "tools[1].type"),
    ({"tool_choice": "maybe"}, V, "tool_choice"),
    ({"tool_choice": {}}, M, "tool_choice.type"),
    ({"tool_choice": {"type": "allowed_tools"}}, V, "tool_choice.type"),
    ({"tool_choice": {"type": "function"}}, M, "tool_choice.name"),
    ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, U, "tool_choice.function"),
    ({"tool_choice": {"type": "mcp", "server_label": "s", "name": None}}, V, "tool_choice.type"),
    ({"reasoning": {"effort": "hard"}}, V, "reasoning.effort"),
    ({"prompt": {"id": ""}}, V, "prompt.id"),
    ({"max_output_tokens": 0}, V, "max_output_tokens"),
    ({"max_output_tokens": 4097}, V, "max_output_tokens"),
    ({"max_output_tokens": "infinite"}, V, "max_output_tokens"),
    ({"output_modalities": ["text", "audio"]}, V, "output_modalities"),
]  # fmt: skip
ONLY_OF_SESSIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"tracing": "off"}, V, "tracing"),
    ({"truncation": "retention_ratio"}, V, "truncation"),
    ({"truncation": {"type": "auto"}}, V, "truncation.type"),
    ({"truncation": {"type": "retention_ratio"}}, M, "truncation.retention_ratio"),
    ({"truncation": {"type": "retention_ratio", "retention_ratio": None}}, M, "truncation.retention_ratio"),
    ({"truncation": {"type": "retention_ratio", "retention_ratio": 1.01}}, V, "truncation.retention_ratio"),
    ({"truncation": {**RATIO, "token_limits": {"post_instructions": -1}}}, V, "truncation.token_limits.post_instructions"),
    ({"include": ["item.logprobs"]}, V, "include[0]"),
    ({"audio": {"input": {"noise_reduction": {"type": "room"}}}}, V, "audio.input.noise_reduction.type"),
    ({"audio": {"input": {"noise_reduction": {"strength": -1}}}}, V, "audio.input.noise_reduction.strength"),
    ({"audio": {"input": {"transcription": {"model": ""}}}}, V, "audio.input.transcription.model"),
    ({"audio": {"input": {"transcription": {"model": "x" * 300}}}}, V, "audio.input.transcription.model"),
    ({"audio": {"input": {"transcription": {"language": "e n"}}}}, V, "audio.input.transcription.language"),
    ({"audio": {"input": {"transcription": {"languages": ["en", "?"]}}}}, V, "audio.input.transcription.languages[1]"),
    ({"audio": {"input": {"transcription": {"delay": "long"}}}}, V, "audio.input.transcription.delay"),
    ({"audio": {"output": {"voice": ""}}}, V, "audio.output.voice"),
    ({"audio": {"output": {"voice": {"name": "x"}}}}, U, "audio.output.voice.name"),
    ({"audio": {"output": {"voice": {}}}}, M, "audio.output.voice.id"),
    ({"audio": {"output": {"voice": {"id": 5}}}}, T, "audio.output.voice.id"),
]  # fmt: skip


@pytest.mark.parametrize("fields", GOOD, ids=range(len(GOOD)))
def test_what_may_be_asked_for(fields: dict[str, Any]) -> None:
    check(msgspec.convert(fields, Session))


@pytest.mark.parametrize(("fields", "code", "path"), [*BAD, *ONLY_OF_SESSIONS], ids=range(len(BAD) + len(ONLY_OF_SESSIONS)))
def test_what_a_session_may_not_be_asked_for(fields: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        check(msgspec.convert(fields, Session))
    assert (caught.value.code, caught.value.param) == (code, f"session.{path}")
    assert str(caught.value).endswith(".") and len(str(caught.value)) < 300


@pytest.mark.parametrize(("fields", "code", "path"), BAD, ids=range(len(BAD)))
def test_nor_may_a_response(fields: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        check_answers(msgspec.convert(fields, ResponseParams), "response")
    assert (caught.value.code, caught.value.param) == (code, f"response.{path}")


@pytest.mark.parametrize("name", sorted(set(Session.__struct_fields__) - {"type"}))
def test_null_is_never_a_mistake(name: str) -> None:
    check(msgspec.convert({name: None}, Session))


@needs("openai")
def test_the_words_are_those_of_the_models() -> None:
    """Every word that the service takes is taken, and no other: read off its models."""
    import typing

    from openai.types import realtime

    def words(model: Any, field: str) -> set[str]:
        found, open_ = set(), [model.model_fields[field].annotation]
        while open_:
            hint = open_.pop()
            found |= set(typing.get_args(hint)) if typing.get_origin(hint) is typing.Literal else set()
            open_ += [part for part in typing.get_args(hint) if typing.get_origin(hint) is not typing.Literal]
        return found

    assert words(realtime.RealtimeReasoning, "effort") == words(realtime.AudioTranscription, "delay") == set(EFFORTS)
    assert words(realtime.RealtimeSessionCreateRequest, "include") == set(INCLUDABLE)
    for field, path in (("tracing", "session.tracing"), ("truncation", "session.truncation"), ("tool_choice", "session.tool_choice")):
        allowed = words(realtime.RealtimeSessionCreateRequest, field)
        for word in sorted(allowed):
            check(msgspec.convert({field: word}, Session))
        with pytest.raises(ProtocolError) as caught:
            check(msgspec.convert({field: "?"}, Session))
        assert caught.value.param == path and all(f"'{word}'" in str(caught.value) for word in allowed)
