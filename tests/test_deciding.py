"""The client decides what is answered: against our server, and against servers that do not let it."""

import json
from typing import Any

import pytest

from tests.support.pair import Pair
from tests.support.served import Served, counted, loud_turns
from voice.protocol.client import ClientSession
from voice.protocol.deciding import decided_here, decided_there, wants_to_decide
from voice.protocol.notices import ErrorReported, Notice, ReplyBegan, ReplyEnded, TurnCommitted, TurnResent, UserText
from voice.protocol.objects import Audio, AudioInput, Session, Transcription, TurnDetection
from voice.protocol.overspoken import Ending

TURN = "." * 25 + "#" * 20 + "." * 30


def wanted(detection: TurnDetection | None = TurnDetection()) -> Session:  # noqa: B008 - frozen
    return decided_here(Session(audio=Audio(AudioInput(transcription=Transcription(model="any"), turn_detection=detection))))


def of(kind: type, notices: list[Notice]) -> list[Any]:
    return [notice for notice in notices if isinstance(notice, kind)]


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events if event["type"] not in ("session.update", "input_audio_buffer.append")]


def spoken(pair: Pair) -> str:
    """A turn; the item that it is."""
    [turn] = of(TurnCommitted, pair.push(TURN))
    return str(turn.item_id)


def texts(pair: Pair) -> tuple[list[str], list[str]]:
    """The items of both sides."""
    return [line.item_id for line in pair.client.inbound.history], [str(item.id) for item in pair.server.session.conversation.items()]


def test_a_turn_is_answered_once_and_only_when_asked_for() -> None:
    pair = Pair(wanted())
    assert pair.client.deciding.granted
    item_id = spoken(pair)
    assert pair.server.wanted() == [] and kinds(pair.up) == []
    pair.client.deciding.respond(item_id)
    pair.run()
    assert len(pair.server.wanted()) == 1 and kinds(pair.up) == ["response.create"]
    pair.reply()
    assert len(of(ReplyEnded, pair.notices)) == 1


def test_speech_over_an_answer_stops_nothing_by_itself() -> None:
    pair = Pair(wanted())
    pair.client.deciding.respond(spoken(pair))
    pair.run()
    pair.deliver(pair.server.say("Hello"))
    cough = spoken(pair)
    assert of(ReplyEnded, pair.notices) == [] and len(pair.server.wanted()) == 1
    pair.client.deciding.delete(cough)
    pair.run()
    pair.deliver(pair.server.end())
    assert [notice.status for notice in of(ReplyEnded, pair.notices)] == ["completed"]
    assert len(pair.server.wanted()) == 1 and of(ErrorReported, pair.notices) == []
    here, there = texts(pair)
    assert here == there and cough not in here


def test_an_answer_is_asked_for_behind_the_one_that_is_stopped() -> None:
    pair = Pair(wanted())
    pair.client.deciding.respond(spoken(pair))
    pair.run()
    pair.deliver(pair.server.say("Hello there, this is long."))
    pair.client.interrupt()
    pair.client.deciding.respond(spoken(pair))
    pair.run()
    assert [notice.status for notice in of(ReplyEnded, pair.notices)] == ["cancelled"]
    assert len(of(ReplyBegan, pair.notices)) == 2 and of(ErrorReported, pair.notices) == []


def test_words_that_come_for_a_turn_that_was_taken_back_are_dropped() -> None:
    pair = Pair(wanted())
    cough = spoken(pair)
    pair.cut = True
    pair.client.deciding.delete(cough)
    pair.server.session.transcribed(cough, "hm", 400)
    pair.deliver(pair.server.take())
    assert texts(pair)[0] == []
    pair.cut = False
    pair.run()
    assert texts(pair) == ([], [])
    pair.client.deciding.delete(cough)
    assert of(ErrorReported, pair.run()) == [], "what is gone already is no mistake"


@pytest.mark.parametrize("asked", ["before", "not", "after"])
def test_a_turn_whose_link_breaks_before_its_words_are_known_is_answered_once(asked: str) -> None:
    pair = Pair(wanted())
    item_id = spoken(pair)
    if asked == "before":
        pair.client.deciding.respond(item_id)
    pair.cut = True
    pair.run()
    pair = again(pair)
    assert [turn.item_id for turn in of(TurnResent, pair.notices)] == [item_id]
    if asked == "after":
        pair.client.deciding.respond(item_id)
        pair.run()
    assert pair.server.wanted() == []
    pair.push("." * 40)
    [turn] = of(TurnCommitted, pair.notices)
    pair.client.deciding.respond(turn.item_id)
    pair.run()
    assert len(pair.server.wanted()) == 1
    pair.reply()
    assert len(pair.server.wanted()) == 1 and of(ErrorReported, pair.notices) == []


@pytest.mark.parametrize("asked", ["before", "after"])
def test_a_turn_whose_words_are_known_is_answered_once_on_the_next_link(asked: str) -> None:
    pair = Pair(wanted())
    item_id = spoken(pair)
    pair.server.session.transcribed(item_id, "what time is it", 400)
    assert of(UserText, pair.deliver(pair.server.take()))
    pair.cut = True
    if asked == "before":
        pair.client.deciding.respond(item_id)
        pair.client.outgoing()
    pair = again(pair)
    if asked == "after":
        pair.client.deciding.respond(item_id)
    pair.run()
    assert len(pair.server.wanted()) == 1 and of(TurnResent, pair.notices) == []
    pair.reply()
    pair.push("." * 50)
    assert len(pair.server.wanted()) == 1 and of(ErrorReported, pair.notices) == []


def test_a_typed_message_waits_through_a_turn_that_is_sent_again() -> None:
    pair = Pair(wanted())
    item_id = spoken(pair)
    pair.cut = True
    pair.client.say("hello")
    pair.client.deciding.respond(item_id)
    pair.client.outgoing()
    pair = again(pair)
    assert len(pair.server.wanted()) == 1, "the message"
    pair.reply()
    pair.push("." * 40)
    [turn] = of(TurnCommitted, pair.notices)
    pair.client.deciding.respond(turn.item_id)
    pair.run()
    pair.reply()
    assert len(pair.server.wanted()) == 2


def again(pair: Pair) -> Pair:
    """The same client on a new link, to another server."""
    fresh = Pair.__new__(Pair)
    fresh.server, fresh.client, fresh.notices, fresh.up, fresh.cut = Served(side="t"), pair.client, [], [], False
    fresh.notices += fresh.client.connected()
    for event in fresh.server.sent:
        fresh.notices += fresh.client.receive(json.dumps(event), 0.0)
    fresh.run()
    return fresh


# (what becomes of a turn of ours, what is sent for it)
OWN = [
    (Ending.ANSWER, ["input_audio_buffer.commit", "response.create"]),
    (Ending.DOUBT, ["input_audio_buffer.commit"]),
    (Ending.DROP, ["input_audio_buffer.clear"]),
]


@pytest.mark.parametrize(("ending", "sent"), OWN, ids=[str(row[0].value) for row in OWN])
def test_a_turn_of_ours_ends_as_it_is_to(ending: Ending, sent: list[str]) -> None:
    pair = Pair(wanted(None), loud_turns())
    assert pair.client.deciding.granted
    pair.push("." * 25 + "#" * 20)
    pair.client.deciding.ending = ending
    pair.push("." * 30)
    assert kinds(pair.up) == sent and len(pair.server.wanted()) == sent.count("response.create")
    if pair.server.wanted():
        pair.reply()
    before = len(pair.up)
    pair.push(TURN)
    assert kinds(pair.up[before:]) == OWN[0][1], "of the next one nothing was said"
    count = pair.client.uplink.ledger.total()
    assert count.captured == count.committed + sum(count.discarded.values()) + count.lost


def test_our_detector_is_asked_how_much_it_has_heard() -> None:
    pair = Pair(wanted(), loud_turns())
    assert pair.client.deciding.heard_ms == 0
    pair.push("..##.#..")
    assert pair.client.deciding.heard_ms == 60
    assert Pair(wanted()).client.deciding.heard_ms == 0


def test_what_the_settings_say() -> None:
    settings = wanted(TurnDetection(idle_timeout_ms=5_000))
    assert wants_to_decide(settings) and not wants_to_decide(decided_there(settings)) and not wants_to_decide(wanted(None))
    hearing = settings.audio
    assert isinstance(hearing, Audio) and isinstance(hearing.input, AudioInput) and isinstance(hearing.input.turn_detection, TurnDetection)
    assert not isinstance(hearing.input.turn_detection.idle_timeout_ms, int)
    assert decided_here(Session()) == Session()


class Scripted:
    """A client whose server is the test."""

    def __init__(self) -> None:
        self.client = ClientSession(wanted(), counted("c"))
        self.client.connected()

    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.client.outgoing()]

    def see(self, kind: str, **fields: Any) -> list[Notice]:
        return self.client.receive(json.dumps({"type": kind, "event_id": "e", **fields}), 0.0)

    def updated(self, **flags: Any) -> list[Notice]:
        hearing = {"format": {"type": "audio/pcm", "rate": 16_000}, "turn_detection": {"type": "server_vad", **flags}}
        return self.see("session.updated", session={"type": "realtime", "audio": {"input": hearing}})

    def refuse(self, asked: dict[str, Any], param: str, message: str = "no") -> list[Notice]:
        error = {"type": "invalid_request_error", "code": "x", "message": message, "param": param, "event_id": asked["event_id"]}
        return self.see("error", error=error)


def asked(event: dict[str, Any]) -> tuple[int, object]:
    hearing = event["session"]["audio"]["input"]
    return hearing["format"]["rate"], hearing["turn_detection"]["create_response"]


def test_a_server_that_takes_it() -> None:
    script = Scripted()
    assert not script.client.deciding.granted
    assert [asked(event) for event in script.sent()] == [(16_000, False)]
    script.updated(create_response=False, interrupt_response=False)
    assert script.client.deciding.granted and script.sent() == []


@pytest.mark.parametrize(
    "flags", [{}, {"create_response": True, "interrupt_response": True}, {"create_response": False}, {"interrupt_response": None}]
)
def test_a_server_that_does_not_say_that_it_takes_it_is_told_that_it_decides(flags: dict[str, Any]) -> None:
    script = Scripted()
    script.sent()
    script.updated(**flags)
    [event] = script.sent()
    detection = event["session"]["audio"]["input"]["turn_detection"]
    assert (detection["create_response"], detection["interrupt_response"]) == (True, True)
    assert set(event["session"]["audio"]["input"]) == {"turn_detection"}
    assert not script.client.deciding.granted
    script.updated(create_response=True, interrupt_response=True)
    assert script.sent() == [], "once"


# (what each refusal names, what is asked for)
REFUSALS = [
    (["session.audio.input.format"], [(16_000, False), (24_000, False)]),
    (["session.audio.input.turn_detection.create_response"], [(16_000, False), (16_000, True)]),
    (["", ""], [(16_000, False), (24_000, False), (24_000, True)]),
    (["session.audio.input.turn_detection", "session.audio.input.format"], [(16_000, False), (16_000, True), (24_000, True)]),
]


@pytest.mark.parametrize(("params", "want"), REFUSALS)
def test_a_server_that_refuses_is_asked_for_less(params: list[str], want: list[tuple[int, object]]) -> None:
    script = Scripted()
    seen = []
    for param in params:
        [event] = script.sent()
        seen.append(asked(event))
        assert script.refuse(event, param) == [], "nobody is told of it"
    [event] = script.sent()
    assert [*seen, asked(event)] == want


def test_a_server_that_refuses_everything_is_told_of() -> None:
    script = Scripted()
    told: list[Notice] = []
    while events := script.sent():
        told += script.refuse(events[0], "")
    assert len(of(ErrorReported, told)) == 1 and not script.client.deciding.granted
