"""Which part of a conversation a language model is shown when all of it would be too much.

Kept are the system messages, all of them, and the newest exchanges; the oldest go first, and whole. An exchange is what a person said
and everything up to the next time that the person speaks. So an answer is never shown without its question, and a tool call never
without its output: an output that comes after the person has spoken again ties the exchanges between into one.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from voice.policy.usage import text_tokens

MESSAGE_TOKENS = 4
"""What a message costs besides its words: role and marks, by OpenAI's own way of counting."""
_SYSTEM = frozenset({"system", "developer"})


class CallLike(Protocol):
    """A tool call."""

    @property
    def id(self) -> str: ...


class MessageLike(Protocol):
    """What is looked at of a message (`voice.protocol.chat.Message` is one)."""

    @property
    def role(self) -> str: ...

    @property
    def content(self) -> str | None: ...

    @property
    def tool_calls(self) -> Sequence[CallLike]: ...

    @property
    def tool_call_id(self) -> str | None: ...


M = TypeVar("M", bound=MessageLike)


def message_tokens(message: MessageLike) -> int:
    """About how many tokens a message is: an estimate, since every model counts in its own way."""
    return MESSAGE_TOKENS + text_tokens(message.content or "") + sum(text_tokens(repr(call)) for call in message.tool_calls)


def trim(messages: Sequence[M], budget_tokens: int, tokens: Callable[[M], int] = message_tokens) -> list[M]:
    """The messages to show, in their order; about `budget_tokens` at most, unless the system messages and the newest exchange alone
    are more. A tool output whose call is not there is left out: no endpoint takes it."""
    system = {place for place, message in enumerate(messages) if message.role in _SYSTEM}
    exchanges = _exchanges(messages)
    left = budget_tokens - sum(tokens(messages[place]) for place in system)
    first = len(exchanges)
    while first > 0:
        left -= sum(tokens(messages[place]) for place in exchanges[first - 1])
        if left < 0 and first < len(exchanges):
            break
        first -= 1
    kept = system.union(*exchanges[first:])
    return [message for place, message in enumerate(messages) if place in kept]


def _exchanges(messages: Sequence[MessageLike]) -> list[list[int]]:
    """The places of all but the system messages, cut before each of the person's lines, except between a call and its output."""
    answered = {message.tool_call_id: place for place, message in enumerate(messages) if message.role == "tool"}
    called: set[str | None] = set()
    found: list[list[int]] = []
    whole_to, before = -1, ""
    for place, message in enumerate(messages):
        if message.role in _SYSTEM or (message.role == "tool" and message.tool_call_id not in called):
            continue
        # Two lines in a row that nobody has answered between are one question.
        if not found or (message.role == "user" and before != "user" and place > whole_to):
            found.append([])
        found[-1].append(place)
        called.update(call.id for call in message.tool_calls)
        whole_to = max([whole_to, *(answered.get(call.id, -1) for call in message.tool_calls)])
        before = message.role
    return found
