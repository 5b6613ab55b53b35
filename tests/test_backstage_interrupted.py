"""A stage while a tool of the server's runs: cancels, speech, other wishes, refusals."""

import json

from tests.support.front import ORDERS, REFUND, Front, kinds
from voice.protocol.rounds import NOT_RUN

DONE = "response.done"


def test_a_cancel_while_a_tool_runs_ends_the_response_at_once() -> None:
    front = Front()
    created = front.say()[-1]
    front.call(REFUND.name, "call_1")
    front.end()
    told = front.ask("response.cancel", response_id=created["response"]["id"])
    assert kinds(told) == [DONE, "rate_limits.updated"]
    assert told[0]["response"]["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    creates = len(front.sent("response.create"))
    assert front.give("call_1", "refunded") == []
    assert len(front.sent("response.create")) == creates, "nobody waits for an answer"
    front.say("And now?")
    outputs = [item.output for item in front.server.session.conversation.items() if item.type == "function_call_output"]
    assert outputs == ["refunded"], "what was done is known to the next answer"
    front.words("It is refunded.")
    front.end()
    front.order.complete()


def test_speech_while_a_tool_runs_ends_the_response() -> None:
    front = Front()
    front.say()
    front.call(ORDERS.name, "call_1")
    front.end()
    told = kinds(front.hear("....########"))
    assert told[:3] == [DONE, "rate_limits.updated", "input_audio_buffer.speech_started"]
    assert front.of(DONE)[0]["response"]["status_details"]["reason"] == "turn_detected"
    front.give("call_1")
    front.hear("#" + "." * 60)
    front.words("Pardon?")
    front.end()
    front.order.complete()


def test_speech_that_is_not_to_interrupt_does_not() -> None:
    front = Front()
    turns = {"type": "server_vad", "interrupt_response": False, "create_response": False}
    front.ask("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": turns}}})
    front.say()
    front.call(ORDERS.name, "call_1")
    front.end()
    assert DONE not in kinds(front.hear("....########" + "." * 60))
    front.give("call_1")
    front.words("It is on its way.")
    front.end()
    front.order.complete()


def test_a_turn_that_is_answered_while_a_tool_runs_ends_the_response_before() -> None:
    front = Front()
    turns = {"type": "server_vad", "interrupt_response": False}
    front.ask("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": turns}}})
    front.say()
    front.call(ORDERS.name, "call_1")
    front.end()
    front.hear("....########" + "." * 60)
    front.words("Yes?")
    front.give("call_1")
    front.end()
    assert [event["response"]["status"] for event in front.of(DONE)] == ["cancelled", "completed"]
    assert len(front.sent("response.create")) == 1
    front.order.complete()


def test_calls_of_an_answer_that_was_broken_off_are_not_run() -> None:
    front = Front()
    front.say()
    front.call(ORDERS.name, "call_1")
    front.call(ORDERS.name, "call_2")
    front.words("And")
    front.ask("response.cancel")
    assert front.calls == [] and front.of(DONE)[0]["response"]["status"] == "cancelled"
    outputs = {item.call_id: item.output for item in front.server.session.conversation.items() if item.type == "function_call_output"}
    assert outputs == {"call_1": NOT_RUN, "call_2": NOT_RUN}, "a model is not to wonder"
    front.order.complete()


def test_a_client_cannot_ask_again_while_a_tool_runs() -> None:
    front = Front()
    front.say()
    front.call(ORDERS.name, "call_1")
    front.end()
    [told] = front.ask("response.create", event_id="mine")
    assert (told["error"]["code"], told["error"]["event_id"]) == ("conversation_already_has_active_response", "mine")
    assert front.of("response.created")[0]["response"]["id"] in told["error"]["message"]


def test_a_round_that_is_refused_ends_the_response() -> None:
    front = Front()
    front.say()
    front.call(ORDERS.name, "call_1")
    front.end()
    staged = front.stage.finished("call_1", "shipped")
    asked = json.loads(staged.up[-1])
    error = {"type": "server_error", "code": "overloaded", "message": "Later.", "param": None, "event_id": asked["event_id"]}
    told = [json.loads(text) for text in front.stage.down(json.dumps({"type": "error", "event_id": "e1", "error": error})).down]
    assert kinds(told) == [DONE, "rate_limits.updated"]
    assert (told[0]["response"]["status"], told[0]["response"]["status_details"]["error"]["code"]) == ("failed", "overloaded")


def test_a_cancel_between_the_wish_and_its_response_reaches_it() -> None:
    front = Front()
    front.say()
    front.call(ORDERS.name, "call_1")
    front.end()
    front.stage.finished("call_1", "shipped")
    shown = front.of("response.created")[0]["response"]["id"]
    [up] = front.stage.up(json.dumps({"type": "response.cancel", "response_id": shown})).up
    assert json.loads(up) == {"type": "response.cancel"}
    again = front.stage.up(json.dumps({"type": "response.create"}))
    assert len(again.up) == 1 and not again.down, "it is for the server behind to take it or not"
