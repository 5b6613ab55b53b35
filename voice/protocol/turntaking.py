"""Whose turn it is, on the answering side: what the input buffer's events mean on the wire, and what time does to them.

`buffer.py` (sound in, turns out), `judging.py` (pauses), `stall.py` (no sound comes) and `idle.py` (nobody speaks) are its machines.
Everything gives events to send and orders to the engine, in order. What is sent comes back to `watch`, since answers start and stop the count of silence.
"""

from collections.abc import Callable, Iterable, Iterator

from voice.audio.pcm import RATE_HZ, ms_in
from voice.audio.turns import TurnDetector
from voice.protocol.buffer import BufferEvent, InputBuffer, TurnAudio, TurnBegan, TurnEnded, TurnForgotten, TurnPaused
from voice.protocol.conversation import Conversation, Entry, message
from voice.protocol.events import (
    BufferCleared,
    BufferCommitted,
    ItemAdded,
    ItemDone,
    ResponseCreated,
    ResponseDone,
    SpeechStarted,
    SpeechStopped,
    TimeoutTriggered,
)
from voice.protocol.idle import Idle, Step
from voice.protocol.judging import Judging
from voice.protocol.objects import Content, Response, Session, TurnDetection
from voice.protocol.orders import ListenDropped, ListenEnded, ListenMore, ListenPaused, ListenStarted
from voice.protocol.replies import Output, Replies
from voice.protocol.settings import audio_input, detection_of, encoding_of, transcribes, turn_settings
from voice.protocol.stall import Stall

MakeDetector = Callable[[TurnDetection], TurnDetector]

NOBODY_SPOKE = (
    "No user speech was detected for a while. If there are words in the user's recording, answer them; "
    "if there are none, go on from what was said last, or ask whether the user is still there."
)
"""What the conversation says of a silence that became a turn."""


class TurnTaking:
    """See the top of the file."""

    def __init__(
        self, settings: Session, conversation: Conversation, replies: Replies, new_id: Callable[[str], str], make_detector: MakeDetector
    ) -> None:
        self._settings = settings
        self._conversation = conversation
        self._replies = replies
        self._new_id = new_id
        self._make_detector = make_detector
        self.buffer = InputBuffer(encoding_of(audio_input(settings)), None, 0, lambda: new_id("item"))
        self.judging = Judging()
        self._stall = Stall()
        self._idle = Idle()
        self._configure()

    @property
    def answers_by_itself(self) -> bool:
        """Whether turns are answered without being asked to (`create_response`)."""
        detection = detection_of(self._settings)
        return detection is not None and detection.create_response is not False and not transcribes(self._settings)

    def append(self, audio: bytes) -> Iterator[Output]:
        """More sound, as the session's input is written. Raises: ProtocolError."""
        if audio:
            self._stall.sound()
        return self._heard(self.buffer.append(audio))

    def commit(self) -> Iterator[Output]:
        """The client ends a turn. Raises: ProtocolError."""
        return self._heard(self.buffer.commit())

    def clear(self) -> list[Output]:
        """The client forgets what it has sent."""
        return [*self._heard(self.buffer.clear()), BufferCleared()]

    def update(self, settings: Session) -> Iterator[Output]:
        """The session's settings are these from here on."""
        before, after = audio_input(self._settings), audio_input(settings)
        self._settings = settings
        if before.turn_detection != after.turn_detection:
            self._idle.off()
        if (before.format, before.turn_detection) != (after.format, after.turn_detection):
            yield from self._heard(self._configure())

    def tick(self, now: float) -> Iterator[Output]:
        """Time has passed."""
        while (judged := self.judging.tick(now)) is not None:
            yield from self._heard(self.buffer.judged(*judged))
        detector, judges = self.buffer.detector, self.judging.deadline() is not None
        if self._stall.tick(now, None if detector is None or judges else detector.left_ms):
            yield from self._heard(self.buffer.lapse())
        while (step := self._idle.tick(now)) is not None:
            if step is Step.LISTEN:
                self.buffer.remember(True)
            elif self.buffer.open_id is None and self._replies.active is None:
                yield from self._time_out()

    def deadline(self) -> float | None:
        """When `tick` wants to be called."""
        machines = (self.judging, self._stall, self._idle)
        return min((at for at in (machine.deadline() for machine in machines) if at is not None), default=None)

    def watch(self, output: Output) -> None:
        """This goes out."""
        match output:
            case ListenPaused():
                self.judging.began(output.pause)
            case SpeechStarted():
                self._idle.off()
            case ResponseCreated() if output.response.conversation_id is not None:
                self._idle.off()
                self.buffer.remember(False)
            case ResponseDone() if output.response.conversation_id is not None:
                self._answered(output.response)
            case _:
                pass

    def _answered(self, response: Response) -> None:
        """The silence after an answer counts, if nobody speaks already and answers come without being asked for."""
        detection = detection_of(self._settings)
        timeout_ms = detection.idle_timeout_ms if detection is not None else None
        if not isinstance(timeout_ms, int) or not self.answers_by_itself or self.buffer.open_id is not None:
            return
        items = response.output if isinstance(response.output, list) else []
        sound_ms = sum(self._conversation.get(str(item.id)).audio_ms for item in items if str(item.id) in self._conversation)
        self._idle.answered(sound_ms, timeout_ms)

    def _configure(self) -> list[BufferEvent]:
        detection = detection_of(self._settings)
        encoding = encoding_of(audio_input(self._settings))
        if detection is None:
            return self.buffer.configure(encoding, None, 0)
        settings, detector = turn_settings(detection), self.buffer.detector
        if detector is None:
            detector = self._make_detector(detection)
        else:
            # The same detector goes on, so that a turn in progress still finds its end.
            detector.update(settings)
        return self.buffer.configure(encoding, detector, settings.prefix_padding_ms)

    def _heard(self, events: Iterable[BufferEvent]) -> Iterator[Output]:
        for event in events:
            match event:
                case TurnBegan():
                    if event.speech:
                        yield SpeechStarted(audio_start_ms=event.audio_start_ms, item_id=event.item_id)
                        yield from self._interrupt()
                    yield ListenStarted(event.item_id)
                case TurnAudio():
                    yield ListenMore(event.item_id, event.samples)
                case TurnPaused():
                    yield ListenPaused(event.item_id, event.pause)
                case TurnForgotten():
                    yield ListenDropped(event.item_id)
                case TurnEnded():
                    yield from self._turn(event)

    def _interrupt(self) -> Iterator[Output]:
        detection = detection_of(self._settings)
        if detection is not None and detection.interrupt_response is not False and self._replies.active is not None:
            yield from self._replies.cancel(None, "turn_detected")

    def _turn(self, turn: TurnEnded, silent: bool = False) -> Iterator[Output]:
        if turn.speech:
            yield SpeechStopped(audio_end_ms=turn.audio_end_ms, item_id=turn.item_id)
        item = message(turn.item_id, "user", [Content("input_audio", transcript=None)], "completed")
        previous = self._conversation.add(Entry(item))
        self._conversation.set_sound(turn.item_id, turn.samples, RATE_HZ)
        yield BufferCommitted(item_id=turn.item_id, previous_item_id=previous)
        yield ItemAdded(item=item, previous_item_id=previous)
        yield ItemDone(item=item, previous_item_id=previous)
        yield ListenEnded(turn.item_id, ms_in(turn.samples.size), silent)
        if not turn.by_client and self.answers_by_itself:
            yield from self._replies.turn_ended(self._settings, turn.item_id)

    def _time_out(self) -> Iterator[Output]:
        """The silence becomes a turn, with a word about it for the engine. Nothing where no sound has come: that is no silence."""
        if not (silence := self.buffer.time_out()):
            return
        began, *sound, ended = silence
        assert isinstance(began, TurnBegan) and isinstance(ended, TurnEnded)
        yield TimeoutTriggered(audio_start_ms=began.audio_start_ms, audio_end_ms=ended.audio_end_ms, item_id=ended.item_id)
        note = message(self._new_id("item"), "system", [Content("input_text", text=NOBODY_SPOKE)], "completed")
        previous = self._conversation.add(Entry(note))
        yield ItemAdded(item=note, previous_item_id=previous)
        yield ItemDone(item=note, previous_item_id=previous)
        yield from self._heard([began, *sound])
        yield from self._turn(ended, silent=True)
