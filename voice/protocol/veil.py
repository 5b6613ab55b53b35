"""What a server adds to settings, and takes out again before a client reads them: its own tools, words about the one who is served.

A client's settings go on as they are, with the additions: its own tools stay, those of the server's names are refused. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voice.errors import ProtocolError
from voice.protocol.lenient import fields, text
from voice.protocol.tools import Tool, declared, refuse_mcp, refuse_taken
from voice.protocol.untrusted import Quotation

Fields = Mapping[str, Any]
_BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class Veil:
    """See the top of the file."""

    tools: Sequence[Tool] = ()
    """What the model is offered."""
    names: Collection[str] = ()
    """Of the server's tools, also of those that are not offered now: no client may declare one."""
    about: Quotation = Quotation()
    """Words for the model alone, behind the client's instructions."""

    def check(self, settings: Fields, path: str) -> None:
        """Refuse settings that name a tool of the server's, or an MCP server. `path`: "session", "response". Raises: ProtocolError."""
        tools, choice = settings.get("tools"), settings.get("tool_choice")
        for i, tool in enumerate(tools if isinstance(tools, list) else ()):
            # What answers would ask it, with what stands behind the stage in its reach.
            refuse_mcp(tool, f"{path}.tools[{i}]")
        refuse_taken(tools, self.names, f"{path}.tools")
        refuse_mcp(choice, f"{path}.tool_choice")
        if (name := text(fields(choice).get("name"))) in self.names:
            place = f"{path}.tool_choice"
            raise ProtocolError(f"Tool choice '{name}' not found in 'tools' parameter.", "invalid_value", place)

    def check_item(self, item: Fields) -> None:
        """Refuse a call of a tool of the server's that a client has made up: it could not be shown to it. Raises: ProtocolError."""
        if item.get("type") == "function_call" and (name := text(item.get("name"))) in self.names:
            raise ProtocolError(f"Invalid 'item.name': '{name}' is a function of the server's own.", "invalid_value", "item.name")

    def added(self, settings: Fields, tools: Sequence[Any] = (), choice: Any = None) -> dict[str, Any]:
        """A client's settings with the additions to those that it changes; what it does not name keeps them from before.

        `tools`, `choice`: what is in effect of the client's. One that forces a call forces one of the client's own: ours are not offered.
        """
        out = dict(settings)
        named = isinstance(out.get("tools"), list)
        if named or out.get("tool_choice") is not None:
            own = out["tools"] if named else tools
            forced = is_forced(choice if out.get("tool_choice") is None else out["tool_choice"])
            out["tools"] = [*own, *(() if forced else map(declared, self.tools))]
        if isinstance(out.get("instructions"), str):
            out["instructions"] = self._joined(out["instructions"])
        return out

    def first(self, session: Fields) -> dict[str, Any]:
        """What a new session is told: the additions to what it begins with."""
        tools, instructions = session.get("tools"), session.get("instructions")
        out: dict[str, Any] = {"type": "realtime"}
        if self.tools:
            out["tools"] = [*(tools if isinstance(tools, list) else ()), *map(declared, self.tools)]
        if self.about.words:
            out["instructions"] = self._joined(instructions if isinstance(instructions, str) else "")
        return out

    def shown(self, settings: Fields) -> dict[str, Any]:
        """Settings, or a response, as a client sees them: without the additions."""
        out = dict(settings)
        if isinstance(out.get("tools"), list):
            out["tools"] = [tool for tool in out["tools"] if text(fields(tool).get("name")) not in self.names]
        if isinstance(out.get("instructions"), str):
            out["instructions"] = self.without(out["instructions"])
        return out

    def without(self, told: str) -> str:
        """A text without the words for the model alone; nothing of it where they are not as they were written."""
        words, mark = self.about.words, self.about.mark
        if not words:
            return told
        rest = told.replace(_BETWEEN + words, "").replace(words, "")
        return "" if mark and mark in rest else rest

    def _joined(self, instructions: str) -> str:
        return _BETWEEN.join(part for part in (instructions, self.about.words) if part)


def is_forced(choice: object) -> bool:
    """Whether a choice of tools leaves no answer in words."""
    return choice == "required" or isinstance(choice, dict)
