"""The tools that a configuration lists, in tables `[tools.NAME]` (functions) and `[mcp.NAME]` (MCP servers), and the toolset that they make.

What they name is code that runs here with all our rights: only a file that the user owns or names on the command line may list them.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from voice.engines.toolset import AT_ONCE, MAX_OUTPUT_BYTES, TIMEOUT_S, ServerTool, ToolLimits, Toolset
from voice.errors import UsageError
from voice.policy.tables import Entry, entries
from voice.protocol.tools import is_name

if TYPE_CHECKING:
    from voice.engines.mcp import McpOptions, McpServer

TABLES = ("tools", "mcp")
Text = Annotated[str, Meta(min_length=1)]
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class _Limited(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both kinds have."""

    timeout_s: Annotated[float, Meta(gt=0, lt=1e6)] = TIMEOUT_S
    """For a call, in seconds."""
    max_output_bytes: Annotated[int, Meta(ge=100)] = MAX_OUTPUT_BYTES
    """Of an output that a model is told, in UTF-8."""
    at_once: Annotated[int, Meta(ge=1)] = AT_ONCE
    """Calls at the same time."""

    @property
    def limits(self) -> ToolLimits:
        """As the toolset wants them."""
        return ToolLimits(self.timeout_s, self.max_output_bytes, self.at_once)


class FunctionTable(_Limited, frozen=True, kw_only=True):
    """`[tools.NAME]`: a Python function, which the model calls by NAME."""

    function: Text
    """"package.module:function", where Python finds it."""
    description: Text | None = None
    """Instead of its docstring's."""


class ServerTable(_Limited, frozen=True, kw_only=True):
    """`[mcp.NAME]`: a program that speaks MCP on stdin and stdout, or a server on the network."""

    allow: Annotated[list[Text], Meta(min_length=1)]
    """Which of its tools the model may call."""
    command: Annotated[list[Text], Meta(min_length=1)] | None = None
    """The program and its arguments."""
    url: Text | None = None
    """The server's address, in place of a program."""
    env: dict[str, str] = {}
    """Variables for the program; a value "$NAME" is that of our own variable."""
    headers: dict[str, str] = {}
    """For the server on the network; values as of `env`."""


@dataclass(frozen=True, slots=True)
class ToolTables:
    """All tables, by their names."""

    functions: Mapping[str, Entry[FunctionTable]] = field(default_factory=dict)
    servers: Mapping[str, Entry[ServerTable]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.functions or self.servers)

    def summary(self, offered: Collection[str]) -> str:
        """Their names, for people; of the tools of MCP servers those that are not `offered` now are told apart."""
        here = _own_names(self) if self.servers else {}
        named = ((name, dict(zip(self.servers[name].value.allow, own, strict=True))) for name, own in here.items())
        return ", ".join([*self.functions, *(f"{name} ({_told(names, offered)})" for name, names in named)])

    @property
    def has_secrets(self) -> bool:
        """Whether there may be one in it: values for a program or a server that are not our own variables."""
        values = [value for one in self.servers.values() for value in (*one.value.env.values(), *one.value.headers.values())]
        return any(not value.startswith("$") for value in values)

    def over(self, other: "ToolTables") -> "ToolTables":
        """These and, where they have none of a name, the other's."""
        return ToolTables({**other.functions, **self.functions}, {**other.servers, **self.servers})


def tool_tables(values: Mapping[str, Any], text: str, name: str) -> ToolTables:
    """The tables of a file that has been read. `name`: the file's, for messages. Raises: ConfigError with file, line and key."""
    functions, servers = entries(values, name, text, "tools", FunctionTable), entries(values, name, text, "mcp", ServerTable)
    for tool, function in functions.items():
        if not _FUNCTION.fullmatch(function.value.function):
            raise function.mistake(f"function: 'package.module:function' is wanted, not '{function.value.function[:80]}'", "function")
        if not is_name(tool):
            raise function.mistake(f"a tool's name is 1 to 64 letters, digits, '_' or '-', not '{tool[:80]}'")
    for server in servers.values():
        _check(server)
    return ToolTables(functions, servers)


def make_toolset(tables: ToolTables, environ: Mapping[str, str]) -> Toolset:
    """The tools, not running yet. Imports the functions' modules. Raises: ConfigError, MissingExtra (MCP)."""
    tools = [function_of(name, listed) for name, listed in tables.functions.items()]
    servers = make_servers(tables, environ) if tables.servers else []
    return Toolset([*tools, *(tool for server in servers for tool in server.tools)], servers)


def make_servers(tables: ToolTables, environ: Mapping[str, str]) -> "list[McpServer]":
    """The MCP servers, not running yet. Raises: ConfigError, MissingExtra."""
    from voice.engines.mcp import McpServer, need_sdk

    need_sdk()
    own, taken = _own_names(tables), set(tables.functions)
    made = []
    for name, server in tables.servers.items():
        if twice := [tool for n, tool in enumerate(own[name]) if tool in taken or tool in own[name][:n]]:
            raise server.mistake(f"allow: there is another tool with the name '{twice[0]}'", "allow")
        taken |= set(own[name])
        made.append(McpServer(_options(name, server, environ), own[name]))
    return made


def function_of(name: str, listed: Entry[FunctionTable]) -> ServerTool:
    """The function of a table as a tool. Raises: ConfigError if it is not there, or no model can be told of it."""
    from voice.engines.functions import function_tool

    table = listed.value
    try:
        return function_tool(_imported(listed), name=name, description=table.description, limits=table.limits)
    except UsageError as exc:
        raise listed.mistake(str(exc), "function") from exc


def _imported(listed: Entry[FunctionTable]) -> Callable[..., Any]:
    module, _, names = listed.value.function.partition(":")
    try:
        found: Any = import_module(module)
    except Exception as exc:
        # Whatever its own code raises: the file and the line say whose it is.
        raise listed.mistake(f"the module '{module}' cannot be imported: {type(exc).__name__}: {exc}", "function") from exc
    for name in names.split("."):
        found = getattr(found, name, None)
    if not callable(found):
        raise listed.mistake(f"the module '{module}' has no function '{names}'", "function")
    function: Callable[..., Any] = found
    return function


def _check(server: Entry[ServerTable]) -> None:
    """What types cannot say. Raises: ConfigError."""
    table = server.value
    if (table.command is None) == (table.url is None):
        raise server.mistake("either 'command' or 'url' says where the MCP server is")
    if table.url is not None and (urlsplit(table.url).scheme not in ("http", "https") or not urlsplit(table.url).hostname):
        raise server.mistake("url: an address with http:// or https:// is wanted", "url")
    if table.env and table.command is None:
        raise server.mistake("env: it is for a 'command'; a 'url' has 'headers'", "env")
    if table.headers and table.url is None:
        raise server.mistake("headers: they are for a 'url'; a 'command' has 'env'", "headers")


def _told(names: Mapping[str, str], offered: Collection[str]) -> str:
    """Of one server: there -> here."""
    there = ", ".join(own for own, name in names.items() if name in offered)
    missing = ", ".join(own for own, name in names.items() if name not in offered)
    return "; ".join(part for part in (there, f"not there now: {missing}" if missing else "") if part)


def _own_names(tables: ToolTables) -> dict[str, list[str]]:
    """Of each server the names of its tools here: their own, with the server's in front where two would be the same."""
    from voice.engines.mcp import safe_name

    named = {name: [safe_name(tool) for tool in server.value.allow] for name, server in tables.servers.items()}
    counts = Counter([*tables.functions, *(tool for tools in named.values() for tool in tools)])
    return {name: [tool if counts[tool] == 1 else safe_name(f"{name}_{tool}") for tool in tools] for name, tools in named.items()}


def _options(name: str, server: Entry[ServerTable], environ: Mapping[str, str]) -> "McpOptions":
    from voice.engines.mcp import McpOptions

    table = server.value
    return McpOptions(
        name=name,
        allow=tuple(table.allow),
        command=tuple(table.command or ()),
        url=table.url or "",
        env=_filled(server, "env", table.env, environ),
        headers=_filled(server, "headers", table.headers, environ),
        limits=table.limits,
    )


def _filled(server: Entry[ServerTable], key: str, values: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """With our own variables in the place of their names. Raises: ConfigError for one that is not set."""
    found = {}
    for name, value in values.items():
        if value.startswith("$") and value[1:] not in environ:
            raise server.mistake(f"{key}.{name}: there is no variable {value[1:80]}", key, name)
        found[name] = environ[value[1:]] if value.startswith("$") else value
    return found
