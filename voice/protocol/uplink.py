"""The talking side's sound on its way up: our 16 kHz becomes appends at the server's rate, and every frame is accounted for.

The server counts time from the first sample that it got, and gets neither what was dropped nor what was not worth sending:
`to_local_ms` maps its times to ours. Until the server has taken the settings sound is held back (bounded), so that the first word is not
sent at a rate that the server does not know of; what must follow that sound waits with it.
"""

from collections import deque
from collections.abc import Callable

from voice.audio.pcm import RATE_HZ, Framer, Samples, ms_in, samples_in, to_bytes
from voice.audio.resample import Resampler
from voice.protocol.codec import encode
from voice.protocol.ledger import Ledger
from voice.protocol.outbox import Outbox, Piece
from voice.protocol.requests import BufferAppend

APPEND_MS = 40
"""25 messages a second: half the cost of one a frame, 20 ms later at most."""
MAX_HELD_MS = 10_000
"""Sound held back while the server is not ready; beyond it the oldest goes."""
MAX_GAPS = 1_000
"""Places where the server's count leaps; it speaks of the newest."""

Held = tuple[int, Samples] | Callable[[], None]
"""Sound and where it was captured, or what is to be done behind it."""


class Uplink:
    """See the top of the file. All positions are in samples at 16 kHz from the first one captured."""

    def __init__(self, outbox: Outbox, ledger: Ledger) -> None:
        self._outbox = outbox
        self._ledger = ledger
        self._held: deque[Held] = deque()
        self._held_samples = 0
        self._rate_hz = 0
        self._gaps: deque[tuple[int, int]] = deque([(0, 0)], MAX_GAPS)
        self._sent = 0
        self._start: int | None = None
        self._appended = 0
        self.position = 0
        """Samples captured."""

    @property
    def position_ms(self) -> int:
        """Captured ms."""
        return ms_in(self.position)

    @property
    def waiting_ms(self) -> int:
        """Sound that has not been given to the link yet."""
        return ms_in(self._held_samples) + self._outbox.audio_ms

    def open(self, rate_hz: int) -> None:
        """The server is ready for this rate: what was held goes first."""
        self._rate_hz = rate_hz
        self._resampler = Resampler(RATE_HZ, rate_hz)
        self._framer = Framer(samples_in(APPEND_MS, rate_hz))
        self._start = None
        self._sent = 0
        self._gaps.clear()
        self._gaps.append((0, self.position - self._held_samples))
        held, self._held, self._held_samples = self._held, deque(), 0
        for entry in held:
            if callable(entry):
                entry()
            else:
                self._send(*entry)

    def close(self) -> None:
        """The link is gone: hold back again."""
        self._rate_hz = 0

    def capture(self, samples: Samples) -> None:
        """Count sound that may or may not be sent."""
        self.position += samples.size
        self._ledger.capture(self.position_ms)

    def send(self, samples: Samples, at: int | None = None) -> None:
        """Send captured sound (int16, mono, 16 kHz), or hold it until the server is ready. `at`: its position; None: it is the newest."""
        at = self.position - samples.size if at is None else at
        if self._rate_hz:
            self._send(at, samples)
        elif samples.size:
            self._held.append((at, samples))
            self._held_samples += samples.size
            self._bound()

    def then(self, act: Callable[[], None]) -> None:
        """Do this behind the sound sent so far: at once, or when the server is ready."""
        if self._rate_hz:
            act()
        else:
            self._held.append(act)

    def flush(self) -> None:
        """Send what is left of an append and of the resampler: a commit follows."""
        if self._rate_hz:
            for piece in [*self._framer.push(self._resampler.flush()), self._framer.flush()]:
                self._append(piece)
            self._start = None

    def nudge(self) -> None:
        """Send what waits for an append to be full: nothing more may come for a while."""
        if self._rate_hz:
            self._append(self._framer.flush())

    def sent(self, piece: Piece) -> None:
        """This piece has been given to the link: the server counts it next."""
        server, local = self._gaps[-1]
        if local + self._sent - server != piece.start:
            self._gaps.append((self._sent, piece.start))
        self._sent += piece.end - piece.start

    def to_local_ms(self, server_ms: int) -> int:
        """A time of the server on our count."""
        at = samples_in(server_ms)
        server, local = next((gap for gap in reversed(self._gaps) if gap[0] <= at), self._gaps[0])
        return ms_in(local - server) + server_ms

    def _bound(self) -> None:
        """Let the oldest of what is held go, and what was to be done behind it."""
        while self._held and (ms_in(self._held_samples) > MAX_HELD_MS or callable(self._held[0])):
            entry = self._held.popleft()
            if not callable(entry):
                at, samples = entry
                self._held_samples -= samples.size
                self._ledger.miss(ms_in(at), ms_in(at + samples.size), "bound")

    def _send(self, at: int, samples: Samples) -> None:
        if self._start is None:
            self._start, self._appended = at, 0
        for piece in self._framer.push(self._resampler.push(samples)):
            self._append(piece)

    def _append(self, samples: Samples) -> None:
        if self._start is None or not samples.size:
            return
        start = self._start + self._appended * RATE_HZ // self._rate_hz
        self._appended += samples.size
        piece = Piece(start, self._start + self._appended * RATE_HZ // self._rate_hz)
        for gone in self._outbox.put(encode(BufferAppend(audio=to_bytes(samples))), piece):
            self._ledger.miss(ms_in(gone.start), ms_in(gone.end), "bound")
