"""Any order of a client's events, of an engine's commands and of time leaves a `ServerSession` consistent.

`Served` judges each event by itself (form, size, order); here is what must hold between them: an answer or one error for each event of
the client, which the error names; one end for each response; a conversation that is what the events told; nothing left open.
"""

from collections import Counter
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from tests.support.order_rules import OURS
from tests.support.served import LIFE_S, Served, sound, types
from voice.audio.patience import Thought
from voice.protocol import conversation
from voice.protocol.orders import ListenDropped, ListenEnded, ListenMore, ListenPaused, ListenStarted, ReplyStopped, ReplyWanted
from voice.protocol.settings import transcription_defaults

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
        {"type": "semantic_vad", "eagerness": "low", "interrupt_response": False},
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
PLACES = st.sampled_from([0] * 8 + [1] * 4 + [2, 2, 3, 4, 5, 7, 11, 13])
"""Which of the things that are there, the newest first."""


class ServerStorm(RuleBasedStateMachine):
    """See the top of the file."""

    reached: ClassVar[Counter[str]] = Counter()
    """How many events of each kind were sent in all."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.count = 0
        self.to_write: list[str] = []
        self.pauses: list[int] = []
        self.seen = 0

    @initialize(writes=st.sampled_from([False, False, False, True]), few=st.booleans())
    def begin_session(self, writes: bool, few: bool) -> None:
        """A session that answers or one that `writes` only; its conversation may be full after a `few` items."""
        if few:
            self.patch.setattr(conversation, "MAX_ITEMS", 5)
            self.patch.setattr(conversation, "MAX_SOUND_BYTES", 40_000)
        self.served = Served(settings=transcription_defaults("sess_1", int(LIFE_S), "ears") if writes else None)
        self.kind = "transcription" if writes else "realtime"
        if not writes:
            self.encode({"type": "audio/pcm", "rate": 24_000}, {"type": "audio/pcm", "rate": 24_000})

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
        names = [*reversed(items.ids), *sorted(items.dead), *items.open_turns, "nobody", "root", ""]
        return names[place % len(names)]

    def response(self, place: int) -> str | None:
        """A response, one that is over, or none."""
        names = [order.response_id for order in reversed(self.served.wanted())]
        return [*names, "resp_nobody"][place % (len(names) + 1)]

    @rule(pattern=SOUNDS)
    def hear(self, pattern: str) -> None:
        self.served.hear(pattern)

    @rule(detection=DETECTIONS)
    def detect(self, detection: Any) -> None:
        self.ask("session.update", session={"type": self.kind, "audio": {"input": {"turn_detection": detection}}})

    @rule(incoming=FORMATS, outgoing=FORMATS)
    def encode(self, incoming: Any, outgoing: Any) -> None:
        audio = {"input": {"format": incoming, "transcription": {"model": "any"}}, "output": {"format": outgoing}}
        self.ask("session.update", session={"type": self.kind, "audio": audio})

    @rule(modality=st.sampled_from(["text", "audio"]), limit=st.sampled_from([2, 4096, "inf"]))
    def prefer(self, modality: str, limit: int | str) -> None:
        self.ask("session.update", session={"type": self.kind, "output_modalities": [modality], "max_output_tokens": limit, "tools": TOOLS})

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

    @rule(said=st.sampled_from(["One moment. ", "Yes."]), calls=st.integers(0, 2), ends=st.booleans(), text=st.booleans())
    def converse(self, said: str, calls: int, ends: bool, text: bool) -> None:
        """What is ordinary: a turn, its words, an answer with calls, which may be still going on when the next thing happens."""
        if text:
            self.create({"type": "message", "role": "user", "content": [TEXT]}, None, False)
        else:
            self.hear("." * 10 + "#" * 30 + "." * 40)
        self.conversation_is_as_told()
        if not self.served.wanted():
            self.answer({})
        if self.to_write:
            self.write(0, "what he said")
        if self.served.wanted():
            self.say(0, said, "#" * 30)
            for number in range(calls):
                self.call(0, number, ['{"a":', "1}"])
            if ends:
                self.finish(0, {})

    @rule(end_ms=st.sampled_from([0, 40, 100, 500]), place=PLACES)
    def cut(self, end_ms: int, place: int) -> None:
        """What a client does that was interrupted: an answer ends where it was heard."""
        answers = [item_id for item_id in reversed(self.served.order.conversation) if item_id in self.served.order.answers]
        if answers:
            self.ask("conversation.item.truncate", item_id=answers[place % len(answers)], content_index=0, audio_end_ms=end_ms)

    @rule(seconds=st.sampled_from([1.0, 6.0, 6.0, 20.0]))
    def fall_silent(self, seconds: float) -> None:
        """An answer is heard to its end, and nobody says anything."""
        self.detect({"type": "server_vad", "idle_timeout_ms": 5_000})
        self.converse("Are you there?", 0, True, False)
        self.wait(0.3, False)
        self.hear("." * 40)
        self.wait(seconds, False)

    @precondition(lambda self: self.pauses)
    @rule(place=PLACES, thought=st.sampled_from(Thought))
    def judge(self, place: int, thought: Thought) -> None:
        self.served.session.judging.judged(self.pauses[place % len(self.pauses)], thought)

    @precondition(lambda self: self.served.session.quiet and self.kind == "realtime")
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
        assert len(held) <= conversation.MAX_ITEMS
        news, self.seen = self.served.orders[self.seen :], len(self.served.orders)
        self.to_write += [order.item_id for order in news if isinstance(order, ListenEnded)]
        self.pauses += [order.pause for order in news if isinstance(order, ListenPaused)]

    @invariant()
    def nothing_waits_to_be_sent(self) -> None:
        assert self.served.session.outgoing() == [] and self.served.session.waiting_bytes == 0

    def teardown(self) -> None:
        self.patch.undo()
        self.reached.update(types(self.served.sent))
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
            case ListenMore() | ListenPaused():
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


CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
SHORT = settings(
    max_examples=50, stateful_step_count=30, deadline=None, derandomize=True, report_multiple_bugs=False, suppress_health_check=CALM
)
LONG = settings(
    max_examples=400,
    stateful_step_count=80,
    deadline=None,
    derandomize=False,
    report_multiple_bugs=False,
    suppress_health_check=CALM,
    database=None,
)


def storm(how: settings) -> None:
    """A storm that never gets anywhere would find nothing: every kind of event must have come."""
    ServerStorm.reached.clear()
    run_state_machine_as_test(ServerStorm, settings=how)  # type: ignore[no-untyped-call]
    assert OURS - ServerStorm.reached.keys() <= {"conversation.item.input_audio_transcription.failed"}
    assert ServerStorm.reached["response.created"] > how.max_examples


def test_any_order_of_events_leaves_the_server_consistent() -> None:
    storm(SHORT)


@pytest.mark.apart
def test_a_long_storm_each_time_another() -> None:
    storm(LONG)
