"""The talking side's sound on its way up: our 16 kHz becomes appends at the server's rate, and every frame is accounted for.

The server counts time from the first sample that it got, and gets neither what was dropped nor what was not worth sending:
`to_local_ms` maps its times to ours. Until the server has taken the settings sound is held back (bounded), so that the first word is not
sent at a rate that the server does not know of; what must follow that sound waits with it. The newest of what was sent is kept too: when
a link breaks, the next one gets it again from where it matters.
"""

from collections import deque
from collections.abc import Callable

from voice.audio.pcm import RATE_HZ, Framer, Samples, ms_in, samples_in, to_bytes
from voice.audio.resample import Resampler
from voice.protocol.codec import encode
from voice.protocol.ledger import Ledger
from voice.protocol.outbox import Outbox, Piece
from voice.protocol.requests import BufferAppend
from voice.protocol.soundqueue import SoundQueue

APPEND_MS = 40
"""25 messages a second: half the cost of one a frame, 20 ms later at most."""
RESEND_MS = 15_000
"""Sound held back while no server is ready, and sound that is kept to be sent again; beyond it the oldest goes."""
TAIL_MS = 1_000
"""So much is sent again in any case: the beginning of a turn that no detector has noticed yet."""
MAX_GAPS = 1_000
"""Places where the server's count leaps; it speaks of the newest."""


class Uplink:
    """See the top of the file. All positions are in samples at 16 kHz from the first one captured."""

    def __init__(self, outbox: Outbox, ledger: Ledger, louder: Callable[[Samples], Samples] = lambda samples: samples) -> None:
        """`louder`: what becomes of each sample that is sent, once, behind every detector."""
        self.outbox = outbox
        self._louder = louder
        self.ledger = ledger
        self._held = SoundQueue(RESEND_MS)
        self._sent_lately = SoundQueue(RESEND_MS)
        self._rate_hz = 0
        self._gaps: deque[tuple[int, int]] = deque([(0, 0)], MAX_GAPS)
        self._sent = 0
        self._run: tuple[int, int] | None = None
        """Where the sound began that is sent without a gap, and where it goes on."""
        self._appended = 0
        self.position = 0
        """Samples captured."""

    @property
    def position_ms(self) -> int:
        """Captured ms."""
        return ms_in(self.position)

    def open(self, rate_hz: int) -> None:
        """The server is ready for this rate: what was held goes first."""
        self._rate_hz = rate_hz
        self._pieces = _Pieces(rate_hz)
        self._run = None
        self._sent = 0
        self._gaps.clear()
        start = self._held.start
        self._gaps.append((0, self.position if start is None else start))
        for entry in self._held.take():
            self._sent_lately.add(entry)
            if callable(entry):
                entry()
            else:
                self._send(*entry)

    def close(self, resend_from_ms: int) -> None:
        """The link is gone: hold back again, and hold what was sent from there on, to be sent again. What is too old is stale."""
        if self._rate_hz:
            self._held = self._sent_lately.since(samples_in(resend_from_ms))
            if self._held.start is not None and ms_in(self._held.start) > resend_from_ms:
                self.ledger.miss(resend_from_ms, ms_in(self._held.start), "stale")
        self._sent_lately.take()
        self._rate_hz = 0

    def capture(self, samples: Samples) -> None:
        """Count sound that may or may not be sent."""
        self.position += samples.size
        self.ledger.capture(self.position_ms)

    def send(self, samples: Samples, at: int | None = None) -> None:
        """Send captured sound (int16, mono, 16 kHz), or hold it until the server is ready. `at`: its position; None: it is the newest."""
        at = self.position - samples.size if at is None else at
        samples = self._louder(samples)
        if self._rate_hz:
            self._sent_lately.add((at, samples))
            self._send(at, samples)
            return
        for gone, lost in self._held.add((at, samples)):
            self.ledger.miss(ms_in(gone), ms_in(gone + lost.size), "bound")

    def then(self, act: Callable[[], None]) -> None:
        """Do this behind the sound sent so far: at once, or when the server is ready."""
        if self._rate_hz:
            self._sent_lately.add(act)
            act()
        else:
            self._held.add(act)

    def flush(self) -> None:
        """Send what is left of an append and of the resampler: a commit follows."""
        if self._rate_hz:
            for piece in self._pieces.flush():
                self._append(piece)
            self._run = None

    def nudge(self) -> None:
        """Send what waits for an append to be full: nothing more may come for a while."""
        if self._rate_hz:
            self._append(self._pieces.begun())

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

    def _send(self, at: int, samples: Samples) -> None:
        if self._run is not None and at != self._run[1]:
            # What lies between was not worth sending: neither a resampler nor an append reaches across it.
            self.flush()
        if self._run is None:
            self._run, self._appended = (at, at), 0
        self._run = (self._run[0], at + samples.size)
        for piece in self._pieces.push(samples):
            self._append(piece)

    def _append(self, samples: Samples) -> None:
        if self._run is None or not samples.size:
            return
        start = self._run[0] + self._appended * RATE_HZ // self._rate_hz
        self._appended += samples.size
        piece = Piece(start, self._run[0] + self._appended * RATE_HZ // self._rate_hz)
        for gone in self.outbox.put(encode(BufferAppend(audio=to_bytes(samples))), piece):
            self.ledger.miss(ms_in(gone.start), ms_in(gone.end), "bound")


class _Pieces:
    """Sound cut into appends at the server's rate."""

    def __init__(self, rate_hz: int) -> None:
        self._resampler = Resampler(RATE_HZ, rate_hz)
        self._framer = Framer(samples_in(APPEND_MS, rate_hz))

    def push(self, samples: Samples) -> list[Samples]:
        """Those that are complete."""
        return self._framer.push(self._resampler.push(samples))

    def begun(self) -> Samples:
        """The one that is not, as it is."""
        return self._framer.flush()

    def flush(self) -> list[Samples]:
        """All that is left: something else follows."""
        return [*self._framer.push(self._resampler.flush()), self._framer.flush()]
