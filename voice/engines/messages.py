"""The conversation as a chat endpoint wants it: what was called stands in the assistant's messages, each output right behind its call.

Endpoints refuse a call without its output, and an output without its call. Pure.
"""

from collections.abc import Iterable, Sequence

import msgspec

from voice.protocol.chat import FunctionCall, Message, ToolCall
from voice.protocol.lines import Call, Line

NO_RESULT = "(There is no result yet.)"
"""Stands for the output of a call that is still at work."""
LOST_CALL = "(The result of a function that was called: {output})"
"""Stands for an output whose call nobody has: it was deleted, or belongs to a conversation before this one."""


def messages_of(lines: Sequence[Line]) -> list[Message]:
    """The messages of a conversation, oldest first; lines without words are left out."""
    answers = _answers(lines)
    used = {place for place in answers.values() if place is not None}
    found: list[Message] = []
    calls: list[tuple[int, Call]] = []
    for place, line in enumerate(lines):
        if line.call is not None:
            calls.append((place, line.call))
            continue
        found += _called(calls, found, lines, answers)
        calls = []
        if line.role == "tool" and place not in used:
            found.append(Message("user", LOST_CALL.format(output=line.text)))
        elif line.role != "tool" and line.text:
            found.append(Message(line.role, line.text))
    return found + _called(calls, found, lines, answers)


def _answers(lines: Sequence[Line]) -> dict[int, int | None]:
    """Of each call the place of its output, behind it; None if there is none."""
    open_calls: dict[str, int] = {}
    found: dict[int, int | None] = {}
    for place, line in enumerate(lines):
        if line.call is not None:
            found[place] = None
            open_calls[line.call.call_id] = place
        elif line.role == "tool" and line.call_id in open_calls:
            found[open_calls.pop(line.call_id)] = place
    return found


def _called(
    calls: Sequence[tuple[int, Call]], found: list[Message], lines: Sequence[Line], answers: dict[int, int | None]
) -> list[Message]:
    """Calls that were made together, and their outputs. What was said before them goes into their message."""
    if not calls:
        return []
    asked = [ToolCall(call.call_id, FunctionCall(call.name, call.arguments)) for _, call in calls]
    if found and found[-1].role == "assistant" and not found[-1].tool_calls:
        message = msgspec.structs.replace(found.pop(), tool_calls=asked)
    else:
        message = Message("assistant", tool_calls=asked)
    return [message, *_outputs(calls, lines, answers)]


def _outputs(calls: Iterable[tuple[int, Call]], lines: Sequence[Line], answers: dict[int, int | None]) -> Iterable[Message]:
    for place, call in calls:
        at = answers[place]
        yield Message("tool", lines[at].text if at is not None else NO_RESULT, tool_call_id=call.call_id)
