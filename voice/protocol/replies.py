"""All responses of one answering session: which may begin, which is active, which is waiting for its turn.

One response at a time belongs to the conversation; others (`conversation: "none"`) run beside it. A turn of the server's own
detector that ends while one is active waits for it; a client's `response.create` is refused, as on the service.
"""

from collections.abc import Callable, Iterator, Sequence

from voice.audio.pcm import Samples
from voice.errors import ProtocolError
from voice.protocol.asked import asked
from voice.protocol.conversation import Conversation, Entry, SpokenWord, with_transcript
from voice.protocol.events import RateLimitsUpdated, ServerEvent
from voice.protocol.objects import ResponseParams, Session, StatusDetails, Usage
from voice.protocol.orders import Order, ReplyStopped
from voice.protocol.reply import Reply

MAX_BESIDE = 16
"""Out-of-band responses at once."""

Output = ServerEvent | Order


class Replies:
    """See the top of the file."""

    def __init__(self, conversation: Conversation, conversation_id: str, new_id: Callable[[str], str]) -> None:
        self._conversation = conversation
        self._conversation_id = conversation_id
        self._new_id = new_id
        self._open: dict[str, Reply] = {}
        self._inputs: dict[str, tuple[Entry, ...]] = {}
        self._waiting: str | None = None

    @property
    def active(self) -> Reply | None:
        """The conversation's response in progress."""
        return next((reply for reply in self._open.values() if reply.in_band), None)

    def get(self, response_id: str) -> Reply | None:
        """A response that is not done."""
        return self._open.get(response_id)

    def create(self, session: Session, params: ResponseParams, heard_item: str | None = None) -> Iterator[Output]:
        """Begin a response. Raises: ProtocolError if one is active, or a parameter cannot be."""
        out_of_band = params.conversation == "none"
        active = self.active
        if active is not None and not out_of_band:
            raise ProtocolError(
                f"Conversation already has an active response in progress: {active.plan.response_id}. "
                "Wait until the response is finished before creating a new one.",
                "conversation_already_has_active_response",
            )
        if out_of_band and sum(not reply.in_band for reply in self._open.values()) >= MAX_BESIDE:
            raise ProtocolError(f"More than {MAX_BESIDE} responses at once.", "too_many_responses", "response.conversation")
        wish = asked(session, params, self._conversation, self._conversation_id, self._new_id, heard_item)
        reply = Reply(wish.plan, self._conversation, self._new_id)
        self._open[reply.plan.response_id] = reply
        self._inputs[reply.plan.response_id] = wish.order.context or ()
        if not out_of_band:
            # Whatever waited is answered by this one: it sees the whole conversation.
            self._waiting = None
        yield from reply.created()
        yield from wish.listen
        yield wish.order

    def turn_ended(self, session: Session, item_id: str) -> Iterator[Output]:
        """The server's detector ended a turn: answer it, at once or after the active response."""
        if self.active is not None:
            self._waiting = item_id
        else:
            yield from self.create(session, ResponseParams(), item_id)

    def heard(self, item_id: str, transcript: str, content_index: int = 0) -> None:
        """What the sound in an `input` says; nothing happens if the item is no such one, or its response is done."""
        for entry in (entry for context in self._inputs.values() for entry in context if entry.item.id == item_id):
            entry.item = with_transcript(entry.item, transcript, content_index)

    def cancel(self, response_id: str | None, reason: str) -> Iterator[Output]:
        """Stop a response (None: the active one). Raises: ProtocolError if there is none."""
        reply = self.active if response_id is None else self._open.get(response_id)
        if reply is None and response_id is not None:
            message = f"Cancellation failed: response '{response_id[:80]}' is not active."
            raise ProtocolError(message, "response_cancel_not_active", "response_id")
        if reply is None:
            raise ProtocolError("Cancellation failed: no active response found.", "response_cancel_not_active")
        yield ReplyStopped(reply.plan.response_id)
        yield from self.end(reply, StatusDetails("cancelled", reason=reason))

    def end(self, reply: Reply, details: StatusDetails | None = None, usage: Usage | None = None) -> Iterator[Output]:
        """The terminal events of a response, whoever ends it. `usage`: see `Reply.end`."""
        if self._open.pop(reply.plan.response_id, None) is None:
            return
        del self._inputs[reply.plan.response_id]
        yield from reply.end(details, usage)
        yield RateLimitsUpdated(rate_limits=[])

    def settle(self, details: StatusDetails) -> Iterator[Output]:
        """End all that is open, as `details` says, and begin nothing more."""
        self._waiting = None
        for reply in tuple(self._open.values()):
            yield ReplyStopped(reply.plan.response_id)
            yield from self.end(reply, details)

    def waiting(self, session: Session) -> Iterator[Output]:
        """Begin the response that waited for the one before, if there is one and nothing is active."""
        if self._waiting is not None and self.active is None:
            yield from self.create(session, ResponseParams(), self._waiting)

    def say(self, response_id: str, text: str) -> Iterator[Output]:
        """More words of a response; nothing if it is done."""
        if (reply := self._open.get(response_id)) is not None:
            yield from reply.say(text)
            yield from self._enough(reply)

    def sound(self, response_id: str, samples: Samples, rate_hz: int, words: Sequence[SpokenWord]) -> Iterator[Output]:
        """More sound of a response; nothing if it is done."""
        if (reply := self._open.get(response_id)) is not None:
            yield from reply.sound(samples, rate_hz, words)
            yield from self._enough(reply)

    def call(self, response_id: str, call_id: str, name: str, arguments: str) -> Iterator[Output]:
        """More of a function call of a response (see `Reply.call`); nothing if it is done."""
        if (reply := self._open.get(response_id)) is not None:
            yield from reply.call(call_id, name, arguments)
            yield from self._enough(reply)

    def _enough(self, reply: Reply) -> Iterator[Output]:
        """A response that has come to its `max_output_tokens` is over."""
        if reply.full:
            yield ReplyStopped(reply.plan.response_id)
            yield from self.end(reply, StatusDetails("incomplete", reason="max_output_tokens"))
