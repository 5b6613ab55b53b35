"""MCP servers, real ones: what they offer, and all the ways in which they fail."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.needs import needs
from voice.engines import mcp
from voice.engines.mcp import McpOptions, McpServer, need_sdk, safe_name
from voice.engines.toolset import Outcome, ToolLimits, Toolset
from voice.errors import MissingError, MissingExtra

SERVER = str(Path(__file__).resolve().parent / "servers" / "odd_mcp.py")
PROGRAM = (sys.executable, SERVER)
ENDED = "ended meanwhile"
GONE = "is not there at the moment"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait for a server to be tried again."""
    monkeypatch.setattr(mcp, "PATIENCE", mcp.RetrySettings(first_s=0.02, cap_s=0.2, tries=1 << 30, stable_s=30.0))


@asynccontextmanager
async def served(*allow: str, limits: ToolLimits = ToolLimits(timeout_s=60), **options: Any) -> AsyncIterator[tuple[McpServer, Toolset]]:  # noqa: B008
    """A server's tools, under their own names."""
    server = McpServer(McpOptions("odd", allow, limits=limits, **({"command": PROGRAM} | options)), allow)
    async with asyncio.timeout(120), Toolset(server.tools, [server], start_s=60) as tools:
        yield server, tools


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that no event tells."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - what is waited for is another process's
            await asyncio.sleep(0.02)


def offered(tools: Toolset) -> list[str]:
    return [tool.name for tool in tools.tools]


@needs("mcp")
async def test_only_what_is_allowed_is_offered(caplog: pytest.LogCaptureFixture) -> None:
    async with served("add", "secret", "no_such_tool", env={"ODD_SECRET": "told"}) as (_, tools):
        assert offered(tools) == ["add", "secret"] and tools.names == {"add", "secret", "no_such_tool"}
        add = tools.tools[0]
        assert add.description == "Add two numbers." and set(add.parameters["properties"]) == {"a", "b"}
        assert await tools.run("add", '{"a": 2, "b": 3}') == Outcome("5")
        assert (await tools.run("much", "{}")).failed
        assert "has no tool 'no_such_tool'" in caplog.text


@needs("mcp")
async def test_a_server_gets_the_variables_that_are_given_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODD_UNTOLD", "untold")
    async with served("secret", env={"ODD_SECRET": "told"}) as (_, tools):
        assert await tools.run("secret", "") == Outcome("told none")


@needs("mcp")
async def test_arguments_that_do_not_fit() -> None:
    async with served("add") as (_, tools):
        for arguments in ('{"a": 2', "[]", "7", '{"a": "many"}', '{"a": 2, "b": 3, "c": {}}x'):
            outcome = await tools.run("add", arguments)
            assert outcome.failed and outcome.output
        assert await tools.run("add", '{"a": 2, "b": 3}') == Outcome("5")


@needs("mcp")
async def test_what_a_tool_may_do(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with served("much", "fail", "shout", limits=ToolLimits(60, 1000)) as (_, tools):
        assert len((await tools.run("much", "{}")).output) == 1000
        failed = await tools.run("fail", "{}")
        assert failed.failed and "fail" in failed.output
        assert await tools.run("shout", "{}") == Outcome("all the same")
        await until(lambda: "odd: a  [1mline [0m on stderr" in caplog.text)


@needs("mcp")
async def test_what_a_server_writes_that_is_no_mcp_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    code = f"import os, runpy; os.write(1, b'not for a log\\n' * 3); runpy.run_path({SERVER!r}, run_name='__main__')"
    async with served("add", command=(sys.executable, "-c", code)) as (_, tools):
        assert await tools.run("add", '{"a": 2, "b": 3}') == Outcome("5")
    assert "not for a log" not in caplog.text


@needs("mcp")
async def test_a_tool_that_hangs_holds_up_nobody() -> None:
    async with served("hang", "add", limits=ToolLimits(timeout_s=0.2)) as (_, tools):
        assert "longer than 0.2 seconds" in (await tools.run("hang", "{}")).output
    async with served("hang", "add", limits=ToolLimits(at_once=2)) as (_, tools):
        hanging = tools.start("hang", "{}")
        assert await tools.run("add", '{"a": 2, "b": 3}') == Outcome("5")
        hanging.cancel()


async def test_a_server_that_does_one_thing_at_a_time_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy:
        async def list_tools(self, **how: object) -> None:
            await asyncio.Event().wait()

        async def call_tool(self, *what: object) -> None:
            await server._look(Busy())  # type: ignore[arg-type]
            raise ValueError("it was left alone")

    monkeypatch.setattr(mcp, "CONNECT_S", 0.01)
    server = McpServer(McpOptions("odd", ("add",)), ("add",))
    server._client = Busy()  # type: ignore[assignment]
    with pytest.raises(TimeoutError):
        await server._look(Busy())  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "mcp", SimpleNamespace(MCPError=KeyError))
    monkeypatch.setitem(sys.modules, "mcp_types", SimpleNamespace(CONNECTION_CLOSED=1))
    with pytest.raises(ValueError, match="left alone"):
        await server.call("add", "{}")


@needs("mcp")
async def test_a_server_that_dies_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    async with served("die", "add") as (server, tools):
        dying = await tools.run("die", "{}")
        assert dying.failed and ENDED in dying.output
        gone = await tools.run("add", '{"a": 2, "b": 3}')
        assert gone.failed and GONE in gone.output or gone == Outcome("5")
        assert offered(tools) == ["die", "add"]
        await until(lambda: server._client is not None)
        assert await tools.run("add", '{"a": 2, "b": 3}') == Outcome("5")
    assert "'odd' has ended" in caplog.text


@needs("mcp")
async def test_a_server_that_never_works_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "voice")
    async with served("add", command=(sys.executable, "-c", "raise SystemExit(1)")):
        await until(lambda: caplog.text.count("'odd' does not work") >= 3)
    assert [record.levelno for record in caplog.records if "'odd' does not work" in record.message][:3] == [
        logging.WARNING,
        logging.DEBUG,
        logging.DEBUG,
    ]


@needs("mcp")
async def test_a_list_that_changes() -> None:
    async with served("change", "fail", "late") as (_, tools):
        assert offered(tools) == ["change", "fail"]
        assert await tools.run("change", "{}") == Outcome("changed")
        await until(lambda: offered(tools) == ["change", "late"])
        assert await tools.run("late", '{"x": 4}') == Outcome("4")


@needs("mcp")
async def test_a_server_of_the_older_protocol(caplog: pytest.LogCaptureFixture) -> None:
    """The question of the newer one is its end; the next try asks as it wants to be asked."""
    old = str(Path(SERVER).with_name("old_mcp.py"))
    async with served("double", command=(sys.executable, old)) as (server, tools):
        await until(lambda: server._client is not None)
        assert offered(tools) == ["double"] and await tools.run("double", '{"x": 21}') == Outcome("42")
    assert caplog.text.count("'odd' does not work") == 1


@needs("mcp")
async def test_the_end_of_the_tools_is_the_end_of_the_server() -> None:
    async with served("who") as (_, tools):
        number = int((await tools.run("who", "{}")).output)
        assert number != os.getpid() and _runs(number)
    await until(lambda: not _runs(number))


def _runs(number: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@needs("mcp")
@pytest.mark.parametrize(
    "command", [("/no/such/program",), (sys.executable, "-c", "raise SystemExit(1)"), (sys.executable, "-c", "print('x' * 9)")]
)
async def test_a_server_that_does_not_start_is_no_reason_not_to(command: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    async with served("add", command=command) as (_, tools):
        assert offered(tools) == [] and tools.names == {"add"}
        assert GONE in (await tools.run("add", "{}")).output
    assert "'odd' does not work" in caplog.text


@needs("mcp")
async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    server = McpServer(McpOptions("odd", ("add",), (sys.executable, "-c", "import time; time.sleep(600)")), ("add",))
    async with asyncio.timeout(60):
        async with Toolset(server.tools, [server], start_s=0.2) as tools:
            assert offered(tools) == []


@needs("mcp")
async def test_a_server_on_the_network_that_goes_and_comes_back() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = await _on(port)
    try:
        async with served("add", command=(), url=f"http://127.0.0.1:{port}/mcp") as (server, tools):
            assert await tools.run("add", '{"a": 2, "b": 3}') == Outcome("5")
            running.kill()
            await running.wait()
            await until(lambda: server._client is None)
            assert GONE in (await tools.run("add", '{"a": 2, "b": 3}')).output
            running = await _on(port)
            await until(lambda: server._client is not None)
            assert await tools.run("add", '{"a": 2, "b": 3}') == Outcome("5")
    finally:
        running.kill()
        await running.wait()


async def _on(port: int) -> asyncio.subprocess.Process:
    """The server, listening."""
    quiet = asyncio.subprocess.DEVNULL
    running = await asyncio.create_subprocess_exec(*PROGRAM, str(port), stdout=quiet, stderr=quiet)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    await until(listens)
    return running


def test_names_that_models_may_write() -> None:
    assert [safe_name(name) for name in ("read_file", "files.read/all", "x" * 80)] == ["read_file", "files_read_all", "x" * 64]


@pytest.mark.parametrize(("version", "error"), [(None, MissingExtra), ("1.28.0", MissingError), ("2.0.0", None), ("3.1.0", None)])
def test_the_sdk_is_asked_for(version: str | None, error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    def installed(name: str) -> str:
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", installed)
    if error is None:
        need_sdk()
    else:
        with pytest.raises(error, match=r"voice\[mcp\]"):
            need_sdk()
