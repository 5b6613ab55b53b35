"""Any order of a server's events, whole, twice, changed, of another session or unreadable, leaves a `ClientSession` consistent.

What must hold: nothing raises; what goes out is an event that the service knows; one response is asked for at a time; every captured
frame is accounted for, once; nothing grows without end.
"""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.needs import missing
from tests.support.oracle import judge, models
from tests.support.order_corpus import SESSIONS
from tests.support.pair import Pair
from tests.support.served import counted, loud_turns, sound
from voice.errors import ProtocolError
from voice.protocol.client import ClientSession
from voice.protocol.codec import decode_client, decode_server
from voice.protocol.events import ErrorEvent, ResponseDone
from voice.protocol.history import MAX_LINES
from voice.protocol.notices import ErrorReported, Notice
from voice.protocol.objects import Audio, AudioInput, Session, Transcription, TurnDetection

Event = dict[str, Any]


def recorded() -> list[Event]:
    """What our server says in two voice turns, one of them interrupting, and a typed one."""
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
TOLD = [*RECORDED, *(event for events in SESSIONS.values() for event in events)]
ODD: list[Any] = [None, "", 0, -5, 10**40, 1.5, "x", "\u2028", [], {}, [None], {"type": "x"}, {"id": 5}, True]
HOSTILE: list[str | bytes] = [
    "",
    "null",
    "[]",
    "{",
    "5",
    '"x"',
    '{"type":5}',
    '{"type":"x"}',
    b"\xff",
    "[" * 5_000,
    '{"type":"ping"}',
    "\ufeff{}",
]
NUMBERS = st.sampled_from([-1, 0, 1, 40, 100, 500, 10**9])
PLACES = st.integers(0, 1_000)


def spots(inner: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in an event where there is a value: (what holds it, its key)."""
    for key in list(inner) if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ():
        yield inner, key
        yield from spots(inner[key])


def changed(event: Event, place: int, value: Any, drop: bool) -> Event:
    """An event with one value changed, or gone; its type stays."""
    other = copy.deepcopy(event)
    places = [(holder, key) for holder, key in spots(other) if holder is not other or key != "type"]
    if places:
        holder, key = places[place % len(places)]
        if drop:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(value)
    return other


class ClientStorm(RuleBasedStateMachine):
    """See the top of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0
        self.now = 0.0
        self.asked: list[str] = []
        self.pushed = 0

    @initialize(own=st.booleans(), written=st.booleans())
    def begin(self, own: bool, written: bool) -> None:
        heard = AudioInput(turn_detection=None if own else TurnDetection(), transcription=Transcription() if written else None)
        self.client = ClientSession(Session(audio=Audio(heard)), counted("c"), loud_turns() if own else None)
        self.client.connected()

    # The server.

    def told(self, text: str | bytes) -> list[Notice]:
        """A message comes; only what ends a response, or refuses the wish, lets the next wish out."""
        self.sends()
        notices = self.client.receive(text, self.now)
        assert all(isinstance(notice, Notice) for notice in notices)
        try:
            event = decode_server(text)
        except ProtocolError:
            assert [type(notice) for notice in notices] == [ErrorReported]
            return notices
        if isinstance(event, ResponseDone) or (isinstance(event, ErrorEvent) and event.error.event_id in self.asked):
            self.asked.clear()
        return notices

    @rule(count=st.integers(1, 12))
    def go_on(self, count: int) -> None:
        """The session as it was recorded."""
        for event in RECORDED[self.at : self.at + count]:
            self.told(json.dumps(event))
        self.at = (self.at + count) % len(RECORDED)

    @rule(place=PLACES, times=st.integers(1, 3))
    def foreign(self, place: int, times: int) -> None:
        """An event of whatever session, perhaps several times."""
        for _ in range(times):
            self.told(json.dumps(TOLD[place % len(TOLD)]))

    @rule(place=PLACES, spot=PLACES, value=st.sampled_from(ODD), drop=st.booleans())
    def mutated(self, place: int, spot: int, value: Any, drop: bool) -> None:
        self.told(json.dumps(changed(TOLD[place % len(TOLD)], spot, value, drop)))

    @rule(
        place=PLACES,
        fields=st.dictionaries(st.sampled_from(["item_id", "response_id", "item", "response", "delta", "error"]), st.sampled_from(ODD)),
    )
    def of_any_kind(self, place: int, fields: Event) -> None:
        """An event of each kind that there is, with hardly anything in it."""
        kinds = sorted(models("server")) if not missing("openai") else [str(event["type"]) for event in TOLD]
        self.told(json.dumps({"type": kinds[place % len(kinds)], "event_id": "e", **fields}))

    @rule(text=st.sampled_from(HOSTILE))
    def babble(self, text: str | bytes) -> None:
        self.told(text)

    @rule(
        code=st.sampled_from(["conversation_already_has_active_response", "response_cancel_not_active", "rate_limit_exceeded", None]),
        late=st.booleans(),
    )
    def refuse(self, code: str | None, late: bool) -> None:
        """The wish that was sent last is refused, or an older one."""
        named = "event_c1" if late or not self.asked else self.asked[-1]
        self.told(json.dumps({"type": "error", "event_id": "e", "error": {"type": "x", "message": "no", "code": code, "event_id": named}}))

    # The program.

    @rule(
        pattern=st.sampled_from(["." * 40, "#" * 12, "." * 10 + "#" * 30 + "." * 40, "#", ""]), withheld=st.sampled_from(["", "", "muted"])
    )
    def hear(self, pattern: str, withheld: str) -> None:
        self.pushed += sound(pattern).size
        self.client.push_audio(sound(pattern), withheld)

    @rule(count=st.integers(0, 700))
    def hear_a_little(self, count: int) -> None:
        self.pushed += count
        self.client.push_audio(np.zeros(count, np.int16))

    @rule(act=st.sampled_from([ClientSession.commit, lambda client: client.uplink.nudge()]))
    def do(self, act: Callable[[ClientSession], object]) -> None:
        act(self.client)

    @rule()
    def say(self) -> None:
        try:
            self.client.say("Hi")
        except ProtocolError as exc:
            assert "Too many messages" in str(exc) and self.client.arbiter.full

    @rule(place=st.none() | PLACES, heard_ms=NUMBERS)
    def interrupt(self, place: int | None, heard_ms: int) -> None:
        names = [line.item_id for line in self.client.inbound.history] + ["nobody", ""]
        self.client.interrupt(None if place is None else names[place % len(names)], heard_ms)

    @rule(sent=st.booleans())
    def link_again(self, sent: bool) -> None:
        if sent:
            self.sends()
        self.client.connected(self.now)
        self.asked.clear()
        self.at = 0

    @rule(seconds=st.sampled_from([0.1, 10.0, 4000.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        due = self.client.deadline()
        self.client.tick(self.now)
        assert due is None or due > self.now or self.client.deadline() != due

    @rule()
    def sends(self) -> None:
        for text in self.client.outgoing():
            event = decode_client(text)
            kind = json.loads(text)["type"]
            if not missing("openai"):
                judge("client", text)
            if kind == "response.create":
                assert not self.asked, "one response at a time"
                self.asked.append(str(event.event_id))

    # What must hold.

    @invariant()
    def every_frame_is_accounted_for(self) -> None:
        if not hasattr(self, "client"):
            return
        total = self.client.uplink.ledger.total()
        assert total.captured == total.committed + sum(total.discarded.values()) + total.lost == -(-(self.pushed // 16) // 20)
        assert min([total.committed, total.lost, *total.discarded.values()]) >= 0

    @invariant()
    def lines_are_few_and_each_once(self) -> None:
        if hasattr(self, "client"):
            lines = [line.item_id for line in self.client.inbound.history]
            assert len(set(lines)) == len(lines) <= MAX_LINES

    def teardown(self) -> None:
        if hasattr(self, "client"):
            self.sends()


CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
ClientStorm.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True, report_multiple_bugs=False, suppress_health_check=CALM
)
TestClientStorm = ClientStorm.TestCase


class LongClientStorm(ClientStorm):
    """The same, longer and each time another."""


LongClientStorm.TestCase.settings = settings(
    max_examples=300,
    stateful_step_count=100,
    deadline=None,
    derandomize=False,
    report_multiple_bugs=False,
    suppress_health_check=CALM,
    database=None,
)
TestLongClientStorm = pytest.mark.apart(LongClientStorm.TestCase)


SHAPES = {f"{event['type']} {[key for _, key in spots(event)]}": event for event in TOLD}
"""One event of each shape."""


@pytest.mark.parametrize("event", SHAPES.values(), ids=lambda event: str(event["type"]))
def test_no_event_can_be_so_wrong_that_it_raises(event: Event) -> None:
    """Every value of an event, at every depth, replaced by each odd one and left out."""
    client = ClientSession(Session(), counted("c"))
    client.connected()
    for spot in range(sum(1 for _ in spots(event))):
        for value in ODD:
            client.receive(json.dumps(changed(event, spot, value, drop=False)), 0.0)
        client.receive(json.dumps(changed(event, spot, None, drop=True)), 0.0)
    client.outgoing()
