"""The sound of an item as it came, read once from its beginning to its end, and a little of what was read: for `playing.py`."""

from collections import deque
from itertools import islice

import numpy as np

from voice.audio.pcm import Samples, samples_in

LOOKS_BACK_MS = 40
"""So much of what was read can be looked at again."""


class Tape:
    """Pieces of sound, one behind the other."""

    def __init__(self, rate_hz: int) -> None:
        self._back = samples_in(LOOKS_BACK_MS, rate_hz)
        self._ahead: deque[Samples] = deque()
        """Pieces that were not read to their ends."""
        self._offset = 0
        """The next sample of the first of them."""
        self._behind: deque[Samples] = deque()
        """Pieces that were, as far back as can be looked."""
        self._behind_count = 0

    def add(self, samples: Samples) -> None:
        """More sound (int16, mono, at least a sample; kept, not copied)."""
        self._ahead.append(samples)

    def read(self, limit: int) -> Samples:
        """The next samples, at least one if there is one, at most `limit` (a view)."""
        first = self._ahead[0]
        piece = first[self._offset : self._offset + limit]
        self._offset += len(piece)
        if self._offset == len(first):
            self._offset = 0
            self._behind.append(self._ahead.popleft())
            self._behind_count += len(first)
            while self._behind_count - len(self._behind[0]) >= self._back:
                self._behind_count -= len(self._behind.popleft())
        return piece

    def around(self, back: int, ahead: int) -> Samples | None:
        """The last `back` samples that were read (at most LOOKS_BACK_MS) and the next `ahead` ones, in one piece; None if there are not so
        many."""
        rest = self._ahead[0][self._offset :] if self._ahead else np.zeros(0, np.int16)
        read = self._ahead[0][: self._offset] if self._ahead else rest
        before, missing = [], back
        for piece in (read, *reversed(self._behind)):
            if missing <= 0:
                break
            before.append(piece[-missing:])
            missing -= len(piece)
        behind, wanted = [], ahead
        for piece in (rest, *islice(self._ahead, 1, None)):
            if wanted <= 0:
                break
            behind.append(piece[:wanted])
            wanted -= len(piece)
        if missing > 0 or wanted > 0:
            return None
        return np.concatenate((*reversed(before), *behind, rest[:0]))
