"""The answering session: the sequences of the service, event by event; its end; and what an engine that is late may do."""

import base64

import pytest

from tests.support.needs import needs
from tests.support.served import LIFE_S, Served, types
from tests.support.signals import tone
from voice.audio.pcm import to_bytes
from voice.protocol.events import OWN_EVENTS
from voice.protocol.lines import Line, lines_of
from voice.protocol.orders import Hangup, ListenEnded, ListenMore, ListenStarted, ReplyStopped, ReplyWanted, Wake

TURN = "." * 25 + "#" * 20 + "." * 30
HEARD = ["input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
OPENED = ["response.output_item.added", "conversation.item.added", "response.content_part.added"]
SPOKEN = ["response.output_audio.done", "response.output_audio_transcript.done"]
CLOSED = ["response.content_part.done", "conversation.item.done", "response.output_item.done", "response.done", "rate_limits.updated"]
WORD, SOUND = "response.output_audio_transcript.delta", "response.output_audio.delta"


def ask(served: Served, text: str = "Hello") -> list[str]:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return types(served.send("conversation.item.create", item=item))


def test_a_voice_turn() -> None:
    served = Served()
    served.update(audio={"input": {"transcription": {"model": "any-name"}}})
    assert types(served.hear(TURN)) == ["input_audio_buffer.speech_started", *HEARD, "response.created"]
    item_id = served.wanted()[0].heard_item
    assert item_id is not None
    assert [type(order) for order in served.orders if not isinstance(order, ListenMore)] == [ListenStarted, ListenEnded, ReplyWanted]
    served.session.transcribed(item_id, "What is new?", 1200)
    delta, completed = served.take()
    assert (delta["delta"], completed["transcript"]) == ("What is new?", "What is new?")
    assert completed["usage"] == {"type": "duration", "seconds": 1.2} and completed["item_id"] == delta["item_id"] == item_id
    assert types(served.say("Nothing.", tone(300, rate_hz=24_000))) == [*OPENED, WORD, SOUND, SOUND]
    assert types(served.end()) == [*SPOKEN, *CLOSED]
    assert lines_of(served.session.conversation.items()) == [Line("user", "What is new?"), Line("assistant", "Nothing.")]
    served.order.complete()


def test_a_manual_turn() -> None:
    served = Served()
    served.update(audio={"input": {"turn_detection": None}})
    assert served.hear(TURN) == []
    assert types(served.send("input_audio_buffer.commit")) == HEARD[1:]
    assert types(served.send("response.create")) == ["response.created"]
    assert types(served.reply(ms=100)) == [*OPENED, WORD, SOUND, *SPOKEN, *CLOSED]
    served.order.complete()


def test_a_text_turn() -> None:
    served = Served()
    served.update(output_modalities=["text"])
    assert ask(served) == ["conversation.item.added", "conversation.item.done"]
    assert types(served.send("response.create", response={"metadata": {"client_event_id": "e1"}})) == ["response.created"]
    text = ["response.output_text.delta", "response.output_text.done"]
    assert types(served.reply()) == [*OPENED, *text, *CLOSED]
    bodies = [event["response"] for event in served.sent if "response" in event]
    assert [body["metadata"] for body in bodies] == [{"client_event_id": "e1"}] * 2
    served.order.complete()


def test_a_cancel() -> None:
    served = Served()
    ask(served)
    served.send("response.create")
    served.say("It is a", tone(100, rate_hz=24_000))
    events = served.send("response.cancel")
    assert types(events) == [*SPOKEN, *CLOSED]
    done = events[-2]["response"]
    assert (done["status"], done["status_details"]) == ("cancelled", {"type": "cancelled", "reason": "client_cancelled"})
    assert done["output"][0]["content"][0]["transcript"] == "It is a" and served.orders[-1] == ReplyStopped("resp_s1")
    [error] = served.send("response.cancel", event_id="mine")
    assert (error["error"]["code"], error["error"]["event_id"]) == ("response_cancel_not_active", "mine")
    served.order.complete()


def test_a_barge_in() -> None:
    served = Served()
    served.hear(TURN)
    served.say("It is a long", tone(100, rate_hz=24_000))
    events = served.hear(TURN)
    assert types(events) == ["input_audio_buffer.speech_started", *SPOKEN, *CLOSED, *HEARD, "response.created"]
    done = next(event["response"] for event in events if event["type"] == "response.done")
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert done["output"][0]["status"] == "incomplete"
    served.reply()
    served.order.complete()


def test_a_response_that_never_spoke_is_cancelled_without_an_item() -> None:
    served = Served()
    served.hear(TURN)
    assert types(served.send("response.cancel")) == ["response.done", "rate_limits.updated"]


def test_a_second_response_is_refused_as_an_error_alone() -> None:
    served = Served()
    served.send("response.create")
    [error] = served.send("response.create", event_id="mine")
    assert (error["error"]["code"], error["error"]["event_id"]) == ("conversation_already_has_active_response", "mine")
    assert "resp_s1" in error["error"]["message"] and len(served.wanted()) == 1


def test_out_of_band_runs_beside_and_leaves_no_trace() -> None:
    served = Served()
    ask(served)
    served.send("response.create")
    first = served.wanted()[0].response_id
    served.send("response.create", response={"conversation": "none", "metadata": {"topic": "x"}, "output_modalities": ["text"]})
    events = served.reply("Aside.")
    assert not any(kind.startswith("conversation.item") for kind in types(events))
    assert events[-2]["response"]["conversation_id"] is None and events[-2]["response"]["metadata"] == {"topic": "x"}
    served.session.say(first, "Main.")
    served.session.end_reply(first)
    served.take()
    assert lines_of(served.session.conversation.items()) == [Line("user", "Hello"), Line("assistant", "Main.")]
    served.order.complete()


def test_a_failure_is_told_in_the_end_of_the_response() -> None:
    served = Served()
    ask(served)
    served.send("response.create")
    served.say("Well")
    events = served.end("the engine failed; its log says why")
    done = next(event["response"] for event in events if event["type"] == "response.done")
    assert done["status"] == "failed"
    assert done["status_details"]["error"] == {
        "type": "server_error",
        "code": "engine_failed",
        "message": "the engine failed; its log says why",
    }
    assert types(served.send("response.create")) == ["response.created"]


def test_what_comes_late_is_ignored() -> None:
    served = Served()
    ask(served)
    served.send("response.create")
    dead = served.wanted()[0].response_id
    assert served.session.say(dead, "One") is True
    served.send("response.cancel")
    served.take()
    assert served.session.say(dead, "two") is False and served.session.sound(dead, tone(20), 16_000) is False
    assert served.session.end_reply(dead) == [] == served.session.end_reply("nobody") and served.take() == []
    served.send("response.create")
    assert served.session.say(dead, "three") is False and served.take() == []


def test_words_are_told_to_who_asked_for_them() -> None:
    served = Served()
    item_id = next(event["item_id"] for event in served.hear(TURN))
    assert served.session.transcribed(item_id, "Hello", 900) == [] and served.take() == []
    assert served.session.transcription_failed(item_id, "it died") == [] and served.take() == []
    assert lines_of(served.session.conversation.items()) == [Line("user", "Hello")]
    served.reply()
    served.update(audio={"input": {"transcription": {}}})
    item_id = next(event["item_id"] for event in served.hear(TURN))
    served.session.transcribed(item_id, "", 900)
    assert [(event["type"][-9:], event["transcript"]) for event in served.take()] == [("completed", "")]
    served.reply()
    item_id = next(event["item_id"] for event in served.hear(TURN))
    served.session.transcription_failed(item_id, "it died")
    assert [event["error"]["message"] for event in served.take()] == ["it died"]


def test_a_session_ends_when_its_time_is_up() -> None:
    served = Served(ends_at=100.0)
    assert served.session.deadline() == 100.0 and served.tick(99.9) == []
    served.send("response.create")
    response_id = served.wanted()[0].response_id
    *_, error = served.tick(100.0)
    assert error["error"]["code"] == "session_expired" and isinstance(served.orders[-1], Hangup)
    assert served.orders[-1].close_code == 1001 and served.session.deadline() is None
    assert served.tick(200.0) == [] == served.send("response.create") == served.hear(TURN)
    served.session.say(response_id, "Too late.")
    served.session.end_reply(response_id)
    assert served.take() == []
    assert sum(isinstance(order, Hangup) for order in served.orders) == 1


def test_time_is_up_for_who_is_talking_too() -> None:
    served = Served(ends_at=100.0)
    served.now = 100.0
    assert types(served.hear(TURN))[-1] == "error"


def test_the_engine_is_woken_when_nobody_speaks() -> None:
    served = Served()
    served.session.wake_at = 5.0
    assert served.session.deadline() == 5.0 and served.tick(4.9) == []
    served.hear("." * 25 + "#" * 10)
    served.tick(5.0)
    assert Wake() not in served.orders and served.session.deadline() == 5.25
    served.hear("." * 30)
    served.tick(5.3)
    assert Wake() not in served.orders, "a response is active"
    served.reply()
    served.tick(served.session.deadline() or 0.0)
    assert served.orders[-1] == Wake() and served.session.deadline() == 3600.0
    served.orders += served.session.begin_reply()
    assert types(served.take()) == ["response.created"] and served.wanted()[-1].heard_item is None


@pytest.mark.parametrize("detection", [None, {"type": "server_vad", "create_response": False}])
def test_the_engine_is_not_woken_where_answers_must_be_asked_for(detection: object) -> None:
    served = Served()
    served.update(audio={"input": {"turn_detection": detection}})
    served.session.wake_at = 5.0
    served.tick(60.0)
    assert Wake() not in served.orders
    served.update(audio={"input": {"turn_detection": {"type": "server_vad"}}})
    served.tick(61.0)
    assert served.orders[-1] == Wake()


def test_an_error_keeps_the_session() -> None:
    served = Served()
    for text in ("", "[]", "{}", '{"type":"nonsense","event_id":"e"}', b"\xff", '{"type":"session.update","session":{"voice":"x"}}'):
        [event] = served.text(text)
        assert event["type"] == "error" and event["error"]["type"] == "invalid_request_error" and event["error"]["message"]
    assert served.sent[-3]["error"]["event_id"] == "e"
    assert types(served.update()) == ["session.updated"]


@needs("openai")
def test_every_kind_of_event_that_we_send_has_been_judged() -> None:
    served = Served()
    served.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    item_id = next(event["item_id"] for event in served.hear(TURN))
    served.session.transcribed(item_id, "Hi", 900)
    served.reply("Hello there.", 400)
    answer = served.sent[-3]["item"]["id"]
    served.send("conversation.item.truncate", item_id=answer, content_index=0, audio_end_ms=100)
    served.send("conversation.item.retrieve", item_id=answer)
    served.send("conversation.item.retrieve", item_id=item_id)
    item_id = next(event["item_id"] for event in served.hear(TURN))
    served.session.transcription_failed(item_id, "it died")
    served.end("no")
    served.send("conversation.item.delete", item_id=item_id)
    served.send("input_audio_buffer.clear")
    served.send("response.create", response={"output_modalities": ["text"]})
    served.reply()
    served.tick(5000.0)
    elsewhere = {"input_audio_buffer.timeout_triggered", *(f"response.function_call_arguments.{end}" for end in ("delta", "done"))}
    assert {event["type"] for event in served.sent} == {str(event.__struct_config__.tag) for event in OWN_EVENTS} - elsewhere


def test_a_call_and_what_came_of_it() -> None:
    served = Served()
    tool = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    served.update(tools=[tool])
    served.send("response.create")
    [order] = served.wanted()
    assert [tool.name for tool in order.toolbox.usable] == ["get_weather"]
    for piece in ("", '{"city": ', '"Oslo"}'):
        assert served.session.call(order.response_id, "call_1", "get_weather", piece)
    events = served.take() + served.end()
    assert types(events) == [
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert (events[0]["item"]["call_id"], events[0]["item"]["arguments"], events[4]["name"]) == ("call_1", "", "get_weather")
    [called] = events[-2]["response"]["output"]
    assert called["arguments"] == '{"city": "Oslo"}' and events[-2]["response"]["status"] == "completed"
    served.send("conversation.item.create", item={"type": "function_call_output", "call_id": "call_1", "output": "rain"})
    served.send("response.create")
    lines = lines_of(served.session.conversation.items())
    assert [(line.role, line.text) for line in lines] == [("assistant", ""), ("tool", "rain")]
    assert not served.session.call("nobody", "c", "f", "{}")


def test_a_limit_stops_the_engine_and_lets_the_next_begin() -> None:
    served = Served()
    served.send("response.create", response={"max_output_tokens": 2, "output_modalities": ["text"]})
    first = served.wanted()[-1].response_id
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}})
    served.hear("." * 25 + "#" * 20 + "." * 30)
    assert not served.session.say(first, "Hello everybody")
    assert served.session.deadline() == 0.0, "the shell asks at once"
    before = len(served.orders)
    served.tick(0.0)
    stopped, wanted = served.orders[before:]
    assert stopped == ReplyStopped(first) and isinstance(wanted, ReplyWanted)
    done = next(event["response"] for event in served.sent if event["type"] == "response.done")
    assert done["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert done["output"][0]["status"] == "incomplete" and done["output"][0]["content"][0]["text"] == "Hello"
    assert done["usage"]["output_tokens"] == 2
    assert served.session.deadline() == LIFE_S and served.session.end_reply(first) == []
    served.reply()
    served.order.complete()


def test_sound_in_an_input_is_heard_and_belongs_to_that_answer_alone() -> None:
    served = Served()
    served.update(audio={"input": {"transcription": {"model": "x"}}})
    audio = base64.b64encode(to_bytes(tone(300, rate_hz=24_000))).decode()
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    events = served.send("response.create", response={"conversation": "none", "input": [item]})
    assert types(events) == ["response.created"]
    started, more, ended, wanted = served.orders
    assert isinstance(ended, ListenEnded) and isinstance(wanted, ReplyWanted) and wanted.context is not None
    served.session.transcribed(ended.item_id, "what is this", 300)
    assert served.take() == [] and len(served.session.conversation) == 0
    assert [line.text for line in lines_of(entry.item for entry in wanted.context)] == ["what is this"]
    served.reply()
    assert served.session.transcription_failed(ended.item_id, "too late") == [] and served.take() == []


def test_a_reply_may_break_off() -> None:
    served = Served()
    served.send("response.create")
    served.say("Once upon")
    served.orders += served.session.end_reply(served.wanted()[-1].response_id, incomplete="content_filter")
    done = served.take()[-2]["response"]
    assert (done["status"], done["status_details"]) == ("incomplete", {"type": "incomplete", "reason": "content_filter"})


@pytest.mark.parametrize("text", ["what he said", None])
def test_nothing_is_told_of_an_item_that_was_deleted_while_it_was_recognised(text: str | None) -> None:
    served = Served()
    served.update(audio={"input": {"transcription": {"model": "whisper-1"}, "turn_detection": None}})
    served.hear("#" * 30)
    item_id = served.send("input_audio_buffer.commit")[0]["item_id"]
    assert types(served.send("conversation.item.delete", item_id=item_id)) == ["conversation.item.deleted"]
    assert (served.session.transcription_failed(item_id, "?") if text is None else served.session.transcribed(item_id, text, 600)) == []
    assert served.take() == []


def test_orders_that_wait_for_a_tick_come_before_those_of_the_next_message() -> None:
    served = Served()
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}})
    served.send("response.create", response={"max_output_tokens": 2, "output_modalities": ["text"]})
    first = served.wanted()[-1].response_id
    served.hear("." * 25 + "#" * 20 + "." * 30)
    assert not served.session.say(first, "Hello everybody")
    before = len(served.orders)
    served.send("response.cancel")
    stopped, wanted, cancelled = served.orders[before:]
    assert isinstance(wanted, ReplyWanted) and [stopped, cancelled] == [ReplyStopped(first), ReplyStopped(wanted.response_id)]


def test_cancelling_by_name_stops_that_one_alone() -> None:
    served = Served()
    served.send("response.create")
    main = served.wanted()[-1].response_id
    served.session.say(main, "Main.")
    served.send("response.create", response={"conversation": "none"})
    beside = served.wanted()[-1].response_id
    served.session.call(beside, "c", "f", '{"x"')
    served.take()
    events = served.send("response.cancel", response_id=beside)
    want = ["response.function_call_arguments.done", "response.output_item.done", "response.done", "rate_limits.updated"]
    assert types(events) == want and served.orders[-1] == ReplyStopped(beside)
    done = events[-2]["response"]
    assert (done["id"], done["status"], done["status_details"]["reason"]) == (beside, "cancelled", "client_cancelled")
    assert done["output"][0]["status"] == "incomplete" and done["usage"]["output_tokens"] > 0
    for named in (beside, "nobody", ""):
        [error] = served.send("response.cancel", response_id=named, event_id="mine")
        assert (error["error"]["code"], error["error"]["event_id"]) == ("response_cancel_not_active", "mine")
    assert types(served.send("response.cancel", response_id=None))[-2:] == ["response.done", "rate_limits.updated"]
    [error] = served.send("response.cancel")
    assert error["error"]["code"] == "response_cancel_not_active"
    assert not served.session.call(beside, "c", "f", ": 1}") and not served.session.say(main, "late") and served.take() == []
    served.order.complete()
