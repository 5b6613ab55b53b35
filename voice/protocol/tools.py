"""The tools of a session or of a response: what is refused, and which functions an answer may call.

Functions are called by whatever answers; tools of other kinds (`mcp`) are accepted, and nothing here calls them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice.errors import ProtocolError

KINDS = ("function", "mcp")
CHOICES = ("auto", "none", "required")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FIELDS = {
    "function": frozenset({"type", "name", "description", "parameters"}),
    "mcp": frozenset(
        {"type", "server_label", "server_url", "connector_id", "tunnel_id", "server_description", "authorization", "headers"}
        | {"allowed_tools", "allowed_callers", "require_approval", "defer_loading"}
    ),
}
_CHOICE_FIELDS = {"function": frozenset({"type", "name"}), "mcp": frozenset({"type", "server_label", "name"})}


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client's."""

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
        _need_one_of(tool, "type", KINDS, place)
        _need_known(tool, _FIELDS[tool["type"]], place)
        if tool["type"] == "mcp":
            _need_text(tool, "server_label", place)
            if not any(tool.get(name) for name in ("server_url", "connector_id", "tunnel_id")):
                _need_text(tool, "server_url", place)
            continue
        _need_name(tool, place)
        for name, wanted, shown in (("description", str, "a string"), ("parameters", dict, "an object")):
            if tool.get(name) is not None and not isinstance(tool[name], wanted):
                raise _wrong_type(f"{place}.{name}", shown)


def check_choice(choice: Any, tools: Any, path: str) -> None:
    """Refuse a choice that is none. `tools`: those that it may name; None: not known yet. Raises: ProtocolError."""
    if isinstance(choice, str):
        if choice not in CHOICES:
            raise _not_one_of(choice, CHOICES, path)
    elif isinstance(choice, dict):
        _need_one_of(choice, "type", KINDS, path)
        _need_known(choice, _CHOICE_FIELDS[choice["type"]], path)
        if choice["type"] == "mcp":
            _need_text(choice, "server_label", path)
            return
        _need_name(choice, path)
        if tools is not None and choice["name"] not in _names(tools):
            raise ProtocolError(f"Tool choice '{choice['name']}' not found in 'tools' parameter.", "invalid_value", path)


def kept_choice(choice: Any, tools: Any) -> Any:
    """A choice that was made among other tools: `auto` if its function is not among these."""
    gone = isinstance(choice, dict) and choice.get("type") == "function" and choice.get("name") not in _names(tools or ())
    return "auto" if gone else choice


def _names(tools: Sequence[Any]) -> set[Any]:
    return {tool.get("name") for tool in tools if tool.get("type") == "function"}


def _need_name(tool: Mapping[str, Any], place: str) -> None:
    _need_text(tool, "name", place)
    if not _NAME.fullmatch(tool["name"]):
        message = f"Invalid '{place}.name': a name is 1 to 64 letters, digits, '_' or '-'."
        raise ProtocolError(message, "invalid_value", f"{place}.name")


def _need_text(tool: Mapping[str, Any], name: str, place: str) -> None:
    if tool.get(name) is None:
        raise ProtocolError(f"Missing required parameter: '{place}.{name}'.", "missing_required_parameter", f"{place}.{name}")
    if not isinstance(tool[name], str):
        raise _wrong_type(f"{place}.{name}", "a string")


def _need_known(tool: Mapping[str, Any], names: frozenset[str], place: str) -> None:
    for name in tool:
        if name not in names:
            path = f"{place}.{name[:80]}"
            raise ProtocolError(f"Unknown parameter: '{path}'.", "unknown_parameter", path)


def _need_one_of(tool: Mapping[str, Any], name: str, allowed: Sequence[str], place: str) -> None:
    _need_text(tool, name, place)
    if tool[name] not in allowed:
        raise _not_one_of(tool[name], allowed, f"{place}.{name}")


def _not_one_of(value: str, allowed: Sequence[str], path: str) -> ProtocolError:
    shown = " and ".join(f"'{one}'" for one in allowed)
    return ProtocolError(f"Invalid value: '{value[:80]}'. Supported values are: {shown}.", "invalid_value", path)


def _wrong_type(path: str, wanted: str) -> ProtocolError:
    return ProtocolError(f"Invalid type for '{path}': expected {wanted}.", "invalid_type", path)
