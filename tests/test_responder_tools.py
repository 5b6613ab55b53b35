"""The offline responder and the client's functions: it calls what it is told to, asks for what is missing, and reads what came of it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from voice.engines.base import Called, Heard, Prompt, Said, Saying
from voice.engines.responder import SkillsResponder
from voice.engines.wording import say
from voice.protocol.lines import Call, Line
from voice.protocol.tools import Tool, Toolbox

FRIDAY = 1_795_190_999.0
"""2026-11-20 16:09:59 UTC."""
WEATHER = Tool("get_weather", "", {"properties": {"city": {"type": "string"}, "day": {"type": "string"}}, "required": ["city", "day"]})
BOX = Toolbox((WEATHER, Tool("get_time"), Tool("set_timer", "", {"properties": {"minutes": {"type": "integer"}}})))
ASK_CITY, ASK_DAY = (say("tool_ask", tool="get weather", field=name).text for name in ("city", "day"))


async def answer(lines: Sequence[Line], toolbox: Toolbox = BOX, heard: Heard | None = None) -> list[Saying]:
    prompt = Prompt(lines, heard, toolbox=toolbox)
    return [saying async for saying in SkillsResponder(UTC).respond(prompt, 0.0, FRIDAY)]


def called(sayings: list[Saying]) -> tuple[str, Any]:
    [saying] = sayings
    assert isinstance(saying, Called)
    return saying.name, json.loads(saying.arguments)


def exchange(*texts: str) -> list[Line]:
    return [Line(("user", "assistant")[n % 2], text) for n, text in enumerate(texts)]


async def test_a_function_that_is_asked_for_is_called() -> None:
    assert called(await answer(exchange("call get weather"))) == ("get_weather", {})
    assert called(await answer(exchange("get weather city Oslo day tomorrow"))) == ("get_weather", {"city": "Oslo", "day": "tomorrow"})
    assert called(await answer(exchange("set a timer for 5 minutes"))) == ("set_timer", {"minutes": 5})


async def test_skills_come_before_a_mere_subject() -> None:
    assert await answer(exchange("what time is it")) == [Said("It is 4:09 PM.")]
    assert called(await answer(exchange("call get time"))) == ("get_time", {})


async def test_what_is_missing_is_asked_for() -> None:
    [question] = await answer(exchange("what is the weather"))
    assert question == Said(ASK_CITY)
    [question] = await answer(exchange("what is the weather", ASK_CITY, "Oslo"))
    assert question == Said(ASK_DAY)
    lines = exchange("what is the weather", ASK_CITY, "Oslo", ASK_DAY, "On Monday.")
    assert called(await answer(lines)) == ("get_weather", {"city": "Oslo", "day": "Monday"})
    assert await answer(exchange("what is the weather", ASK_CITY, "what time is it")) == [Said("It is 4:09 PM.")], "something else"
    assert await answer(exchange("hello", ASK_CITY, "Oslo")) != [Said(ASK_DAY)], "nobody has asked for the weather"


@pytest.mark.parametrize(
    ("toolbox", "text", "name"),
    [
        (Toolbox(BOX.tools, "none"), "call get time", None),
        (Toolbox(), "call get time", None),
        (BOX, "hello", None),
        (Toolbox(BOX.tools, "required"), "hello", "get_weather"),
        (Toolbox(BOX.tools, "required"), "call get time", "get_time"),
        (Toolbox(BOX.tools, "auto", "get_time"), "hello", "get_time"),
        (Toolbox(BOX.tools, "auto", "get_time"), "", "get_time"),
    ],
)
async def test_the_choice_is_obeyed(toolbox: Toolbox, text: str, name: str | None) -> None:
    sayings = await answer(exchange(text), toolbox)
    assert (called(sayings)[0] if isinstance(sayings[0], Called) else None) == name


async def test_what_came_of_calls_is_read() -> None:
    lines = [
        *exchange("call get weather"),
        Line("assistant", "", Call("a", "get_weather", "{}")),
        Line("assistant", "", Call("b", "get_time", "{}")),
        Line("tool", '{"temperature": 21, "sky": "clear"}', call_id="a"),
        Line("tool", "It is noon.", call_id="b"),
    ]
    want: list[Saying] = [Said("temperature: 21, sky: clear."), Said("It is noon.")]
    assert await answer(lines) == want
    assert called(await answer(lines, Toolbox(BOX.tools, named="get_time"))) == ("get_time", {}), "one after the other"
    assert await answer([*lines, Line("user", "call get time")]) == [*want, Called("", "get_time", "{}")], (
        "what nobody was told comes first"
    )
    assert await answer([*lines, Line("assistant", "It is clear."), Line("user", "what time is it")]) == [Said("It is 4:09 PM.")]


async def test_a_call_is_nothing_that_was_said() -> None:
    lines = [*exchange("hello", "Hi there."), Line("assistant", "", Call("a", "get_time", "{}")), Line("tool", "noon", call_id="a")]
    want = [Said("noon"), say("i_said", text="Hi there.")]
    assert await answer([*lines, Line("user", "what did you say")], Toolbox()) == want


async def test_words_for_the_silence_between_two_outputs_hide_neither() -> None:
    calls = [Line("assistant", "", Call(name, "get_time", "{}")) for name in "ab"]
    lines = [*exchange("call get time"), *calls, Line("tool", "one", call_id="a"), Line("assistant", "One moment, please.")]
    assert await answer([*lines, Line("tool", "two", call_id="b")]) == [Said("one"), Said("two")]
    assert await answer([*lines, Line("tool", "two", call_id="b"), Line("assistant", "One and two."), Line("user", "hello")]) == [
        say("hello")
    ]


async def test_words_that_are_ordered_are_said_whatever_else_there_is_to_say() -> None:
    lines = [*exchange("call get time"), Line("assistant", "", Call("a", "get_time", "{}"))]
    order = Prompt(lines, instructions='Say exactly this, and nothing else: "One moment. Please wait."', toolbox=BOX, instructed=True)
    wait = [Said("One moment."), Said("Please wait.")]
    responder = SkillsResponder(UTC)

    async def said(prompt: Prompt) -> list[Saying]:
        return [saying async for saying in responder.respond(prompt, 0.0, FRIDAY)]

    assert await said(order) == wait
    assert await said(replace(order, lines=[])) == wait
    assert await said(replace(order, instructions='Say exactly: "네, 잠시만요."')) == [Said("네, 잠시만요.", "ko")]
    assert await said(replace(order, instructed=False)) != wait, "those of the session are for every answer"
    assert called(await said(replace(order, toolbox=replace(BOX, choice="required")))) == ("get_time", {})


async def test_an_older_output_is_not_read_again() -> None:
    lines = [Line("tool", "old", call_id="x"), Line("user", "call it"), Line("assistant", "", Call("a", "get_time", "{}"))]
    assert await answer([*lines, Line("tool", "new", call_id="a")]) == [Said("new")]


async def test_nothing_is_called_on_a_guess() -> None:
    guess = Heard("call get time", confidence=0.2)
    assert not any(isinstance(saying, Called) for saying in await answer(exchange("call get time"), heard=guess))
    assert called(await answer(exchange("call get time"), heard=Heard("call get time", confidence=0.9))) == ("get_time", {})
    assert await answer([*exchange("call get time"), Line("user", "")], heard=Heard("")) == [say("not_understood")]


async def test_a_korean_order() -> None:
    assert called(await answer(exchange("get_weather 호출해 줘"))) == ("get_weather", {})


async def test_several_functions_are_called_where_that_is_welcome() -> None:
    line = exchange("call get time and call get weather city Oslo day tomorrow")
    both = [Called("", "get_time", "{}"), Called("", "get_weather", '{"city": "Oslo", "day": "tomorrow"}')]
    assert await answer(line) == both
    assert await answer(line, replace(BOX, parallel=False)) == both[:1]
    assert await answer(exchange("get time and get the weather on Monday")) == [Said(ASK_CITY)], "nothing is done by halves"


async def test_where_something_is_may_be_known_to_a_function() -> None:
    box = Toolbox((Tool("look_up_order", "", {"type": "object", "properties": {"number": {"type": "integer"}}}),))
    assert called(await answer(exchange("where is my order"), box)) == ("look_up_order", {})
    assert called(await answer(exchange("where is my order 1003"), box)) == ("look_up_order", {"number": 1003})
    assert not any(isinstance(saying, Called) for saying in await answer(exchange("where are my keys"), box))


async def test_what_was_remembered_goes_before_a_function() -> None:
    responder, box = SkillsResponder(UTC), Toolbox((Tool("look_up_order"),))
    note = Prompt([Line("user", "remember that my order is in the hall")], toolbox=box)
    assert [saying async for saying in responder.respond(note, 0.0, 0.0)]
    asked = Prompt([Line("user", "where is my order")], toolbox=box)
    [said] = [saying async for saying in responder.respond(asked, 0.0, 0.0)]
    assert isinstance(said, Said) and "in the hall" in said.text
