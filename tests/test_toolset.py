"""Server-side tools: each call kept within its limits, and every way to go wrong told in a sentence."""

import asyncio
import logging
import math
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from voice.engines import toolset
from voice.engines.toolset import NOBODY, UNSURE, Outcome, ToolContext, ToolLimits, Toolset, cut
from voice.errors import ToolError, UsageError
from voice.protocol.tools import Tool

Work = Callable[[str, ToolContext], Awaitable[str]]


class Fake:
    """A tool that does what it is told to."""

    def __init__(self, work: Work, name: str = "work", limits: ToolLimits = ToolLimits(), known: bool = True) -> None:  # noqa: B008
        self.name = name
        self.limits = limits
        self._work = work
        self._known = known

    @property
    def tool(self) -> Tool | None:
        return Tool(self.name) if self._known else None

    async def call(self, arguments: str, context: ToolContext) -> str:
        return await self._work(arguments, context)


async def echo(arguments: str, context: ToolContext) -> str:
    return f"{arguments} for {context.values.get('user', 'nobody')}"


async def test_a_call_and_its_context() -> None:
    async with Toolset([Fake(echo)]) as tools:
        assert await tools.run("work", "{}", ToolContext({"user": "7"})) == Outcome("{} for 7")
        assert await tools.run("work", "{}") == Outcome("{} for nobody")
        assert (await tools.run("play", "{}")).failed


async def test_what_is_offered_and_which_names_are_taken() -> None:
    tools = Toolset([Fake(echo), Fake(echo, "later", known=False)])
    assert [tool.name for tool in tools.tools] == ["work"] and tools.names == {"work", "later"}
    with pytest.raises(UsageError, match="'work'"):
        Toolset([Fake(echo), Fake(echo)])
    with pytest.raises(UsageError, match="async with"):
        await tools.run("work", "{}")


async def refuses(arguments: str, context: ToolContext) -> str:
    raise ToolError("Order 7 is not yours.")


async def breaks(arguments: str, context: ToolContext) -> str:
    raise ValueError("a secret value")


async def leaves(arguments: str, context: ToolContext) -> str:
    raise SystemExit(3)


async def cancels(arguments: str, context: ToolContext) -> str:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("work", "want"),
    [(refuses, "Order 7 is not yours."), (breaks, "'work' failed"), (leaves, "'work' failed"), (cancels, "'work' failed")],
)
async def test_a_tool_that_fails(work: Work, want: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Toolset([Fake(work), Fake(echo, "other")]) as tools:
        outcome = await tools.run("work", '{"a": "private"}', ToolContext({"user": "private"}))
        assert outcome.failed and want in outcome.output and "secret" not in outcome.output
        assert await tools.run("other", "{}") == Outcome("{} for nobody")
    assert "tool work failed" in caplog.text and "secret" not in caplog.text and "private" not in caplog.text


async def test_a_call_is_no_news_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with Toolset([Fake(echo, "other")]) as tools:
        assert not (await tools.run("other", "{}")).failed and (await tools.run("none", "{}")).failed
    assert caplog.text == ""


async def stubborn(gate: asyncio.Event) -> str:
    """A coroutine that will not be cancelled."""
    while not gate.is_set():
        try:
            await gate.wait()
        except asyncio.CancelledError:
            continue
    return "too late"


async def test_a_tool_that_hangs_is_left_behind() -> None:
    gate = asyncio.Event()
    async with asyncio.timeout(30):
        async with Toolset([Fake(lambda *_: stubborn(gate), limits=ToolLimits(timeout_s=0.02))]) as tools:
            outcome = await tools.run("work", "{}")
            assert outcome == Outcome(f"The tool 'work' took longer than 0.02 seconds and was stopped. {UNSURE}", failed=True)
            gate.set()


NO_TIMES: list[Any] = [0, -1, -0.5, math.nan, math.inf, None, "5", True]
NO_COUNTS: list[Any] = [0, -1, 1.5, math.nan, None, "5", True]


@pytest.mark.parametrize("value", NO_TIMES, ids=repr)
def test_what_is_no_time_limit(value: Any) -> None:
    with pytest.raises(UsageError, match="^timeout_s of a tool is a number of seconds above 0, not "):
        ToolLimits(timeout_s=value)


@pytest.mark.parametrize("name", ["max_output_bytes", "at_once"])
@pytest.mark.parametrize("value", NO_COUNTS, ids=repr)
def test_what_is_no_other_limit(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"^{name} of a tool is a whole number above 0, not "):
        ToolLimits(**{name: value})


async def test_a_tool_that_will_not_end_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(toolset, "CLOSE_S", 0.02)
    began, gate = asyncio.Event(), asyncio.Event()

    async def work(arguments: str, context: ToolContext) -> str:
        began.set()
        return await stubborn(gate)

    async with asyncio.timeout(30):
        async with Toolset([Fake(work)]) as tools:
            running = tools.start("work", "{}")
            await began.wait()
    assert "call work will not end" in caplog.text and running.cancelled()
    gate.set()


async def test_who_gives_up_on_a_beginning_leaves_nothing_behind() -> None:
    ended = asyncio.Event()

    class Silent:
        async def run(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        async def ready(self) -> None:
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            async with Toolset(beside=[Silent()], start_s=30):
                pass
    assert ended.is_set()


async def test_who_stops_waiting_stops_the_tool() -> None:
    began, stopped = asyncio.Event(), asyncio.Event()

    async def slow(arguments: str, context: ToolContext) -> str:
        began.set()
        try:
            return await asyncio.Event().wait() and "never"
        finally:
            stopped.set()

    async with asyncio.timeout(30), Toolset([Fake(slow)]) as tools, asyncio.TaskGroup() as group:
        waiting = group.create_task(tools.run("work", "{}"))
        await began.wait()
        waiting.cancel()
        await stopped.wait()
        assert not waiting.done() or waiting.cancelled()
    assert waiting.cancelled()


async def test_the_end_of_the_tools_ends_their_calls() -> None:
    began = asyncio.Event()

    async def slow(arguments: str, context: ToolContext) -> str:
        began.set()
        return await asyncio.Event().wait() and "never"

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        async with Toolset([Fake(slow)]) as tools:
            waiting = group.create_task(tools.run("work", "{}"))
            await began.wait()
        assert (await waiting).failed


async def test_what_runs_beside_is_waited_for_and_ended() -> None:
    seen = []

    class Server:
        def __init__(self, comes_up: bool) -> None:
            self._up = asyncio.Event()
            self._comes_up = comes_up

        async def run(self) -> None:
            try:
                if self._comes_up:
                    await asyncio.sleep(0)
                    seen.append("up")
                    self._up.set()
                await asyncio.Event().wait()
            finally:
                seen.append("ended")

        async def ready(self) -> None:
            await self._up.wait()

    async with asyncio.timeout(30):
        async with Toolset(beside=[Server(True)]):
            assert seen == ["up"]
        assert seen == ["up", "ended"]
        async with Toolset(beside=[Server(False)], start_s=0.01):
            assert seen == ["up", "ended"]
    assert seen == ["up", "ended", "ended"]


@pytest.mark.parametrize("letter", ["a", "\u00e9", "\uac00", "\U0001f600"])
def test_what_is_too_long_is_cut_at_a_letter_and_says_so(letter: str) -> None:
    assert cut(letter * 3, len((letter * 3).encode())) == letter * 3
    for most in range(40, 60):
        found = cut(letter * 100_000, most)
        assert len(found.encode()) <= most and found.startswith(letter) and found.endswith("bytes in all)")
        assert set(found.partition(" ...")[0]) == {letter}
    assert cut("\ud800", 10) == "?"


async def test_a_megabyte_is_cut() -> None:
    async def much(arguments: str, context: ToolContext) -> str:
        return "x" * 1_000_000

    async with Toolset([Fake(much, limits=ToolLimits(max_output_bytes=100))]) as tools:
        assert len((await tools.run("work", "{}")).output) == 100


async def test_a_blocked_tool_does_not_hold_the_loop() -> None:
    from voice.workers.threads import Threads

    threads, gate = Threads(1, "t"), threading.Event()

    async def blocked(arguments: str, context: ToolContext) -> str:
        return str(await threads.run(lambda: gate.wait(30)))

    async with asyncio.timeout(60), Toolset([Fake(blocked)]) as tools:
        waiting = tools.start("work", "{}", NOBODY)
        for _ in range(100):
            await asyncio.sleep(0)
        gate.set()
        assert await waiting == Outcome("True")
