"""Answers that use the server's tools, whatever a model does and whenever it is interrupted."""

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_serverside import LAMP, SECRET, Script, Scripted, order_state
from voice.engines.base import BrokenOff, Called, Prompt, Said
from voice.engines.functions import function_tool
from voice.engines.local import counted_ids
from voice.engines.serverside import ServerSide
from voice.engines.toolset import Toolset
from voice.protocol.dead_air import Filler
from voice.protocol.lines import Line
from voice.protocol.tools import MAX_ROUNDS, toolbox

SAYINGS = st.one_of(
    st.just(Said("Words.")),
    st.builds(
        Called,
        st.sampled_from(["", "a", "b"]),
        st.sampled_from([SECRET, "lamp", "other"]),
        st.sampled_from(["{}", '{"number":7}', "{", ""]),
    ),
    st.sampled_from([BrokenOff(failure="why"), BrokenOff("max_output_tokens")]),
)


@given(st.lists(st.lists(SAYINGS, max_size=5), max_size=MAX_ROUNDS + 3), st.integers(0, 12), st.booleans())
@settings(max_examples=40)
def test_whatever_a_model_does(script: Script, stop: int, beside: bool) -> None:
    """It is asked a bounded number of times, no call of the server's tools is told, each has one output behind it, and closing ends it at once."""

    async def run() -> None:
        model = Scripted(script)
        async with asyncio.timeout(60), Toolset([function_tool(order_state), function_tool(lambda: 1, name="other")]) as tools:
            around = ServerSide(model, tools, counted_ids("s"), filler=Filler(None))
            lines = [Line("user", "Order 7?", item_id="i1")]
            prompt = Prompt(lines, toolbox=toolbox([LAMP], "auto", True), beside=beside)
            told = []
            async with aclosing(around.respond(prompt, 0.0, 0.0)) as answer:
                async for saying in answer:
                    told.append(saying)
                    if len(told) == stop:
                        break
            assert not [one for one in told if isinstance(one, Called) and one.name != "lamp"]
            assert len(model.prompts) <= MAX_ROUNDS + 1
            await anext(around.respond(replace(prompt, lines=[*lines, Line("user", "And?", item_id="i2")]), 0.0, 0.0), None)
            called = [line.call.call_id for line in model.prompts[-1].lines if line.call is not None]
            assert sorted(called) == sorted(line.call_id for line in model.prompts[-1].lines if line.role == "tool")
            assert len(set(called)) == len(called) and not (beside and called)
            assert all(json.loads(line.call.arguments) is not None for line in model.prompts[-1].lines if line.call is not None)

    asyncio.run(run())
