"""A bounded queue of captured sound, and of what is to be done between it (a commit behind its turn)."""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import dropwhile

from voice.audio.pcm import Samples, ms_in

Entry = tuple[int, Samples] | Callable[[], None]
"""Sound and the position at which it was captured (samples at 16 kHz), or what is to be done behind the sound before it."""


class SoundQueue:
    """Sound of at most `max_ms`; when there is more the oldest goes, and what was to be done behind it."""

    def __init__(self, max_ms: int) -> None:
        self._entries: deque[Entry] = deque()
        self._max_ms = max_ms
        self.samples = 0
        """How much sound is in it."""

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def start(self) -> int | None:
        """Where its first sound was captured; None: it holds none."""
        return next((entry[0] for entry in self._entries if not callable(entry)), None)

    def add(self, entry: Entry) -> list[tuple[int, Samples]]:
        """Put something at the end; returns the sound that had to go for it, oldest first."""
        if not callable(entry) and not entry[1].size:
            return []
        self._entries.append(entry)
        self.samples += 0 if callable(entry) else entry[1].size
        gone: list[tuple[int, Samples]] = []
        while ms_in(self.samples) > self._max_ms or (gone and callable(self._entries[0])):
            oldest = self._entries.popleft()
            if not callable(oldest):
                self.samples -= oldest[1].size
                gone.append(oldest)
        return gone

    def since(self, position: int) -> "SoundQueue":
        """A queue of what lies behind a position: the sound from there on, and what was to be done behind that sound."""
        newer = SoundQueue(self._max_ms)
        for entry in dropwhile(lambda entry: callable(entry) or entry[0] + entry[1].size <= position, self._entries):
            cut = 0 if callable(entry) else max(0, position - entry[0])
            newer.add(entry if callable(entry) or not cut else (position, entry[1][cut:]))
        return newer

    def take(self) -> list[Entry]:
        """Everything, in order; then it is empty."""
        entries = list(self._entries)
        self._entries.clear()
        self.samples = 0
        return entries
