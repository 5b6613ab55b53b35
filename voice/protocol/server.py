"""The answering side of a Realtime session: what the service does with a client's events, without I/O and without a clock.

A shell (`links/driver.py`) gives it texts and the time and sends what `outgoing()` holds; an engine obeys its orders and answers
through its commands. What a client's event does is in `intake.py`.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from voice.audio.pcm import Samples
from voice.errors import ProtocolError
from voice.protocol.codec import MAX_EVENT_BYTES, ClientMistake, encode
from voice.protocol.conversation import Conversation, Entry, SpokenWord, message
from voice.protocol.events import (
    ErrorEvent,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    RateLimitsUpdated,
    ServerEvent,
    SessionCreated,
    TranscriptionCompleted,
    TranscriptionDelta,
    TranscriptionFailed,
)
from voice.protocol.intake import Intake
from voice.protocol.judging import Judging
from voice.protocol.limits import Allowance, admitted
from voice.protocol.objects import Content, ErrorDetail, ResponseParams, Session, StatusDetails, Transcription, Usage
from voice.protocol.orders import Due, Hangup, Order, Wake
from voice.protocol.replies import Output
from voice.protocol.settings import audio_input, transcribes
from voice.protocol.turntaking import MakeDetector

WAKE_AGAIN_S = 0.25
"""How soon to look again for a quiet moment."""
MAX_WHY_LETTERS = 1_000
"""Of an engine's sentence about a failure: the end of a response must be told, however much its engine has to say."""


class ServerSession:
    """One session. `settings` are complete (`settings.defaults`); `new_id("item")` gives a fresh id; `ends_at` is monotonic.

        `recogniser`: the name of what writes down, which the client is told whatever model it asks for; "" tells what it asked for. `allowance`: how many
    events a client may send, if not the usual number. `taken`: names that no function of the client's may have, because functions of the
    server's own have them.
    """

    def __init__(
        self,
        settings: Session,
        new_id: Callable[[str], str],
        make_detector: MakeDetector,
        ends_at: float,
        recogniser: str = "",
        allowance: Allowance | None = None,
        taken: frozenset[str] = frozenset(),
    ) -> None:
        self._new_id = new_id
        self._intake = Intake(settings, new_id, make_detector, recogniser, taken)
        self.conversation: Conversation = self._intake.conversation
        """The items so far."""
        self._allowance = allowance or Allowance()
        self.judging: Judging = self._intake.turns.judging
        """Where an engine says what it thinks of a pause (`ListenPaused`)."""
        self._ends_at = ends_at
        self._ended = False
        self.wake_at: float | None = None
        """When the engine has something to say by itself (monotonic); it is told by `Wake` in the first quiet moment after."""
        self.waiting_bytes = 0
        """How much waits to be sent."""
        self._outbox: list[str] = []
        self._orders: list[Order] = []
        """What commands of the engine have brought about; told at the next `tick`, which is due at once."""
        self._put([SessionCreated(session=settings)])

    # What the shell calls.

    def receive(self, text: str | bytes, now: float) -> list[Order]:
        """A message of the client. A mistake in it is answered with an `error` event; it never raises."""
        if self._ended:
            return []
        event_id = None
        # Those that wait for a tick are older than what this message orders.
        orders, self._orders = self._orders, []
        try:
            event = admitted(text, now, self._allowance)
            event_id = event.event_id if isinstance(event.event_id, str) else None
            # Piece by piece: what was ordered before a mistake was found stays ordered.
            for output in self._intake.obey(event):
                orders += self._put([output])
        except ClientMistake as mistake:
            self._put([_error(mistake, mistake.event_id)])
        except ProtocolError as mistake:
            self._put([_error(mistake, event_id)])
        return orders + self.tick(now)

    def tick(self, now: float) -> list[Order]:
        """Time has passed: the session may have reached its maximum length, or the engine may have something to say."""
        orders, self._orders = self._orders, []
        orders += self._put(self._intake.turns.tick(now)) if not self._ended else []
        if not self._ended and now >= self._ends_at:
            message = "Your session hit its maximum duration."
            error = {"type": "invalid_request_error", "code": "session_expired", "message": message}
            orders += self._put(self._intake.replies.settle(StatusDetails("failed", error=error)))
            orders += self._put([_error(ProtocolError(message, "session_expired"), None), Hangup(1001, message)])
            self._ended = True
            return orders
        if self._ended or self.wake_at is None or now < self.wake_at:
            return orders
        if self.quiet and self._intake.turns.answers_by_itself:
            self.wake_at = None
            return [*orders, Wake()]
        self.wake_at = now + WAKE_AGAIN_S
        return [*orders, Due()] if self.quiet and not transcribes(self._intake.settings) else orders

    def deadline(self) -> float | None:
        """When `tick` wants to be called."""
        if self._ended:
            return None
        if self._orders:
            return 0.0
        return min(at for at in (self.wake_at, self._intake.turns.deadline(), self._ends_at) if at is not None)

    def outgoing(self) -> list[str]:
        """The texts to send, in order; each is given once."""
        texts, self._outbox = self._outbox, []
        self.waiting_bytes = 0
        return texts

    # What the engine calls.

    @property
    def quiet(self) -> bool:
        """Nobody speaks and no response is active."""
        return self._intake.turns.buffer.open_id is None and self._intake.replies.active is None

    def transcribed(self, item_id: str, text: str, audio_ms: int, content_index: int = 0) -> list[Order]:
        """What the user said in a part of `item_id`; told to the client if it asked for transcription and has not deleted the item."""
        self._intake.replies.heard(item_id, text, content_index)
        self.conversation.set_transcript(item_id, text, content_index)
        if not _written_down(self._intake, item_id):
            return []
        usage = {"type": "duration", "seconds": audio_ms / 1000}
        delta = [TranscriptionDelta(item_id=item_id, content_index=content_index, delta=text)] if text else []
        return self._put([*delta, TranscriptionCompleted(item_id=item_id, content_index=content_index, transcript=text, usage=usage)])

    def transcription_failed(self, item_id: str, why: str, content_index: int = 0) -> list[Order]:
        """The recogniser gave up on a part of `item_id`."""
        if not _written_down(self._intake, item_id):
            return []
        error = {"type": "server_error", "code": "transcription_failed", "message": why[:MAX_WHY_LETTERS], "param": None}
        return self._put([TranscriptionFailed(item_id=item_id, content_index=content_index, error=error)])

    def begin_reply(self, word: str = "") -> list[Order]:
        """A response that nobody asked for (a timer). Only while `quiet`. `word`: no response yet, since answers must be asked for, but a
        message of the system's that says so much; a client may have it said."""
        if not word:
            return self._put(self._intake.replies.create(self._intake.settings, ResponseParams()))
        item = message(self._new_id("item"), "system", [Content("input_text", text=word)], "completed")
        previous = self.conversation.add(Entry(item))
        return self._put([ItemAdded(item=item, previous_item_id=previous), ItemDone(item=item, previous_item_id=previous)])

    def say(self, response_id: str, text: str) -> bool:
        """More words; False if the response is done."""
        return self._answered(response_id, self._intake.replies.say(response_id, text))

    def sound(self, response_id: str, samples: Samples, rate_hz: int, words: Sequence[SpokenWord] = ()) -> bool:
        """More sound (int16, mono); False if nobody wants more of it: the response is done, or its item was truncated."""
        going_on = self._answered(response_id, self._intake.replies.sound(response_id, samples, rate_hz, words))
        reply = self._intake.replies.get(response_id)
        return going_on and reply is not None and not reply.cut

    def call(self, response_id: str, call_id: str, name: str, arguments: str = "") -> bool:
        """More of the call of a function: another `call_id` begins another call, the same one adds to its arguments (JSON as text).

        An id that the conversation has had before, or none, is told as a fresh one. False if the response is done.
        """
        return self._answered(response_id, self._intake.replies.call(response_id, call_id, name, arguments))

    def end_reply(
        self,
        response_id: str,
        failure: str | None = None,
        incomplete: str | None = None,
        details: StatusDetails | None = None,
        usage: Usage | None = None,
    ) -> list[Order]:
        """The response is complete, has failed with this sentence, or is incomplete for this reason (max_output_tokens, content_filter).

        `details` say the same in the wire's own words; `usage`: what it has cost, if that is not to be counted here.
        """
        reply = self._intake.replies.get(response_id)
        if reply is None:
            return []
        error = {"type": "server_error", "code": "engine_failed", "message": (failure or "")[:MAX_WHY_LETTERS]}
        if incomplete is not None:
            details = StatusDetails("incomplete", reason=incomplete)
        if failure is not None:
            details = StatusDetails("failed", error=error)
        return self._put([*self._intake.replies.end(reply, details, usage), *self._intake.replies.waiting(self._intake.settings)])

    def _answered(self, response_id: str, outputs: Iterable[Output]) -> bool:
        """Send more of a response; False if it is done. One that has come to its limit lets the one that waits begin."""
        replies = self._intake.replies
        was_open = replies.get(response_id) is not None
        self._orders += self._put(outputs)
        is_open = replies.get(response_id) is not None
        if was_open and not is_open:
            self._orders += self._put(replies.waiting(self._intake.settings))
        return is_open

    def _put(self, outputs: Iterable[Output]) -> list[Order]:
        """Send the events (none once the session has ended), give back the orders."""
        orders: list[Order] = []
        for output in outputs:
            self._intake.turns.watch(output)
            if not isinstance(output, ServerEvent):
                orders.append(output)
                continue
            events: list[ServerEvent] = [ItemDeleted(item_id=item_id) for item_id in self.conversation.dropped]
            self.conversation.dropped.clear()
            events.append(RateLimitsUpdated(rate_limits=self._allowance.told()) if isinstance(output, RateLimitsUpdated) else output)
            for event in events if not self._ended else ():
                text = _text(msgspec.structs.replace(event, event_id=self._new_id("event")))
                self._outbox.append(text)
                self.waiting_bytes += len(text)
        return orders


def _text(event: ServerEvent) -> str:
    """An event as it is sent. In the place of one that common clients would end the link over stands an error: a gap is better than no session."""
    text = encode(event)
    # A letter has four bytes at most, and few events are so long that they have to be counted.
    if len(text) * 4 <= MAX_EVENT_BYTES or len(text.encode()) <= MAX_EVENT_BYTES:
        return text
    what = f"An event of type '{event.__struct_config__.tag}' was not sent: it would have had more than {MAX_EVENT_BYTES} bytes."
    return encode(ErrorEvent(event_id=event.event_id, error=ErrorDetail("server_error", what, code="event_too_large")))


def _error(mistake: ProtocolError, event_id: str | None) -> ErrorEvent:
    return ErrorEvent(error=ErrorDetail("invalid_request_error", str(mistake), code=mistake.code, param=mistake.param, event_id=event_id))


def _written_down(intake: Intake, item_id: str) -> bool:
    """Whether the client wants to read what was said in an item, and has not deleted it."""
    return isinstance(audio_input(intake.settings).transcription, Transcription) and item_id in intake.conversation
