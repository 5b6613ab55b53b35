"""Functions that a model calls: run once and at once, their outputs sent, and one answer asked for, whatever happens meanwhile."""

import pytest

from tests.support.calling import Caller, call_item
from voice.protocol.errands import MAX_BATCHES, MAX_RUNNING, TOO_MANY, answer_to_outputs
from voice.protocol.notices import ToolStarted
from voice.protocol.objects import ResponseParams, Session

OUTPUT = "conversation.item.create function_call_output"
CALL = "conversation.item.create function_call"
ANSWER = "response.create"
ACTIVE = "conversation_already_has_active_response"


def refuse(caller: Caller, code: str = ACTIVE) -> None:
    """The server refuses the newest wish."""
    error = {"type": "invalid_request_error", "message": "no", "code": code, "event_id": caller.asked[-1]["event_id"]}
    caller.tell("error", error=error)


def test_a_call_an_output_an_answer() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    assert [notice for notice in caller.notices if isinstance(notice, ToolStarted)] == [ToolStarted("c1", "weather", '{"n":1}')]
    assert caller.rows() == []
    assert caller.finish(1, '"clear"')
    assert caller.rows() == [f"{OUTPUT} c1", ANSWER]
    assert caller.outputs[0]["output"] == '"clear"'
    assert caller.asked[0]["response"] == {}
    caller.begins("r2")
    caller.ends("r2")
    assert len(caller.asked) == 1


def test_calls_of_one_response_run_side_by_side_and_have_one_answer() -> None:
    caller = Caller()
    caller.begins("r1")
    caller.calls("r1", 1, 2, 3)
    assert caller.started == ["c1", "c2", "c3"]
    caller.finish(2)
    caller.ends("r1", 1, 2, 3)
    caller.finish(3)
    assert caller.rows() == [f"{OUTPUT} c2", f"{OUTPUT} c3"], "outputs go as they come"
    caller.finish(1)
    assert caller.rows() == [f"{OUTPUT} c2", f"{OUTPUT} c3", f"{OUTPUT} c1", ANSWER]
    assert caller.started == ["c1", "c2", "c3"]


def test_the_answer_waits_for_the_end_of_the_response_that_called() -> None:
    caller = Caller()
    caller.begins("r1")
    caller.calls("r1", 1)
    caller.finish(1)
    assert caller.rows() == [f"{OUTPUT} c1"]
    caller.ends("r1", 1)
    assert caller.rows() == [f"{OUTPUT} c1", ANSWER]


def test_a_server_that_does_not_say_that_a_response_begins() -> None:
    caller = Caller()
    caller.calls("r1", 1)
    caller.finish(1)
    assert caller.asked == [], "more may be called"
    caller.calls("r1", 2)
    caller.finish(2)
    caller.ends("r1", 1, 2)
    assert len(caller.asked) == 1


def test_a_call_ends_once() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    assert caller.finish(1) and not caller.finish(1) and not caller.finish(7)
    assert len(caller.outputs) == 1 == len(caller.asked)


def test_a_cancelled_answer_whose_call_was_whole_is_answered_too() -> None:
    caller = Caller()
    caller.begins("r1")
    caller.calls("r1", 1)
    caller.tell("response.output_item.added", response_id="r1", item=call_item(2, "in_progress"))
    caller.tell("response.done", response={"id": "r1", "status": "cancelled", "output": [call_item(1), call_item(2, "incomplete")]})
    assert caller.started == ["c1"]
    caller.finish(1)
    assert caller.rows() == [f"{OUTPUT} c1", ANSWER]


def test_nothing_runs_where_there_are_no_functions() -> None:
    caller = Caller()
    caller.client.errands.on = False
    caller.answers_with("r1", 1)
    assert caller.started == [] and not caller.finish(1)


# The user goes on talking.


def talk(caller: Caller, item_id: str = "u1") -> None:
    caller.tell("input_audio_buffer.speech_started", audio_start_ms=0, item_id=item_id)


def hush(caller: Caller, item_id: str = "u1") -> None:
    caller.tell("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id=item_id)
    caller.tell("input_audio_buffer.committed", item_id=item_id)


def test_an_answer_to_the_user_that_knew_the_outputs_is_the_only_one() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    talk(caller)
    caller.finish(1)
    caller.tells_of_outputs()
    assert caller.asked == [], "nobody is interrupted"
    caller.tell("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="u1")
    caller.begins("r2")
    caller.ends("r2")
    assert caller.rows() == [f"{OUTPUT} c1", ANSWER], "the wish went before the server was heard to answer"
    refuse(caller)
    assert len(caller.asked) == 1, "and is not made again: r2 has seen the output"


def test_the_servers_answer_comes_at_once_behind_the_turn() -> None:
    """As the service does it: everything in one go, so the wish that crosses it is refused."""
    caller = Caller()
    caller.answers_with("r1", 1)
    talk(caller)
    caller.finish(1)
    caller.tells_of_outputs()
    hush(caller)
    caller.begins("r2")
    refuse(caller)
    caller.ends("r2")
    assert len(caller.asked) == 1 and not caller.client.arbiter.busy


def test_an_answer_to_the_user_that_did_not_know_the_output_is_followed_by_one_that_does() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    talk(caller)
    hush(caller)
    caller.begins("r2")
    caller.finish(1)
    caller.tells_of_outputs()
    assert caller.rows() == [f"{OUTPUT} c1"]
    caller.ends("r2")
    assert caller.rows() == [f"{OUTPUT} c1", ANSWER]


def test_the_server_was_first_by_a_moment() -> None:
    """Our wish is on its way when the server answers a turn: that answer has not seen the output, and ours is refused."""
    caller = Caller()
    caller.answers_with("r1", 1)
    caller.finish(1)
    assert len(caller.asked) == 1
    caller.begins("r2")
    caller.tells_of_outputs()
    refuse(caller)
    assert len(caller.asked) == 1
    caller.ends("r2")
    assert len(caller.asked) == 2
    caller.begins("r3")
    caller.ends("r3")
    assert len(caller.asked) == 2


def test_a_server_that_tells_nothing_of_items_is_asked_all_the_same() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    talk(caller)
    hush(caller)
    caller.begins("r2")
    caller.finish(1)
    caller.ends("r2")
    caller.begins("r3")
    caller.ends("r3")
    assert len(caller.asked) == 1


def test_a_typed_message_that_waits_is_answered_together_with_the_outputs() -> None:
    caller = Caller()
    caller.begins("r1")
    caller.calls("r1", 1)
    caller.client.say("and tomorrow?")
    caller.finish(1)
    caller.tells_of_outputs()
    caller.ends("r1", 1)
    assert len(caller.asked) == 1
    caller.begins("r2")
    caller.ends("r2")
    assert len(caller.asked) == 1


def test_two_batches_that_end_together_have_one_answer() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    caller.begins("r2")
    caller.calls("r2", 2)
    caller.finish(1)
    caller.finish(2)
    caller.tells_of_outputs()
    caller.ends("r2", 2)
    caller.begins("r3")
    caller.ends("r3")
    assert len(caller.asked) == 1


def test_nobody_waits_for_ever_for_the_end_of_a_sentence() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    talk(caller)
    caller.finish(1)
    deadlines = 0
    while not caller.asked:
        due = caller.client.deadline()
        assert due is not None and due > caller.now
        caller.now, deadlines = due, deadlines + 1
        caller.client.tick(caller.now)
        caller.flush()
    assert caller.now == pytest.approx(130, abs=1) and deadlines < 150


def test_a_wish_that_is_refused_for_good_is_given_up() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    caller.finish(1)
    refuse(caller, "rate_limit_exceeded")
    caller.begins("r2")
    caller.ends("r2")
    assert len(caller.asked) == 1


def test_too_many_at_once() -> None:
    caller = Caller()
    caller.answers_with("r1", *range(MAX_RUNNING + 2))
    assert len(caller.started) == MAX_RUNNING
    assert [(item["call_id"], item["output"]) for item in caller.outputs] == [(f"c{MAX_RUNNING + n}", TOO_MANY) for n in range(2)]
    for n in range(MAX_RUNNING):
        caller.finish(n)
    assert len(caller.asked) == 1


def test_a_server_that_tells_of_some_outputs_only_costs_no_memory() -> None:
    caller = Caller()
    for n in range(2 * MAX_BATCHES):
        caller.answers_with(f"r{n}", n)
        caller.finish(n)
        caller.client.errands.said()
        if n == 0:
            caller.tells_of_outputs()
        caller.begins(f"a{n}")
        caller.ends(f"a{n}")
    assert len(caller.client.errands._batches) == MAX_BATCHES
    assert len(caller.asked) == 2 * MAX_BATCHES


@pytest.mark.parametrize(("choice", "wanted"), [("required", "auto"), ({"type": "function", "name": "weather"}, "auto"), ("auto", None)])
def test_a_session_that_wants_a_call_each_time_does_not_go_on_for_ever(choice: object, wanted: str | None) -> None:
    params = answer_to_outputs(Session(tool_choice=choice))  # type: ignore[arg-type]
    assert params == (ResponseParams() if wanted is None else ResponseParams(tool_choice=wanted))
    assert answer_to_outputs(None) == ResponseParams()


# The link breaks.


def test_what_was_called_before_is_restored_with_what_came_of_it() -> None:
    caller = Caller()
    caller.client.inbound.history.write("u1", "user", "the weather?")
    caller.answers_with("r1", 1, 2)
    caller.finish(2, "2")
    caller.finish(1, "1")
    caller.tells_of_outputs()
    caller.begins("r2")
    caller.client.inbound.history.write("a1", "assistant", "It is clear.")
    caller.ends("r2")
    caller.link()
    want = ["conversation.item.create message u1", f"{CALL} c1", f"{CALL} c2", f"{OUTPUT} c2", f"{OUTPUT} c1"]
    assert caller.rows() == [*want, "conversation.item.create message a1"]
    assert [item["arguments"] for item in caller.items if item["type"] == "function_call"] == ['{"n":1}', '{"n":2}']
    assert [item["id"] for item in caller.items if item["type"] == "function_call"] == ["i1", "i2"]
    assert caller.started == ["c1", "c2"] and caller.asked == []


def test_what_runs_while_the_link_breaks_is_told_with_its_call() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    caller.link()
    assert caller.rows() == [], "a call is not restored without its output"
    caller.finish(1)
    assert caller.rows() == [f"{CALL} c1", f"{OUTPUT} c1", ANSWER]
    caller.tells_of_outputs()
    caller.begins("r2")
    caller.ends("r2")
    caller.link()
    assert caller.rows() == [f"{CALL} c1", f"{OUTPUT} c1"] and caller.started == ["c1"]


def test_what_ends_while_there_is_no_link_is_told_to_the_next() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    caller.client.errands.ended("c1", "late")
    caller.link(ready=False)
    assert caller.rows() == [f"{CALL} c1", f"{OUTPUT} c1"]
    caller.ready()
    assert caller.rows() == [f"{CALL} c1", f"{OUTPUT} c1", ANSWER]


def test_an_answer_that_was_asked_for_when_the_link_broke_is_asked_for_again() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    caller.finish(1)
    caller.link()
    assert caller.rows() == [f"{CALL} c1", f"{OUTPUT} c1", ANSWER]


def test_an_answer_that_had_begun_to_be_made_is_asked_for_again_once() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    caller.finish(1)
    caller.tells_of_outputs()
    caller.begins("r2")
    caller.link()
    assert caller.rows() == [f"{CALL} c1", f"{OUTPUT} c1", ANSWER]


def test_the_link_breaks_in_the_middle_of_the_answer_that_calls() -> None:
    caller = Caller()
    caller.begins("r1")
    caller.calls("r1", 1)
    caller.tell("response.output_item.added", response_id="r1", item=call_item(2, "in_progress"))
    caller.tell("response.function_call_arguments.done", response_id="r1", item_id="i2", call_id="c2", arguments='{"n":2}')
    caller.tell("response.output_item.added", response_id="r1", item=call_item(3, "in_progress"))
    caller.link()
    assert caller.started == ["c1", "c2"], "the second was told in full, and the answer is not asked for again"
    assert caller.asked == []
    caller.finish(2)
    caller.finish(1)
    assert caller.rows() == [f"{CALL} c2", f"{OUTPUT} c2", f"{CALL} c1", f"{OUTPUT} c1", ANSWER]


def test_one_output_before_the_break_and_one_behind_it() -> None:
    caller = Caller()
    caller.answers_with("r1", 1, 2)
    caller.finish(1)
    caller.link()
    assert caller.rows() == [f"{CALL} c1", f"{OUTPUT} c1"]
    caller.finish(2)
    assert caller.rows() == [f"{CALL} c1", f"{OUTPUT} c1", f"{CALL} c2", f"{OUTPUT} c2", ANSWER]


def test_a_turn_that_is_sent_again_is_answered_before() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    talk(caller)
    caller.finish(1)
    caller.link()
    assert caller.asked == []
    caller.tells_of_outputs()
    talk(caller, "u2")
    hush(caller, "u2")
    caller.begins("r2")
    refuse(caller)
    caller.ends("r2")
    assert len(caller.asked) == 1, "the wish that crossed the server's answer"


def test_an_answer_whose_function_was_called_is_not_asked_for_again() -> None:
    """As on a server that tells of calls with their items only."""
    caller = Caller()
    caller.begins("r1")
    caller.tell("response.output_item.done", response_id="r1", item=call_item(1))
    caller.link()
    assert caller.asked == [] and caller.started == ["c1"]


def test_a_restored_call_is_not_run_again() -> None:
    caller = Caller()
    caller.answers_with("r1", 1)
    caller.finish(1)
    caller.link()
    caller.tell("conversation.item.added", item=call_item(1))
    caller.tell("conversation.item.done", item=call_item(1))
    caller.tell("response.output_item.done", response_id="r9", item=call_item(1))
    assert caller.started == ["c1"]
