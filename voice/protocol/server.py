"""The answering side of a Realtime session: what the service does with a client's events, without I/O and without a clock.

A shell (`links/driver.py`) gives it texts and the time and sends what `outgoing()` holds; an engine obeys its orders and answers
through its commands. What a client's event does is in `intake.py`.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from voice.audio.pcm import Samples
from voice.errors import ProtocolError
from voice.protocol.codec import ClientMistake, decode_client, encode
from voice.protocol.conversation import Conversation, SpokenWord
from voice.protocol.events import ErrorEvent, ServerEvent, SessionCreated, TranscriptionCompleted, TranscriptionDelta, TranscriptionFailed
from voice.protocol.intake import Intake, MakeDetector
from voice.protocol.objects import ErrorDetail, ResponseParams, Session, StatusDetails, Transcription
from voice.protocol.orders import Hangup, Order, Wake
from voice.protocol.replies import Output
from voice.protocol.settings import audio_input

WAKE_AGAIN_S = 0.25
"""How soon to look again for a quiet moment."""


class ServerSession:
    """One session. `settings` are complete (`settings.defaults`); `new_id("item")` gives a fresh id; `ends_at` is monotonic."""

    def __init__(self, settings: Session, new_id: Callable[[str], str], make_detector: MakeDetector, ends_at: float) -> None:
        self._new_id = new_id
        self._intake = Intake(settings, new_id, make_detector)
        self.conversation: Conversation = self._intake.conversation
        """The items so far."""
        self._ends_at = ends_at
        self._ended = False
        self.wake_at: float | None = None
        """When the engine has something to say by itself (monotonic); it is told by `Wake` in the first quiet moment after."""
        self.waiting_bytes = 0
        """How much waits to be sent."""
        self._outbox: list[str] = []
        self._put([SessionCreated(session=settings)])

    # What the shell calls.

    def receive(self, text: str | bytes, now: float) -> list[Order]:
        """A message of the client. A mistake in it is answered with an `error` event; it never raises."""
        if self._ended:
            return []
        event_id = None
        orders: list[Order] = []
        try:
            event = decode_client(text)
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
        if not self._ended and now >= self._ends_at:
            message = "Your session hit its maximum duration."
            orders = self._put([_error(ProtocolError(message, "session_expired"), None), Hangup(1001, message)])
            self._ended = True
            return orders
        if self._ended or self.wake_at is None or now < self.wake_at:
            return []
        if self.quiet and self._intake.answers_by_itself:
            self.wake_at = None
            return [Wake()]
        self.wake_at = now + WAKE_AGAIN_S
        return []

    def deadline(self) -> float | None:
        """When `tick` wants to be called."""
        if self._ended:
            return None
        return self._ends_at if self.wake_at is None else min(self.wake_at, self._ends_at)

    def outgoing(self) -> list[str]:
        """The texts to send, in order; each is given once."""
        texts, self._outbox = self._outbox, []
        self.waiting_bytes = 0
        return texts

    # What the engine calls.

    @property
    def quiet(self) -> bool:
        """Nobody speaks and no response is active."""
        return self._intake.buffer.open_id is None and self._intake.replies.active is None

    def transcribed(self, item_id: str, text: str, audio_ms: int) -> list[Order]:
        """What the user said in `item_id`; told to the client if it asked for transcription."""
        self.conversation.set_transcript(item_id, text)
        if not isinstance(audio_input(self._intake.settings).transcription, Transcription):
            return []
        usage = {"type": "duration", "seconds": audio_ms / 1000}
        delta = [TranscriptionDelta(item_id=item_id, content_index=0, delta=text)] if text else []
        return self._put([*delta, TranscriptionCompleted(item_id=item_id, content_index=0, transcript=text, usage=usage)])

    def transcription_failed(self, item_id: str, why: str) -> list[Order]:
        """The recogniser gave up on `item_id`."""
        if not isinstance(audio_input(self._intake.settings).transcription, Transcription):
            return []
        error = {"type": "server_error", "code": "transcription_failed", "message": why, "param": None}
        return self._put([TranscriptionFailed(item_id=item_id, content_index=0, error=error)])

    def begin_reply(self) -> list[Order]:
        """A response that nobody asked for (a timer). Only while `quiet`."""
        return self._put(self._intake.replies.create(self._intake.settings, ResponseParams()))

    def say(self, response_id: str, text: str) -> bool:
        """More words; False if the response is done."""
        self._put(self._intake.replies.say(response_id, text))
        return self._intake.replies.get(response_id) is not None

    def sound(self, response_id: str, samples: Samples, rate_hz: int, words: Sequence[SpokenWord] = ()) -> bool:
        """More sound (int16, mono); False if nobody wants more of it: the response is done, or its item was truncated."""
        self._put(self._intake.replies.sound(response_id, samples, rate_hz, words))
        reply = self._intake.replies.get(response_id)
        return reply is not None and not reply.cut

    def end_reply(self, response_id: str, failure: str | None = None) -> list[Order]:
        """The response is complete, or has failed with this sentence."""
        reply = self._intake.replies.get(response_id)
        if reply is None:
            return []
        error = {"type": "server_error", "code": "engine_failed", "message": failure}
        details = StatusDetails("failed", error=error) if failure is not None else None
        return self._put([*self._intake.replies.end(reply, details), *self._intake.replies.waiting(self._intake.settings)])

    def _put(self, outputs: Iterable[Output]) -> list[Order]:
        """Send the events (none once the session has ended), give back the orders."""
        orders: list[Order] = []
        for output in outputs:
            if isinstance(output, ServerEvent):
                if self._ended:
                    continue
                text = encode(msgspec.structs.replace(output, event_id=self._new_id("event")))
                self._outbox.append(text)
                self.waiting_bytes += len(text)
            else:
                orders.append(output)
        return orders


def _error(mistake: ProtocolError, event_id: str | None) -> ErrorEvent:
    return ErrorEvent(error=ErrorDetail("invalid_request_error", str(mistake), code=mistake.code, param=mistake.param, event_id=event_id))
