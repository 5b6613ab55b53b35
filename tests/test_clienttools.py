"""Functions of a program in its session: called by the model, beside everything else, and whatever they do the conversation goes on."""

import asyncio
import enum
import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

import voice
from tests.support.model import Model, Talk, talking
from tests.support.until import until
from tests.support.wire import fake_engine
from voice.clienttools import MAX_OUTPUT_BYTES
from voice.engines.responder import SkillsResponder
from voice.errors import ToolError, UsageError
from voice.opening import connect
from voice.protocol.dead_air import Filler
from voice.protocol.dialect import DIALECTS
from voice.protocol.notices import ReplyEnded, ReplyText, SessionReady, ToolEnded, ToolStarted
from voice.session import settings_of


async def test_a_function_and_a_coroutine_side_by_side() -> None:
    meeting = threading.Barrier(2)
    model = Model(("weather", '{"city":"Oslo"}'), ("stars", "{}"))

    def weather(city: str) -> dict[str, str]:
        """The weather."""
        meeting.wait(20)
        return {"city": city}

    async def stars() -> list[int]:
        await asyncio.to_thread(meeting.wait, 20)
        return [1, 2]

    async with talking(model, weather, stars) as talk:
        answer = await talk.answer()
        assert sorted(answer.split(" and ")) == ["[1,2]", '{"city":"Oslo"}']
        assert {(n.name, n.output, n.failed) for n in talk.of(ToolEnded)} == {
            ("weather", '{"city":"Oslo"}', False),
            ("stars", "[1,2]", False),
        }
        assert [n.arguments for n in talk.of(ToolStarted)] == ['{"city":"Oslo"}', "{}"]
        assert len(model.prompts) == 2
        box = model.prompts[0].toolbox
        assert [(tool.name, tool.description) for tool in box.tools] == [("weather", "The weather."), ("stars", "")]
        assert await talk.answer("thanks") == "You said thanks."


class Size(enum.Enum):
    LARGE = "l"


@dataclass
class Order:
    number: int
    day: date
    size: Size


class Opaque:
    pass


def failing(exc: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise exc

    return fail


SECRET = secrets.token_hex(12)
BROKEN = "The tool 'act' failed. What it was to do may be done or not."
RESULTS: list[tuple[Callable[..., Any], str, bool]] = [
    (lambda: "as it is", "as it is", False),
    (lambda: None, "null", False),
    (lambda: Order(3, date(2026, 11, 20), Size.LARGE), '{"number":3,"day":"2026-11-20","size":"l"}', False),
    (lambda: "half \ud800", "half ?", False),
    (lambda: Opaque(), "The tool 'act' did its work, but its result is neither text nor JSON.", True),
    (lambda: "x" * 1_000_000, " ... (cut off: 1000000 bytes in all)", False),
    (failing(ValueError(SECRET)), BROKEN, True),
    (failing(SystemExit(SECRET)), BROKEN, True),
    (failing(StopIteration(SECRET)), BROKEN, True),
    (failing(ToolError("There is no such order.")), "There is no such order.", True),
]


@pytest.mark.parametrize(("function", "output", "failed"), RESULTS, ids=range(len(RESULTS)))
@pytest.mark.parametrize("kind", ["function", "coroutine"])
async def test_whatever_a_function_does_the_model_is_told(
    function: Callable[..., Any], output: str, failed: bool, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def coroutine() -> Any:
        return function()

    model = Model(("act", "{}"))
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "voice.engines.toolset")
    async with talking(model) as talk:
        talk.session.tool(coroutine if kind == "coroutine" else function, name="act")
        await talk.answer()
        (ended,) = talk.of(ToolEnded)
        assert ended.output.endswith(output) and ended.failed == failed
        assert len(ended.output) <= MAX_OUTPUT_BYTES
        assert model.outputs == [ended.output]
        assert SECRET not in ended.output and "Traceback" not in ended.output
    assert SECRET not in caplog.text and "tool act" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        ("{", "not valid JSON"),
        ('{"number":"three"}', "The argument 'number' must be an integer; it was \"three\"."),
        ("{}", "The argument 'number' is missing."),
        ('{"number":1,"x":2}', "There is no argument 'x'; the arguments are 'number'."),
    ],
)
async def test_arguments_that_do_not_fit(arguments: str, output: str, caplog: pytest.LogCaptureFixture) -> None:
    ran = []

    def look(number: int) -> int:
        ran.append(number)
        return number

    async with talking(Model(("look", arguments)), look) as talk:
        await talk.answer()
        (ended,) = talk.of(ToolEnded)
        assert output in ended.output and ended.failed and ran == []
    assert "three" not in caplog.text, "no arguments in the log"


async def test_a_function_that_nobody_has() -> None:
    model = Model(("look", "{}"), ("other", "{}"))
    async with talking(model) as talk:

        @talk.session.tool
        def other() -> str:
            return "yes"

        await talk.answer()
        ended = {n.name: n for n in talk.of(ToolEnded)}
        assert ended["look"].output == "There is no tool 'look'." and ended["look"].failed
        assert ended["other"].output == "yes"


async def test_one_that_does_not_end_in_time_and_what_comes_later() -> None:
    gate = threading.Event()
    cancelled = []

    def sleeps() -> str:
        gate.wait(20)
        return "late"

    async def waits() -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return "late"

    async def refuses() -> str:
        while not gate.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                cancelled.append(False)
        return "late"

    model = Model(("sleeps", "{}"), ("waits", "{}"), ("refuses", "{}"))
    async with talking(model) as talk:
        for function in (sleeps, waits, refuses):
            talk.session.tool(function, timeout_s=0.05)
        answer = await talk.answer()
        assert answer.count("took longer than 0.05 seconds and was stopped.") == 3
        gate.set()
        assert await talk.answer("thanks") == "You said thanks."
        assert sorted(cancelled) == [False, True]
        assert len(talk.of(ToolEnded)) == 3 and "late" not in str(model.prompts[-1].lines)


async def test_the_user_stops_what_runs() -> None:
    gate = threading.Event()

    def sleeps() -> str:
        gate.wait(20)
        return "late"

    async with talking(Model(("sleeps", "{}")), sleeps) as talk:
        await talk.session.say("call")
        await talk.until(ToolStarted)
        assert talk.session.cancel_tools() == 1 and talk.session.cancel_tools() == 0
        ended = await talk.until(ToolEnded)
        assert ended.output == "The tool 'sleeps' was stopped. What it was to do may be done or not."
        gate.set()


async def test_one_that_cancels_itself() -> None:
    async def gives_up() -> None:
        raise asyncio.CancelledError

    async with talking(Model(("gives_up", "{}")), gives_up) as talk:
        assert await talk.answer() == "The tool 'gives_up' failed. What it was to do may be done or not."


async def test_the_user_goes_on_talking_meanwhile() -> None:
    gate = asyncio.Event()

    async def waits() -> str:
        await gate.wait()
        return "clear"

    model = Model(("waits", "{}"))
    async with talking(model, waits) as talk:
        await talk.session.say("call")
        await talk.until(ToolStarted)
        await talk.until(ReplyEnded)
        assert await talk.answer("hello") == "You said hello."
        talk.session.interrupt()
        assert await talk.answer("again") == "You said again."
        gate.set()
        while not talk.of(ReplyText) or talk.of(ReplyText)[-1].text != "clear":
            await talk.until(ReplyText)
        assert len(model.prompts) == 4


async def test_the_session_ends_while_one_runs() -> None:
    gate = threading.Event()
    seen = []

    def sleeps() -> str:
        seen.append("asleep")
        gate.wait(20)
        return "late"

    async def waits() -> None:
        seen.append("waiting")
        try:
            await asyncio.sleep(3600)
        finally:
            seen.append("cancelled")

    async with talking(Model(("sleeps", "{}"), ("waits", "{}")), sleeps, waits) as talk:
        await talk.session.say("call")
        await until(lambda: len(seen) == 2)
    assert sorted(seen) == ["asleep", "cancelled", "waiting"]
    gate.set()


async def test_tools_of_every_kind_and_at_any_time() -> None:
    class Shop:
        async def __call__(self) -> str:
            return "open"

        def find(self, number: int) -> str:
            return f"found {number}"

    model = Model(("shop", "{}"), ("find", '{"number":1}'), ("later", "{}"))
    async with talking(model, Shop().find) as talk:
        talk.session.tool(Shop(), name="shop", description="Whether it is open.")
        ready = await talk.until(SessionReady)
        while len(ready.settings.tools) < 2:
            ready = await talk.until(SessionReady)

        @talk.session.tool(name="later", timeout_s=5)
        async def anything() -> Any:
            return "later"

        assert await anything() == "later", "a decorator gives the function back"
        while len(ready.settings.tools) < 3:
            ready = await talk.until(SessionReady)
        assert sorted((await talk.answer()).split(" and ")) == ["found 1", "later", "open"]
        talk.session.tool(lambda: "closed", name="shop")
        assert "closed" in (await talk.answer()).split(" and ")
        assert len(model.prompts[-1].toolbox.tools) == 3


async def test_a_function_that_cannot_be_described_is_refused_at_once() -> None:
    with pytest.raises(UsageError):
        async with connect(engine=fake_engine(), tools=[lambda *args: None]):
            pass
    async with talking(Model()) as talk:
        with pytest.raises(UsageError):
            talk.session.tool(lambda *args: None, name="x")
        assert await talk.answer("hello") == "You said hello."


async def test_a_blocked_function_holds_nothing_up() -> None:
    """It ends only when the loop has turned many times; how late that was, bench/tools.py measures."""
    gate, begun = threading.Event(), threading.Event()

    def sleeps() -> str:
        begun.set()
        return "awake" if gate.wait(20) else "nobody came"

    async with talking(Model(("sleeps", "{}")), sleeps) as talk:
        await talk.session.say("call")
        await until(begun.is_set)
        for _ in range(500):
            await asyncio.sleep(0)
        gate.set()
        assert (await talk.until(ToolEnded)).output == "awake"


@pytest.mark.parametrize(("language", "words"), [("hello", "One moment, please."), ("안녕", "잠시만 기다려 주세요.")])
async def test_a_word_is_said_where_there_would_be_silence(language: str, words: str) -> None:
    """By the embedded responder, which has no language model to follow instructions with."""
    gate = asyncio.Event()

    async def waits() -> str:
        await gate.wait()
        return "clear"

    async with talking(SkillsResponder(), waits, filler=Filler(0.02)) as talk:
        await talk.session.say(language)
        await talk.until(ReplyEnded)
        await talk.session.say("waits 호출해 줘" if language != "hello" else "call waits")
        said = await talk.until(ReplyText)
        while not said.final:
            said = await talk.until(ReplyText)
        assert said.text == words
        gate.set()
        while talk.of(ReplyText)[-1].text != "clear":
            await talk.until(ReplyText)


SCRIPT = """
[[reply]]
call = {name = "weather", arguments = {city = "Oslo"}}

[[reply]]
say = "It is clear."
"""


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
async def test_in_every_dialect(dialect: str) -> None:
    def weather(city: str) -> str:
        return f"clear in {city}"

    async with asyncio.timeout(30), voice.twin(SCRIPT, hurry=True, dialect=dialect) as twin:
        async with connect(twin.url, dialect=dialect, tools=[weather], settings=settings_of(text_only=True)) as session:
            talk = Talk(session)
            await session.say("how is the weather")
            while not (said := await talk.until(ReplyText)).final:
                pass
            assert said.text == "It is clear."
            assert [notice.output for notice in talk.of(ToolEnded)] == ["clear in Oslo"]
