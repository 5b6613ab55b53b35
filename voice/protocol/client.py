"""The talking side of a Realtime session: microphone sound and wishes in, notices out; no I/O and no clock.

A shell (`links/driver.py`) gives it texts and sends what `outgoing()` holds. The machines: `uplink.py` (sound up), `ownturns.py` (turns that we
end), `arbiter.py` (who may ask for a response), `inbound.py` (the server's events), `errands.py` (functions that the model calls),
`ledger.py` (where each frame went).

The session outlives its links. A new one gets the settings, the finished lines of the conversation as text, and the sound of what
was said but is not known yet (`unsettled.py`); `life.py` says when to move to one before the server ends the old.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from voice.audio.gain import SlowGain
from voice.audio.pcm import Samples, ms_in
from voice.audio.turns import SpeechStarted, SpeechStopped, TurnDetector, TurnEvent, TurnSettings
from voice.errors import ProtocolError
from voice.protocol.arbiter import Arbiter
from voice.protocol.codec import decode_server, encode
from voice.protocol.dead_air import DeadAir, Filler
from voice.protocol.deciding import Deciding
from voice.protocol.errands import Errands
from voice.protocol.events import ErrorEvent, ItemAdded, ResponseDone, ServerEvent, SessionCreated, SessionUpdated, Unknown
from voice.protocol.gated import Gated, Ungated
from voice.protocol.history import MAX_TOLD
from voice.protocol.inbound import Inbound, input_settings, turns_of
from voice.protocol.ledger import Ledger
from voice.protocol.life import Life
from voice.protocol.notices import ErrorReported, MoveDue, Notice, Other, SessionReady, SpeechBegan, SpeechEnded
from voice.protocol.objects import Content, Item, ResponseParams, Session
from voice.protocol.offer import Offer, Stage
from voice.protocol.outbox import Outbox
from voice.protocol.overspoken import Ending
from voice.protocol.ownturns import Commit, OwnTurns, Send
from voice.protocol.requests import BufferClear, BufferCommit, ClientEvent, ItemCreate, ItemDelete, ItemTruncate
from voice.protocol.restore import Restorer
from voice.protocol.uplink import TAIL_MS, Uplink


class ClientSession:
    """See the top of the file. `settings`: what to ask for. `detector`: ours, beside the server's; it ends the turns if
    `settings` switch the server's off (`turn_detection` null). `filler`: what is said while a function runs. `gate`: silence is not sent, as
    far as our detector can tell. `gain`: what is sent is made as loud as speech usually is; our detector hears it as it was."""

    def __init__(
        self,
        settings: Session,
        new_id: Callable[[str], str],
        detector: TurnDetector | None = None,
        filler: Filler | None = None,
        gate: bool = False,
        gain: SlowGain | None = None,
    ) -> None:
        self._new_id = new_id
        self._detector = detector
        own = detector is not None and input_settings(settings).turn_detection is None
        self._own_turns = turns = OwnTurns(detector, TurnSettings().prefix_padding_ms) if detector and own else None
        self.uplink = Uplink(Outbox(), Ledger()) if gain is None else Uplink(Outbox(), Ledger(), partial(_louder, gain, detector))
        self.arbiter = Arbiter(self._send, new_id)
        self.inbound = Inbound(self.arbiter, self.uplink.ledger, self.uplink.to_local_ms)
        self._ears: Gated | Ungated | None = None
        if input_settings(settings).turn_detection is not None:
            make = partial(Gated, detector) if detector is not None and gate else partial(Ungated, detector)
            self._ears = make(self.uplink, turns_of(settings))
        self._life = Life()
        self.offer = Offer(settings, self._send, new_id)
        self._restorer = Restorer(self._send, new_id)
        self.deciding = Deciding(self.arbiter, self.inbound, self._send, new_id, detector, own)
        self.errands = Errands(
            self.arbiter,
            self.inbound,
            self._send,
            new_id,
            DeadAir(filler or Filler(), self.inbound.language, lambda: turns is not None and turns.open_ms is not None),
        )

    # What the shell calls.

    def connected(self, now: float = 0.0, server_s: float | None = None) -> list[Notice]:
        """A link is there, the first or a new one: ask for the settings, then restore what was.

        `server_s`: the server's Unix time at its handshake, if it told. Returns what the broken link took along.
        """
        again = self.offer.stage is not Stage.UNLINKED
        self._life.begin(now, server_s)
        self.uplink.outbox.take()
        own = self._own_turns
        loss, notices = self.inbound.broken(own.open_ms if own is not None else None)
        resent = loss.resend_from_ms is not None
        self.deciding.broken(loss)
        self.arbiter.reset(self.inbound.history.__contains__)
        quiet_ms = self.uplink.position_ms if own is not None else max(self.inbound.unsettled.taken_ms, self.uplink.position_ms - TAIL_MS)
        self.uplink.close(quiet_ms if loss.resend_from_ms is None else loss.resend_from_ms)
        self.offer.ask()
        if again:
            self._restorer.restore(self.inbound.history)
            if not resent and any(not begun for _, begun in loss.answers):
                self.arbiter.ask(ResponseParams())
        return notices + self.errands.connected(now, resent)

    def receive(self, text: str | bytes, now: float) -> list[Notice]:
        """A message of the server. What cannot be read is reported and dropped; it never raises."""
        try:
            event = decode_server(text)
        except ProtocolError as exc:
            return [ErrorReported("unreadable_event", str(exc))]
        notices: list[Notice] = []
        for notice in self._notices(event):
            notices += [notice, *self.errands.take(notice, now)]
        self.deciding.settle(self.errands.dead_air.talking)
        return notices

    def tick(self, now: float) -> list[Notice]:
        """Time has passed: the server may be about to end the session, or nothing was heard for long."""
        self.errands.tick(now)
        return [MoveDue()] if self._life.due(now, self.quiet) else []

    def deadline(self) -> float | None:
        """When `tick` wants to be called; None: never."""
        return min((at for at in (self._life.deadline(), self.errands.deadline()) if at is not None), default=None)

    def outgoing(self) -> list[str]:
        """The texts to send, in order; each is given once."""
        texts = []
        for text, piece in self.uplink.outbox.take():
            if piece.start != piece.end:
                self.uplink.sent(piece)
            texts.append(text)
        return texts

    @property
    def quiet(self) -> bool:
        """Nobody speaks, nothing is being answered: a moment to move to another link."""
        own_open = self._own_turns is not None and self._own_turns.open_ms is not None
        detected = self._detector is not None and self._detector.speaking
        return not (own_open or detected or self.inbound.unsettled.speaking or self.arbiter.busy)

    # What the program calls.

    def push_audio(self, samples: Samples, withheld: str = "") -> list[Notice]:
        """Microphone sound: int16, mono, 16 kHz, any length. Returns what our own detector heard in it.

        `withheld`: the reason (one of `ledger.REASONS`) why nobody is to hear it. Who listens for the end of a turn gets silence in its
        place, as much as a turn needs; where turns are ended by hand nothing is sent, nor for what is "gated".
        """
        self.uplink.capture(samples)
        heard = np.zeros_like(samples) if withheld else samples
        if self._ears is not None:
            return [notice for event in self._ears.push(heard, withheld, self.inbound.unsettled.speaking) for notice in _heard_here(event)]
        if withheld:
            self.uplink.ledger.miss(self.uplink.position_ms - ms_in(samples.size), self.uplink.position_ms, withheld)
        if self._own_turns is not None:
            return list(self._push_own(self._own_turns, heard))
        if not withheld:
            self.uplink.send(samples)
        return []

    def commit(self, start_ms: int = 0, end_ms: int | None = None) -> None:
        """End a turn from here and ask for an answer; the turn is what was sent of the sound between.

        Before the server is ready the sound is held back, and the commit with it.
        """
        end_ms = self.uplink.position_ms if end_ms is None else end_ms
        ending = self.deciding.take_ending()
        self.uplink.then(lambda: self._commit(start_ms, end_ms, ending))

    def say(self, text: str) -> None:
        """A typed message; it and its answer wait until the one in progress is done. Raises: ProtocolError if too many wait."""
        for item_id in self.inbound.history.beyond(MAX_TOLD):
            # A server that is full refuses what is typed: the oldest lines make room.
            self.inbound.history.forget(item_id)
            self._send(ItemDelete(event_id=self._new_id("event"), item_id=item_id))
        item = Item(type="message", id=self._new_id("item"), role="user", content=[Content("input_text", text=text)])
        if not self.arbiter.ask(ResponseParams(), ItemCreate(event_id=self._new_id("event"), item=item)):
            raise ProtocolError("Too many messages wait for an answer: wait for one.")
        self.errands.said()

    def interrupt(self, item_id: str | None = None, heard_ms: int = 0) -> None:
        """Stop the answer. `item_id`: the one that was being played, of which `heard_ms` were really heard."""
        active = self.arbiter.busy
        self.errands.dead_air.interrupted()
        if active:
            self.deciding.cancel()
            self.inbound.unheard.stop(self.arbiter.active)
        if item_id is None:
            return
        heard_ms = min(heard_ms, self.inbound.received_ms(item_id))
        if not self.inbound.cut(item_id, heard_ms) or self._restorer.cut(item_id, self.inbound.heard_of(item_id)):
            return
        if heard_ms > 0:
            self._send(ItemTruncate(event_id=self._new_id("event"), item_id=item_id, content_index=0, audio_end_ms=heard_ms))
        elif active:
            self.inbound.unheard.add(item_id)
        else:
            self._send(ItemDelete(event_id=self._new_id("event"), item_id=item_id))

    def _commit(self, start_ms: int, end_ms: int, ending: Ending) -> None:
        self.uplink.flush()
        if ending is Ending.DROP:
            self._send(BufferClear(event_id=self._new_id("event")))
            self.uplink.ledger.discard(end_ms, "silence")
            return
        self.inbound.unsettled.committing(start_ms)
        self._send(BufferCommit(event_id=self._new_id("event")))
        self.uplink.ledger.commit(start_ms, end_ms)
        if ending is Ending.ANSWER:
            self.errands.said()
            self.arbiter.ask(ResponseParams(), spoken_ms=start_ms)

    def _push_own(self, turns: OwnTurns, samples: Samples) -> Iterator[Notice]:
        for event in turns.push(samples):
            match event:
                case Send():
                    self.uplink.send(event.samples, event.start)
                case Commit():
                    self.commit(event.start_ms, event.end_ms)
                case _:
                    yield from _heard_here(event)

    def _notices(self, event: ServerEvent | Unknown) -> Iterator[Notice]:
        if isinstance(event, SessionCreated | SessionUpdated):
            self._life.expires(event.session.expires_at if isinstance(event.session.expires_at, int) else None)
        asked_before = self.offer.asked
        if (rate_hz := self.offer.answer(event)) is not None:
            self.uplink.open(rate_hz)
            self.arbiter.open()
        if isinstance(event, SessionUpdated):
            self.inbound.settings = event.session
            if self._ears is not None:
                self._ears.configure(turns_of(event.session))
            yield SessionReady(event.session)
            return
        if isinstance(event, ErrorEvent) and self.offer.asked > asked_before:
            return
        if isinstance(event, ErrorEvent) and self.deciding.pardoned(event):
            yield Other(event)
            return
        if isinstance(event, ItemAdded):
            self.deciding.added(event)
        yield from self.inbound.notices(event)
        if isinstance(event, ResponseDone):
            for item_id in self.inbound.unheard.over(event.response, self.inbound.received_ms):
                self._send(ItemDelete(event_id=self._new_id("event"), item_id=item_id))

    def _send(self, event: ClientEvent) -> None:
        self.uplink.outbox.put(encode(event))


def _louder(gain: SlowGain, detector: TurnDetector | None, samples: Samples) -> Samples:
    """Without a detector somebody holds a key while they speak."""
    return gain.push(samples, detector is None or detector.speaking)


def _heard_here(event: TurnEvent) -> Iterator[Notice]:
    """What our own detector heard, as a notice; of a pause there is none."""
    match event:
        case SpeechStarted():
            yield SpeechBegan(event.voiced_start_ms, local=True)
        case SpeechStopped():
            yield SpeechEnded(event.voiced_end_ms, local=True)
