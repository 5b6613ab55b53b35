"""The tools of a session or of a response: what is refused, and which functions an answer may call.

Functions are called by whatever answers. A client declares functions of its own and nothing else: which MCP servers are asked, and
which functions run on this side, is for the server's owner to say.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice.errors import ProtocolError
from voice.protocol.lenient import fields, text
from voice.protocol.refusing import need_known, need_one_of, need_text, of_kind, one_of, quoted

KINDS = ("function",)
CHOICES = ("auto", "none", "required")
MAX_ROUNDS = 8
"""Of calls of the server's own tools in one answer; then the model has to answer in words."""
MAX_CALLS = 16
"""Of the server's own tools in one round; a model that calls more is told so."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FIELDS = frozenset({"type", "name", "description", "parameters"})
_CHOICE_FIELDS = frozenset({"type", "name"})


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that may be called: the client's or the server's own."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """JSON schema of the object of arguments; empty if it takes none."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What an answer may call, and whether it must."""

    tools: tuple[Tool, ...] = ()
    choice: str = "auto"
    """One of `CHOICES`."""
    named: str | None = None
    """The one function that is to be called, whatever `choice` says."""
    parallel: bool = True
    """Several calls in one answer are welcome."""

    @property
    def usable(self) -> tuple[Tool, ...]:
        """The functions that may be called."""
        if self.named is not None:
            return tuple(tool for tool in self.tools if tool.name == self.named)
        return () if self.choice == "none" else self.tools

    @property
    def must(self) -> bool:
        """One of the usable ones is to be called."""
        return bool(self.usable) and (self.named is not None or self.choice == "required")


def is_name(name: str) -> bool:
    """Whether a function can be called that."""
    return _NAME.fullmatch(name) is not None


def declared(tool: Tool) -> dict[str, Any]:
    """A function as `session.tools` lists it; the opposite of `toolbox`."""
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    return {"type": "function", "name": tool.name, "description": tool.description, "parameters": parameters}


def toolbox(tools: Any, choice: Any, parallel: Any) -> Toolbox:
    """The functions among a session's or a response's `tools`, which have been checked; absent values are the defaults."""
    found = tuple(
        Tool(tool["name"], tool.get("description") or "", tool.get("parameters") or {})
        for tool in (tools if isinstance(tools, list) else ())
        if tool.get("type") == "function" and isinstance(tool.get("name"), str)
    )
    named = choice.get("name") if isinstance(choice, dict) and choice.get("type") == "function" else None
    if named not in {tool.name for tool in found}:
        # Of a session, whose tools and choice come in separate updates: what is not there cannot be called.
        named = None
    return Toolbox(found, choice if isinstance(choice, str) else "auto", named, parallel is not False)


def check_tools(tools: Any, path: str) -> None:
    """Refuse tools that nobody could call. `path`: "session.tools", "response.tools". Raises: ProtocolError."""
    for i, tool in enumerate(tools if isinstance(tools, list) else ()):
        place = f"{path}[{i}]"
        _need_function(tool, place)
        need_known(tool, _FIELDS, place)
        _need_name(tool, place)
        for name, wanted, shown in (("description", str, "a string"), ("parameters", dict, "an object")):
            of_kind(tool.get(name), wanted, shown, f"{place}.{name}")


def check_choice(choice: Any, tools: Any, path: str) -> None:
    """Refuse a choice that is none. `tools`: those that it may name; None: not known yet. Raises: ProtocolError."""
    if isinstance(choice, str):
        one_of(choice, path, CHOICES)
    elif isinstance(choice, dict):
        _need_function(choice, path)
        need_known(choice, _CHOICE_FIELDS, path)
        _need_name(choice, path)
        if tools is not None and choice["name"] not in _names(tools):
            raise ProtocolError(f"Tool choice '{choice['name']}' not found in 'tools' parameter.", "invalid_value", path)


def refuse_taken(tools: Any, taken: Collection[str], path: str) -> None:
    """Refuse functions with the names of the server's own; takes anything. Raises: ProtocolError."""
    for i, tool in enumerate(tools if isinstance(tools, list) else ()):
        if (name := text(fields(tool).get("name"))) in taken:
            place = f"{path}[{i}].name"
            raise ProtocolError(f"Invalid '{place}': '{name}' is a function of the server's own.", "invalid_value", place)


def refuse_mcp(tool: Any, path: str) -> None:
    """Refuse a tool, or a choice of one, that is an MCP server of the client's; takes anything. Raises: ProtocolError."""
    if fields(tool).get("type") == "mcp":
        message = f"Invalid value: 'mcp'. Supported values are: {quoted(KINDS)}. MCP servers are named in the server's configuration."
        raise ProtocolError(message, "invalid_value", f"{path}.type")


def kept_choice(choice: Any, tools: Any) -> Any:
    """A choice that was made among other tools: `auto` if its function is not among these."""
    gone = isinstance(choice, dict) and choice.get("type") == "function" and choice.get("name") not in _names(tools or ())
    return "auto" if gone else choice


def _names(tools: Sequence[Any]) -> set[Any]:
    return {tool.get("name") for tool in tools if tool.get("type") == "function"}


def _need_function(given: Mapping[str, Any], place: str) -> None:
    """Raises: ProtocolError."""
    refuse_mcp(given, place)
    need_one_of(given, "type", KINDS, place)


def _need_name(tool: Mapping[str, Any], place: str) -> None:
    if not is_name(need_text(tool, "name", place)):
        message = f"Invalid '{place}.name': a name is 1 to 64 letters, digits, '_' or '-'."
        raise ProtocolError(message, "invalid_value", f"{place}.name")
