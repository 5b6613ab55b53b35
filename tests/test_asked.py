"""What `response.create` asks for: filled in from the session, refused before anything begins, counted."""

import base64
from typing import Any

import msgspec
import pytest

from tests.support.served import counted
from tests.support.signals import tone
from voice.audio.encoding import PCM, PCMU, Encoding
from voice.audio.pcm import to_bytes
from voice.errors import ProtocolError
from voice.policy.usage import Tokens, text_tokens
from voice.protocol.asked import MAX_METADATA_KEY, MAX_METADATA_PAIRS, MAX_METADATA_VALUE, Asked, asked
from voice.protocol.conversation import Conversation, Entry, message
from voice.protocol.lines import lines_of
from voice.protocol.objects import Content, Item, ResponseParams, Session
from voice.protocol.orders import ListenEnded, ListenMore, ListenStarted
from voice.protocol.settings import defaults

TOOL = {"type": "function", "name": "get_weather"}
OTHER = {"type": "function", "name": "clock"}
SESSION = msgspec.structs.replace(defaults("m", "sess_1", 3600, "espeak", "Be brief."), tools=[TOOL], max_output_tokens=100)


def talk() -> Conversation:
    conversation = Conversation()
    conversation.add(Entry(message("item_1", "user", [Content("input_text", text="Hello")], "completed")))
    return conversation


def ask(session: Session = SESSION, items: Conversation | None = None, /, **params: Any) -> Asked:
    return asked(session, msgspec.convert(params, ResponseParams), items or talk(), "conv_1", counted("s"))


def test_what_is_absent_or_null_is_the_sessions() -> None:
    nulls = dict.fromkeys(ResponseParams.__struct_fields__)
    for wish in (ask(), ask(**nulls), ask(audio={"output": None}), ask(audio={"output": {"format": None, "voice": None}})):
        plan, order = wish.plan, wish.order
        assert (plan.modality, plan.encoding, plan.conversation_id, plan.max_output_tokens) == (
            "audio",
            Encoding(PCM, 24_000),
            "conv_1",
            100,
        )
        assert (plan.metadata, plan.voice, plan.speed) == (None, "espeak", 1.0)
        assert (order.instructions, order.context, order.voice, order.speed) == ("Be brief.", None, "espeak", 1.0)
        assert [tool.name for tool in order.toolbox.usable] == ["get_weather"] and order.toolbox.parallel and wish.listen == ()


def test_its_own_values_come_first() -> None:
    wish = ask(
        output_modalities=["text"],
        instructions="",
        audio={"output": {"format": {"type": "audio/pcmu"}, "voice": "marin", "speed": 0.5}},
        tools=[OTHER],
        tool_choice={"type": "function", "name": "clock"},
        parallel_tool_calls=False,
        max_output_tokens="inf",
        conversation="none",
        metadata={"topic": "time"},
        prompt={"id": "p"},
        reasoning={"effort": "low"},
    )
    plan, order = wish.plan, wish.order
    assert (plan.modality, plan.encoding, plan.conversation_id, plan.max_output_tokens) == ("text", Encoding(PCMU, 8_000), None, "inf")
    assert (plan.metadata, plan.voice, plan.speed) == ({"topic": "time"}, "marin", 0.5)
    assert (order.spoken, order.instructions, order.toolbox.must, order.toolbox.parallel) == (False, "", True, False)
    assert [tool.name for tool in order.toolbox.usable] == ["clock"]
    assert ask(tools=[]).order.toolbox.usable == ()


def test_a_choice_of_the_session_is_not_made_again_about_an_output() -> None:
    """It would be an endless loop: call, output, call. What a response says itself is done."""
    conversation = talk()
    session = msgspec.structs.replace(SESSION, tool_choice="required")
    assert ask(session, conversation).order.toolbox.must
    conversation.add(Entry(Item("function_call", id="c", call_id="x", name="get_weather", arguments="{}", status="completed")))
    conversation.add(Entry(Item("function_call_output", id="d", call_id="x", output="rain")))
    assert not ask(session, conversation).order.toolbox.must and ask(session, conversation).order.toolbox.usable
    assert ask(session, conversation, tool_choice="required").order.toolbox.must
    assert ask(session, conversation, tool_choice={"type": "function", "name": "get_weather"}).order.toolbox.must
    off = msgspec.structs.replace(SESSION, tool_choice="none")
    assert not ask(off, conversation).order.toolbox.usable
    conversation.add(Entry(message("e", "user", [Content("input_text", text="And now?")], "completed")))
    assert ask(session, conversation).order.toolbox.must


def test_a_conversation_may_be_named() -> None:
    assert ask(conversation="conv_1").plan.conversation_id == "conv_1" == ask(conversation="auto").plan.conversation_id
    with pytest.raises(ProtocolError) as caught:
        ask(conversation="conv_2")
    assert (caught.value.code, caught.value.param) == ("invalid_value", "response.conversation")


def test_sound_in_an_input_is_heard() -> None:
    sound = base64.b64encode(to_bytes(tone(300, rate_hz=24_000))).decode()
    typed = {"type": "input_text", "text": "What is this?"}
    content = [typed, {"type": "input_audio", "audio": sound}]
    wish = ask(input=[{"type": "message", "id": "item_1", "role": "user", "content": content}])
    started, more, ended = wish.listen
    assert isinstance(started, ListenStarted) and started.given and isinstance(more, ListenMore) and isinstance(ended, ListenEnded)
    assert started.item_id == more.item_id == ended.item_id != "item_1", "an item of the conversation may have the client's id"
    assert (more.samples.size, ended.audio_ms) == (4800, 300)
    assert wish.order.context is not None and [entry.item.id for entry in wish.order.context] == [started.item_id]
    assert [line.text for line in lines_of(entry.item for entry in wish.order.context)] == ["What is this?"]
    assert wish.plan.tokens_in.audio == 3


def test_a_reference_is_the_item_itself() -> None:
    """Its words may still be on their way."""
    conversation = talk()
    conversation.add(Entry(message("spoken", "user", [Content("input_audio", transcript=None)], "completed"), audio_ms=900))
    wish = ask(SESSION, conversation, input=[{"type": "item_reference", "id": "spoken"}, {"type": "item_reference", "id": "spoken"}])
    conversation.set_transcript("spoken", "what time is it")
    assert wish.order.context is not None
    assert [line.text for line in lines_of(entry.item for entry in wish.order.context)] == ["what time is it"] * 2
    assert wish.plan.tokens_in.audio == 18


def test_what_is_read_and_heard_is_counted() -> None:
    bare = msgspec.structs.replace(SESSION, tools=[], instructions="")
    conversation = talk()
    assert ask(bare, conversation).plan.tokens_in == Tokens(text_tokens("Hello"), 0)
    assert ask(bare, conversation, input=[]).plan.tokens_in == Tokens(0, 0)
    assert ask(bare, conversation, instructions="Be very brief.").plan.tokens_in == Tokens(text_tokens("HelloBe very brief."), 0)
    tools = text_tokens("Hello" + msgspec.json.encode([OTHER]).decode())
    assert ask(bare, conversation, tools=[OTHER]).plan.tokens_in == Tokens(tools, 0)
    conversation.add(Entry(message("a", "user", [Content("input_audio", transcript="not counted twice")], "completed"), audio_ms=1040))
    conversation.add(Entry(message("b", "assistant", [Content("output_audio", transcript="four")], "completed"), audio_ms=510))
    assert ask(bare, conversation).plan.tokens_in == Tokens(text_tokens("Hellofour"), 11 + 11)
    conversation.add(Entry(Item("function_call", id="c", call_id="x", name="f", arguments='{"a":1}')))
    conversation.add(Entry(Item("function_call_output", id="d", call_id="x", output="forty two")))
    assert ask(bare, conversation).plan.tokens_in == Tokens(text_tokens('Hellofourf{"a":1}forty two'), 22)


def test_metadata_is_taken_up_to_the_services_limits() -> None:
    metadata = {f"{n:0{MAX_METADATA_KEY}d}": "x" * MAX_METADATA_VALUE for n in range(MAX_METADATA_PAIRS)}
    assert ask(metadata=metadata).plan.metadata == metadata


@pytest.mark.parametrize("value", [5, None, True, {"b": "c"}, ["d"]])
def test_metadata_is_text_by_its_own_path(value: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        ask(metadata={"z": "fine", "a": value})
    assert (str(caught.value), caught.value.code, caught.value.param) == (
        "Invalid type for 'response.metadata.a': expected a string.",
        "invalid_type",
        "response.metadata.a",
    )


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        (
            {"input": [{"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "!"}]}]},
            "invalid_value",
            ".content[0].audio",
        ),
        (
            {"input": [{"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]}]},
            "invalid_value",
            ".content[0].type",
        ),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "missing_required_parameter", ".call_id"),
        ({"input": [{"type": "story"}]}, "invalid_value", ".type"),
    ],
)
def test_an_input_is_refused_with_the_path(params: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        ask(**params)
    assert (caught.value.code, caught.value.param) == (code, f"response.input[0]{param}")


def test_a_choice_of_the_session_that_is_not_among_its_own_tools_is_none() -> None:
    session = msgspec.structs.replace(SESSION, tool_choice={"type": "function", "name": "get_weather"})
    assert ask(session).order.toolbox.must
    for tools, usable in (([OTHER], ["clock"]), ([], [])):
        box = ask(session, tools=tools).order.toolbox
        assert ([tool.name for tool in box.usable], box.must) == (usable, False)


def test_a_call_cannot_be_required_of_no_tools() -> None:
    bare = msgspec.structs.replace(SESSION, tools=[])
    for session, params in ((bare, {}), (bare, {"tools": None}), (SESSION, {"tools": []})):
        with pytest.raises(ProtocolError) as caught:
            ask(session, tool_choice="required", **params)
        assert (str(caught.value), caught.value.code, caught.value.param) == (
            "Tool choice 'required' needs at least one tool in 'tools'.",
            "invalid_value",
            "response.tool_choice",
        )
    assert ask(bare, tools=[OTHER], tool_choice="required").order.toolbox.must
    assert not ask(msgspec.structs.replace(bare, tool_choice="required")).order.toolbox.must, "of the session: once there are tools"


def test_instructions_of_this_answer_are_told_from_those_of_the_session() -> None:
    assert ask(instructions="Say exactly: hi").order.instructed
    assert not ask().order.instructed and not ask(instructions="").order.instructed and not ask(instructions=None).order.instructed
