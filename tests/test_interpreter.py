"""The interpreter: what a party that speaks a dialect says, in the protocol of today, and the other way round."""

import itertools
import json
from typing import Any

import pytest

from voice.protocol.dialect import DIALECTS
from voice.protocol.interpreter import ClientInterpreter, Passage, ServerInterpreter

PCM = {"type": "audio/pcm", "rate": 24_000}
ITEM = {"id": "i1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}


def ids() -> Any:
    counter = itertools.count(1)
    return lambda kind: f"{kind}_{next(counter)}"


def before_client(name: str = "beta") -> ClientInterpreter:
    return ClientInterpreter(DIALECTS[name], ids())


def before_server(name: str = "beta") -> ServerInterpreter:
    return ServerInterpreter(DIALECTS[name], ids())


def passed(passage: Passage) -> list[dict[str, Any]]:
    assert passage.back == ()
    return [json.loads(text) for text in passage.on]


def test_a_beta_clients_settings_are_nested() -> None:
    flat = {"modalities": ["text", "audio"], "voice": "alloy", "input_audio_format": "pcm16", "turn_detection": None, "temperature": 0.7}
    told = passed(before_client().up(json.dumps({"type": "session.update", "event_id": "e", "session": flat})))
    audio = {"output": {"voice": "alloy"}, "input": {"format": PCM, "turn_detection": None}}
    assert told == [
        {"type": "session.update", "event_id": "e", "session": {"type": "realtime", "output_modalities": ["audio"], "audio": audio}}
    ]


def test_a_beta_client_is_told_flat_settings() -> None:
    session = {"type": "realtime", "id": "s", "output_modalities": ["audio"], "audio": {"input": {"format": PCM}, "output": {"voice": "v"}}}
    told = passed(before_client().down(json.dumps({"type": "session.created", "event_id": "e", "session": session})))
    assert told[0]["session"] == {"id": "s", "modalities": ["audio", "text"], "input_audio_format": "pcm16", "voice": "v"}


def test_a_beta_servers_answer_is_one_of_today() -> None:
    server = before_server()
    told = []
    for event in (
        {"type": "response.output_item.added", "event_id": "1", "response_id": "r", "output_index": 0, "item": ITEM},
        {"type": "conversation.item.created", "event_id": "2", "previous_item_id": None, "item": ITEM},
        {"type": "response.audio.delta", "event_id": "3", "response_id": "r", "item_id": "i1", "delta": "AAAA"},
    ):
        told += passed(server.down(json.dumps(event)))
    assert [event["type"] for event in told] == ["response.output_item.added", "conversation.item.added", "response.output_audio.delta"]


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"type": 3}', '{"no": "type"}', "\ud800"])
def test_what_is_no_event_passes_untouched(text: str) -> None:
    for party in (before_client(), before_server()):
        assert party.up(text) == party.down(text) == Passage((text,))


def test_in_the_protocol_of_today_nothing_is_touched() -> None:
    text = '{"type":"session.update",  "session":{"type":"realtime"}}'
    for party in (before_client("ga"), before_server("ga")):
        assert party.up(text) == party.down(text) == Passage((text,))
