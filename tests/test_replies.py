"""Which responses may begin, and which wait: one in the conversation, others beside it."""

from typing import Any

import msgspec
import pytest

from tests.support.served import counted
from tests.support.signals import tone
from voice.errors import ProtocolError
from voice.protocol.conversation import Conversation, Entry, message
from voice.protocol.lines import Line, lines_of
from voice.protocol.objects import Content, ResponseParams, StatusDetails
from voice.protocol.orders import ReplyStopped, ReplyWanted
from voice.protocol.replies import MAX_BESIDE, Output, Replies
from voice.protocol.settings import defaults

SESSION = defaults("m", "sess_1", 3600, "espeak", "Be brief.")


class Bench:
    """`Replies` over a conversation of one line."""

    def __init__(self) -> None:
        self.conversation = Conversation()
        self.conversation.add(Entry(message("item_1", "user", [Content("input_text", text="Hello")], "completed")))
        self.replies = Replies(self.conversation, "conv_1", counted("s"))

    def create(self, **params: Any) -> list[Output]:
        return list(self.replies.create(SESSION, msgspec.convert(params, ResponseParams)))

    def refused(self, **params: Any) -> tuple[str, str | None]:
        with pytest.raises(ProtocolError) as caught:
            self.create(**params)
        return caught.value.code, caught.value.param

    def turn(self, item_id: str) -> list[Output]:
        if item_id not in self.conversation:
            self.conversation.add(Entry(message(item_id, "user", [Content("input_audio", transcript=None)], "completed"), audio_ms=800))
        return list(self.replies.turn_ended(SESSION, item_id))

    def end(self) -> list[Output]:
        assert self.replies.active is not None
        return [*self.replies.end(self.replies.active), *self.replies.waiting(SESSION)]


def wanted(outputs: list[Output]) -> list[ReplyWanted]:
    return [output for output in outputs if isinstance(output, ReplyWanted)]


def body(outputs: list[Output], kind: str) -> dict[str, Any]:
    events = [msgspec.to_builtins(output) for output in outputs if isinstance(output, msgspec.Struct)]
    found: dict[str, Any] = next(event["response"] for event in events if event["type"] == kind)
    return found


def test_the_order_says_what_is_wanted() -> None:
    bench = Bench()
    assert wanted(bench.create()) == [ReplyWanted("resp_s1", True, "Be brief.", None, None, "espeak")]
    bench.end()
    assert wanted(bench.create(instructions="", output_modalities=["text"])) == [ReplyWanted("resp_s2", False, "", None, None, "espeak")]
    bench.end()
    assert wanted(bench.turn("item_1")) == [ReplyWanted("resp_s3", True, "Be brief.", None, "item_1", "espeak")]


def test_voice_and_speed_are_the_responses_or_the_sessions() -> None:
    bench = Bench()
    asked = {"output": {"voice": {"id": "voice_7"}, "speed": 1.25}}
    assert [(order.voice, order.speed) for order in wanted(bench.create(audio=asked))] == [("voice_7", 1.25)]
    bench.end()
    assert [(order.voice, order.speed) for order in wanted(bench.create(audio={"output": {"speed": None}}))] == [("espeak", 1.0)]


def test_an_input_replaces_the_conversation() -> None:
    text = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And you?"}]}
    given = [{"type": "item_reference", "id": "item_1"}, text, {"type": "function_call_output", "call_id": "c", "output": "x"}]
    [order] = wanted(Bench().create(input=given))
    assert order.context is not None
    lines = [Line("user", "Hello"), Line("user", "And you?"), Line("tool", "x", call_id="c")]
    assert lines_of(entry.item for entry in order.context) == lines
    assert wanted(Bench().create(input=[]))[0].context == ()
    assert wanted(Bench().create(input=None))[0].context is None


def test_what_was_asked_is_told() -> None:
    asked = {"output": {"format": {"type": "audio/pcm", "rate": 16_000}}}
    outputs = Bench().create(audio=asked, metadata={"k": "v"}, max_output_tokens=7, conversation="auto")
    created = body(outputs, "response.created")
    assert created["audio"] == {"output": {"format": {"type": "audio/pcm", "rate": 16_000}, "voice": "espeak"}}
    assert (created["metadata"], created["max_output_tokens"], created["conversation_id"]) == ({"k": "v"}, 7, "conv_1")
    assert created["output_modalities"] == ["audio"] and created["status"] == "in_progress" and created["usage"] is None


NO_CONTENT = [{"type": "message", "role": "user"}]
REFUSED: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"conversation": "other"}, ("invalid_value", "response.conversation")),
    ({"output_modalities": ["audio", "text"]}, ("invalid_value", "response.output_modalities")),
    ({"max_output_tokens": 5000}, ("invalid_value", "response.max_output_tokens")),
    ({"audio": {"output": {"format": {"type": "audio/opus"}}}}, ("invalid_value", "response.audio.output.format")),
    ({"metadata": {"a": "x" * 513}}, ("string_above_max_length", "response.metadata.a")),
    ({"metadata": {"k" * 65: "x"}}, ("string_above_max_length", f"response.metadata.{'k' * 64}")),
    ({"metadata": {str(n): "x" for n in range(17)}}, ("object_above_max_properties", "response.metadata")),
    ({"audio": {"input": {}}}, ("unknown_parameter", "response.audio.input")),
    ({"tools": [{"type": "function"}]}, ("missing_required_parameter", "response.tools[0].name")),
    ({"tool_choice": "perhaps"}, ("invalid_value", "response.tool_choice")),
    ({"tool_choice": {"type": "function", "name": "nobody"}}, ("invalid_value", "response.tool_choice")),
    ({"input": [{"type": "item_reference", "id": "nobody"}]}, ("item_not_found", "response.input[0].id")),
    ({"input": [{"type": "item_reference"}]}, ("missing_required_parameter", "response.input[0].id")),
    ({"input": NO_CONTENT}, ("missing_required_parameter", "response.input[0].content")),
]


@pytest.mark.parametrize(("params", "want"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused_leaves_nothing_open(params: dict[str, Any], want: tuple[str, str]) -> None:
    bench = Bench()
    assert bench.refused(**params) == want
    assert bench.replies.active is None and wanted(bench.create())


def test_one_at_a_time_in_the_conversation() -> None:
    bench = Bench()
    bench.create()
    assert bench.refused() == ("conversation_already_has_active_response", None)
    bench.end()
    assert wanted(bench.create())


def test_others_run_beside_it_up_to_a_number() -> None:
    bench = Bench()
    beside = [wanted(bench.create(conversation="none"))[0].response_id for _ in range(MAX_BESIDE)]
    assert bench.replies.active is None
    assert bench.refused(conversation="none") == ("too_many_responses", "response.conversation")
    assert wanted(bench.turn("item_1")), "a turn is answered whatever runs beside"
    assert bench.refused() == ("conversation_already_has_active_response", None)
    stopped = list(bench.replies.cancel(beside[3], "client_cancelled"))
    assert stopped[0] == ReplyStopped(beside[3]) and bench.replies.get(beside[3]) is None
    assert wanted(bench.create(conversation="none"))


def test_a_turn_waits_for_the_answer_in_progress() -> None:
    bench = Bench()
    bench.create()
    assert bench.turn("item_2") == bench.turn("item_3") == []
    assert wanted(bench.end()) == [ReplyWanted("resp_s2", True, "Be brief.", None, "item_3", "espeak")]
    done = body(bench.end(), "response.done")
    assert done["usage"]["input_token_details"]["audio_tokens"] == 16
    assert wanted(list(bench.replies.waiting(SESSION))) == []


def test_a_turn_that_waits_is_not_answered_twice() -> None:
    """The answer that it waits for is stopped, and another begins before it may: that one answers it too."""
    bench = Bench()
    bench.create()
    bench.turn("item_2")
    list(bench.replies.cancel(None, "turn_detected"))
    assert wanted(bench.turn("item_3"))[0].heard_item == "item_3"
    assert wanted(bench.end()) == []


def test_cancel_needs_something_to_cancel() -> None:
    bench = Bench()
    for response_id in (None, "resp_x"):
        with pytest.raises(ProtocolError) as caught:
            list(bench.replies.cancel(response_id, "client_cancelled"))
        assert caught.value.code == "response_cancel_not_active"
        assert str(caught.value).startswith(
            "Cancellation failed: no active response found." if response_id is None else "Cancellation failed: response '"
        )


def test_a_response_that_is_not_active_is_named() -> None:
    """Another one may well be."""
    bench = Bench()
    bench.create()
    for response_id, shown in (("resp_x", "resp_x"), ("x" * 500, "x" * 80)):
        with pytest.raises(ProtocolError) as caught:
            list(bench.replies.cancel(response_id, "client_cancelled"))
        assert str(caught.value) == f"Cancellation failed: response '{shown}' is not active."
        assert (caught.value.code, caught.value.param) == ("response_cancel_not_active", "response_id")


def test_an_end_ends_once() -> None:
    bench = Bench()
    bench.create()
    reply = bench.replies.active
    assert reply is not None
    assert len(list(bench.replies.end(reply, StatusDetails("failed")))) == 2
    assert list(bench.replies.end(reply)) == []
    late = [bench.replies.say(response_id, "x") for response_id in ("resp_s1", "nobody")]
    late += [bench.replies.sound("resp_s1", tone(20), 16_000, ()), bench.replies.call("resp_s1", "call_1", "f", "{}")]
    assert [list(outputs) for outputs in late] == [[]] * 4
