"""The tools of a configuration: what its tables say, what is refused with file, line and key, and the toolset that they make."""

import stat
import sys
from pathlib import Path

import pytest

from tests.support.needs import needs
from voice.config import Config, load
from voice.engines.toolset import ToolLimits
from voice.errors import ConfigError, MissingExtra
from voice.tooling import ToolTables, make_toolset

FUNCTION = '[tools.get_weather]\nfunction = "house_tools:get_weather"\n'
SERVER = '[mcp.files]\ncommand = ["serve-files", "--root", "/srv"]\nallow = ["read", "list"]\n'


@pytest.fixture(autouse=True)
def house_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that can be imported."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "house_tools.py").write_text(
        'class Lamp:\n    @staticmethod\n    def on() -> str:\n        "Light."\n        return "on"\n\n\n'
        'def get_weather(city: str) -> str:\n    "The weather of a city."\n    return "sunny in " + city\n\n\n'
        "def anything(*args): ...\n\n\nNUMBER = 7\n"
    )
    (folder / "broken_tools.py").write_text("raise RuntimeError('why')\n")
    monkeypatch.syspath_prepend(str(folder))
    for name in ("house_tools", "broken_tools"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def config(tmp_path: Path, text: str, **environ: str) -> Config:
    file = tmp_path / "voice.toml"
    file.write_text(text)
    file.chmod(0o600)
    return load(environ=environ, file=file)


async def test_a_function_of_a_module(tmp_path: Path) -> None:
    text = (
        FUNCTION
        + 'description = "Ask it."\ntimeout_s = 5\nmax_output_bytes = 100\nat_once = 1\n[tools.lamp]\nfunction = "house_tools:Lamp.on"'
    )
    async with make_toolset(config(tmp_path, text).tools, {}) as tools:
        assert [(tool.name, tool.description) for tool in tools.tools] == [("get_weather", "Ask it."), ("lamp", "Light.")]
        assert (await tools.run("get_weather", '{"city": "Oslo"}')).output == "sunny in Oslo"
        assert (await tools.run("lamp", "{}")).output == "on"


def test_the_limits(tmp_path: Path) -> None:
    tables = config(tmp_path, FUNCTION + "timeout_s = 5\n[tools.b]\nfunction = 'house_tools:get_weather'\nat_once = 9").tools
    assert [one.value.limits for one in tables.functions.values()] == [ToolLimits(timeout_s=5.0), ToolLimits(at_once=9)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n[tools.a]\nfunction = 'house_tools'", ":3: function: 'package.module:function' is wanted, not 'house_tools'"),
        ("[tools.a]\ntimeout_s = 3\n", ":1: a has no 'function'"),
        ("[tools.a]\nfunktion = 'm:f'", ":2: no key 'funktion' here: did you mean 'function'?"),
        (FUNCTION + "timeout_s = 'long'", ":3: timeout_s: expected number, got text"),
        (FUNCTION + "timeout_s = 0", ":3: timeout_s: expected number > 0.0"),
        (FUNCTION + "at_once = 0", ":3: at_once: expected whole number >= 1"),
        ("[tools.'two words']\nfunction = 'm:f'", "a tool's name is 1 to 64 letters, digits, '_' or '-', not 'two words'"),
        ("port = 1\ntools = 3", ":2: tools is not a value, but tables: [tools.NAME]"),
        ("[tools]\na = 3", ":2: a: expected table, got whole number"),
        ("[mcp.a]\ncommand = ['x']", ":1: a has no 'allow'"),
        ("[mcp.a]\ncommand = ['x']\nallow = []", ":3: allow: expected list of length >= 1"),
        ("[mcp.a]\nallow = ['x']", ":1: either 'command' or 'url' says where the MCP server is"),
        ("[mcp.a]\nallow = ['x']\nurl = 'http://a'\ncommand = ['b']", ":1: either 'command' or 'url'"),
        ("[mcp.a]\nallow = ['x']\ncommand = 'b'", ":3: command: expected list, got text"),
        ("[mcp.a]\nallow = ['x']\nurl = 'files.example'", ":3: url: an address with http:// or https:// is wanted"),
        ("[mcp.a]\nallow = ['x']\nurl = 'http://b'\nenv = { A = 'b' }", ":4: env: it is for a 'command'; a 'url' has 'headers'"),
        ("[mcp.a]\nallow = ['x']\ncommand = ['b']\nheaders = { A = 'b' }", ":4: headers: they are for a 'url'"),
        ("tool = 3", ":1: no setting 'tool': did you mean 'tools'?"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "voice.toml")) and says in str(caught.value)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("no_such_module:f", "the module 'no_such_module' cannot be imported: ModuleNotFoundError"),
        ("broken_tools:f", "the module 'broken_tools' cannot be imported: RuntimeError: why"),
        ("house_tools:rain", "the module 'house_tools' has no function 'rain'"),
        ("house_tools:NUMBER", "has no function 'NUMBER'"),
        ("house_tools:anything", "cannot be passed by name"),
    ],
)
def test_a_function_that_is_not_there(function: str, says: str, tmp_path: Path) -> None:
    tables = config(tmp_path, f"[tools.a]\n\nfunction = '{function}'").tools
    with pytest.raises(ConfigError, match=says) as caught:
        make_toolset(tables, {})
    assert f"{tmp_path / 'voice.toml'}:3: " in str(caught.value)


def test_a_nearer_file_goes_before_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weak, strong = (
        config(tmp_path, FUNCTION + SERVER).tools,
        config(tmp_path, "[tools.get_weather]\nfunction = 'house_tools:Lamp.on'").tools,
    )
    both = strong.over(weak)
    assert both.functions["get_weather"].value.function == "house_tools:Lamp.on" and list(both.servers) == ["files"]
    assert both and not ToolTables()


def test_what_a_server_does_not_have_is_told_apart(tmp_path: Path) -> None:
    text = FUNCTION + "[mcp.shop]\ncommand = ['shop']\nallow = ['get_weather', 'refund']\n" + SERVER
    tables = config(tmp_path, text).tools
    names = ["get_weather", "shop_get_weather", "refund", "read", "list"]
    assert tables.summary(names) == "get_weather, shop (get_weather, refund), files (read, list)"
    assert tables.summary(names[:2]) == "get_weather, shop (get_weather; not there now: refund), files (not there now: read, list)"
    assert ToolTables().summary([]) == ""


def test_a_file_that_lies_about_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be somebody else's: a folder that was unpacked, a repository that was cloned."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    for text in (FUNCTION, "port = 1\n" + SERVER):
        (tmp_path / "voice.toml").write_text(text)
        with pytest.raises(ConfigError, match=r"^voice.toml:[12]: tools are programs .* --config voice.toml"):
            load(environ={})
        assert load(environ={}, file=Path("voice.toml")).tools
        assert load(environ={"VOICE_CONFIG": "voice.toml"}).tools
    (tmp_path / "voice.toml").write_text("port = 1")
    assert not load(environ={}).tools


@pytest.mark.parametrize(("lines", "warned"), [("env = { KEY = 'canary' }", True), ("env = { KEY = '$MINE' }", False), ("", False)])
def test_a_secret_that_everybody_can_read_is_warned_of(lines: str, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "voice.toml"
    file.write_text(SERVER + lines)
    file.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
    load(environ={}, file=file)
    assert ("chmod 600" in caplog.text) is warned and "canary" not in caplog.text


@needs("mcp")
def test_mcp_servers(tmp_path: Path) -> None:
    text = (
        SERVER
        + "env = { KEY = '$MINE', OTHER = 'x' }\n[mcp.far]\nurl = 'https://tools.example/mcp'\nheaders = { A = '$MINE' }\nallow = ['read', 'do.it']"
    )
    tables = config(tmp_path, FUNCTION + text).tools
    tools = make_toolset(tables, {"MINE": "canary"})
    assert tools.names == {"get_weather", "files_read", "list", "far_read", "do_it"}
    near, far = (server.options for server in tools._beside)  # type: ignore[attr-defined]
    assert near.command == ("serve-files", "--root", "/srv") and near.env == {"KEY": "canary", "OTHER": "x"}
    assert far.url == "https://tools.example/mcp" and far.headers == {"A": "canary"} and far.allow == ("read", "do.it")
    assert "canary" not in repr((near, far))
    with pytest.raises(ConfigError, match=r"voice.toml:\d+: env.KEY: there is no variable MINE"):
        make_toolset(tables, {})


@needs("mcp")
@pytest.mark.parametrize(
    "text",
    [
        "[mcp.a]\ncommand = ['x']\n\nallow = ['b', 'b']",
        "[mcp.a]\ncommand = ['x']\nallow = ['b', 'c']\n[tools.b]\nfunction = 'house_tools:get_weather'\n[tools.a_b]\nfunction = 'house_tools:get_weather'",
    ],
)
def test_two_tools_of_one_name(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"voice.toml:\d: allow: there is another tool with the name 'a_b'"):
        make_toolset(config(tmp_path, text).tools, {})


def test_without_the_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    def none(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", none)
    with pytest.raises(MissingExtra, match=r"voice\[mcp\]"):
        make_toolset(config(tmp_path, SERVER).tools, {})
