"""The talking session against the answering one: settings, turns, messages, interruptions, and servers that are odd."""

import json
from typing import Any

import numpy as np
import pytest

from tests.support.pair import Pair
from tests.support.served import counted, loud_turns, sound
from voice.errors import ProtocolError
from voice.protocol.arbiter import MAX_WAITING
from voice.protocol.client import ClientSession
from voice.protocol.conversation import SpokenWord, text_of
from voice.protocol.events import ServerEvent
from voice.protocol.foreign import FOREIGN_EVENTS, SERVER_EVENTS
from voice.protocol.notices import (
    ErrorReported,
    Notice,
    Other,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyLost,
    ReplyText,
    SessionReady,
    SpeechBegan,
    SpeechEnded,
    TurnCommitted,
    UserText,
)
from voice.protocol.objects import Audio, AudioInput, Session, Transcription, TurnDetection
from voice.protocol.offer import Stage

TURN = "." * 25 + "#" * 20 + "." * 30


def wanted(detection: TurnDetection | None = TurnDetection()) -> Session:  # noqa: B008 - frozen
    return Session(audio=Audio(AudioInput(transcription=Transcription(model="any"), turn_detection=detection)))


def kinds(notices: list[Notice]) -> list[str]:
    return [type(notice).__name__ for notice in notices if not isinstance(notice, Other)]


def of(kind: type, notices: list[Notice]) -> list[Any]:
    return [notice for notice in notices if isinstance(notice, kind)]


class Script:
    """A `ClientSession` whose server is the test."""

    def __init__(self, settings: Session | None = None, own: bool = False) -> None:
        self.client = ClientSession(settings or wanted(None if own else TurnDetection()), counted("c"), loud_turns() if own else None)
        self.client.connected()

    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.client.outgoing()]

    def see(self, kind: str, **fields: Any) -> list[Notice]:
        return self.client.receive(json.dumps({"type": kind, **fields}), 0.0)

    def ready(self, rate_hz: int = 16_000) -> list[Notice]:
        pcm = {"type": "audio/pcm", "rate": rate_hz}
        return self.see("session.updated", session={"type": "realtime", "audio": {"input": {"format": pcm}}})


def test_the_settings_are_asked_for_at_16_khz() -> None:
    pair = Pair(wanted())
    assert pair.client.offer.stage is Stage.READY and kinds(pair.notices) == ["SessionReady"]
    [update] = pair.up
    assert update["type"] == "session.update" and update["session"]["type"] == "realtime"
    assert update["session"]["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 16_000}


@pytest.mark.parametrize("asked", [Session(), Session(audio=Audio()), Session(audio=None)])
def test_settings_may_be_as_short_as_they_like(asked: Session) -> None:
    assert Pair(asked).client.offer.stage is Stage.READY


def refuse(script: Script, event: dict[str, Any], code: str = "invalid_value") -> list[Notice]:
    return script.see("error", error={"type": "invalid_request_error", "code": code, "message": "no", "event_id": event["event_id"]})


def test_a_server_that_says_no_is_asked_for_24_khz() -> None:
    script = Script()
    [first] = script.sent()
    assert refuse(script, first) == [] and script.client.offer.stage is Stage.ASKED_AGAIN
    [second] = script.sent()
    assert second["session"]["audio"]["input"]["format"]["rate"] == 24_000 and second["event_id"] != first["event_id"]
    assert of(SessionReady, script.ready(24_000))
    script.client.push_audio(sound("#" * 20))
    assert sum(len(event["audio"]) for event in script.sent()) == pytest.approx(24_000 * 0.4 * 2 * 4 / 3, rel=0.12)


def test_a_server_that_says_no_twice_is_taken_as_it_is() -> None:
    script = Script()
    script.client.say("Hello")
    refuse(script, script.sent()[0])
    assert kinds(refuse(script, script.sent()[0])) == ["ErrorReported"] and script.client.offer.stage is Stage.READY
    assert [event["type"] for event in script.sent()] == ["conversation.item.create", "response.create"]


def test_an_error_of_something_else_is_no_answer_to_the_settings() -> None:
    script = Script()
    script.sent()
    for event_id in (None, "", "other"):
        assert kinds(script.see("error", error={"type": "t", "message": "m", "event_id": event_id})) == ["ErrorReported"]
    assert script.client.offer.stage is Stage.ASKED


@pytest.mark.parametrize(("told", "bytes_per_s"), [(8_000, 16_000), (16_000, 32_000), (48_000, 96_000), (0, 48_000)])
def test_the_rate_that_the_server_tells_is_the_one(told: int, bytes_per_s: int) -> None:
    script = Script()
    script.sent()
    script.client.push_audio(sound("#" * 50))
    assert script.sent() == []
    script.ready(told)
    script.client.uplink.flush()
    assert sum(len(event["audio"]) * 3 // 4 for event in script.sent()) == pytest.approx(bytes_per_s, abs=60)


def test_nothing_is_said_before_the_settings_are_in_effect() -> None:
    """Else an answer would come with the server's own instructions, unnoticed."""
    script = Script(own=True)
    assert [event["type"] for event in script.sent()] == ["session.update"]
    script.client.say("Hello")
    for character in TURN:
        script.client.push_audio(sound(character))
    assert script.sent() == []
    script.ready()
    sent = [event["type"] for event in script.sent()]
    appends = sent.count("input_audio_buffer.append")
    assert sent == ["input_audio_buffer.append"] * appends + ["input_audio_buffer.commit", "conversation.item.create", "response.create"]
    assert appends >= 25


def test_a_voice_turn_that_the_server_ends() -> None:
    pair = Pair(wanted())
    told = pair.push(TURN)
    assert kinds(told) == ["SpeechBegan", "SpeechEnded", "TurnCommitted", "ReplyBegan"]
    [began], [ended] = of(SpeechBegan, told), of(SpeechEnded, told)
    assert abs(began.at_ms - 500) <= 20 and abs(ended.at_ms - 900) <= 20 and not began.local
    item_id = of(TurnCommitted, told)[0].item_id
    pair.server.session.transcribed(item_id, "What now?", 900)
    assert pair.deliver(pair.server.take()) == [UserText(item_id, "What now?", False), UserText(item_id, "What now?", True)]
    told = pair.reply("Nothing much.")
    assert kinds(told) == ["ReplyText", "ReplyAudio", "ReplyAudio", "ReplyText", "ReplyEnded"]
    assert sum(len(one.samples) for one in of(ReplyAudio, told)) == 300 * 24 and of(ReplyEnded, told)[0].status == "completed"
    assert [(line.role, line.text) for line in pair.client.inbound.history] == [("user", "What now?"), ("assistant", "Nothing much.")]
    total = pair.client.uplink.ledger.total()
    assert total.captured == 75 and abs(total.committed - 60) <= 2 and total.committed + total.discarded["silence"] == 75
    pair.server.order.complete()


def test_a_voice_turn_that_we_end() -> None:
    pair = Pair(wanted(None), loud_turns())
    told = pair.push(TURN + TURN)
    assert kinds(told)[:4] == ["SpeechBegan", "SpeechEnded", "TurnCommitted", "ReplyBegan"] and of(SpeechBegan, told)[0].local
    told = pair.reply()
    assert kinds(told)[-2:] == ["ReplyEnded", "ReplyBegan"], "the second turn's answer waited for the first"
    pair.reply()
    total = pair.client.uplink.ledger.total()
    assert total.captured == 150 and abs(total.committed - 120) <= 4
    sent = sum(len(event["audio"]) * 3 // 4 // 640 for event in pair.up if event["type"] == "input_audio_buffer.append")
    assert abs(sent - total.committed) <= 2, "silence is not sent"
    pair.server.order.complete()


def test_our_detector_beside_the_servers_tells_and_does_nothing_else() -> None:
    pair = Pair(wanted(), loud_turns())
    told = pair.push(TURN)
    assert [one.local for one in of(SpeechBegan, told)] == [True, False]
    assert sum(event["type"] == "input_audio_buffer.commit" for event in pair.up) == 0


def test_a_turn_without_any_detector() -> None:
    pair = Pair(wanted(None))
    pair.push("." * 10)
    pair.client.commit()
    assert kinds(pair.run()) == ["TurnCommitted", "ReplyBegan"]
    assert pair.client.uplink.ledger.total().committed == 10


def test_a_message_waits_for_the_answer_in_progress_and_is_answered_once() -> None:
    pair = Pair(wanted())
    for text in ("One?", "Two?"):
        pair.client.say(text)
    pair.run()
    assert [text_of(item) for item in pair.server.session.conversation.items()] == ["One?"]
    pair.reply("One!")
    assert [text_of(item) for item in pair.server.session.conversation.items()] == ["One?", "One!", "Two?"]
    pair.reply("Two!")
    assert [line.text for line in pair.client.inbound.history] == ["One?", "One!", "Two?", "Two!"]
    assert len(pair.server.wanted()) == 2
    pair.server.order.complete()


def test_too_many_messages_are_refused_whole() -> None:
    script = Script()
    for _ in range(MAX_WAITING):
        script.client.say("x")
    with pytest.raises(ProtocolError, match="wait for one"):
        script.client.say("one too many")
    script.ready()
    assert "one too many" not in str(script.sent())


def playing(detection: TurnDetection | None = TurnDetection(), done: bool = False) -> tuple[Pair, str]:  # noqa: B008 - frozen
    """A pair in the middle of an answer of which 500 ms have come."""
    pair = Pair(wanted(detection))
    pair.client.say("Tell me.")
    pair.run()
    told = pair.deliver(pair.server.say("A long story about nothing.", sound("#" * 25, 24_000)))
    if done:
        pair.deliver(pair.server.end())
    return pair, of(ReplyAudio, told)[0].item_id


@pytest.mark.parametrize(("heard_ms", "cut_ms"), [(300, 300), (500, 500), (57_340, 500)])
@pytest.mark.parametrize("done", [False, True])
def test_an_answer_is_cut_to_what_was_heard(heard_ms: int, cut_ms: int, done: bool) -> None:
    pair, item_id = playing(done=done)
    pair.client.interrupt(item_id, heard_ms)
    told = pair.run()
    assert not of(ErrorReported, told) and [one.status for one in of(ReplyEnded, told)] == ([] if done else ["cancelled"])
    assert pair.server.session.conversation.get(item_id).audio_ms == cut_ms
    assert [event["type"] for event in pair.up[3:]] == ([] if done else ["response.cancel"]) + ["conversation.item.truncate"]
    pair.client.interrupt(item_id, heard_ms)
    assert pair.run() == [], "once is enough"
    pair.server.order.complete()


@pytest.mark.parametrize("done", [False, True])
def test_an_answer_of_which_nothing_was_heard_was_never_given(done: bool) -> None:
    pair, item_id = playing(done=done)
    pair.client.interrupt(item_id, 0)
    pair.run()
    assert [event["type"] for event in pair.up[3:]] == ([] if done else ["response.cancel"]) + ["conversation.item.delete"]
    assert [line.text for line in pair.client.inbound.history] == ["Tell me."]
    assert pair.up[-1]["item_id"] == item_id and len(pair.server.session.conversation) == 1


def test_an_answer_is_stopped_before_it_is_heard_of() -> None:
    pair = Pair(wanted())
    pair.client.say("Tell me.")
    pair.client.interrupt()
    told = pair.run()
    assert [one.status for one in of(ReplyEnded, told)] == ["cancelled"] and not of(ErrorReported, told)


def test_late_sound_of_an_answer_that_was_cut_is_dropped() -> None:
    pair, item_id = playing()
    late = pair.server.say(" And so on.", sound("#" * 10, 24_000))
    pair.client.interrupt(item_id, 200)
    told = pair.deliver(late)
    assert not of(ReplyAudio, told) and not of(ReplyText, told) and of(ReplyEnded, told)[0].status == "cancelled"


def test_a_cancel_that_came_too_late_is_no_error() -> None:
    """The server has stopped by itself when the user began to speak; our cancel crosses that on the wire."""
    pair, item_id = playing()
    crossing = pair.server.hear("." * 5 + "#" * 10, 16_000)
    pair.client.interrupt(item_id, 100)
    told = pair.deliver(crossing)
    assert [one.reason for one in of(ReplyEnded, told)] == ["turn_detected"] and not of(ErrorReported, told)
    assert pair.server.sent[-2]["error"]["code"] == "response_cancel_not_active"
    assert pair.server.session.conversation.get(item_id).audio_ms == 100


def test_an_interruption_without_an_answer_does_nothing() -> None:
    pair = Pair(wanted())
    pair.client.interrupt()
    assert pair.run() == [] and len(pair.up) == 1


def test_what_cannot_be_read_is_told_and_the_session_goes_on() -> None:
    script = Script()
    for text in ("", "[]", "{", '{"type":"conversation.item.added"}', b"\xff", "x" * 10_000, "[" * 100_000):
        [told] = script.client.receive(text, 0.0)
        assert isinstance(told, ErrorReported) and told.code == "unreadable_event"
    assert of(SessionReady, script.ready())


def test_an_unusual_server() -> None:
    """No content_part events, a status that is a word, no usage where it belongs, pings, cumulative transcripts."""
    script = Script()
    script.ready()
    script.client.say("Hi")
    script.sent()
    told = script.see("conversation.created", conversation={}) + script.see("ping", timestamp=1)
    told += script.see("response.created", response={"id": "3f1c"})
    told += script.see("response.output_audio.delta", response_id="3f1c", item_id="i", delta="AAA=")
    told += script.see("response.content_part.done", response_id="3f1c", item_id="i")
    told += script.see("response.done", response={"id": "3f1c", "status": "completed", "status_details": "unimplemented", "usage": {}})
    assert kinds(told) == ["ReplyBegan", "ReplyAudio", "ReplyEnded"] and not script.client.arbiter.busy


def test_a_response_that_nobody_asked_for_is_waited_for() -> None:
    script = Script()
    script.ready()
    script.sent()
    assert of(ReplyBegan, script.see("response.created", response={"id": "r1"}))
    script.client.say("Hi")
    assert script.sent() == []
    script.see("response.done", response={"id": "r1", "status": "completed"})
    assert [event["type"] for event in script.sent()] == ["conversation.item.create", "response.create"]


def test_a_client_waits_for_no_time() -> None:
    script = Script()
    assert script.client.deadline() is None and script.client.tick(1e9) == []


def test_what_was_heard_of_an_interrupted_answer_stays_in_the_history() -> None:
    """Neither the server's finished item nor a broken link brings back the words that nobody heard."""
    pair = Pair(Session(audio=Audio(AudioInput(turn_detection=None))))
    pair.client.say("count")
    pair.run()
    order = pair.server.wanted()[-1]
    pair.server.session.say(order.response_id, "one two three four")
    pair.server.session.sound(order.response_id, np.zeros(24_000, np.int16), 24_000)
    pair.run()
    item_id = next(notice.item_id for notice in pair.notices if isinstance(notice, ReplyText))
    pair.client.interrupt(item_id, 500)
    pair.run()
    heard = [(line.text, line.estimated) for line in pair.client.inbound.history if line.role == "assistant"]
    assert heard == [("one two", True)]
    pair.client.connected()
    assert [(line.text, line.estimated) for line in pair.client.inbound.history if line.role == "assistant"] == heard


def test_the_history_has_the_words_that_the_server_knows_were_heard() -> None:
    pair = Pair(Session(audio=Audio(AudioInput(turn_detection=None))))
    pair.client.say("count")
    pair.run()
    order = pair.server.wanted()[-1]
    pair.server.session.say(order.response_id, "one two three four")
    words = [SpokenWord(150, 3), SpokenWord(300, 7), SpokenWord(450, 13), SpokenWord(900, 18)]
    pair.server.session.sound(order.response_id, np.zeros(24_000, np.int16), 24_000, words)
    pair.run()
    item_id = next(notice.item_id for notice in pair.notices if isinstance(notice, ReplyText))
    pair.client.interrupt(item_id, 500)
    assert [(line.text, line.estimated) for line in pair.client.inbound.history][-1] == ("one two", True), (
        "until the server answers it is a guess"
    )
    pair.run()
    assert [(line.text, line.estimated) for line in pair.client.inbound.history][-1] == ("one two three", False)
    assert text_of(pair.server.session.conversation.items()[-1]) == "one two three"
    pair.client.connected()
    restored = [
        event["item"]["content"] for event in map(json.loads, pair.client.outgoing()) if event["type"] == "conversation.item.create"
    ]
    assert restored[-1] == [{"type": "output_text", "text": "one two three"}]


def test_a_server_that_names_no_response_is_not_waited_for_for_ever() -> None:
    script = Script()
    script.ready()
    for created, done in (({"id": None}, {"id": "r1"}), ({"id": "r1"}, {}), ({}, {"id": 7}), ({"id": "r1"}, None)):
        script.client.say("Hi")
        assert of(ReplyBegan, script.see("response.created", response=created)) and script.client.arbiter.busy
        [ended] = of(ReplyEnded, script.see("response.done", response=done))
        assert ended.status == "completed" and not script.client.arbiter.busy and script.client.quiet


@pytest.mark.parametrize("event", SERVER_EVENTS, ids=lambda event: str(event.__struct_config__.tag))
def test_no_event_hurts_whenever_it_comes(event: type[ServerEvent]) -> None:
    """Before the settings, in an answer, after it; whole, empty, and with nothing but nulls: at most it is told as unreadable."""
    kind = str(event.__struct_config__.tag)
    script = Script()
    for step in (lambda: None, script.ready, lambda: script.client.say("Hi"), lambda: script.see("response.created", response={"id": "r"})):
        step()
        for fields in ({}, dict.fromkeys(event.__struct_fields__), dict.fromkeys(event.__struct_fields__, 7)):
            for told in script.see(kind, **fields):
                assert not isinstance(told, ErrorReported) or kind == "error" or told.code in ("unreadable_event", "unreadable_audio")
    script.see("response.done", response={})
    assert script.client.quiet or kind.endswith("speech_started") or kind == "response.created"


def test_events_of_other_servers_are_passed_on() -> None:
    script = Script()
    script.ready()
    for event in FOREIGN_EVENTS:
        kind = str(event.__struct_config__.tag)
        [told] = script.see(kind, item={"type": "message", "id": "i", "role": "user", "content": []}, item_id="i")
        assert isinstance(told, Other) and type(told.event) is event
    assert [line.item_id for line in script.client.inbound.history] == ["i"]


def test_an_answer_that_has_called_a_function_is_not_asked_for_again() -> None:
    for last, again in (("delta", True), ("done", False)):
        script = Script()
        script.ready()
        script.client.say("Hi")
        script.see("response.created", response={"id": "r"})
        script.see(f"response.function_call_arguments.{last}", response_id="r", item_id="i", call_id="c", name="f", arguments="{}")
        assert script.client.connected() == [ReplyLost("r", again=again)]
