"""The calls of functions in one streamed answer: pieces of the endpoint's in, pieces of ours out.

The first call is told while the model still writes it. Those beside it wait for its end: endpoints may mix their pieces, and on our
wire one item follows the other. Endpoints differ in whether they number calls, name them once or in every piece, and give them ids; some give
several the same one.
"""

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass

from voice.engines.base import Called
from voice.protocol.chat import CallDelta

log = logging.getLogger(__name__)

MAX_CALLS = 64
"""In one answer; a model that repeats itself for ever is cut off there."""


@dataclass(slots=True)
class _Call:
    index: int
    key: str
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    told: int | None = None
    """Letters of the arguments that have been told; None: not even the name."""


class Calls:
    """See the top of the file. `names`: the functions that may be called, `most`: how many calls; others are dropped."""

    def __init__(self, names: Collection[str], most: int = MAX_CALLS) -> None:
        self._names = names
        self._most = most
        self._calls: list[_Call] = []

    @property
    def made(self) -> bool:
        """Whether any call was told."""
        return any(call.told is not None for call in self._calls)

    @property
    def whole(self) -> bool:
        """Whether the arguments of every call are complete: JSON. Behind `flush`."""
        return all(_is_json(call.arguments) for call in self._calls if call.told is not None)

    def push(self, piece: CallDelta) -> list[Called]:
        """More of a call; what is told of it now."""
        call = next((call for call in reversed(self._calls) if call.index == piece.index), None)
        if call is None or (piece.call_id and call.call_id not in ("", piece.call_id)):
            if len(self._calls) >= self._most:
                return []
            # Without an id of its own a call is told by its number; the conversation sees that no two have the same (`outputs.py`).
            real = piece.call_id and all(call.key != piece.call_id for call in self._calls)
            call = _Call(piece.index, piece.call_id if real else f"#{len(self._calls)}")
            self._calls.append(call)
        call.call_id = call.call_id or piece.call_id
        call.name = call.name or piece.name
        call.arguments += piece.arguments
        return self._tell(call) if call is self._calls[0] else []

    def flush(self) -> list[Called]:
        """The answer has ended: all that waited. A call without arguments has an empty object of them."""
        told = []
        for call in self._calls:
            if not call.arguments.strip():
                call.arguments = "{}"
                call.told = None if call.told is None else 0
            told += self._tell(call)
        return told

    def _tell(self, call: _Call) -> list[Called]:
        if not call.name or (call.told is None and call.name not in self._names):
            if call.name and not call.arguments:
                log.warning("a model has called a function that there is not")
            return []
        more = call.arguments[call.told or 0 :]
        if call.told is not None and not more:
            return []
        call.told = len(call.arguments)
        return [Called(call.key, call.name, more)]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
