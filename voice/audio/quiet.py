"""Where the sound of an item is quiet: the pauses between its words, which may be longer than they were spoken. For `lead.py`.

Looked for when the sound comes, not in the audio callback. Loudness is the mean size of 5 ms of samples. They are quiet if that is 1/24
(-28 dB) or less of the loudest 20 ms that came before them, or next to nothing. All in integers: `web/quiet.js` finds the same.
"""

import numpy as np

from voice.audio.pcm import Samples, samples_in

FRAME_MS = 5
RATIO = 24
NOTHING = 16
"""A mean size of so much, -66 dB below full scale, is quiet beside anything."""
WINDOW = 4
"""Frames of which the loudest are what is normal."""


class Quiet:
    """The quiet of one item."""

    def __init__(self, rate_hz: int) -> None:
        self._frame = max(1, samples_in(FRAME_MS, rate_hz))
        self._frames = bytearray()
        """1: quiet, for each whole frame that came."""
        self._rest: Samples = np.zeros(0, np.int16)
        self._sums = np.zeros(WINDOW - 1, np.int64)
        """Of the last frames."""
        self._loudest = 0
        """Sum of the loudest window so far."""

    def add(self, samples: Samples) -> None:
        """More of the item (int16, mono, any length)."""
        whole = np.concatenate((self._rest, samples))
        count = len(whole) // self._frame
        self._rest = whole[count * self._frame :].copy()
        if not count:
            return
        sizes = np.abs(whole[: count * self._frame].astype(np.int32))
        sums = sizes.reshape(count, self._frame).sum(axis=1, dtype=np.int64)
        summed = np.concatenate(([0], np.cumsum(np.concatenate((self._sums, sums)))))
        loudest = np.maximum(np.maximum.accumulate(summed[WINDOW:] - summed[:-WINDOW]), self._loudest)
        quiet = (sums * (RATIO * WINDOW) <= loudest) | (sums <= NOTHING * self._frame)
        self._frames += quiet.astype(np.uint8).tobytes()
        self._loudest = int(loudest[-1])
        self._sums = np.concatenate((self._sums, sums))[1 - WINDOW :]

    def around(self, at: int) -> tuple[int, int] | None:
        """The samples of the item, from the first to the one behind the last, that are quiet around sample `at`, as far as they have come;
        None if it is not quiet there, or has not come."""
        frame = at // self._frame
        if frame >= len(self._frames) or not self._frames[frame]:
            return None
        last = self._frames.find(0, frame)
        return (self._frames.rfind(0, 0, frame) + 1) * self._frame, (len(self._frames) if last < 0 else last) * self._frame
