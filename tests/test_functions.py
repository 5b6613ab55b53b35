"""Python functions as tools of the server's: their arguments, their context, their results."""

import asyncio
import functools
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import pytest

from voice.engines.functions import function_tool
from voice.engines.toolset import UNSURE, Outcome, ToolContext, ToolLimits, Toolset
from voice.errors import ToolError, UsageError

SEVEN = ToolContext({"user": "7"})


@dataclass
class Order:
    number: int
    price: Decimal


def order_state(number: int, detail: bool = False, *, context: ToolContext) -> Order:
    """What became of an order.

    Args:
        number: of the order
    """
    if context.values.get("user") != "7":
        raise ToolError(f"Order {number} is not yours.")
    return Order(number, Decimal("9.50"))


async def greet(who: str, context: Annotated[ToolContext, "who asks"]) -> str:
    await asyncio.sleep(0)
    return f"{context.values['user']} greets {who}"


async def outcome_of(function: Any, arguments: str, context: ToolContext = SEVEN, name: str | None = None) -> Outcome:
    async with Toolset([function_tool(function, name=name)]) as tools:
        return await tools.run(tools.tools[0].name, arguments, context)


async def test_the_context_is_given_and_not_told() -> None:
    tool = function_tool(order_state).tool
    assert tool is not None and tool.description == "What became of an order."
    assert set(tool.parameters["properties"]) == {"number", "detail"} and tool.parameters["required"] == ["number"]
    assert await outcome_of(order_state, '{"number": 3}') == Outcome('{"number":3,"price":"9.50"}')
    assert await outcome_of(order_state, '{"number": 3}', ToolContext()) == Outcome("Order 3 is not yours.", failed=True)
    assert await outcome_of(greet, '{"who": "me"}') == Outcome("7 greets me")


@pytest.mark.parametrize(
    "arguments",
    ['{"number":', "[]", '{"number": "many"}', "{}", '{"number": 3, "context": {"values": {"user": "8"}}}', "null", "[" * 5000, "\ud800"],
)
async def test_arguments_that_do_not_fit(arguments: str) -> None:
    outcome = await outcome_of(order_state, arguments)
    assert outcome.failed and 10 < len(outcome.output) < 400


class Counter:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, step: int = 1) -> int:
        """Count further."""
        self.count += step
        return self.count

    async def later(self, step: int) -> int:
        """Count later."""
        return self(step)


async def test_functions_of_every_kind() -> None:
    counter = Counter()
    fixed = functools.partial(counter.later, step=5)
    async with Toolset(
        [function_tool(counter, name="count"), function_tool(fixed, name="five"), function_tool(lambda: None, name="nothing")]
    ) as tools:
        assert [await tools.run(name, "{}") for name in ("count", "five", "nothing")] == [Outcome("1"), Outcome("6"), Outcome("null")]
        assert (await tools.run("five", '{"step": 1}')).failed


@pytest.mark.parametrize("result", [object(), lambda: None, {(1, 2): 3}])
async def test_a_result_that_is_no_json(result: object) -> None:
    def work() -> object:
        return result

    outcome = await outcome_of(work, "{}")
    assert outcome == Outcome("The tool 'work' did its work, but its result is neither text nor JSON.", failed=True)


def wrapped(function: Any) -> Any:
    """What many a decorator does."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


async def test_a_plain_function_around_a_coroutine() -> None:
    loops = []

    @wrapped
    async def refund(number: int) -> str:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return f"refunded {number}"

    async def later() -> list[int]:
        return [1]

    assert await outcome_of(refund, '{"number": 7}') == Outcome("refunded 7")
    assert loops == [asyncio.get_running_loop()]
    assert await outcome_of(lambda: later(), "{}", name="later") == Outcome("[1]")
    assert await outcome_of(wrapped(greet), '{"who": "me"}') == Outcome("7 greets me")


async def test_a_plain_function_around_a_coroutine_has_a_time_limit() -> None:
    @wrapped
    async def hangs() -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(60), Toolset([function_tool(hangs, limits=ToolLimits(timeout_s=0.02))]) as tools:
        assert (await tools.run("hangs", "{}")).output == f"The tool 'hangs' took longer than 0.02 seconds and was stopped. {UNSURE}"


def counts(most: int) -> Iterator[int]:
    yield from range(most)


async def counts_later(most: int) -> AsyncIterator[int]:
    for number in range(most):
        yield number


async def never() -> None: ...


async def gives_another() -> Any:
    return never()


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (wrapped(counts), "generator"),
        (wrapped(counts_later), "async_generator"),
        (gives_another, "coroutine"),
        (wrapped(gives_another), "coroutine"),
    ],
)
async def test_what_has_not_run_did_not_do_its_work(function: Any, kind: str) -> None:
    outcome = await outcome_of(function, "{}" if kind == "coroutine" else '{"most": 3}', name="work")
    assert outcome == Outcome(f"The tool 'work' failed: it gave a {kind} and no result. {UNSURE}", failed=True)


def exits() -> None:
    sys.exit(3)


def stops() -> None:
    raise StopIteration("a secret value")


async def exits_later() -> None:
    sys.exit(3)


async def stops_later() -> None:
    raise StopAsyncIteration("a secret value")


def fails_behind_another() -> None:
    try:
        raise KeyError("a secret value")
    except KeyError as exc:
        raise RuntimeError("a secret value") from exc


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (exits, "SystemExit"),
        (exits_later, "SystemExit"),
        (stops, "StopIteration"),
        (stops_later, "StopAsyncIteration"),
        (fails_behind_another, "RuntimeError"),
    ],
)
async def test_the_log_names_what_was_raised_and_where(function: Any, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    assert (await outcome_of(function, "{}")).failed
    assert f"tool {function.__name__} failed: {kind} at {__file__}:" in caplog.text and "secret" not in caplog.text


async def test_a_result_without_end() -> None:
    def work() -> list[Any]:
        found: list[Any] = []
        found.append(found)
        return found

    assert (await outcome_of(work, "{}")).failed


@pytest.mark.parametrize("kind", ["function", "coroutine"])
async def test_so_many_at_once(kind: str) -> None:
    running, most, gate = 0, 0, threading.Event()
    loop, full, open_gate = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    lock = threading.Lock()

    def count(step: int) -> None:
        nonlocal running, most
        with lock:
            running += step
            most = max(most, running)
            if running == 3:
                loop.call_soon_threadsafe(full.set)

    def blocks() -> None:
        count(1)
        gate.wait(30)
        count(-1)

    async def waits() -> None:
        count(1)
        await open_gate.wait()
        count(-1)

    tool = function_tool(blocks if kind == "function" else waits, name="work", limits=ToolLimits(at_once=3))
    async with asyncio.timeout(60), Toolset([tool]) as tools:
        calls = [tools.start("work", "{}") for _ in range(8)]
        await full.wait()
        gate.set()
        open_gate.set()
        assert {await call for call in calls} == {Outcome("null")} and most == 3


async def test_who_waits_for_a_place_has_a_time_limit_too() -> None:
    gate = threading.Event()
    tool = function_tool(lambda: gate.wait(30), name="work", limits=ToolLimits(timeout_s=0.02, at_once=1))
    async with asyncio.timeout(60), Toolset([tool]) as tools:
        assert all([(await tools.run("work", "{}")).failed for _ in range(3)])
        gate.set()


def test_a_function_that_cannot_be_told() -> None:
    def anything(*args: int) -> None: ...

    with pytest.raises(UsageError, match="anything"):
        function_tool(anything)
