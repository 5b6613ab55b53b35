"""Raw texts that no honest peer sends: each gets a short error, none raises, none changes a session, and the next good event is answered."""

import json

import pytest

from tests.support.served import Served, counted
from voice.protocol.client import ClientSession
from voice.protocol.objects import Session

DEEP = 100_000
HOSTILE: list[str | bytes] = [
    "",
    " ",
    "\x00",
    "null",
    "[]",
    "1e999",
    "\ufeff{}",
    '{"type":"session.update"',
    '{"type":"session.update","type":"response.create","session":{}}',
    '{"\\u0074ype":"nonsense"}',
    '{"type":"response.create","response":{"metadata":{"\\ud800":"x"}}}',
    '{"type":"response.create","response":{"instructions":"\ud800"}}',
    '{"type":"response.create","response":{"max_output_tokens":NaN}}',
    '{"type":"response.create","response":{"max_output_tokens":1e400}}',
    '{"type":"response.create","response":{"max_output_tokens":' + "9" * 5000 + "}}",
    '{"type":"session.update","session":{"type":"realtime","tools":[' + "[" * DEEP + "]" * DEEP + "]}}",
    '{"type":"session.update","session":{"type":"realtime","instructions":"' + "x" * 1_100_000 + '"}}',
    '{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"'
    + "안" * 400_000
    + '"}]}}',
    '{"type":"conversation.item.delete","item_id":"' + "x" * 1_000_000 + '"}',
    '{"type":"' + "x" * 1_000_000 + '"}',
    b"\xff\xfe",
    b'{"type":"conversation.item.delete","item_id":"\xc3\x28"}',
    b"\x00" * 1000,
    "[" * DEEP,
    '{"a":' * DEEP,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_gets_a_short_error_and_changes_nothing(text: str | bytes) -> None:
    served = Served()
    [error] = served.text(text)
    assert error["type"] == "error" and error["error"]["code"] and len(json.dumps(error)) < 2_000
    assert served.session.quiet and len(served.session.conversation) == 0 and not served.wanted()
    client = ClientSession(Session(), counted("c"))
    client.connected()
    client.outgoing()
    assert len(client.receive(text, 0.0)) == 1 and client.outgoing() == []
