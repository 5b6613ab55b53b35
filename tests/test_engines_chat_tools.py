"""The chat responder and the client's functions: what the endpoint is told of them, and what becomes of its calls."""

import json
from contextlib import aclosing
from dataclasses import replace

import pytest

from tests.support.chat_server import BEGIN, Body, HangUp, Send, Wait, answer, chunk, data, refusal, words
from tests.test_engines_chat import FRIDAY, chatting, said_by, typed
from voice.engines.base import BrokenOff, Called, Prompt, Said, Saying
from voice.engines.chat import ChatResponder, excuse
from voice.engines.functions import function_tool
from voice.engines.local import counted_ids
from voice.engines.serverside import ServerSide
from voice.engines.toolset import Toolset
from voice.errors import ChatError
from voice.protocol.lines import Call, Line
from voice.protocol.tools import Tool, Toolbox

WEATHER = Tool("get_weather", "The weather of a city.", {"type": "object", "properties": {"city": {"type": "string"}}})
TOOLS = Toolbox((WEATHER, Tool("clock")))


def calls(*pieces: dict[str, object]) -> Body:
    """Pieces of calls, one chunk each."""
    return Body(
        data(*(json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [piece]}, "finish_reason": None}]}) for piece in pieces))
    )


def function(index: int, call_id: str | None = None, **fields: object) -> dict[str, object]:
    return {"index": index, "function": fields, **({"id": call_id, "type": "function"} if call_id else {})}


FINISH = (Body(data(chunk(None, "tool_calls"), "[DONE]")), Send(b"0\r\n\r\n"))


async def sayings(responder: ChatResponder, prompt: Prompt) -> list[Saying]:
    async with aclosing(responder.respond(prompt, 0.0, FRIDAY)) as answer:
        return [saying async for saying in answer]


async def test_the_model_calls_a_function() -> None:
    script = [BEGIN, words("One moment."), calls(function(0, "call_7", name="get_weather", arguments="")), Wait(0.01)]
    script += [calls(function(0, arguments='{"city":'), function(0, arguments='"Oslo"}')), *FINISH]
    async with chatting(script) as (server, responder):
        found = await sayings(responder, replace(typed("Weather in Oslo?"), toolbox=TOOLS))
    assert found == [
        Said("One moment."),
        Called("call_7", "get_weather", ""),
        Called("call_7", "get_weather", '{"city":'),
        Called("call_7", "get_weather", '"Oslo"}'),
    ]
    body = server.requests[0].json
    assert [tool["function"]["name"] for tool in body["tools"]] == ["get_weather", "clock"]
    assert body["tools"][0] == {
        "type": "function",
        "function": {"name": "get_weather", "description": "The weather of a city.", "parameters": WEATHER.parameters},
    }
    assert body["tools"][1]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert "tool_choice" not in body and "parallel_tool_calls" not in body


@pytest.mark.parametrize(
    ("toolbox", "want"),
    [
        (Toolbox(), (0, None, None)),
        (replace(TOOLS, choice="none"), (0, None, None)),
        (replace(TOOLS, choice="required"), (2, "required", None)),
        (replace(TOOLS, named="clock", parallel=False), (2, {"type": "function", "function": {"name": "clock"}}, False)),
    ],
)
async def test_the_choice_of_tools_is_passed_on(toolbox: Toolbox, want: tuple[object, ...]) -> None:
    async with chatting(answer("Yes.")) as (server, responder):
        await said_by(responder, replace(typed("Hello?"), toolbox=toolbox))
    body = server.requests[0].json
    assert (len(body.get("tools", [])), body.get("tool_choice"), body.get("parallel_tool_calls")) == want


async def test_what_came_of_a_call_is_answered() -> None:
    lines = [Line("user", "Weather?"), Line("assistant", "", Call("c", "get_weather", "{}")), Line("tool", "rain", call_id="c")]
    async with chatting(answer("It rains.")) as (server, responder):
        assert await said_by(responder, Prompt(lines, toolbox=TOOLS)) == [Said("It rains.")]
    assert server.requests[0].json["messages"][1:] == [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
        {"role": "tool", "content": "rain", "tool_call_id": "c"},
    ]


async def test_a_call_that_breaks_off_is_not_followed_by_words() -> None:
    begun = calls(function(0, "c", name="get_weather", arguments='{"ci'))
    cut = Body(data(chunk(None, "length"), "[DONE]"))
    async with chatting([BEGIN, begun, cut, Send(b"0\r\n\r\n")], [BEGIN, begun, HangUp()]) as (_, responder):
        prompt = replace(typed("Weather?"), toolbox=TOOLS)
        assert await sayings(responder, prompt) == [Called("c", "get_weather", '{"ci'), BrokenOff("max_output_tokens")]
        first, last = await sayings(responder, prompt)
    assert first == Called("c", "get_weather", '{"ci') and isinstance(last, BrokenOff) and last.failure and not last.reason


async def test_words_that_a_model_had_to_break_off() -> None:
    async with chatting([BEGIN, words("Once upon a"), Body(data(chunk(None, "length"), "[DONE]")), Send(b"0\r\n\r\n")]) as (_, responder):
        assert await sayings(responder, typed("A story?")) == [Said("Once upon a"), BrokenOff("max_output_tokens")]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "registry/library/small does not support tools"),
        (404, "No endpoints found that support tool use."),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        (500, "tools param requires --jinja flag"),
    ],
)
async def test_a_model_that_cannot_call_answers_in_words(status: int, message: str) -> None:
    no = refusal(status, json.dumps({"error": {"message": message}}))
    async with chatting(no, answer("I cannot look.")) as (server, responder):
        prompt = replace(typed("Weather?"), toolbox=TOOLS)
        assert await said_by(responder, prompt) == [Said("I cannot look.")]
        await said_by(responder, prompt)
    assert ["tools" in request.json for request in server.requests] == [True, False, False]


async def test_a_function_that_an_endpoint_does_not_like_is_told() -> None:
    no = refusal(400, '{"error":{"message":"Invalid schema for function \'clock\': a wrong type"}}')
    async with chatting(no) as (server, responder):
        [said] = await said_by(responder, replace(typed("Weather?"), toolbox=TOOLS))
    assert len(server.requests) == 1 and said == excuse(ChatError("bad_request", ""), responder._client.options)


async def test_a_client_with_timers_of_its_own_gets_to_set_them() -> None:
    timers = Toolbox((Tool("set_timer"),))
    async with chatting(answer("Done.")) as (server, responder):
        await said_by(responder, replace(typed("set a timer for five minutes"), toolbox=timers))
        assert "set timers" not in server.requests[0].json["messages"][0]["content"]
        assert await said_by(responder, replace(typed("set a timer for five minutes"), toolbox=TOOLS)) != [Said("Done.")]
    assert len(server.requests) == 1


def weather_in(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


async def with_tools(toolbox: Toolbox, *scripts: object) -> tuple[list[Saying], list[dict[str, object]]]:
    """What a model with a tool of the server's answers, and what it was asked."""
    async with chatting(*scripts) as (server, responder), Toolset([function_tool(weather_in)]) as tools:  # type: ignore[arg-type]
        around = ServerSide(responder, tools, counted_ids("s"))
        async with aclosing(around.respond(replace(typed("Weather?"), toolbox=toolbox), 0.0, FRIDAY)) as answer:
            said = [saying async for saying in answer]
        return said, [request.json for request in server.requests]


async def test_a_tool_of_the_server_s_is_called_between_two_questions() -> None:
    asks = [
        BEGIN,
        words("I look."),
        calls(function(0, "c", name="weather_in", arguments='{"city":'), function(0, arguments='"Oslo"}')),
        *FINISH,
    ]
    said, asked = await with_tools(TOOLS, asks, answer("It is sunny."))
    assert said == [Said("I look."), Said("It is sunny.")]
    assert [{tool["function"]["name"] for tool in body["tools"]} for body in asked] == [{"weather_in", "get_weather", "clock"}] * 2  # type: ignore[attr-defined]
    call = {"id": "call_s000001", "type": "function", "function": {"name": "weather_in", "arguments": '{"city":"Oslo"}'}}
    assert asked[1]["messages"][1:] == [  # type: ignore[index]
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "I look.", "tool_calls": [call]},
        {"role": "tool", "content": "sunny in Oslo", "tool_call_id": "call_s000001"},
    ]


async def test_a_model_that_writes_no_json_for_a_tool_of_the_server_s_is_asked_once_more() -> None:
    garbage = [BEGIN, calls(function(0, "c", name="weather_in", arguments="city = Oslo")), *FINISH]
    said, asked = await with_tools(Toolbox(), garbage, answer("I cannot look."))
    assert said == [Said("I cannot look.")]
    _, call, output = asked[1]["messages"][1:]  # type: ignore[misc,index]
    assert call["tool_calls"][0]["function"]["arguments"] == "{}" and "JSON" in output["content"]
    said, asked = await with_tools(Toolbox(), garbage, garbage)
    assert len(asked) == 2 and len(said) == 1 and isinstance(said[0], BrokenOff) and said[0].failure
