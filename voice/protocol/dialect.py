"""The dialects of the protocol as data: one row a service, read by the interpreter (`interpreter.py`).

The protocol of today (GA) is the hub: it is what our own session, client and relay speak, and each row says in what a service differs from it.
Nothing here acts, and nothing anywhere asks for a dialect's name: a new service is a new row. What was seen in recorded traffic and what was only
read about is told apart in docs/providers.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})
OLD_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "response.output_audio.delta": "response.audio.delta",
        "response.output_audio.done": "response.audio.done",
        "response.output_audio_transcript.delta": "response.audio_transcript.delta",
        "response.output_audio_transcript.done": "response.audio_transcript.done",
        "response.output_text.delta": "response.text.delta",
        "response.output_text.done": "response.text.done",
        "conversation.item.added": "conversation.item.created",
    }
)
"""Names of today -> those of the beta."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """In what a service differs from the protocol of today. The defaults are that protocol."""

    name: str
    flat: bool = False
    """Settings of sessions and responses are flat, and a session has no `type`."""
    names: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """Server events with another name: ours -> theirs."""
    old_content: bool = False
    """What an assistant says is `text` and `audio` in items, not `output_text` and `output_audio`."""
    item_done: bool = True
    """`conversation.item.done` is told."""
    call_names: bool = True
    """`response.function_call_arguments.done` tells the function's name."""

    @property
    def plain(self) -> bool:
        """Nothing differs."""
        return self == Dialect(self.name)


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        row.name: row
        for row in (
            Dialect("ga"),
            Dialect("beta", flat=True, names=OLD_NAMES, old_content=True, item_done=False, call_names=False),
        )
    }
)
"""By name."""
