"""How long a pause may be before a turn is over, by how finished the speaker's thought seems.

Semantic turn detection (`semantic_vad` of the Realtime protocol) waits by meaning, not by a fixed silence. `turns.py` reports each pause
once, somebody who understands words says what he thinks of it, and the wait is looked up here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

PAUSE_MS = 240
"""A silence is a pause after so long: longer than the stops within words (150 ms), short enough to know the answer by `finished_ms`."""


class Thought(Enum):
    """How finished what somebody has said so far seems to be."""

    FINISHED = "finished"
    LIKELY = "likely"
    """Sentences often end so."""
    UNKNOWN = "unknown"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Patience:
    """The silence, from the end of the speech on, that ends a turn."""

    finished_ms: int
    likely_ms: int
    unknown_ms: int
    unfinished_ms: int

    def wait_ms(self, thought: Thought) -> int:
        """The silence that ends a turn after such a thought."""
        return {
            Thought.FINISHED: self.finished_ms,
            Thought.LIKELY: self.likely_ms,
            Thought.UNKNOWN: self.unknown_ms,
            Thought.UNFINISHED: self.unfinished_ms,
        }[thought]


PATIENCE: Mapping[str, Patience] = {
    "high": Patience(400, 700, 1_000, 2_000),
    "medium": Patience(500, 1_000, 1_700, 4_000),
    "auto": Patience(500, 1_000, 1_700, 4_000),
    "low": Patience(800, 1_700, 3_000, 8_000),
}
"""By the protocol's `eagerness`. The longest waits are those that the service documents (8, 4 and 2 s, "auto" as "medium"); 500 ms for what is
finished is what `server_vad` waits for anything."""
