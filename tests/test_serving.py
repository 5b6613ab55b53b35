"""`voice.serve()`: a server in a program's own process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import voice
from tests.support.fakes import FakeSynthesizer, FakeTranscriber
from voice.engines.functions import function_tool
from voice.engines.local import LocalEngine, LocalOptions
from voice.engines.responder import SkillsResponder
from voice.engines.toolset import ToolContext, Toolset
from voice.errors import ConfigError, Refused, UsageError
from voice.server import serving


def get_weather(city: str, context: ToolContext) -> str:
    """The weather of a city."""
    return f"sunny in {city} for {context.values['user'] or 'nobody'}"


def engine(options: LocalOptions | None = None) -> LocalEngine:
    return LocalEngine(FakeTranscriber(), FakeSynthesizer(), SkillsResponder, options or LocalOptions())


@pytest.fixture(autouse=True)
def fake_local(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def made(options: LocalOptions) -> AsyncIterator[LocalEngine]:
        yield engine(options)

    monkeypatch.setattr(serving, "local_engine", made)


async def answer(server: serving.Server, text: str, **options: Any) -> str:
    async with asyncio.timeout(60), voice.connect(server.url, settings=voice.settings_of(text_only=True), **options) as session:
        await session.say(text)
        async for event in session:
            if isinstance(event, voice.ReplyText) and event.final:
                return event.text
    return ""


@pytest.mark.parametrize("mine", [False, True])
async def test_functions_of_the_program_are_called(mine: bool) -> None:
    """Inside of the embedded engine, and in front of one that the program brings along."""
    async with voice.serve(engine() if mine else None, tools=[get_weather]) as server:
        assert server.address.startswith("http://127.0.0.1:") and server.engine.name == "local"
        assert await answer(server, "call get weather in Oslo") == "sunny in Oslo for nobody"


async def test_a_toolset_of_the_program_s_own() -> None:
    async with Toolset([function_tool(get_weather, name="rain")]) as tools:
        async with voice.serve(tools=tools) as server:
            assert await answer(server, "call rain in Oslo") == "sunny in Oslo for nobody"
        assert not (await tools.run("rain", '{"city": "Oslo"}', ToolContext({"user": "7"}))).failed


async def test_others_need_a_key() -> None:
    with pytest.raises(ConfigError, match="server_key"):
        async with voice.serve(host="0.0.0.0"):
            pass
    async with voice.serve(server_key="canary") as server:
        with pytest.raises(Refused):
            await answer(server, "hello")
        assert await answer(server, "what is two plus two", api_key="canary")


async def test_a_function_that_no_model_can_be_told_of() -> None:
    def anything(*args: int) -> None: ...

    with pytest.raises(UsageError, match="anything"):
        async with voice.serve(tools=[anything]):
            pass
