"""What a client's events do to the answering side: the dispatch to its machines.

`buffer.py` (sound in), `conversation.py` (items), `replies.py` (answers). Everything returns events to send and orders to the
engine, in order; `server.py` sends the ones and hands on the others.
"""

from collections.abc import Callable, Iterable, Iterator

from voice.audio.pcm import RATE_HZ, ms_in
from voice.audio.resample import resample
from voice.audio.turns import TurnDetector
from voice.errors import ProtocolError
from voice.protocol.buffer import BufferEvent, InputBuffer, TurnAudio, TurnBegan, TurnEnded, TurnForgotten
from voice.protocol.conversation import Conversation, Entry, message
from voice.protocol.events import (
    BufferCleared,
    BufferCommitted,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    ItemRetrieved,
    ItemTruncated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
)
from voice.protocol.items import given_item
from voice.protocol.objects import Content, ResponseParams, Session, TurnDetection
from voice.protocol.orders import ListenDropped, ListenEnded, ListenMore, ListenStarted
from voice.protocol.replies import Output, Replies
from voice.protocol.requests import (
    BufferAppend,
    BufferClear,
    BufferCommit,
    ClientEvent,
    ItemCreate,
    ItemDelete,
    ItemRetrieve,
    ItemTruncate,
    OutputBufferClear,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
)
from voice.protocol.settings import Locks, audio_input, audio_output, detection_of, encoding_of, merged, transcribes, turn_settings

MakeDetector = Callable[[TurnDetection], TurnDetector]
ANSWERING = (ItemCreate, ItemTruncate, ResponseCreate, ResponseCancel)
"""What makes no sense where everything is only written down."""


class Intake:
    """See the top of the file."""

    def __init__(self, settings: Session, new_id: Callable[[str], str], make_detector: MakeDetector, recogniser: str = "") -> None:
        self.settings = settings
        self.conversation = Conversation()
        self.replies = Replies(self.conversation, new_id("conv"), new_id)
        self.buffer = InputBuffer(encoding_of(audio_input(settings)), None, 0, lambda: new_id("item"))
        self._new_id = new_id
        self._make_detector = make_detector
        self._recogniser = recogniser
        self._configure()

    @property
    def answers_by_itself(self) -> bool:
        """Whether turns are answered without being asked to (`create_response`)."""
        detection = detection_of(self.settings)
        return detection is not None and detection.create_response is not False and not transcribes(self.settings)

    def obey(self, event: ClientEvent) -> Iterable[Output]:
        """One event of the client. Raises: ProtocolError (before or while the result is read)."""
        if transcribes(self.settings) and isinstance(event, ANSWERING):
            raise ProtocolError("A transcription session has no responses, and takes no items.", "invalid_value", "type")
        match event:
            case BufferAppend():
                return self._heard(self.buffer.append(event.audio))
            case SessionUpdate():
                return self._update(event.session)
            case BufferCommit():
                return self._heard(self.buffer.commit())
            case BufferClear():
                return [*self._heard(self.buffer.clear()), BufferCleared()]
            case ItemCreate():
                return self._add(event)
            case ItemRetrieve():
                user, assistant = encoding_of(audio_input(self.settings)), encoding_of(audio_output(self.settings))
                return [ItemRetrieved(item=self.conversation.retrieved(event.item_id, user, assistant))]
            case ItemDelete():
                self.conversation.delete(event.item_id)
                return [ItemDeleted(item_id=event.item_id)]
            case ItemTruncate():
                return self._truncate(event)
            case ResponseCreate():
                return self.replies.create(self.settings, _params(event))
            case ResponseCancel():
                asked = event.response_id if isinstance(event.response_id, str) else None
                return [*self.replies.cancel(asked, "client_cancelled"), *self.replies.waiting(self.settings)]
            case OutputBufferClear():
                return []
            case _:
                raise AssertionError(event)

    def _truncate(self, event: ItemTruncate) -> list[Output]:
        if event.content_index:
            raise ProtocolError("Only the content part 0 can be truncated.", "invalid_value", "content_index")
        cut = self.conversation.truncate(event.item_id, event.audio_end_ms)
        end_ms = event.audio_end_ms
        return [ItemTruncated(item_id=event.item_id, audio_end_ms=end_ms, transcript=cut.transcript, estimated=cut.estimated)]

    def _update(self, patch: Session) -> list[Output]:
        before = audio_input(self.settings)
        locks = Locks(voice=self.conversation.spoken, speed=self.replies.active is not None)
        self.settings = merged(self.settings, patch, locks, self._recogniser)
        after = audio_input(self.settings)
        told: list[Output] = [SessionUpdated(session=self.settings)]
        if (before.format, before.turn_detection) != (after.format, after.turn_detection):
            told += self._heard(self._configure())
        return told

    def _configure(self) -> list[BufferEvent]:
        detection = detection_of(self.settings)
        encoding = encoding_of(audio_input(self.settings))
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
                case TurnForgotten():
                    yield ListenDropped(event.item_id)
                case TurnEnded():
                    yield from self._turn(event)

    def _interrupt(self) -> Iterator[Output]:
        detection = detection_of(self.settings)
        if detection is not None and detection.interrupt_response is not False and self.replies.active is not None:
            yield from self.replies.cancel(None, "turn_detected")

    def _turn(self, turn: TurnEnded) -> Iterator[Output]:
        if turn.speech:
            yield SpeechStopped(audio_end_ms=turn.audio_end_ms, item_id=turn.item_id)
        item = message(turn.item_id, "user", [Content("input_audio", transcript=None)], "completed")
        audio_ms = ms_in(turn.samples.size)
        previous = self.conversation.add(Entry(item))
        self.conversation.set_sound(turn.item_id, turn.samples, RATE_HZ)
        yield BufferCommitted(item_id=turn.item_id, previous_item_id=previous)
        yield ItemAdded(item=item, previous_item_id=previous)
        yield ItemDone(item=item, previous_item_id=previous)
        yield ListenEnded(turn.item_id, audio_ms)
        if not turn.by_client and self.answers_by_itself:
            yield from self.replies.turn_ended(self.settings, turn.item_id)

    def _add(self, event: ItemCreate) -> Iterator[Output]:
        after = event.previous_item_id if isinstance(event.previous_item_id, str) else None
        encoding = encoding_of(audio_input(self.settings))
        own_id = event.item.id if isinstance(event.item.id, str) and event.item.id else self._new_id("item")
        given = given_item(event.item, own_id, encoding=encoding)
        item_id = str(given.item.id)
        previous = self.conversation.add(Entry(given.item), after, given=True)
        yield ItemAdded(item=given.item, previous_item_id=previous)
        yield ItemDone(item=given.item, previous_item_id=previous)
        if given.samples is not None:
            samples = resample(given.samples, encoding.rate_hz, RATE_HZ)
            self.conversation.set_sound(item_id, samples, RATE_HZ)
            yield ListenStarted(item_id)
            yield ListenMore(item_id, samples)
            yield ListenEnded(item_id, ms_in(samples.size))


def _params(event: ResponseCreate) -> ResponseParams:
    return event.response if isinstance(event.response, ResponseParams) else ResponseParams()
