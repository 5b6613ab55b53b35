"""Raw texts that no honest peer sends: each gets one short error, none raises, none changes a session, and the next good event is answered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.served import Served, counted, types
from voice.protocol.client import ClientSession
from voice.protocol.codec import MAX_ID_LETTERS
from voice.protocol.objects import Session

FUZZ = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
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
    '{"type":"conversation.item.delete","item_id":"' + "\\u0041" * 1_000_000 + '"}',
    '{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"'
    + "\\u0000" * 400_000
    + '"}]}}',
    '{"type":"input_audio_buffer.append","audio":"' + "?" * (16 << 20) + '"}',
    '{"type":["response.create"]}',
    '{"type":{"type":"response.create"}}',
    '{"type":"response.create","event_id":5}',
    '{"type":"input_audio_buffer.commit","event_id":"' + "\\u0000" * 1_000_000 + '"}',
    '{"type":"nonsense","type":"input_audio_buffer.clear"}',
    '{"type":"input_audio_buffer.clear","\\u0074ype":"nonsense"}',
    '[{"type":"input_audio_buffer.clear"}]',
    '{"type":"input_audio_buffer.clear"}{"type":"input_audio_buffer.clear"}',
    '{"type":"input_audio_buffer.clear",}',
    '{"type":"input_audio_buffer.clear" /* why */}',
    "{'type':'input_audio_buffer.clear'}",
    '{"type":"conversation.item.truncate","item_id":"x","content_index":0,"audio_end_ms":-Infinity}',
    '{"type":"conversation.item.truncate","item_id":"x","content_index":0.5,"audio_end_ms":1}',
    '{"type":"conversation.item.truncate","item_id":"x","content_index":0,"audio_end_ms":' + "9" * 400 + "}",
    b'\xef\xbb\xbf{"type":"input_audio_buffer.clear"}',
    '{"type":"input_audio_buffer.clear"}'.encode("utf-16"),
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
    assert served.send("session.update", session={"type": "realtime"})[0]["session"] == served.sent[0]["session"]
    client = ClientSession(Session(), counted("c"))
    client.connected()
    client.outgoing()
    assert len(client.receive(text, 0.0)) == 1 and client.outgoing() == []


# (text, what it is answered with): unusual, and JSON all the same.
UNUSUAL: list[tuple[str | bytes, str]] = [
    ('{"\\u0074ype":"input_audio_buffer.clear"}', "input_audio_buffer.cleared"),
    ('{"type":"\\u0069nput_audio_buffer.clear"}', "input_audio_buffer.cleared"),
    (' \n\t{ "type" : "input_audio_buffer.clear" } \r\n', "input_audio_buffer.cleared"),
    ('{"type":"input_audio_buffer.clear","event_id":null,"more":[1e5,-0.0,{"type":"x"}]}', "input_audio_buffer.cleared"),
    (b'{"type":"input_audio_buffer.clear"}', "input_audio_buffer.cleared"),
    ('{"type":"input_audio_buffer.clear","event_id":"' + "e" * MAX_ID_LETTERS + '"}', "input_audio_buffer.cleared"),
    (
        '{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"\\ud83d\\ude00"}]}}',
        "conversation.item.added",
    ),
]


@pytest.mark.parametrize(("text", "answer"), UNUSUAL, ids=range(len(UNUSUAL)))
def test_an_unusual_text_is_obeyed_as_every_reader_of_json_understands_it(text: str | bytes, answer: str) -> None:
    assert types(Served().text(text))[0] == answer


def test_of_two_values_of_one_name_the_last_is_looked_at_and_obeyed() -> None:
    served = Served()
    double = (
        '{"type":"session.update","session":{"type":"realtime","instructions":"one"},"session":{"type":"realtime","instructions":"two"}}'
    )
    [told] = served.text(double)
    assert told["session"]["instructions"] == "two"
    [error] = served.text(
        '{"type":"session.update","session":{"type":"realtime","voice":"x","instructions":"three"},"type":"session.update"}'
    )
    assert error["error"]["param"] == "session.voice"
    assert served.update()[0]["session"]["instructions"] == "two"


SOUND = "AAAA" * 1_600
GOOD: list[dict[str, Any]] = [
    {"type": "session.update", "session": {"type": "realtime", "instructions": "안녕", "audio": {"input": {"turn_detection": None}}}},
    {"type": "input_audio_buffer.append", "audio": SOUND},
    {"type": "input_audio_buffer.commit", "event_id": "e"},
    {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}},
    {"type": "conversation.item.truncate", "item_id": "item_s1", "content_index": 0, "audio_end_ms": 5},
    {"type": "response.create", "response": {"metadata": {"a": "b"}, "max_output_tokens": 5, "conversation": "none"}},
    {"type": "response.cancel", "response_id": "resp_s1"},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "item", "id", "audio", "a"]), inner, max_size=3),
    max_leaves=8,
)


@FUZZ
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 7_000), st.binary(max_size=4), st.integers(0, 9)), min_size=1, max_size=12))
@example([(0, 2, b"\x00", 1)])
def test_bytes_that_are_overwritten_cut_out_or_put_in(wounds: list[tuple[int, int, bytes, int]]) -> None:
    served = Served()
    for which, place, put, cut in wounds:
        text = json.dumps(GOOD[which], ensure_ascii=False).encode()
        at = place % len(text)
        hurt = text[:at] + put + text[at + cut :]
        assert served.text(hurt) is not None
        client_survives(hurt)
    assert still_answers(served)


@FUZZ
@given(
    st.lists(
        st.tuples(st.sampled_from(GOOD), st.sampled_from(["session", "audio", "item", "response", "item_id", "event_id"]), JSON),
        max_size=12,
    )
)
def test_any_json_in_any_field(changes: list[tuple[dict[str, Any], str, Any]]) -> None:
    served = Served()
    for event, field, value in changes:
        text = json.dumps({**event, field: value})
        served.text(text)
        client_survives(text)
    assert still_answers(served)


@FUZZ
@given(st.lists(st.binary(max_size=60) | st.text(max_size=60) | JSON.map(json.dumps), max_size=12))
def test_anything_at_all(texts: list[str | bytes]) -> None:
    served = Served()
    for text in texts:
        assert types(served.text(text)) == ["error"]
        client_survives(text)
    assert still_answers(served)


def client_survives(text: str | bytes) -> None:
    client = ClientSession(Session(), counted("c"))
    client.connected()
    assert len(client.receive(text, 0.0)) <= 2


def still_answers(served: Served) -> bool:
    return "input_audio_buffer.cleared" in types(served.send("input_audio_buffer.clear"))


def fields(inner: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every text in an event, and of the key that leads to it."""
    for key in list(inner) if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ():
        yield from [(*path, key)] if isinstance(inner[key], str) else fields(inner[key], (*path, key))


def put(event: Any, path: tuple[Any, ...], value: str, as_key: bool) -> Any:
    """A copy with another text at the path, or with the text's key replaced."""
    changed = json.loads(json.dumps(event))
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[value if as_key else path[-1]] = inner.pop(path[-1]) if as_key else value
    return changed


TEXT = {"type": "input_text", "text": "Hello"}
WORDY: list[dict[str, Any]] = [
    {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "instructions": "a",
            "audio": {"input": {"transcription": {"model": "m", "language": "en", "prompt": "p"}}, "output": {"voice": "v"}},
            "prompt": {"id": "x", "variables": {"a": "b"}},
        },
    },
    {
        "type": "conversation.item.create",
        "previous_item_id": "root",
        "item": {"id": "i", "type": "message", "role": "user", "content": [TEXT]},
    },
    {"type": "conversation.item.create", "item": {"id": "i", "type": "function_call", "name": "n", "call_id": "c", "arguments": "{}"}},
    {"type": "conversation.item.create", "item": {"id": "i", "type": "function_call_output", "call_id": "c", "output": "o"}},
    {
        "type": "response.create",
        "response": {
            "conversation": "none",
            "metadata": {"k": "v"},
            "instructions": "i",
            "input": [{"type": "item_reference", "id": "x"}, {"type": "message", "role": "user", "content": [TEXT]}],
            "prompt": {"id": "p"},
        },
    },
    {"type": "response.cancel", "response_id": "r"},
    {"type": "conversation.item.delete", "item_id": "r"},
]
LONG = {"letters": "x" * 700_000, "escapes": "\0" * 170_000}


@pytest.mark.slow
@pytest.mark.parametrize("what", LONG)
@pytest.mark.parametrize("event", WORDY, ids=lambda event: str(event["type"]))
def test_whatever_is_long_no_event_of_ours_reaches_a_mebibyte(event: dict[str, Any], what: str) -> None:
    """`Served` looks at each: also at those that tell of what came before, as an item does of the one before it."""
    event = {"event_id": "e", **event}
    for path in fields(event):
        for as_key in (False, True):
            if as_key and not isinstance(path[-1], str):
                continue
            served = Served()
            served.text(json.dumps(put(event, path, LONG[what], as_key)))
            served.send("conversation.item.create", item={"type": "message", "role": "user", "content": [{**TEXT, "text": LONG[what]}]})
            served.send("response.create", response={"output_modalities": ["text"]})
            served.reply()
            assert still_answers(served)


def test_long_names_are_refused_with_a_sentence() -> None:
    served = Served()
    [error] = served.send("input_audio_buffer.clear", event_id="e" * (MAX_ID_LETTERS + 1))
    assert (error["error"]["code"], error["error"]["param"], error["error"]["event_id"]) == ("string_above_max_length", "event_id", None)
    item = {"id": "i" * (MAX_ID_LETTERS + 1), "type": "message", "role": "user", "content": [TEXT]}
    [error] = served.send("conversation.item.create", event_id="e", item=item)
    assert (error["error"]["code"], error["error"]["param"], error["error"]["event_id"]) == ("string_above_max_length", "item.id", "e")
    assert "maximum length 512" in error["error"]["message"]
