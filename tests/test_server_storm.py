"""Any order of a client's events, of an engine's commands and of time leaves a `ServerSession` consistent.

`Served` judges each event by itself (form, size, order); here is what must hold between them: an answer or one error for each event of
the client, which the error names; one end for each response; a conversation that is what the events told; nothing left open.
"""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.served import Served, sound, types
from voice.protocol.conversation import MAX_ITEMS
from voice.protocol.orders import ListenDropped, ListenEnded, ListenMore, ListenStarted, ReplyStopped, ReplyWanted

ANSWERS = {
    "session.update": "session.updated",
    "input_audio_buffer.commit": "input_audio_buffer.committed",
    "input_audio_buffer.clear": "input_audio_buffer.cleared",
    "conversation.item.create": "conversation.item.done",
    "conversation.item.delete": "conversation.item.deleted",
    "conversation.item.retrieve": "conversation.item.retrieved",
    "conversation.item.truncate": "conversation.item.truncated",
    "response.create": "response.created",
    "response.cancel": "response.done",
}
"""What a client's event is answered with, unless with an error."""
TEXT = {"type": "input_text", "text": "Hello"}
ITEMS = st.sampled_from(
    [
        {"type": "message", "role": "user", "content": [TEXT]},
        {"type": "message", "role": "system", "content": [TEXT, TEXT]},
        {"type": "message", "role": "user", "content": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "AAAA" * 800}, TEXT]},
        {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "AAA"}]},
        {"type": "message", "role": "user"},
        {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "42"},
        {"type": "item_reference", "id": "mine_1"},
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
        {"type": "server_vad", "idle_timeout_ms": 5_000},
        {"type": "semantic_vad", "eagerness": "high"},
        {"type": "wishful"},
    ]
)
PCM = [{"type": "audio/pcm", "rate": rate_hz} for rate_hz in (8_000, 24_000, 48_000, 5)]
FORMATS = st.sampled_from([*PCM, {"type": "audio/pcmu"}, {"type": "audio/pcma"}, {"type": "audio/mp3"}])
TOOLS = [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}]
PARAMS = st.sampled_from(
    [
        None,
        {},
        {"output_modalities": ["text"], "instructions": None, "metadata": None},
        {"output_modalities": ["video"]},
        {"conversation": "none", "metadata": {"k": "v"}},
        {"conversation": "none", "input": [], "output_modalities": ["text"]},
        {"conversation": "none", "input": [{"type": "item_reference", "id": "mine_1"}]},
        {"input": [{"type": "message", "role": "user", "content": [TEXT]}]},
        {"audio": {"output": {"format": {"type": "audio/pcmu"}}}},
        {"max_output_tokens": 3},
        {"max_output_tokens": 0},
        {"tools": TOOLS, "tool_choice": "required"},
    ]
)
SOUNDS = st.sampled_from(["." * 40, "#" * 12, "." * 10 + "#" * 10, "." * 30 + "#" * 15 + "." * 30, "#" * 40 + "." * 40, "#", "."])
PLACES = st.integers(0, 1_000)
"""Which of the things that are there."""


class ServerStorm(RuleBasedStateMachine):
    """See the top of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.served = Served()
        self.count = 0
        self.to_write: list[str] = []
        self.seen = 0

    # The client.

    def ask(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """An event; it is answered as promised, or by one error that names it, and then it has changed nothing."""
        self.count += 1
        over, before = self.served.order.over, list(self.served.order.conversation)
        events = self.served.send(kind, event_id=f"mine_{self.count}", **fields)
        assert not (over and events), "the session has ended"
        errors = [event["error"] for event in events if event["type"] == "error" and event["error"]["code"] != "session_expired"]
        if self.served.order.over:
            return events
        if errors:
            [error] = errors
            assert error["event_id"] == f"mine_{self.count}" and error["message"] and error["code"]
            assert ANSWERS.get(kind) not in types(events)
            if kind != "input_audio_buffer.commit":
                assert self.served.order.conversation == before
        elif kind in ANSWERS:
            assert ANSWERS[kind] in types(events), types(events)
        return events

    def item(self, place: int) -> str:
        """An item that is there, or was, or never was."""
        items = self.served.order.items
        names = [*items.ids, *items.ids, *sorted(items.dead), *items.open_turns, "nobody", "root", ""]
        return names[place % len(names)]

    def response(self, place: int) -> str | None:
        """A response, one that is over, or none."""
        names = [order.response_id for order in self.served.wanted()]
        return ["resp_nobody", *names, *names[-1:]][place % (len(names) + 1)]

    @rule(pattern=SOUNDS)
    def hear(self, pattern: str) -> None:
        self.served.hear(pattern)

    @rule(detection=DETECTIONS)
    def detect(self, detection: Any) -> None:
        self.ask("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}})

    @rule(incoming=FORMATS, outgoing=FORMATS)
    def encode(self, incoming: Any, outgoing: Any) -> None:
        audio = {"input": {"format": incoming, "transcription": {"model": "any"}}, "output": {"format": outgoing}}
        self.ask("session.update", session={"type": "realtime", "audio": audio})

    @rule(modality=st.sampled_from(["text", "audio"]), limit=st.sampled_from([2, 4096, "inf"]))
    def prefer(self, modality: str, limit: int | str) -> None:
        self.ask(
            "session.update", session={"type": "realtime", "output_modalities": [modality], "max_output_tokens": limit, "tools": TOOLS}
        )

    @rule(kind=st.sampled_from(["input_audio_buffer.commit", "input_audio_buffer.clear", "output_audio_buffer.clear"]))
    def buffer(self, kind: str) -> None:
        self.ask(kind)

    @rule(audio=st.sampled_from(["", "A", "AAAA", "????", 5, None]))
    def append(self, audio: Any) -> None:
        self.ask("input_audio_buffer.append", audio=audio)

    @rule(item=ITEMS, after=st.none() | PLACES, own=st.booleans())
    def create(self, item: dict[str, Any], after: int | None, own: bool) -> None:
        # What is written down late belongs to the item of that name: names of sound are used once.
        heard = any("audio" in part for part in item.get("content", ()))
        named = {"id": f"sound_{self.count}" if heard else f"mine_{self.count % 7}"} if own else {}
        self.ask("conversation.item.create", item={**item, **named}, previous_item_id=None if after is None else self.item(after))

    @rule(kind=st.sampled_from(["delete", "retrieve", "retrieve"]), place=PLACES)
    def look(self, kind: str, place: int) -> None:
        self.ask(f"conversation.item.{kind}", item_id=self.item(place))

    @rule(place=PLACES, part=st.sampled_from([0, 0, 0, 1]), end_ms=st.sampled_from([-1, 0, 1, 40, 100, 500, 10**9]))
    def truncate(self, place: int, part: int, end_ms: int) -> None:
        self.ask("conversation.item.truncate", item_id=self.item(place), content_index=part, audio_end_ms=end_ms)

    @rule(params=PARAMS)
    def answer(self, params: Any) -> None:
        self.ask("response.create", response=params)

    @rule(place=st.none() | PLACES)
    def cancel(self, place: int | None) -> None:
        self.ask("response.cancel", response_id=None if place is None else self.response(place))

    @rule(text=st.sampled_from(["", "[]", "{}", '{"type":"x"}', '{"type":"response.create","response":5}', b"\xff", '"\\ud800"']))
    def babble(self, text: str | bytes) -> None:
        assert types(self.served.text(text)) in ([], ["error"]) or self.served.order.over

    # The engine, which may be late.

    @precondition(lambda self: self.served.wanted())
    @rule(place=PLACES, text=st.sampled_from(["word ", "Well, ", "안녕 ", "a\u2028b", ""]), pattern=st.sampled_from(["", "#", "#" * 30]))
    def say(self, place: int, text: str, pattern: str) -> None:
        self._engine(place, lambda name: self.served.session.say(name, text))
        self._engine(place, lambda name: self.served.session.sound(name, sound(pattern, 22_050), 22_050))

    @precondition(lambda self: self.served.wanted())
    @rule(place=PLACES, call=st.integers(0, 2), arguments=st.lists(st.sampled_from(["", '{"a":', "1}", "\u2028"]), max_size=3))
    def call(self, place: int, call: int, arguments: list[str]) -> None:
        for piece in arguments:
            self._engine(place, lambda name, piece=piece: self.served.session.call(name, f"call_{call}", "f", piece))

    @precondition(lambda self: self.served.wanted())
    @rule(place=PLACES, end=st.sampled_from([{}, {}, {"failure": "the engine failed"}, {"incomplete": "content_filter"}]))
    def finish(self, place: int, end: dict[str, str]) -> None:
        self._engine(place, lambda name: self.served.orders.extend(self.served.session.end_reply(name, **end)))

    def _engine(self, place: int, act: Any) -> None:
        name = self.response(place)
        ended = [event for event in self.served.sent if event["type"] == "response.done" and event["response"]["id"] == name]
        act(name)
        events = self.served.take()
        assert not (ended and events), "the response was over"

    @precondition(lambda self: self.to_write)
    @rule(place=PLACES, text=st.sampled_from(["", "what he said", None]))
    def write(self, place: int, text: str | None) -> None:
        item_id = self.to_write.pop(place % len(self.to_write))
        session = self.served.session
        self.served.orders += session.transcription_failed(item_id, "?") if text is None else session.transcribed(item_id, text, 800)
        self.served.take()

    @precondition(lambda self: self.served.session.quiet)
    @rule()
    def begin(self) -> None:
        self.served.orders += self.served.session.begin_reply()
        self.served.take()

    @rule(seconds=st.sampled_from([0.02, 0.3, 1.0, 6.0, 31.0, 600.0]), wake=st.booleans())
    def wait(self, seconds: float, wake: bool) -> None:
        now = self.served.now + seconds
        if wake:
            self.served.session.wake_at = now
        while (due := self.served.session.deadline()) is not None and due <= now:
            before = self.served.now
            self.served.tick(max(due, before))
            assert self.served.session.deadline() != due, "a deadline that was kept is over"
        self.served.tick(now)

    # What must hold.

    @invariant()
    def conversation_is_as_told(self) -> None:
        held = [item.id for item in self.served.session.conversation.items()]
        assert held == self.served.order.conversation
        assert len(held) <= MAX_ITEMS
        news, self.seen = self.served.orders[self.seen :], len(self.served.orders)
        self.to_write += [order.item_id for order in news if isinstance(order, ListenEnded)]

    @invariant()
    def nothing_waits_to_be_sent(self) -> None:
        assert self.served.session.outgoing() == [] and self.served.session.waiting_bytes == 0

    def teardown(self) -> None:
        if not self.served.order.over:
            self.ask("input_audio_buffer.clear")
            for _ in range(3):
                for order in self.served.wanted():
                    self.served.orders += self.served.session.end_reply(order.response_id)
                    self.served.take()
            self.served.order.complete()
            ends = Counter(event["response"]["id"] for event in self.served.sent if event["type"] == "response.done")
            begun = [event["response"]["id"] for event in self.served.sent if event["type"] == "response.created"]
            assert Counter(begun) == ends
            assert begun == [order.response_id for order in self.served.wanted()]
        check_orders(self.served)


def check_orders(served: Served) -> None:
    """The engine was told each story from its beginning, to its end if it has one."""
    listening: set[str] = set()
    answering: set[str] = set()
    for order in served.orders:
        match order:
            case ListenStarted():
                assert order.item_id not in listening
                listening.add(order.item_id)
            case ListenMore():
                assert order.item_id in listening
            case ListenEnded() | ListenDropped():
                listening.remove(order.item_id)
            case ReplyWanted():
                assert order.response_id not in answering
                answering.add(order.response_id)
            case ReplyStopped():
                answering.remove(order.response_id)
            case _:
                pass
    assert served.order.over or not listening


NOTHING_SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
ServerStorm.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True, report_multiple_bugs=False, suppress_health_check=NOTHING_SLOW
)
TestServerStorm = ServerStorm.TestCase


class LongServerStorm(ServerStorm):
    """The same, longer and each time another."""


LongServerStorm.TestCase.settings = settings(
    max_examples=300, stateful_step_count=100, deadline=None, report_multiple_bugs=False, suppress_health_check=NOTHING_SLOW, database=None
)
TestLongServerStorm = pytest.mark.slow(pytest.mark.conformance(LongServerStorm.TestCase))
