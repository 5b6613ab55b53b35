"""Who decides which turns are answered: the server, or we. If we do, each turn is answered once, or taken back as if it had not been.

The settings say `interrupt_response: false` and `create_response: false`; a server that takes them makes items of turns and leaves the rest to us:

    turn     COMMITTED --- respond ---> an answer is asked for, behind the one in progress
             COMMITTED --- delete ----> the item goes, and its words are not waited for
    of ours  OPEN --- its end: `ending` says ANSWER, DOUBT (an item, no answer yet) or DROP (the buffer is cleared)
    notice   the server adds a system message by itself (a timer is over): it is said as soon as nobody speaks and nothing is answered

A turn whose sound is sent again, because its link broke before its words were known, is another turn there: what is still decided about the old one
is ignored.
"""

from collections import deque
from collections.abc import Callable

import msgspec
from msgspec import UNSET

from voice.audio.turns import TurnDetector
from voice.protocol.arbiter import Arbiter
from voice.protocol.conversation import text_of
from voice.protocol.dead_air import SAY
from voice.protocol.events import ErrorEvent, ItemAdded
from voice.protocol.inbound import Inbound, input_settings
from voice.protocol.objects import Audio, ResponseParams, Session, TurnDetection
from voice.protocol.overspoken import Ending
from voice.protocol.requests import ClientEvent, ItemDelete, ResponseCancel
from voice.protocol.unsettled import Loss

REMEMBERED = 64
"""Turns of earlier links, and events that may be refused, beyond it are forgotten, the oldest first."""
MAX_NOTICES = 8
"""Messages of the server's that wait to be said."""


class Deciding:
    """See the top of the file. `own`: we end the turns, too, with our detector."""

    def __init__(
        self,
        arbiter: Arbiter,
        inbound: Inbound,
        send: Callable[[ClientEvent], None],
        new_id: Callable[[str], str],
        detector: TurnDetector | None,
        own: bool,
    ) -> None:
        self.ending = Ending.ANSWER
        """What becomes of the turn of ours that is open."""
        self.own = own
        """We end the turns, too."""
        self._arbiter = arbiter
        self._inbound = inbound
        self._send = send
        self._new_id = new_id
        self._detector = detector
        self._resent: deque[str] = deque(maxlen=REMEMBERED)
        self._tried: dict[str, str] = {}
        self._notices: deque[str] = deque(maxlen=MAX_NOTICES)

    @property
    def granted(self) -> bool:
        """Whether it is we who decide."""
        detection = input_settings(self._inbound.settings).turn_detection
        if isinstance(detection, TurnDetection):
            return detection.create_response is False and detection.interrupt_response is False
        return self.own and self._inbound.settings is not None

    @property
    def heard_ms(self) -> int:
        """In how much of all sound our own detector has heard somebody speak."""
        return 0 if self._detector is None else self._detector.heard_ms

    def start_ms(self, item_id: str) -> int | None:
        """Where the sound of a turn begins, padding and all; None: it is not known."""
        return self._inbound.unsettled.start_ms(item_id)

    def respond(self, item_id: str) -> None:
        """Ask for the answer to a turn; "": to what was said last."""
        if item_id not in self._resent:
            self._arbiter.ask(ResponseParams(), spoken_ms=self._inbound.unsettled.start_ms(item_id))

    def delete(self, item_id: str) -> None:
        """Take an item back."""
        if item_id not in self._resent:
            self._inbound.take_back(item_id)
            self._send(ItemDelete(event_id=self._try("item_not_found"), item_id=item_id))

    def cancel(self) -> None:
        """Stop the answer in progress."""
        self._send(ResponseCancel(event_id=self._try("response_cancel_not_active")))

    def take_ending(self) -> Ending:
        """What becomes of the turn that ends now; of the next one nothing is known."""
        ending, self.ending = self.ending, Ending.ANSWER
        return ending

    def pardoned(self, event: ErrorEvent) -> bool:
        """Whether the server refuses to do what is done already: the answer was over before our cancel arrived, the item was gone."""
        return event.error.code is not None and self._tried.get(event.error.event_id or "") == event.error.code

    def added(self, event: ItemAdded) -> None:
        """An item is told, before it is in the history: a system message that is not ours waits to be said."""
        item = event.item
        if self.granted and item.role == "system" and isinstance(item.id, str) and item.id not in self._inbound.history and text_of(item):
            self._notices.append(text_of(item))

    def settle(self, speaking: bool) -> None:
        """Say what waits to be said, if it is the moment for it."""
        if self._notices and not speaking and self._arbiter.idle:
            words = self._notices.popleft()
            self._arbiter.ask(ResponseParams(instructions=SAY.format(words=words)))

    def broken(self, loss: Loss) -> None:
        """The link is gone: what becomes of its turns is decided anew where their sound is sent again."""
        self._tried.clear()
        if loss.resend_from_ms is not None:
            self._resent.extend(self._inbound.unsettled.forget_from(loss.resend_from_ms))
            self._arbiter.drop(loss.resend_from_ms)

    def _try(self, code: str) -> str:
        """The id of an event that may be refused with this code, which says that there was nothing to do."""
        event_id = self._new_id("event")
        self._tried[event_id] = code
        while len(self._tried) > REMEMBERED:
            del self._tried[next(iter(self._tried))]
        return event_id


def decided_here(settings: Session) -> Session:
    """The same settings, with every answer left to us; where no server detects turns there is nothing to change."""
    return _flagged(settings, False)


def decided_there(settings: Session) -> Session:
    """The same settings, with answers left to the server, in so many words."""
    return _flagged(settings, True)


def wants_to_decide(settings: Session) -> bool:
    """Whether these are settings of `decided_here`."""
    detection = input_settings(settings).turn_detection
    return isinstance(detection, TurnDetection) and detection.create_response is False and detection.interrupt_response is False


def _flagged(settings: Session, by_server: bool) -> Session:
    hearing = input_settings(settings)
    if not isinstance(hearing.turn_detection, TurnDetection) or not isinstance(settings.audio, Audio):
        return settings
    # Where answers are asked for there is no silence to count (`idle_timeout_ms`).
    idle_ms = hearing.turn_detection.idle_timeout_ms if by_server else UNSET
    detection = msgspec.structs.replace(
        hearing.turn_detection, create_response=by_server, interrupt_response=by_server, idle_timeout_ms=idle_ms
    )
    audio = msgspec.structs.replace(settings.audio, input=msgspec.structs.replace(hearing, turn_detection=detection))
    return msgspec.structs.replace(settings, audio=audio)
