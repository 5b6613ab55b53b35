"""What a client's events do to the answering side: the dispatch to its machines.

`turntaking.py` (sound in), `conversation.py` (items), `replies.py` (answers). Everything returns events to send and orders to the
engine, in order; `server.py` sends the ones and hands on the others.
"""

from collections.abc import Callable, Iterable, Iterator

from voice.audio.pcm import RATE_HZ
from voice.errors import ProtocolError
from voice.protocol.conversation import Conversation, Entry
from voice.protocol.events import (
    ItemAdded,
    ItemDeleted,
    ItemDone,
    ItemRetrieved,
    ItemTruncated,
    SessionUpdated,
)
from voice.protocol.items import given_item
from voice.protocol.objects import ResponseParams, Session
from voice.protocol.orders import listening
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
from voice.protocol.settings import Locks, audio_input, audio_output, encoding_of, merged, transcribes
from voice.protocol.tools import refuse_taken
from voice.protocol.turntaking import MakeDetector, TurnTaking

ANSWERING = (ItemCreate, ItemTruncate, ResponseCreate, ResponseCancel)
"""What makes no sense where everything is only written down."""


class Intake:
    """See the top of the file."""

    def __init__(
        self,
        settings: Session,
        new_id: Callable[[str], str],
        make_detector: MakeDetector,
        recogniser: str = "",
        taken: frozenset[str] = frozenset(),
    ) -> None:
        self.settings = settings
        self.conversation = Conversation()
        self.replies = Replies(self.conversation, new_id("conv"), new_id)
        self.turns = TurnTaking(settings, self.conversation, self.replies, new_id, make_detector)
        self._new_id = new_id
        self._recogniser = recogniser
        self._taken = taken

    def obey(self, event: ClientEvent) -> Iterable[Output]:
        """One event of the client. Raises: ProtocolError (before or while the result is read)."""
        if transcribes(self.settings) and isinstance(event, ANSWERING):
            raise ProtocolError("A transcription session has no responses, and takes no items.", "invalid_value", "type")
        match event:
            case BufferAppend():
                return self.turns.append(event.audio)
            case SessionUpdate():
                return self._update(event.session)
            case BufferCommit():
                return self.turns.commit()
            case BufferClear():
                return self.turns.clear()
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
                params = _params(event)
                refuse_taken(params.tools, self._taken, "response.tools")
                return self.replies.create(self.settings, params)
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
        refuse_taken(patch.tools, self._taken, "session.tools")
        locks = Locks(voice=self.conversation.spoken, speed=self.replies.active is not None)
        self.settings = merged(self.settings, patch, locks, self._recogniser)
        return [SessionUpdated(session=self.settings), *self.turns.update(self.settings)]

    def _add(self, event: ItemCreate) -> Iterator[Output]:
        after = event.previous_item_id if isinstance(event.previous_item_id, str) else None
        # An empty name is none.
        item_id = event.item.id if isinstance(event.item.id, str) and event.item.id else self._new_id("item")
        given = given_item(event.item, item_id, encoding=encoding_of(audio_input(self.settings)))
        previous = self.conversation.add(Entry(given.item), after, given=True)
        yield ItemAdded(item=given.item, previous_item_id=previous)
        yield ItemDone(item=given.item, previous_item_id=previous)
        if given.sounds:
            self.conversation.set_sounds(item_id, [samples for _, samples in given.sounds], RATE_HZ)
        yield from listening(item_id, given.sounds)


def _params(event: ResponseCreate) -> ResponseParams:
    return event.response if isinstance(event.response, ResponseParams) else ResponseParams()
