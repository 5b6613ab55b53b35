"""The input audio buffer of the answering side: bytes in, turns out.

    IDLE ----- first sound (client ends turns) or speech (server does) -----> OPEN
    OPEN ----- commit, or the detector's end of speech ---------------------> IDLE, the turn is an item
    OPEN ----- clear -------------------------------------------------------> IDLE, the turn is forgotten

Time is counted in samples at 16 kHz from the session's first one. Sound is looked at in frames of 20 ms, so the same sound makes
the same turns however it was cut into messages. While IDLE with a detector only as much is kept as a turn may reach back.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voice.audio.encoding import Encoding
from voice.audio.pcm import RATE_HZ, Samples, empty, ms_in, samples_in
from voice.audio.turns import SpeechStarted, SpeechStopped, TurnDetector
from voice.errors import ProtocolError
from voice.protocol.inlet import Inlet

MIN_COMMIT_MS = 100
MAX_TURN_S = 600
"""19 MB at 16 kHz. A turn that a detector keeps open is committed there; one that a client keeps open refuses more."""
_DETECTOR_DELAY_MS = 600
"""What a detector may need to make up its mind, kept beside the prefix padding."""


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """A turn is open; `audio_start_ms` includes the prefix padding. `speech`: a detector said so."""

    item_id: str
    audio_start_ms: int
    speech: bool


@dataclass(frozen=True, slots=True)
class TurnAudio:
    """More of the open turn: int16, mono, 16 kHz."""

    item_id: str
    samples: Samples


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn is complete; `samples` is all of it. `speech`: a detector began it. `by_client`: it was committed."""

    item_id: str
    audio_end_ms: int
    samples: Samples
    speech: bool
    by_client: bool


@dataclass(frozen=True, slots=True)
class TurnForgotten:
    """The open turn was cleared."""

    item_id: str


BufferEvent = TurnBegan | TurnAudio | TurnEnded | TurnForgotten


class InputBuffer:
    """See the top of the file. `detector` None: the client ends its turns."""

    def __init__(self, encoding: Encoding, detector: TurnDetector | None, prefix_padding_ms: int, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._position = 0
        self._kept: deque[Samples] = deque()
        self._kept_samples = 0
        self._inlet = Inlet(encoding.rate_hz)
        self._detector: TurnDetector | None = None
        self._speech = False
        self.open_id: str | None = None
        """The item that the open turn will be."""
        self.configure(encoding, detector, prefix_padding_ms)

    def configure(self, encoding: Encoding, detector: TurnDetector | None, prefix_padding_ms: int) -> list[BufferEvent]:
        """Change how sound is written or how turns end. A turn that a detector has begun goes on, whoever ends it.

        When a detector takes over, a turn that another has begun ends, since this one has not heard it; one of the client's is forgotten,
        since it would have no beginning on the wire.
        """
        self._encoding = encoding
        events = self._take_all(self._inlet.change(encoding.rate_hz))
        if self._detector is None and detector is not None:
            if self.open_id is not None and self._speech:
                events += self._end(ms_in(self._position), by_client=False)
            events += self.clear()
        elif detector is None and self.open_id is None:
            self._forget_all()
        if detector is not None and detector is not self._detector:
            self._detector_start_ms = ms_in(self._position) - detector.position_ms
        self._detector = detector
        self._idle_samples = samples_in(prefix_padding_ms + _DETECTOR_DELAY_MS)
        return events

    @property
    def detector(self) -> TurnDetector | None:
        """What ends turns; None: the client does."""
        return self._detector

    def append(self, data: bytes) -> list[BufferEvent]:
        """Bytes as the session's input is written. Raises: ProtocolError if they end within a sample, or the buffer is full."""
        try:
            samples = self._encoding.decode(data)
        except ValueError as exc:
            raise ProtocolError(f"Invalid 'audio': {exc}.", "invalid_value", "audio") from exc
        size = self._kept_samples + self._inlet.pending + samples.size * RATE_HZ // self._inlet.rate_hz
        if self._detector is None and size > MAX_TURN_S * RATE_HZ:
            message = f"The input audio buffer is full: it holds {MAX_TURN_S} s. Commit or clear it."
            raise ProtocolError(message, "input_audio_buffer_full", "audio")
        return self._take_all(self._inlet.push(samples))

    def commit(self) -> list[BufferEvent]:
        """The client ends its turn. Raises: ProtocolError if there are less than 100 ms; then nothing has changed."""
        buffered = self._kept_samples + self._inlet.pending
        if buffered < samples_in(MIN_COMMIT_MS):
            raise ProtocolError(
                f"Error committing input audio buffer: buffer too small. Expected at least {MIN_COMMIT_MS}ms of audio, "
                f"but buffer only has {buffered * 1000 / RATE_HZ:.2f}ms of audio.",
                "input_audio_buffer_commit_empty",
            )
        events: list[BufferEvent] = []
        for frame in self._rest():
            events += [TurnAudio(self.open_id, frame)] if self.open_id else []
        if self.open_id is None:
            events += self._begin(ms_in(self._position - self._kept_samples), speech=False)
        if self._detector is not None:
            self._detector.reset()
        return events + self._end(ms_in(self._position), by_client=True)

    def clear(self) -> list[BufferEvent]:
        """The client forgets what it has sent."""
        self._rest()
        forgotten, self.open_id = self.open_id, None
        self._forget_all()
        if self._detector is not None:
            self._detector.reset()
        return [TurnForgotten(forgotten)] if forgotten else []

    def _rest(self) -> list[Samples]:
        """What is in no frame yet: counted, kept and told to the detector, whatever it makes of it."""
        frames = self._inlet.rest()
        for frame in frames:
            self._keep(frame)
            if self._detector is not None:
                self._detector.push(frame)
        return frames

    def _take_all(self, frames: list[Samples]) -> list[BufferEvent]:
        events: list[BufferEvent] = []
        for frame in frames:
            events += self._take(frame)
        return events

    def _take(self, frame: Samples) -> list[BufferEvent]:
        self._keep(frame)
        if self._detector is None:
            if self.open_id is None:
                return self._begin(ms_in(self._position - frame.size), speech=False)
            return [TurnAudio(self.open_id, frame)]
        events: list[BufferEvent] = [TurnAudio(self.open_id, frame)] if self.open_id else []
        for event in self._detector.push(frame):
            match event:
                case SpeechStarted() if self.open_id is None:
                    events += self._begin(self._detector_start_ms + event.audio_start_ms, speech=True)
                case SpeechStopped() if self.open_id is not None:
                    events += self._end(self._detector_start_ms + event.audio_end_ms, by_client=False)
                case _:
                    pass
        if self.open_id is None:
            self._forget_beyond(self._idle_samples)
        elif self._kept_samples >= MAX_TURN_S * RATE_HZ:
            self._detector.reset()
            events += self._end(ms_in(self._position), by_client=False)
        return events

    def _keep(self, frame: Samples) -> None:
        self._kept.append(frame)
        self._kept_samples += frame.size
        self._position += frame.size

    def _begin(self, start_ms: int, speech: bool) -> list[BufferEvent]:
        self.open_id = self._new_id()
        self._speech = speech
        self._forget_beyond(self._position - samples_in(start_ms))
        start_ms = max(start_ms, ms_in(self._position - self._kept_samples))
        return [TurnBegan(self.open_id, start_ms, speech), TurnAudio(self.open_id, self._joined())]

    def _end(self, end_ms: int, by_client: bool) -> list[BufferEvent]:
        assert self.open_id is not None
        samples, item_id, self.open_id = self._joined(), self.open_id, None
        self._forget_all()
        return [TurnEnded(item_id, end_ms, samples, self._speech, by_client)]

    def _forget_beyond(self, count: int) -> None:
        """Keep the newest `count` samples, in whole frames."""
        while self._kept and self._kept_samples - self._kept[0].size >= count:
            self._kept_samples -= self._kept.popleft().size

    def _forget_all(self) -> None:
        self._kept.clear()
        self._kept_samples = 0

    def _joined(self) -> Samples:
        return np.concatenate(self._kept) if self._kept else empty()
