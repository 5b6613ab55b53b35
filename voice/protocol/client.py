"""The talking side of a Realtime session: microphone sound and wishes in, notices out; no I/O and no clock.

A shell (`links/driver.py`) gives it texts and sends what `outgoing()` holds. The machines: `uplink.py` (sound up), `ownturns.py` (turns that we
end), `arbiter.py` (who may ask for a response), `inbound.py` (the server's events), `ledger.py` (where each frame went).

    UNLINKED --- connected ---> ASKED --- session.updated ----------------------------> READY
                                ASKED --- error for our id ---> ASKED_AGAIN (24 kHz) ---> READY

The settings are asked for with 16 kHz; a server that says no gets 24 kHz, one that answers another rate gets that.
"""

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum

import msgspec

from voice.audio.pcm import RATE_HZ, Samples
from voice.audio.turns import SpeechStarted, SpeechStopped, TurnDetector, TurnSettings
from voice.errors import ProtocolError
from voice.protocol.arbiter import Arbiter
from voice.protocol.codec import decode_server, encode
from voice.protocol.events import ErrorEvent, ServerEvent, SessionUpdated, Unknown
from voice.protocol.inbound import Inbound, input_rate, input_settings
from voice.protocol.ledger import Ledger
from voice.protocol.notices import ErrorReported, Notice, Other, SessionReady, SpeechBegan, SpeechEnded
from voice.protocol.objects import Audio, AudioFormat, Content, Item, ResponseParams, Session
from voice.protocol.outbox import Outbox
from voice.protocol.ownturns import Commit, OwnTurns, Send
from voice.protocol.requests import BufferCommit, ClientEvent, ItemCreate, ItemDelete, ItemTruncate, ResponseCancel, SessionUpdate
from voice.protocol.settings import PCM_RATE_HZ
from voice.protocol.uplink import Uplink


class Stage(Enum):
    """How far the settings have got on this link; see the top of the file."""

    UNLINKED = "unlinked"
    ASKED = "asked"
    ASKED_AGAIN = "asked again, for 24 kHz"
    READY = "ready"


class ClientSession:
    """See the top of the file. `settings`: what to ask for. `detector`: ours, beside the server's; it ends the turns if
    `settings` switch the server's off (`turn_detection` null)."""

    def __init__(self, settings: Session, new_id: Callable[[str], str], detector: TurnDetector | None = None) -> None:
        self.stage = Stage.UNLINKED
        self.ledger = Ledger()
        self._asked = settings
        self._new_id = new_id
        self._detector = detector
        own = detector is not None and input_settings(settings).turn_detection is None
        self._own_turns = OwnTurns(detector, TurnSettings().prefix_padding_ms) if detector and own else None
        self._outbox = Outbox()
        self.uplink = Uplink(self._outbox, self.ledger)
        self.arbiter = Arbiter(self._send, new_id)
        self.inbound = Inbound(self.arbiter, self.ledger, self.uplink.to_local_ms)
        self._settings_id = ""
        self._cancels: deque[str] = deque(maxlen=8)

    # What the shell calls.

    def connected(self) -> None:
        """A link is there: ask for the settings."""
        self.arbiter.reset()
        self.uplink.close()
        self._ask_settings(RATE_HZ, Stage.ASKED)

    def receive(self, text: str | bytes, now: float) -> list[Notice]:
        """A message of the server. What cannot be read is reported and dropped; it never raises."""
        try:
            event = decode_server(text)
        except ProtocolError as exc:
            return [ErrorReported("unreadable_event", str(exc))]
        return list(self._notices(event))

    def tick(self, now: float) -> list[Notice]:
        """Time has passed; the talking side waits for nothing yet."""
        return []

    def deadline(self) -> float | None:
        """When `tick` wants to be called; None: never."""
        return None

    def outgoing(self) -> list[str]:
        """The texts to send, in order; each is given once."""
        texts = []
        for text, piece in self._outbox.take():
            if piece.start != piece.end:
                self.uplink.sent(piece)
            texts.append(text)
        return texts

    # What the program calls.

    def push_audio(self, samples: Samples) -> list[Notice]:
        """Microphone sound: int16, mono, 16 kHz, any length. Returns what our own detector heard in it."""
        self.uplink.capture(samples)
        if self._own_turns is not None:
            return list(self._push_own(self._own_turns, samples))
        self.uplink.send(samples)
        return [_heard_here(event) for event in self._detector.push(samples)] if self._detector else []

    def commit(self, start_ms: int = 0, end_ms: int | None = None) -> None:
        """End a turn from here and ask for an answer; the turn is what was sent of the sound between.

        Before the server is ready the sound is held back, and the commit with it.
        """
        end_ms = self.uplink.position_ms if end_ms is None else end_ms
        self.uplink.then(lambda: self._commit(start_ms, end_ms))

    def say(self, text: str) -> None:
        """A typed message; it and its answer wait until the one in progress is done. Raises: ProtocolError if too many wait."""
        item = Item(type="message", id=self._new_id("item"), role="user", content=[Content("input_text", text=text)])
        if not self.arbiter.ask(ResponseParams(), ItemCreate(event_id=self._new_id("event"), item=item)):
            raise ProtocolError("Too many messages wait for an answer: wait for one.")

    def interrupt(self, item_id: str | None = None, heard_ms: int = 0) -> None:
        """Stop the answer. `item_id`: the one that was being played, of which `heard_ms` were really heard."""
        active = self.arbiter.busy
        if active:
            self._cancels.append(self._new_id("event"))
            self._send(ResponseCancel(event_id=self._cancels[-1]))
        if item_id is None or not self.inbound.cut(item_id):
            return
        heard_ms = min(heard_ms, self.inbound.received_ms(item_id))
        if heard_ms > 0:
            self._send(ItemTruncate(event_id=self._new_id("event"), item_id=item_id, content_index=0, audio_end_ms=heard_ms))
        elif not active:
            self._send(ItemDelete(event_id=self._new_id("event"), item_id=item_id))

    def _commit(self, start_ms: int, end_ms: int) -> None:
        self.uplink.flush()
        self._send(BufferCommit(event_id=self._new_id("event")))
        self.ledger.commit(start_ms, end_ms)
        self.arbiter.ask(ResponseParams())

    def _push_own(self, turns: OwnTurns, samples: Samples) -> Iterator[Notice]:
        for event in turns.push(samples):
            match event:
                case Send():
                    self.uplink.send(event.samples, event.start)
                case Commit():
                    self.commit(event.start_ms, event.end_ms)
                case _:
                    yield _heard_here(event)

    def _notices(self, event: ServerEvent | Unknown) -> Iterator[Notice]:
        if isinstance(event, SessionUpdated):
            self.inbound.settings = event.session
            if self.stage in (Stage.ASKED, Stage.ASKED_AGAIN):
                self._ready(input_rate(event.session))
            yield SessionReady(event.session)
            return
        if isinstance(event, ErrorEvent) and event.error.event_id == self._settings_id and self.stage in (Stage.ASKED, Stage.ASKED_AGAIN):
            if self.stage is Stage.ASKED:
                self._ask_settings(PCM_RATE_HZ, Stage.ASKED_AGAIN)
                return
            # Refused twice: the session runs with the server's defaults, and the program is told.
            self._ready(PCM_RATE_HZ)
        if isinstance(event, ErrorEvent) and event.error.event_id in self._cancels and event.error.code == "response_cancel_not_active":
            # The answer was over, or the server had stopped it by itself, before our cancel arrived: what was wished is so.
            yield Other(event)
            return
        yield from self.inbound.notices(event)

    def _ready(self, rate_hz: int) -> None:
        """What waited for the settings goes now, in its order."""
        self.stage = Stage.READY
        self.uplink.open(rate_hz)
        self.arbiter.open()

    def _ask_settings(self, rate_hz: int, stage: Stage) -> None:
        wanted = msgspec.structs.replace(input_settings(self._asked), format=AudioFormat("audio/pcm", rate_hz))
        audio = self._asked.audio if isinstance(self._asked.audio, Audio) else Audio()
        settings = msgspec.structs.replace(self._asked, type="realtime", audio=msgspec.structs.replace(audio, input=wanted))
        self._settings_id = self._new_id("event")
        self.stage = stage
        self._send(SessionUpdate(event_id=self._settings_id, session=settings))

    def _send(self, event: ClientEvent) -> None:
        self._outbox.put(encode(event))


def _heard_here(event: SpeechStarted | SpeechStopped) -> Notice:
    """What our own detector heard, as a notice."""
    if isinstance(event, SpeechStarted):
        return SpeechBegan(event.voiced_start_ms, local=True)
    return SpeechEnded(event.voiced_end_ms, local=True)
