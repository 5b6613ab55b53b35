"""The input audio buffer of the answering side: bytes in, turns out.

    IDLE ----- first sound (client ends turns) or speech (server does) -----> OPEN
    OPEN ----- commit, or the detector's end of speech ---------------------> IDLE, the turn is an item
    OPEN ----- clear -------------------------------------------------------> IDLE, the turn is forgotten
    OPEN ----- a pause, where pauses are judged ----------------------------> PAUSED
    PAUSED --- `judged`, commit, clear, other settings ---------------------> OPEN or IDLE
    OPEN ----- `lapse`: no more sound comes, where pauses are judged -------> IDLE, the turn is an item

Time is counted in samples at 16 kHz from the session's first one. Sound is looked at in frames of 20 ms, so the same sound makes
the same turns however it was cut into messages. While PAUSED what comes waits unheard, so that it makes the same turns however fast
it comes, too. While IDLE with a detector only as much is kept as a turn may reach back, or as `remember` asks for.
"""

from collections.abc import Callable
from dataclasses import dataclass

from voice.audio.encoding import Encoding
from voice.audio.patience import Thought
from voice.audio.pcm import RATE_HZ, Samples, ms_in, samples_in
from voice.audio.turns import SpeechPaused, SpeechStarted, SpeechStopped, TurnDetector
from voice.errors import ProtocolError
from voice.protocol.inlet import Inlet
from voice.protocol.kept import Kept

MIN_COMMIT_MS = 100
MAX_TURN_S = 600
"""19 MB at 16 kHz. A turn that a detector keeps open is committed there; one that a client keeps open refuses more."""
MAX_WAITING_S = 120
"""4 MB. More sound does not wait for a judgement."""
MAX_REMEMBERED_S = 60
"""2 MB. Of a longer silence only the end is remembered."""
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
class TurnPaused:
    """The speaker pauses: `InputBuffer.judged` is to be told, with this number, how finished he seems."""

    item_id: str
    pause: int


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


BufferEvent = TurnBegan | TurnAudio | TurnPaused | TurnEnded | TurnForgotten


class InputBuffer:
    """See the top of the file. `detector` None: the client ends its turns."""

    def __init__(self, encoding: Encoding, detector: TurnDetector | None, prefix_padding_ms: int, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._kept = Kept()
        self._inlet = Inlet(encoding)
        self.detector: TurnDetector | None = None
        """What ends turns; None: the client does."""
        self._speech = False
        self._waiting: list[Samples] | None = None
        """What comes while a pause is judged; None: no pause."""
        self._pauses = 0
        self._remembered: int | None = None
        self._free_from = 0
        """Where the silence behind the last turn ends. It may be padding of the next turn, but is nobody's to commit."""
        self.open_id: str | None = None
        """The item that the open turn will be."""
        self.configure(encoding, detector, prefix_padding_ms)

    def configure(self, encoding: Encoding, detector: TurnDetector | None, prefix_padding_ms: int) -> list[BufferEvent]:
        """Change how sound is written or how turns end. A turn that a detector has begun goes on, whoever ends it.

        When a detector takes over, a turn that another has begun ends, since this one has not heard it; one of the client's is forgotten,
        since it would have no beginning on the wire. A `detector` that stays may have been given other settings just before.
        """
        events = [*self._go_on(Thought.UNKNOWN), *self._take_all(self._inlet.change(encoding))]
        if self.detector is None and detector is not None:
            if self.open_id is not None and self._speech:
                events += self._end(self._kept.position, by_client=False)
            events += self.clear()
        elif detector is None and self.open_id is None:
            self._kept.forget_all()
        if detector is not None and detector is not self.detector:
            self._detector_start_ms = self._kept.position_ms - detector.position_ms
        self.detector = detector
        self._idle_samples = samples_in(prefix_padding_ms + _DETECTOR_DELAY_MS)
        self._remembered = None
        return events

    def append(self, data: bytes) -> list[BufferEvent]:
        """Bytes as the session's input is written. Raises: ProtocolError if they end within a sample, or the buffer is full."""
        size = self._kept.samples + self._inlet.pending + self._inlet.samples_in(len(data))
        if self.detector is None and size > MAX_TURN_S * RATE_HZ:
            message = f"The input audio buffer is full: it holds {MAX_TURN_S} s. Commit or clear it."
            raise ProtocolError(message, "input_audio_buffer_full", "audio")
        try:
            frames = self._inlet.push(data)
        except ValueError as exc:
            raise ProtocolError(f"Invalid 'audio': {exc}.", "invalid_value", "audio") from exc
        return self._take_all(frames)

    def judged(self, pause: int, thought: Thought) -> list[BufferEvent]:
        """What somebody thinks of a pause: the turn ends, or what has come since is heard. Nothing if that pause is over."""
        return self._go_on(thought) if pause == self._pauses else []

    def lapse(self) -> list[BufferEvent]:
        """No more sound has come for so long that the detector's turn is over; it ends where its speech did. Nothing while a pause is judged."""
        stopped = self.detector.finish() if self.detector is not None and self._waiting is None else None
        if stopped is None or self.open_id is None:
            return []
        return self._end(samples_in(self._detector_start_ms + stopped.audio_end_ms), by_client=False)

    def commit(self) -> list[BufferEvent]:
        """The client ends its turn. Raises: ProtocolError if there are less than 100 ms; then nothing has changed."""
        kept = self._kept.samples if self.open_id else min(self._kept.samples, self._kept.position - self._free_from)
        buffered = kept + sum(map(len, self._waiting or ())) + self._inlet.pending
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
            self._kept.forget_before(self._free_from)
            events += self._begin(self._kept.start_ms, speech=False)
        if self.detector is not None:
            self.detector.reset()
        return events + self._end(self._kept.position, by_client=True)

    def clear(self) -> list[BufferEvent]:
        """The client forgets what it has sent."""
        self._rest()
        forgotten, self.open_id = self.open_id, None
        self._kept.forget_all()
        if self.detector is not None:
            self.detector.reset()
        return [TurnForgotten(forgotten)] if forgotten else []

    def remember(self, wanted: bool) -> None:
        """From here on keep what is heard while nobody speaks; or no longer."""
        self._remembered = self._kept.position if wanted else None

    def time_out(self) -> list[BufferEvent]:
        """Make what `remember` kept a turn, although nobody was heard to speak. Only while no turn is open.

        Where nearly nothing came since then, it is what there is of the silence before; nothing if that is as little.
        """
        start, self._remembered = self._remembered, None
        least = self._kept.position - samples_in(MIN_COMMIT_MS)
        if start is None or start > least:
            start = self._free_from
        if max(start, self._kept.position - self._kept.samples) > least:
            return []
        events = self._begin(ms_in(start), speech=False)
        if self.detector is not None:
            self.detector.reset()
        return [*events, *self._end(self._kept.position, by_client=False)]

    def _rest(self) -> list[Samples]:
        """What waits or is in no frame yet: counted, kept and told to the detector, whatever it makes of it."""
        frames = [*(self._waiting or ()), *self._inlet.rest()]
        self._waiting = None
        for frame in frames:
            self._kept.put(frame)
            if self.detector is not None:
                self.detector.push(frame)
        return frames

    def _go_on(self, thought: Thought) -> list[BufferEvent]:
        """The pause is over, if there is one; what has come meanwhile is heard."""
        if self._waiting is None or self.detector is None:
            return []
        frames, self._waiting = self._waiting, None
        stopped = self.detector.judged(thought)
        if stopped is None:
            return self._take_all(frames)
        end = samples_in(self._detector_start_ms + stopped.audio_end_ms)
        return [*self._end(end, by_client=False), *self._take_all(frames)]

    def _take_all(self, frames: list[Samples]) -> list[BufferEvent]:
        events: list[BufferEvent] = []
        for frame in frames:
            if self._waiting is not None and len(self._waiting) * len(frame) >= MAX_WAITING_S * RATE_HZ:
                events += self._go_on(Thought.UNKNOWN)
            if self._waiting is not None:
                self._waiting.append(frame)
            else:
                events += self._take(frame)
        return events

    def _take(self, frame: Samples) -> list[BufferEvent]:
        self._kept.put(frame)
        if self.detector is None:
            if self.open_id is None:
                return self._begin(ms_in(self._kept.position - frame.size), speech=False)
            return [TurnAudio(self.open_id, frame)]
        events: list[BufferEvent] = [TurnAudio(self.open_id, frame)] if self.open_id else []
        for event in self.detector.push(frame):
            match event:
                case SpeechStarted() if self.open_id is None:
                    events += self._begin(self._detector_start_ms + event.audio_start_ms, speech=True)
                case SpeechPaused() if self.open_id is not None:
                    self._waiting = []
                    self._pauses += 1
                    events.append(TurnPaused(self.open_id, self._pauses))
                case SpeechStopped() if self.open_id is not None:
                    events += self._end(samples_in(self._detector_start_ms + event.audio_end_ms), by_client=False)
                case _:
                    pass
        if self.open_id is None:
            reach = self._idle_samples
            if self._remembered is not None:
                reach = max(reach, min(self._kept.position - self._remembered, MAX_REMEMBERED_S * RATE_HZ))
            self._kept.forget_before(self._kept.position - reach)
        elif self._kept.samples >= MAX_TURN_S * RATE_HZ:
            self._waiting = None
            self.detector.reset()
            events += self._end(self._kept.position, by_client=False)
        return events

    def _begin(self, start_ms: int, speech: bool) -> list[BufferEvent]:
        self.open_id = self._new_id()
        self._speech = speech
        self._remembered = None
        self._kept.forget_before(samples_in(start_ms))
        began = TurnBegan(self.open_id, max(start_ms, self._kept.start_ms), speech)
        return [began, TurnAudio(self.open_id, self._kept.all())] if self._kept.samples else [began]

    def _end(self, end: int, by_client: bool) -> list[BufferEvent]:
        """The turn is what was told up to there; a silence that was waited for behind it may be the beginning of the next one."""
        assert self.open_id is not None
        end = min(end, self._kept.position)
        samples, item_id, self.open_id = self._kept.until(end), self.open_id, None
        self._kept.forget_before(end)
        self._free_from = self._kept.position
        return [TurnEnded(item_id, ms_in(end), samples, self._speech, by_client)]
