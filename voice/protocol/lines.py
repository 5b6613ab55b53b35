"""The conversation as whoever answers reads it: who said what, which functions were called, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from voice.protocol.conversation import text_of
from voice.protocol.objects import Item


@dataclass(frozen=True, slots=True)
class Call:
    """A function that was called."""

    call_id: str
    name: str
    arguments: str
    """JSON as text, as the caller wrote it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One finished entry of the conversation so far."""

    role: str
    """"system", "user", "assistant", or "tool" for what came of a call."""
    text: str
    call: Call | None = None
    """What the assistant called; such a line has no text."""
    call_id: str = ""
    """Of a tool's line: the call that it answers."""


def lines_of(items: Iterable[Item]) -> list[Line]:
    """The lines of some items, oldest first. Left out is what says nothing, what is not finished, and calls that broke off."""
    found = []
    for item in items:
        match item.type:
            case "message" if item.status != "in_progress" and (text := text_of(item)):
                found.append(Line(str(item.role), text))
            case "function_call" if item.status == "completed":
                found.append(Line("assistant", "", Call(_known(item.call_id), _known(item.name), _known(item.arguments))))
            case "function_call_output":
                found.append(Line("tool", _known(item.output), call_id=_known(item.call_id)))
    return found


def _known(value: object) -> str:
    return value if isinstance(value, str) else ""
