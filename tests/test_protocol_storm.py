"""Whatever comes in whatever order: the sessions stay consistent, nothing raises, and what they send is in order and well formed."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.pair import Pair
from tests.support.served import Served, counted, loud_turns, sound
from voice.errors import ProtocolError
from voice.protocol.client import ClientSession
from voice.protocol.codec import decode_client
from voice.protocol.objects import Audio, AudioInput, Session, Transcription, TurnDetection
from voice.protocol.orders import ListenDropped, ListenEnded, ListenMore, ListenStarted, ReplyWanted

STORM = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

IDS = st.sampled_from(["a", "b", "item_s1", "item_s2", "item_s3", "item_s4", "", "nobody", "root"])
RESPONSES = st.sampled_from(["resp_s1", "resp_s2", "resp_s3", "nobody"])
SOUNDS = st.sampled_from(["." * 40, "#" * 12, "." * 10 + "#" * 10, "." * 30 + "#" * 15 + "." * 30, "#", ""])
NUMBERS = st.sampled_from([-1, 0, 1, 40, 100, 500, 10**9])
TEXT = {"type": "input_text", "text": "Hello"}
ITEMS = st.sampled_from(
    [
        {"type": "message", "role": "user", "content": [TEXT]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "AAAA" * 800}]},
        {"type": "message", "role": "user"},
        {"type": "function_call_output", "call_id": "c", "output": "42"},
        {"type": "thing"},
    ]
)
DETECTIONS = st.sampled_from(
    [
        None,
        {"type": "server_vad"},
        {"type": "server_vad", "threshold": 0.9, "silence_duration_ms": 200, "prefix_padding_ms": 0},
        {"type": "server_vad", "interrupt_response": False},
        {"type": "server_vad", "create_response": False},
        {"type": "semantic_vad", "eagerness": "high"},
        {"type": "wishful"},
    ]
)
RATES = st.sampled_from([8_000, 16_000, 24_000, 48_000, 5])
PARAMS = st.sampled_from(
    [
        None,
        {},
        {"output_modalities": ["text"]},
        {"conversation": "none"},
        {"conversation": "none", "input": [{"type": "item_reference", "id": "a"}], "metadata": {"k": "v"}},
        {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 8_000}}}},
        {"max_output_tokens": 0},
    ]
)
ACT = Callable[[Served], object]


def event(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[ACT]:
    return st.fixed_dictionaries(fields).map(lambda body: lambda served: served.send(kind, **body))


def detect(detection: Any) -> ACT:
    return lambda served: served.update(audio={"input": {"turn_detection": detection}})


def rate(rate_hz: int) -> ACT:
    return lambda served: served.update(audio={"input": {"format": {"type": "audio/pcm", "rate": rate_hz}}})


def engine(name: str, response_id: str) -> ACT:
    def act(served: Served) -> None:
        match name:
            case "say":
                served.session.say(response_id, "word ")
            case "sound":
                served.session.sound(response_id, sound("#" * 5), 16_000)
            case _:
                served.orders += served.session.end_reply(response_id, "it failed" if name == "fail" else None)
        served.take()

    return act


def hear(pattern: str) -> ACT:
    return lambda served: served.hear(pattern, 24_000)


def words(item_id: str) -> ACT:
    def act(served: Served) -> None:
        if any(isinstance(order, ListenEnded) and order.item_id == item_id for order in served.orders):
            served.session.conversation.set_transcript(item_id, "words")

    return act


CLIENT_ACTS = st.one_of(
    SOUNDS.map(hear),
    SOUNDS.map(hear),
    DETECTIONS.map(detect),
    RATES.map(rate),
    event("input_audio_buffer.commit"),
    event("input_audio_buffer.clear"),
    event("conversation.item.create", item=ITEMS, previous_item_id=st.none() | IDS),
    event("conversation.item.delete", item_id=IDS),
    event("conversation.item.retrieve", item_id=IDS),
    event("conversation.item.truncate", item_id=IDS, content_index=st.sampled_from([0, 0, 1]), audio_end_ms=NUMBERS),
    event("response.create", response=PARAMS),
    event("response.create", response=PARAMS),
    event("response.cancel", response_id=st.none() | RESPONSES),
    st.sampled_from(["", "[]", "{}", '{"type":"x"}']).map(lambda text: lambda served: served.text(text)),
    st.builds(engine, st.sampled_from(["say", "sound", "end", "fail"]), RESPONSES),
    IDS.map(words),
)


@STORM
@given(st.lists(CLIENT_ACTS, min_size=6, max_size=30))
def test_any_order_of_client_events_leaves_the_server_consistent(acts: list[ACT]) -> None:
    served = Served()
    for act in acts:
        act(served)
    served.send("input_audio_buffer.clear")
    for _ in range(3):
        for order in list(served.wanted()):
            served.orders += served.session.end_reply(order.response_id)
            served.take()
    served.order.complete()
    assert served.session.quiet or served.session.wake_at is None
    listening: set[str] = set()
    for given_order in served.orders:
        match given_order:
            case ListenStarted():
                assert given_order.item_id not in listening
                listening.add(given_order.item_id)
            case ListenMore():
                assert given_order.item_id in listening
            case ListenEnded() | ListenDropped():
                listening.remove(given_order.item_id)
            case _:
                pass
    assert not listening
    created = [event["response"]["id"] for event in served.sent if event["type"] == "response.created"]
    assert created == [order.response_id for order in served.orders if isinstance(order, ReplyWanted)]


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


def recorded() -> list[dict[str, Any]]:
    """What a server says in two voice turns, one of them interrupting, and a typed one."""
    pair = Pair(Session(audio=Audio(AudioInput(transcription=Transcription(), turn_detection=TurnDetection()))))
    pair.push("." * 25 + "#" * 20 + "." * 30)
    pair.deliver(pair.server.say("Well,", sound("#" * 5, 24_000)))
    pair.push("." * 10 + "#" * 20 + "." * 30)
    pair.reply()
    pair.client.say("And?")
    pair.run()
    pair.reply()
    return pair.server.sent


RECORDED = recorded()
ODD = st.sampled_from([None, "", 0, -5, 10**40, 1.5, "x", [], {}, [None], {"type": "x"}, {"id": 5}, True])


def odd(base: dict[str, Any], changes: list[tuple[int, Any]], gone: int) -> dict[str, Any]:
    """An event with odd values in some places and one field gone."""
    changed: dict[str, Any] = json.loads(json.dumps(base))
    for place, value in changes:
        inner: Any = changed
        while isinstance(inner, dict) and inner:
            key = list(inner)[place % len(inner)]
            if isinstance(inner[key], dict) and inner[key] and place % 3:
                inner = inner[key]
                continue
            if key != "type":
                inner[key] = json.loads(json.dumps(value))
            break
    names = [name for name in changed if name != "type"]
    if gone < len(names):
        del changed[names[gone]]
    return changed


SEEN = st.sampled_from(RECORDED) | st.builds(
    odd, st.sampled_from(RECORDED), st.lists(st.tuples(st.integers(0, 30), ODD), max_size=3), st.integers(0, 12)
)
TALKING = st.one_of(
    SEEN.map(lambda body: lambda client: client.receive(json.dumps(body), 0.0)),
    SEEN.map(lambda body: lambda client: client.receive(json.dumps(body), 0.0)),
    st.sampled_from(RECORDED[:2]).map(lambda body: lambda client: client.receive(json.dumps(body), 0.0)),
    SOUNDS.map(lambda pattern: lambda client: client.push_audio(sound(pattern))),
    st.integers(0, 700).map(lambda count: lambda client: client.push_audio(np.zeros(count, np.int16))),
    st.just(lambda client: client.connected()),
    st.just(lambda client: client.commit()),
    st.just(lambda client: client.say("Hi")),
    st.builds(lambda item_id, ms: lambda client: client.interrupt(item_id, ms), st.none() | IDS, NUMBERS),
    st.just(lambda client: client.uplink.nudge()),
    st.just(lambda client: client.outgoing()),
)


@STORM
@given(acts=st.lists(TALKING, min_size=10, max_size=60), own=st.booleans())
def test_whatever_a_server_says_the_client_stays_consistent(acts: list[Callable[[ClientSession], object]], own: bool) -> None:
    asked = Session(audio=Audio(AudioInput(turn_detection=None if own else TurnDetection())))
    client = ClientSession(asked, counted("c"), loud_turns() if own else None)
    for act in acts:
        try:
            act(client)
        except ProtocolError as exc:
            assert "Too many messages" in str(exc)
        total = client.uplink.ledger.total()
        assert total.captured == total.committed + sum(total.discarded.values()) + total.lost
        assert min([total.committed, total.lost, *total.discarded.values()]) >= 0
    assert client.uplink.ledger.total().captured == -(-client.uplink.position_ms // 20)
    for text in client.outgoing():
        decode_client(text)
    assert len({line.item_id for line in client.inbound.history}) == len(list(client.inbound.history))
