"""Answers that use the server's tools: what the model is shown, what the client sees, and what an interruption leaves."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.fakes import FakeSynthesizer, FakeTranscriber
from tests.support.wire import Wire, talking, transcript
from voice.engines.base import BrokenOff, Called, Prompt, Responder, Said, Saying
from voice.engines.functions import function_tool
from voice.engines.local import LocalEngine, LocalOptions, counted_ids
from voice.engines.responder import SkillsResponder
from voice.engines.serverside import BROKEN, INTERRUPTED, TOO_MANY
from voice.engines.speaker import Clocks
from voice.engines.toolset import ServerTool, ToolContext, ToolLimits, Toolset
from voice.protocol.dead_air import Filler
from voice.protocol.lines import Line
from voice.protocol.tools import MAX_CALLS, MAX_ROUNDS

LAMP = {"type": "function", "name": "lamp", "parameters": {"type": "object", "properties": {"on": {"type": "boolean"}}}}
SECRET = "order_state"
Script = Sequence[Sequence[Saying]]


class Scripted:
    """A responder that gives the next row of its script each time it is asked, and remembers what it was asked."""

    def __init__(self, script: Script) -> None:
        self.prompts: list[Prompt] = []
        self._script = list(script)

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:
        self.prompts.append(prompt)
        for saying in self._script.pop(0) if self._script else [Said("No more.")]:
            yield saying

    def due_s(self) -> float | None:
        return None

    def announce(self, now: float) -> Sequence[Said]:
        return ()

    def shown(self, n: int = -1) -> list[str]:
        """The lines of a prompt, short."""
        return [_short(line) for line in self.prompts[n].lines]


def _short(line: Line) -> str:
    return f"{line.role}: {line.text}" if line.call is None else f"{line.call.name}{line.call.arguments}"


def order_state(number: int, context: ToolContext) -> str:
    """What became of an order."""
    return f"{number} of {context.values.get('user', 'nobody')} is on its way"


def call(arguments: str = '{"number":7}', call_id: str = "c1", name: str = SECRET) -> Called:
    return Called(call_id, name, arguments)


@asynccontextmanager
async def session(
    responder: Responder,
    *tools: ServerTool,
    filler: Filler = Filler(None),  # noqa: B008 - frozen
    user: str = "seven",
) -> AsyncIterator[Wire]:
    """A session of the local engine with these tools; when it ends, nothing may have shown that there are any."""
    async with Toolset(tools or [function_tool(order_state)]) as toolset:
        options = LocalOptions(clocks=Clocks(time.monotonic, time.time, None), new_id=counted_ids("s"), tools=toolset, filler=filler)
        engine = LocalEngine(FakeTranscriber(), FakeSynthesizer(), lambda: responder, options)
        serving = engine.serve
        engine.serve = lambda link: serving(link, context=ToolContext({"user": user}))  # type: ignore[method-assign,assignment]
        async with talking(engine, within_s=60) as wire:
            yield wire
            sent = json.dumps([event for event in wire.events if event["type"] != "error"])
            assert not [name for name in toolset.names if f'"{name}"' in sent]


async def answered(wire: Wire, text: str) -> dict[str, Any]:
    await wire.type(text)
    done: dict[str, Any] = (await wire.until("response.done"))["response"]
    return done


def said(done: dict[str, Any]) -> str:
    return transcript({"response": done})


async def test_a_tool_is_called_and_the_client_sees_the_words_only() -> None:
    model = Scripted([[call('{"num', "c1"), call('ber":7}', "c1")], [Said("It is on its way.")], [Said("As I said.")]])
    async with session(model) as wire:
        done = await answered(wire, "where is order 7")
        assert [item["type"] for item in done["output"]] == ["message"] and said(done) == "It is on its way."
        assert [tool.name for tool in model.prompts[0].toolbox.usable] == [SECRET]
        looked_up = ['order_state{"number":7}', "tool: 7 of seven is on its way"]
        assert model.shown() == ["user: where is order 7", *looked_up]
        await answered(wire, "and again")
        assert model.shown() == ["user: where is order 7", *looked_up, "assistant: It is on its way.", "user: and again"]
        assert wire.events[0]["session"]["tools"] == []


async def test_calls_of_both_sides_in_one_answer() -> None:
    model = Scripted([[call(), Called("c2", "lamp", '{"on":true}')], [Said("It shines, and is on its way.")]])
    async with session(model) as wire:
        await wire.send("session.update", session={"type": "realtime", "tools": [LAMP]})
        updated = await wire.until("session.updated")
        assert [tool["name"] for tool in updated["session"]["tools"]] == ["lamp"]
        done = await answered(wire, "order 7, and light")
        assert [(item["type"], item["name"]) for item in done["output"]] == [("function_call", "lamp")]
        await wire.send("conversation.item.create", item={"type": "function_call_output", "call_id": "c2", "output": "it is on"})
        await wire.send("response.create")
        assert said((await wire.until("response.done"))["response"]) == "It shines, and is on its way."
    assert {tool.name for tool in model.prompts[0].toolbox.usable} == {SECRET, "lamp"}
    assert model.shown() == [
        *("user: order 7, and light", 'order_state{"number":7}', "tool: 7 of seven is on its way"),
        *('lamp{"on":true}', "tool: it is on"),
    ]


async def test_what_was_said_before_a_call_is_shown_to_the_model() -> None:
    model = Scripted([[Said("Let me look."), call()], [Said("Found.")]])
    async with session(model) as wire:
        assert said(await answered(wire, "order 7")) == "Let me look. Found."
        assert model.shown()[1] == "assistant: Let me look."
        await answered(wire, "and")
        assert model.shown()[-2:] == ["assistant: Let me look. Found.", "user: and"]


@pytest.mark.parametrize(
    ("choice", "usable"),
    [
        ("auto", {SECRET, "lamp"}),
        ("none", set()),
        ("required", {"lamp"}),
        ({"type": "function", "name": "lamp"}, {"lamp"}),
    ],
)
async def test_the_client_s_choice_is_obeyed(choice: object, usable: set[str]) -> None:
    model = Scripted([[Called("c9", "lamp", "{}")]])
    async with session(model) as wire:
        tools = {"tools": [LAMP], "tool_choice": choice, "parallel_tool_calls": False}
        await wire.send("session.update", session={"type": "realtime", **tools})
        await answered(wire, "order 7")
    box = model.prompts[0].toolbox
    assert {tool.name for tool in box.usable} == usable and not box.parallel and box.must == ("lamp" in usable and SECRET not in usable)


async def test_required_without_tools_of_the_client_s_forces_nothing() -> None:
    model = Scripted([[Said("Hello.")]])
    async with session(model) as wire:
        await wire.send("session.update", session={"type": "realtime", "tool_choice": "required"})
        await answered(wire, "hi")
    assert not model.prompts[0].toolbox.must and model.prompts[0].toolbox.usable


@pytest.mark.parametrize("where", ["session", "response"])
async def test_a_client_may_not_take_a_name_of_the_server_s(where: str) -> None:
    async with session(Scripted([])) as wire:
        fields = {"tools": [LAMP, {**LAMP, "name": SECRET}]}
        if where == "session":
            await wire.send("session.update", session={"type": "realtime", **fields})
        else:
            await wire.send("response.create", response=fields)
        error = (await wire.until("error"))["error"]
        assert (error["code"], error["param"]) == ("invalid_value", f"{where}.tools[1].name")
        assert said(await answered(wire, "still there?")) == "No more."


async def test_a_client_may_not_choose_a_tool_of_the_server_s_nor_name_an_mcp_server() -> None:
    async with session(Scripted([])) as wire:
        for fields in (
            {"tool_choice": {"type": "function", "name": SECRET}},
            {"tools": [{"type": "mcp", "server_label": "s", "server_url": "https://tools.example"}]},
        ):
            await wire.send("session.update", session={"type": "realtime", **fields})
            assert (await wire.until("error"))["error"]["code"] == "invalid_value"


async def test_rounds_end() -> None:
    model = Scripted([[call()]] * MAX_ROUNDS + [[Said("Enough.")]])
    async with session(model) as wire:
        assert said(await answered(wire, "order 7")) == "Enough."
    assert len(model.prompts) == MAX_ROUNDS + 1
    assert [bool(prompt.toolbox.usable) for prompt in model.prompts] == [True] * MAX_ROUNDS + [False]


async def test_too_many_calls_at_once() -> None:
    model = Scripted([[call(call_id=f"c{n}") for n in range(MAX_CALLS + 2)], [Said("Done.")]])
    async with session(model) as wire:
        await answered(wire, "all orders")
    outputs = [line.text for line in model.prompts[1].lines if line.role == "tool"]
    assert outputs == ["7 of seven is on its way"] * MAX_CALLS + [TOO_MANY] * 2


@pytest.mark.parametrize(
    ("arguments", "want"),
    [('{"number":', "{}"), ("", "{}"), ('{"number":"seven"}', '{"number":"seven"}'), ("[1]", "[1]"), ('{"number":1' + "0" * 70_000, "{}")],
)
async def test_arguments_that_do_not_fit_are_told_to_the_model(arguments: str, want: str) -> None:
    model = Scripted([[call(arguments)], [call()], [Said("Found.")]])
    async with session(model) as wire:
        assert said(await answered(wire, "order 7")) == "Found."
    first = model.prompts[1].lines
    assert _short(first[1]) == f"{SECRET}{want}" and 10 < len(first[2].text) < 500 and "on its way" not in first[2].text
    assert model.shown()[-1] == "tool: 7 of seven is on its way"


async def test_an_answer_that_breaks_off_in_a_call_is_asked_for_once_more() -> None:
    broken = BrokenOff(failure="the arguments are no JSON")
    model = Scripted([[call(), call('{"num', "c2"), broken], [Said("Sorry, once more."), call(), broken]])
    async with session(model) as wire:
        done = await answered(wire, "order 7")
    assert (done["status"], len(model.prompts)) == ("failed", 2)
    outputs = [line.text for line in model.prompts[1].lines if line.role == "tool"]
    assert outputs[0] == BROKEN and "on its way" not in outputs[1]


@pytest.mark.parametrize("broken", [BrokenOff("max_output_tokens"), BrokenOff("content_filter")])
async def test_nothing_is_done_for_an_answer_that_was_cut(broken: BrokenOff) -> None:
    model = Scripted([[call(), broken]])
    async with session(model) as wire:
        done = await answered(wire, "order 7")
    assert (done["status"], done["status_details"]["reason"], len(model.prompts)) == ("incomplete", broken.reason, 1)


class Gate:
    """A tool that waits until it is let go."""

    def __init__(self) -> None:
        self.began, self.go, self.stopped = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self) -> str:
        """Wait."""
        self.began.set()
        try:
            await self.go.wait()
        finally:
            self.stopped.set()
        return "arrived"


async def test_an_interruption_stops_the_tool_and_the_model_is_told() -> None:
    gate = Gate()
    model = Scripted([[Called("", "wait", "{}")], [Said("It may have happened.")]])
    async with session(model, function_tool(gate, name="wait")) as wire:
        await wire.type("do it")
        await gate.began.wait()
        await wire.send("response.cancel")
        done = (await wire.until("response.done"))["response"]
        assert (done["status"], done["output"]) == ("cancelled", [])
        await gate.stopped.wait()
        await answered(wire, "did you?")
        assert model.shown() == ["user: do it", "wait{}", f"tool: {INTERRUPTED}", "user: did you?"]


async def test_what_a_tool_that_hangs_does_to_the_answer() -> None:
    gate = Gate()
    model = Scripted([[Called("", "wait", "{}")], [Said("It takes too long.")]])
    async with session(model, function_tool(gate, name="wait", limits=ToolLimits(timeout_s=0.02))) as wire:
        assert said(await answered(wire, "do it")) == "It takes too long."
    assert "longer than 0.02 seconds" in model.shown()[-1]


@pytest.mark.parametrize(
    ("text", "words", "want"),
    [("do it", "", "One moment, please. Done."), ("\ud574 \uc918", "", "잠시만 기다려 주세요. Done."), ("do it", "Hm.", "Hm. Done.")],
)
async def test_something_is_said_while_a_tool_is_at_work(text: str, words: str, want: str) -> None:
    gate = Gate()
    model = Scripted([[Called("", "wait", "{}")], [Called("", "wait", "{}")], [Said("Done.")]])
    async with session(model, function_tool(gate, name="wait"), filler=Filler(0.01, words)) as wire:
        await wire.type(text)
        await wire.until("response.output_audio_transcript.delta")
        gate.go.set()
        assert said((await wire.until("response.done"))["response"]) == want


@pytest.mark.parametrize("case", ["said before", "read, not heard", "off"])
async def test_nothing_is_said_where_nobody_waits_in_silence(case: str) -> None:
    async def slow() -> str:
        """Take a while."""
        await asyncio.sleep(0.05)
        return "arrived"

    before = [Said("I look.")] if case == "said before" else []
    model = Scripted([[*before, Called("", "slow", "{}")], [Said("Done.")]])
    async with session(model, function_tool(slow), filler=Filler(None if case == "off" else 0.001)) as wire:
        if case == "read, not heard":
            await wire.send("session.update", session={"type": "realtime", "output_modalities": ["text"]})
        await wire.type("do it")
        done = (await wire.until("response.done"))["response"]
        part = done["output"][0]["content"][0]
        assert part.get("transcript", part.get("text")) == ("I look. Done." if before else "Done.")


async def test_an_answer_out_of_band_calls_nothing_and_knows_what_was_called() -> None:
    model = Scripted([[call()], [Said("Found.")], [Said("A title.")]])
    async with session(model) as wire:
        await answered(wire, "order 7")
        await wire.send("response.create", response={"conversation": "none", "tools": [LAMP]})
        await wire.until("response.done")
    assert [tool.name for tool in model.prompts[-1].toolbox.usable] == ["lamp"]
    assert "tool: 7 of seven is on its way" in model.shown()


async def test_an_input_of_its_own_is_answered_with_tools_too() -> None:
    model = Scripted([[call()], [Said("Found.")], [Said("I know of nothing.")]])
    async with session(model) as wire:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "order 7"}]}
        await wire.send("response.create", response={"input": [item]})
        assert said((await wire.until("response.done"))["response"]) == "Found."
        await answered(wire, "and?")
    assert model.shown() == ["assistant: Found.", "user: and?"]


async def test_a_deleted_question_takes_its_calls_along() -> None:
    model = Scripted([[call()], [Said("Found.")], [Said("What?")]])
    async with session(model) as wire:
        await answered(wire, "order 7")
        question = next(event["item"]["id"] for event in wire.of("conversation.item.added") if event["item"]["role"] == "user")
        await wire.send("conversation.item.delete", item_id=question)
        await answered(wire, "which order?")
    assert model.shown() == ["assistant: Found.", "user: which order?"]


def get_weather(city: str) -> dict[str, str]:
    """The weather of a city."""
    return {"weather": f"sunny in {city}"}


def open_door(context: ToolContext) -> None:
    """Open the door."""


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("call get weather in Seoul", "sunny in Seoul"),
        ("what is the weather in Oslo", "sunny in Oslo"),
        ("please call open door", "That is done."),
        ("call get weather", "city"),
        ("what is seven times eight", "fifty-six"),
    ],
)
async def test_the_offline_engine_calls_a_tool_of_the_server_s_by_its_name(text: str, want: str) -> None:
    async with session(SkillsResponder(), function_tool(get_weather), function_tool(open_door)) as wire:
        assert want in said(await answered(wire, text)).replace("56", "fifty-six")


async def test_offline_both_sides_outputs_are_read() -> None:
    async with session(SkillsResponder(), function_tool(get_weather)) as wire:
        await wire.send("session.update", session={"type": "realtime", "tools": [LAMP]})
        done = await answered(wire, "call get weather in Seoul and call lamp")
        [item] = done["output"]
        await wire.send(
            "conversation.item.create", item={"type": "function_call_output", "call_id": item["call_id"], "output": "It is on."}
        )
        await wire.send("response.create")
        told = said((await wire.until("response.done"))["response"])
    assert "sunny in Seoul" in told and "It is on." in told
