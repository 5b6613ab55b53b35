"""What waits to be sent: control is never dropped, audio is bounded by its length.

One queue keeps the order (a commit must not overtake the sound it commits). When more audio waits than the bound, the oldest
goes and is counted: a live microphone must not wait. A source that can wait (a file) looks at `audio_ms` first and never loses any.
"""

from collections import deque
from dataclasses import dataclass

from voice.audio.pcm import ms_in

MAX_AUDIO_MS = 16_000
"""More than a new link is sent again (`uplink.RESEND_MS`)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Where the sound of a text lies: samples at 16 kHz, counted from the first one captured."""

    start: int
    end: int


CONTROL = Piece(0, 0)
"""Of a text without sound."""


class Outbox:
    """See the top of the file."""

    def __init__(self, max_audio_ms: int = MAX_AUDIO_MS) -> None:
        self._queue: dict[int, tuple[str, Piece]] = {}
        self._audio: deque[int] = deque()
        self._count = 0
        self._samples = 0
        self._max_audio_ms = max_audio_ms

    @property
    def audio_ms(self) -> int:
        """How much audio waits."""
        return ms_in(self._samples)

    def put(self, text: str, piece: Piece = CONTROL) -> list[Piece]:
        """Queue a text, which is audio if `piece` has a length. Returns the audio that had to go for it, oldest first."""
        self._count += 1
        self._queue[self._count] = (text, piece)
        if piece.start == piece.end:
            return []
        self._audio.append(self._count)
        self._samples += piece.end - piece.start
        dropped = []
        while self.audio_ms > self._max_audio_ms:
            gone = self._queue.pop(self._audio.popleft())[1]
            self._samples -= gone.end - gone.start
            dropped.append(gone)
        return dropped

    def take(self) -> list[tuple[str, Piece]]:
        """Everything that waits, in order."""
        entries = list(self._queue.values())
        self._queue.clear()
        self._audio.clear()
        self._samples = 0
        return entries
