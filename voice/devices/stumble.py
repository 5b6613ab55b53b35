"""Whether a stream has stumbled and will not get up by itself: to be asked after each of its callbacks.

Seen with PortAudio 19.6 over ALSA's plug-in for PulseAudio, on a stream for both devices: after one underrun (the process was held up for
0.4 s) the microphone stays late by what had piled up, for good, and PortAudio's thread spins meanwhile: 100 % of a core instead of 1.
Stopping and starting the stream takes 1 ms and mends both. So two things tell: sound that has become later than it was, and a thread that
works more than copying can be. Time is counted in blocks: a machine that sleeps or is busy changes nothing.
"""

from math import inf

WINDOW = 100
"""Callbacks that are judged together: 1 s of sound."""
SPIN = 0.3
"""Of a core: copying and playing take 0.02, a slow machine's several times as much; who spins takes what there is, 0.4 or more beside
other work."""
LATER_S = 0.15
"""So much later than it began: no device drifts so far, and a conversation feels it."""
WINDOWS = 2
"""Bad windows in a row before it is started again, twice as many each time that this did not help."""
MOST_WINDOWS = 64


class Stumble:
    """One stream; from its callback."""

    def __init__(self, block_s: float) -> None:
        self.calls = 0
        """Callbacks so far, of all its starts."""
        self._block_s = block_s
        self._needed = WINDOWS
        self.again()

    def again(self) -> None:
        """It has been started: what it was is no measure any more."""
        self._count = 0
        self._bad = 0
        self._least_s = self._late_s = inf
        self._busy_s: float | None = None
        self.down = False
        """It is time to start the stream again."""

    def after(self, busy_s: float, late_s: float | None) -> None:
        """A callback has been.

        `busy_s`: CPU time of the thread that called, so far. `late_s`: how old the sound is that it brought; None where nobody knows.
        """
        if self._busy_s is None:
            self._busy_s = busy_s
        if late_s is not None:
            self._late_s = min(self._late_s, late_s)
        self.calls += 1
        self._count += 1
        if self._count == WINDOW:
            self._judge(busy_s, busy_s - self._busy_s)

    def _judge(self, busy_s: float, worked_s: float) -> None:
        spins = worked_s > SPIN * WINDOW * self._block_s
        self._least_s = min(self._late_s, self._least_s)
        later = self._late_s - self._least_s > LATER_S
        self._count, self._busy_s, self._late_s = 0, busy_s, inf
        if not (spins or later):
            self._bad, self._needed = 0, WINDOWS
            return
        self._bad += 1
        if self._bad >= self._needed:
            self._needed = min(2 * self._needed, MOST_WINDOWS)
            self.down = True
