"""A stage between a client and what answers: what each of the two is told. Behind it is our own answering session, checked event by event."""

import json

import pytest

from tests.support.front import ORDERS, REFUND, SECRET, THEIRS, Front, kinds, veil
from voice.protocol.backstage import Backstage
from voice.protocol.overture import REFUSED
from voice.protocol.rounds import TOO_MANY
from voice.protocol.tools import MAX_CALLS, MAX_ROUNDS
from voice.protocol.veil import Veil

DONE = "response.done"


def test_the_client_finds_its_session_without_what_was_added() -> None:
    front = Front()
    assert kinds(front.told) == ["session.created"]
    [update] = front.up
    assert [tool["name"] for tool in update["session"]["tools"]] == [ORDERS.name, REFUND.name]
    assert SECRET in update["session"]["instructions"]
    session = front.told[0]["session"]
    assert (session["tools"], session["instructions"]) == ([], "")


def test_settings_of_the_client_go_on_with_the_additions_and_come_back_without() -> None:
    front = Front()
    [told] = front.ask("session.update", session={"type": "realtime", "tools": [THEIRS], "instructions": "Be brief."})
    assert told["type"] == "session.updated"
    assert (told["session"]["instructions"], [tool["name"] for tool in told["session"]["tools"]]) == ("Be brief.", ["theirs"])
    sent = front.up[-1]["session"]
    assert [tool["name"] for tool in sent["tools"]] == ["theirs", ORDERS.name, REFUND.name]
    assert sent["instructions"].startswith("Be brief.\n\n") and sent["instructions"].endswith(
        f"<m4rk>\n{json.dumps({'basket': ['a ' + SECRET]}, separators=(',', ':'))}\n</m4rk>"
    )
    front.ask("session.update", session={"type": "realtime", "audio": {"output": {"speed": 1.1}}})
    assert front.up[-1]["session"] == {"type": "realtime", "audio": {"output": {"speed": 1.1}}}, "what it does not name stays"


def test_one_call_and_its_answer_are_one_response_of_words() -> None:
    front = Front()
    front.say()
    front.call(ORDERS.name, "call_1", '{"number": 1003}')
    assert not front.calls, "nothing runs before the response is complete"
    assert front.end() == []
    [call] = front.calls
    assert (call.call_id, call.name, call.arguments) == ("call_1", ORDERS.name, '{"number": 1003}')
    before = len(front.up)
    assert front.give("call_1", "shipped") == []
    item, create = front.up[before:]
    assert (item["item"]["type"], item["item"]["output"]) == ("function_call_output", "shipped")
    assert create["type"] == "response.create"
    front.words("It is on its way.")
    front.end()
    assert len(front.of("response.created")) == len(front.of(DONE)) == len(front.of("rate_limits.updated")) == 1
    [done] = front.of(DONE)
    response = done["response"]
    assert [item["type"] for item in response["output"]] == ["message"]
    assert response["id"] == front.of("response.created")[0]["response"]["id"]
    behind = [event["response"]["usage"] for event in front.server.sent if event["type"] == DONE]
    assert response["usage"]["total_tokens"] == sum(usage["total_tokens"] for usage in behind) > behind[1]["total_tokens"]
    front.order.complete()


def test_words_before_a_call_stay_and_those_behind_it_follow_them() -> None:
    front = Front()
    front.say()
    front.words("One moment.")
    front.call(ORDERS.name, "call_1")
    front.end()
    front.give("call_1")
    front.words("It is on its way.")
    front.end()
    [done] = front.of(DONE)
    said = [item["content"][0]["transcript"] for item in done["response"]["output"]]
    assert said == ["One moment.", "It is on its way."]
    assert [event["output_index"] for event in front.of("response.output_item.added")] == [0, 1]
    front.order.complete()


def test_several_calls_are_answered_once() -> None:
    front = Front()
    front.say()
    for number in (1, 2, 3):
        front.call(ORDERS.name, f"call_{number}")
    front.end()
    assert [call.call_id for call in front.calls] == ["call_1", "call_2", "call_3"]
    creates = len(front.sent("response.create"))
    for number in (2, 3, 1):
        assert len(front.sent("response.create")) == creates
        front.give(f"call_{number}")
    assert len(front.sent("response.create")) == creates + 1
    front.words("All of them.")
    front.end()
    front.order.complete()


def test_too_many_calls_at_once_are_told_so() -> None:
    front = Front()
    front.say()
    for number in range(MAX_CALLS + 2):
        front.call(ORDERS.name, f"call_{number}")
    front.end()
    assert len(front.calls) == MAX_CALLS
    outputs = [event["item"]["output"] for event in front.sent("conversation.item.create") if "output" in event["item"]]
    assert outputs == [TOO_MANY, TOO_MANY]


def test_after_many_rounds_the_model_has_to_answer_in_words() -> None:
    front = Front()
    front.say(tool_choice="auto")
    for number in range(MAX_ROUNDS):
        front.call(ORDERS.name, f"call_{number}")
        front.end()
        front.give(f"call_{number}")
    choices = [event["response"]["tool_choice"] for event in front.sent("response.create")]
    assert choices == [*["auto"] * MAX_ROUNDS, "none"]
    front.call(ORDERS.name, "call_last")
    front.end()
    assert len(front.calls) == MAX_ROUNDS and len(front.of(DONE)) == 1, "even where the model calls nevertheless"
    front.order.complete()


def test_who_forces_a_call_is_called_by_its_own_names() -> None:
    front = Front()
    front.ask("session.update", session={"type": "realtime", "tools": [THEIRS]})
    front.ask("session.update", session={"type": "realtime", "tool_choice": "required"})
    front.say()
    assert [tool.name for tool in front.server.wanted()[-1].toolbox.tools] == ["theirs"]
    front.end()
    front.say(tool_choice="auto")
    assert [tool.name for tool in front.server.wanted()[-1].toolbox.tools] == ["theirs", ORDERS.name, REFUND.name]
    front.end()
    assert front.ask("session.update", session={"type": "realtime", "tools": [{"type": "function"}]})[0]["type"] == "error"
    [told] = front.ask("session.update", session={"type": "realtime", "tool_choice": "none"})
    assert (told["session"]["tools"], told["session"]["tool_choice"]) == ([THEIRS], "none"), "what was refused is forgotten"
    front.order.complete()


def test_what_was_asked_for_holds_in_every_round() -> None:
    front = Front()
    front.say(output_modalities=["text"], metadata={"n": "7"}, instructions="Rhyme.")
    front.call(ORDERS.name, "call_1")
    front.end()
    front.give("call_1")
    front.words("Near, my dear.")
    front.end()
    first, second = (event["response"] for event in front.sent("response.create"))
    assert second == {**first, "tool_choice": "auto"} and SECRET in first["instructions"]
    [done] = front.of(DONE)
    assert (done["response"]["metadata"], done["response"]["output_modalities"]) == ({"n": "7"}, ["text"])
    front.order.complete()


def test_a_response_with_an_input_of_its_own_is_shown_the_call_and_its_output() -> None:
    front = Front()
    front.say(input=[{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where?"}]}])
    front.call(ORDERS.name, "call_1")
    front.end()
    front.give("call_1", "shipped")
    asked = front.sent("response.create")[-1]["response"]["input"]
    assert [entry["type"] for entry in asked] == ["message", "function_call", "function_call_output"]
    read = [entry.item for entry in front.server.wanted()[-1].context or ()]
    assert [item.type for item in read] == ["message", "function_call", "function_call_output"]


def test_calls_of_the_client_beside_ours_are_answered_together() -> None:
    front = Front()
    front.ask("session.update", session={"type": "realtime", "tools": [THEIRS]})
    front.say()
    front.call("theirs", "call_1")
    front.call(ORDERS.name, "call_2")
    assert DONE in kinds(front.end()), "the client is to answer its own"
    assert [item["name"] for item in front.of(DONE)[0]["response"]["output"]] == ["theirs"]
    front.ask("conversation.item.create", item={"type": "function_call_output", "call_id": "call_1", "output": "done"})
    creates = len(front.sent("response.create"))
    assert front.ask("response.create", event_id="mine") == []
    [refused] = front.ask("response.create", event_id="another")
    assert refused["error"]["code"] == "conversation_already_has_active_response" and refused["error"]["event_id"] == "another"
    assert len(front.sent("response.create")) == creates
    assert "response.created" in kinds(front.give("call_2"))
    assert [event["event_id"] for event in front.sent("response.create")[creates:]] == ["mine"]
    front.words("Both done.")
    front.end()
    front.order.complete()


def test_our_output_that_comes_first_holds_nothing_up() -> None:
    front = Front()
    front.ask("session.update", session={"type": "realtime", "tools": [THEIRS]})
    front.say()
    front.call(ORDERS.name, "call_2")
    front.call("theirs", "call_1")
    front.end()
    assert [event["output_index"] for event in front.of("response.output_item.added")] == [0]
    front.give("call_2")
    front.ask("conversation.item.create", item={"type": "function_call_output", "call_id": "call_1", "output": "done"})
    assert "response.created" in kinds(front.ask("response.create"))
    front.words("Both done.")
    front.end()
    front.order.complete()


def test_behind_what_was_deleted_stands_what_is_left() -> None:
    front = Front()
    front.say("One.")
    front.end()
    front.say("Two.")
    front.call(ORDERS.name, "call_1")
    front.end()
    one, two, *_ = front.order.conversation
    front.ask("conversation.item.delete", item_id=two)
    front.give("call_1")
    front.words("It is on its way.")
    assert front.of("conversation.item.added")[-1]["previous_item_id"] == one
    front.end()
    front.order.complete()


def test_a_model_that_calls_ours_beside_the_conversation_runs_nothing() -> None:
    front = Front()
    front.ask("response.create", response={"conversation": "none"})
    front.call(ORDERS.name, "call_1")
    front.words("Aside.")
    front.end()
    [done] = front.of(DONE)
    assert [item["type"] for item in done["response"]["output"]] == ["message"] and not front.calls
    assert [event["output_index"] for event in front.of("response.output_item.added")] == [0]
    front.order.complete()


def test_what_the_client_does_not_see_it_cannot_touch() -> None:
    front = Front()
    front.say()
    front.call(ORDERS.name, "call_1")
    front.end()
    front.give("call_1")
    front.words("It is on its way.")
    front.end()
    unseen = [str(item.id) for item in front.server.session.conversation.items() if str(item.type).startswith("function_call")]
    assert len(unseen) == 2
    for item_id in unseen:
        for kind in ("retrieve", "delete"):
            [told] = front.ask(f"conversation.item.{kind}", item_id=item_id, event_id="mine")
            assert (told["error"]["code"], told["error"]["event_id"]) == ("item_not_found", "mine")
        [told] = front.ask("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0)
        assert told["error"]["code"] == "item_not_found"
        message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hm."}]}
        [told] = front.ask("conversation.item.create", previous_item_id=item_id, item=message)
        assert told["error"]["param"] == "previous_item_id"
        wish = {"conversation": "none", "input": [{**message}, {"type": "item_reference", "id": item_id}]}
        [told] = front.ask("response.create", response=wish, event_id="mine")
        error = {"type": "invalid_request_error", "code": "item_not_found", "param": "response.input[1].id", "event_id": "mine"}
        assert told["error"] == {**error, "message": f"Item with item_id '{item_id}' does not exist."}
    [told] = front.ask("conversation.item.create", item={"type": "function_call_output", "call_id": "call_1", "output": "free"})
    assert told["error"]["param"] == "item.call_id"
    assert len(front.server.session.conversation.items()) == 4
    front.order.complete()


def test_with_a_question_goes_what_was_called_for_it() -> None:
    front = Front()
    for number in (1, 2):
        front.say()
        front.words("One moment.")
        front.call(ORDERS.name, f"call_{number}")
        front.end()
        front.give(f"call_{number}")
        front.words("It is on its way.")
        front.end()
    one, moment, answer, *rest = front.order.conversation
    assert kinds(front.ask("conversation.item.delete", item_id=moment)) == ["conversation.item.deleted"]
    assert len(front.sent("conversation.item.delete")) == 1, "an answer takes nothing along"
    assert kinds(front.ask("conversation.item.delete", item_id=one)) == ["conversation.item.deleted"]
    assert front.order.conversation == [answer, *rest]
    left = [str(item.type) for item in front.server.session.conversation.items()]
    assert left == ["message", "message", "message", "function_call", "function_call_output", "message"]
    front.order.complete()


@pytest.mark.parametrize("path", ["session", "response"])
def test_a_client_does_not_take_a_name_of_ours(path: str) -> None:
    front = Front()
    fields = {"tools": [{"type": "function", "name": REFUND.name}]}
    kind = "session.update" if path == "session" else "response.create"
    assert SECRET in (text := front.stage.up(json.dumps({"type": kind, path: {"type": "realtime", **fields}})).down[0])
    assert json.loads(text)["error"]["param"] == f"{path}.tools[0].name"
    chosen = {"tool_choice": {"type": "function", "name": REFUND.name}}
    assert front.stage.up(json.dumps({"type": kind, path: chosen})).up == ()


def test_beside_the_conversation_our_tools_are_not_offered() -> None:
    front = Front()
    front.ask("session.update", session={"type": "realtime", "tools": [THEIRS]})
    front.ask("response.create", response={"conversation": "none", "metadata": {"n": "1"}})
    assert [tool.name for tool in front.server.wanted()[-1].toolbox.tools] == ["theirs"]
    beside = front.server.wanted()[-1].response_id
    front.say()
    front.call(ORDERS.name, "call_1")
    front.end()
    front.server.session.say(beside, "Aside.")
    front.server.session.end_reply(beside)
    front.server.take()
    front.run()
    assert [event["response"]["id"] for event in front.of(DONE)] == [beside]
    front.give("call_1")
    front.words("It is on its way.")
    front.end()
    assert len(front.of(DONE)) == 2
    front.order.complete()


def test_settings_that_are_refused_end_the_session_before_it_begins() -> None:
    stage = Backstage(veil(), lambda kind: f"{kind}_1")
    created = {"type": "session.created", "event_id": "e1", "session": {"type": "realtime", "instructions": "Hi."}}
    [update] = stage.down(json.dumps(created)).up
    assert json.loads(update)["session"]["instructions"].startswith("Hi.\n\n")
    error = {"type": "invalid_request_error", "message": f"bad {SECRET}"}
    staged = stage.down(json.dumps({"type": "error", "event_id": "e2", "error": error}))
    [told] = map(json.loads, staged.down)
    assert (told["type"], told["error"]["code"], staged.over) == ("error", "server_settings_refused", REFUSED)


def test_a_session_that_only_writes_down_is_left_as_it_is() -> None:
    stage = Backstage(veil(), lambda kind: f"{kind}_1")
    texts = ['{"session":{"type":"transcription"},"type":"session.created"}', '{"type": "anything",  "session": {}}', "no json"]
    assert [stage.down(text).down for text in texts] == [(text,) for text in texts]
    assert stage.ready and stage.up(texts[1]).up == (texts[1],)


def test_sound_and_what_a_server_says_in_no_event_pass_as_they_are() -> None:
    front = Front(Veil(names=()))
    append = '{ "type":"input_audio_buffer.append","audio" :"AAAA"}'
    assert front.stage.up(append).up == (append,)
    delta = '{"type":"response.output_audio.delta", "delta" : "AAAA"}'
    unknown = '{"type":"ping",   "n":1}'
    assert [front.stage.down(text).down for text in (delta, unknown, "no json")] == [(delta,), (unknown,), ("no json",)]


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"input_audio_buffer.append","audio":"AAAA","type":"session.update","session":{"type":"realtime","tools":[]}}',
        '{"type":"input_audio_buffer.append","\\u0074ype":"session.update","session":{"type":"realtime","tools":[]}}',
    ],
)
def test_an_event_of_two_types_is_not_taken_for_sound(text: str) -> None:
    front = Front()
    [up] = front.stage.up(text).up
    assert [tool["name"] for tool in json.loads(up)["session"]["tools"]] == [ORDERS.name, REFUND.name]
