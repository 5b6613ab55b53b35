"""The conversation as whoever answers reads it: who said what, which functions were called, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

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
    item_id: str = field(default="", compare=False)
    """The item that it was; "" if it was none."""


def lines_of(items: Iterable[Item]) -> list[Line]:
    """The lines of some items, oldest first. Left out is what says nothing, what is not finished, and calls that broke off."""
    found = []
    for item in items:
        match item.type:
            case "message" if item.status != "in_progress" and (text := text_of(item)):
                found.append(Line(str(item.role), text, item_id=_known(item.id)))
            case "function_call" if item.status == "completed":
                call = Call(_known(item.call_id), _known(item.name), _known(item.arguments))
                found.append(Line("assistant", "", call, item_id=_known(item.id)))
            case "function_call_output":
                found.append(Line("tool", _known(item.output), call_id=_known(item.call_id), item_id=_known(item.id)))
    return found


def _known(value: object) -> str:
    return value if isinstance(value, str) else ""
