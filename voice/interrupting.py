"""Who talks over whom in `voice talk`: what speech over a reply does to the loudspeaker, and what becomes of what was said.

Joins two pure machines to the session and the loudspeaker: `protocol/bargein.py` (at once: duck, stop, play on) and `protocol/overspoken.py` (later: is
it a turn that wants an answer?). Where the server does not leave that to us its own detector stops replies and begins them, and here the loudspeaker
follows.
"""

import math
import tomllib
from collections import deque
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypeVar

from voice.audio.pcm import Samples
from voice.audio.voicing import Voice
from voice.devices.base import Loudspeaker
from voice.protocol.backchannel import Backchannels
from voice.protocol.bargein import BargeIn, Move
from voice.protocol.floor import Floor
from voice.protocol.inbound import input_settings
from voice.protocol.notices import Notice, ReplyBegan, SessionReady, SpeechBegan, SpeechEnded, TurnCommitted, TurnResent, UserText
from voice.protocol.objects import Transcription
from voice.protocol.overspoken import Ending, Overspoken, Span, Words
from voice.protocol.played import Played
from voice.protocol.turnlog import TurnLog
from voice.session import Session
from voice.trusting import Trust

T = TypeVar("T")

WORDS_S = 5.0
"""The words of a turn in doubt may come so late; then it is decided without them."""
REMEMBERED = 64
"""Turns whose sound is remembered, until they are items."""


BLIND_MS = 1_500
"""A server that does not say when speech began and ended: a turn is taken to be what was said last."""


@dataclass(slots=True)
class _Doubt:
    """A turn whose words decide."""

    span: Span
    since: float


class Interruptions:
    """See the top of the file. `now` is monotonic seconds, positions are ms of the sound captured."""

    def __init__(
        self,
        session: Session,
        speaker: Loudspeaker,
        log: TurnLog,
        played: Played,
        floor: Floor,
        trust: Trust,
    ) -> None:
        self._session = session
        self._speaker = speaker
        self._log = log
        self._played = played
        self._floor = floor
        self._trust = trust
        self._bargein = BargeIn()
        self._over = Overspoken(backchannels())
        self._turns = _Turns()
        self._ear = _Ear()
        self._doubts: dict[str, _Doubt] = {}
        self._needed_ms = math.inf

    @property
    def answering(self) -> bool:
        """An answer is to come that nobody has stopped."""
        return any(turn.response_id is None or not self._played.was_stopped(turn.response_id) for turn in self._log.open_turns)

    @property
    def ducked(self) -> bool:
        """The loudspeaker rests until it is known whether somebody interrupts."""
        return self._bargein.ducked

    def heard(self, notice: Notice) -> None:
        """What our own detector has heard."""
        if self._session.deciding.own:
            self._turns.heard(notice)

    def may_hear(self, captured_at: float) -> bool:
        """Whether the 20 ms of the microphone that were in the air then are anybody's business."""
        playing = self._speaker.busy
        self._needed_ms = self._trust.needed_ms(playing, self.ducked)
        if self._floor.needed_ms is not None:
            # What people are shown: less never stops an answer by its length.
            self._floor.needed_ms = max(self._floor.needed_ms, self._bargein.least_ms)
        return self._floor.open(captured_at, playing)

    def frame(self, samples: Samples, now: float) -> None:
        """They have been pushed (int16, mono, 16 kHz; silence where nobody was to hear them)."""
        deciding, position_ms = self._session.deciding, self._session.position_ms
        playing = self._speaker.busy
        answering = playing or self.answering
        speech, voice = self._ear.hear(samples, deciding.heard_ms, answering)
        self._over.frame(position_ms, speech, voice, playing, answering)
        match self._bargein.frame(speech, answering, self._needed_ms):
            case Move.DUCK:
                self._speaker.hold()
            case Move.RESUME:
                self._speaker.release()
            case Move.STOP:
                self.stop()
            case Move.STAY:
                pass
        if (span := self._turns.speaking(position_ms, speech)) is not None:
            deciding.ending = self._turns.ending = self._over.ending(span)
        for item_id, doubt in list(self._doubts.items()):
            if now - doubt.since > WORDS_S:
                self._decide(item_id, None)

    def stop(self) -> None:
        """Silence, for good; the server learns what was heard."""
        heard = self._speaker.stop()
        self._floor.stopped()
        self._bargein.stopped()
        self._over.stopped(self._session.position_ms)
        if heard is None:
            self._played.stop(())
            self._session.interrupt()
            return
        self._played.stop((heard.item_id, *heard.unheard))
        self._session.interrupt(heard.item_id, heard.heard_ms)
        for item_id in heard.unheard:
            self._session.interrupt(item_id, 0)

    def took(self, notice: Notice, now: float) -> None:
        """An event of the server, which the loudspeaker and the log of turns know of already."""
        match notice:
            case SessionReady():
                self._bargein.words_come = isinstance(input_settings(notice.settings).transcription, Transcription)
                if input_settings(notice.settings).turn_detection and not self._session.arbitrates:
                    self._trust.tell_plain()
            case SpeechBegan() if not self._session.arbitrates:
                if self._speaker.busy:
                    self.stop()
            case _ if self._session.arbitrates:
                self._arbitrate(notice, now)
            case _:
                pass

    def _arbitrate(self, notice: Notice, now: float) -> None:
        match notice:
            case SpeechBegan() | SpeechEnded():
                self._turns.told(notice)
            case TurnCommitted():
                self._committed(notice.item_id, now)
            case UserText(final=True):
                if notice.item_id in self._doubts:
                    self._decide(notice.item_id, None if notice.failed else notice.text)
                else:
                    self._turns.words(notice.item_id, notice.text)
            case TurnResent():
                self._doubts.pop(notice.item_id, None)
            case ReplyBegan() if self._bargein.overruling:
                self.stop()
            case _:
                pass

    def _committed(self, item_id: str, now: float) -> None:
        """Something that was said has become an item."""
        deciding, position_ms = self._session.deciding, self._session.position_ms
        if deciding.own:
            span, ending = self._turns.take_own(deciding.start_ms(item_id), position_ms)
        else:
            span = self._turns.take(item_id, position_ms)
            ending = self._over.ending(span)
        match ending:
            case Ending.ANSWER:
                self._bargein.turn_over()
                if not deciding.own:
                    # Else its answer was asked for right behind it.
                    self._session.respond(item_id)
            case Ending.DROP:
                self._take_back(item_id)
            case Ending.DOUBT:
                self._doubts[item_id] = _Doubt(span, now)
                self._log.doubt(item_id, True)
                early = self._turns.take_words(item_id)
                if early is not None or not self._bargein.words_come:
                    self._decide(item_id, early)

    def _decide(self, item_id: str, text: str | None) -> None:
        """The words of a turn in doubt are known, or will not be (None)."""
        doubt = self._doubts.pop(item_id)
        left_ms = None if self.answering else self._speaker.stats.buffered_ms
        said = self._over.said(doubt.span, text, left_ms)
        if said is Words.NOTHING:
            self._take_back(item_id)
            return
        if said is Words.REQUEST and (self._speaker.busy or self.answering):
            self.stop()
        self._log.doubt(item_id, False)
        self._session.respond(item_id)

    def _take_back(self, item_id: str) -> None:
        self._session.delete(item_id)
        self._log.take_back(item_id)


class _Ear:
    """What there is in a frame: speech, and a voice."""

    def __init__(self) -> None:
        self._heard_ms = 0
        self._voice = Voice()

    def hear(self, samples: Samples, heard_ms: int, over_a_reply: bool) -> tuple[bool, bool]:
        """Whether our detector has heard somebody in these 20 ms (`heard_ms`: in how much of all sound), and whether he has a voice."""
        speech, self._heard_ms = heard_ms > self._heard_ms, heard_ms
        return speech, self._voice.push(samples, speech and over_a_reply)


class _Turns:
    """Where the sound of turns lies that are not decided: those that the server has told of, and ours."""

    def __init__(self) -> None:
        self.ending = Ending.ANSWER
        """What becomes of the turn of ours that is open, if it ends now."""
        self._open: Span | None = None
        self._own: deque[tuple[Span, Ending]] = deque(maxlen=REMEMBERED)
        self._told: dict[str, Span] = {}
        self._words: dict[str, str] = {}

    def heard(self, notice: Notice) -> None:
        """By our own detector."""
        match notice:
            case SpeechBegan():
                self._open = Span(notice.at_ms, notice.at_ms)
                self.ending = Ending.ANSWER
            case SpeechEnded() if self._open is not None:
                self._own.append((self._open, self.ending))
                self._open = None
            case _:
                pass

    def speaking(self, position_ms: int, speech: bool) -> Span | None:
        """The turn of ours that is open, at this frame."""
        if self._open is not None and speech:
            self._open = Span(self._open.start_ms, position_ms)
        return self._open

    def told(self, notice: SpeechBegan | SpeechEnded) -> None:
        """By the server."""
        began = self._told.get(notice.item_id)
        if isinstance(notice, SpeechBegan) or began is None:
            began = Span(notice.at_ms, notice.at_ms)
        self._told[notice.item_id] = Span(began.start_ms, notice.at_ms)
        _bound(self._told)

    def words(self, item_id: str, text: str) -> None:
        """Words that have come before their turn."""
        self._words[item_id] = text
        _bound(self._words)

    def take_words(self, item_id: str) -> str | None:
        """Those; None if there are none yet."""
        return self._words.pop(item_id, None)

    def take(self, item_id: str, position_ms: int) -> Span:
        """Where a turn lies that the server has ended."""
        return self._told.pop(item_id, None) or self._told.pop("", None) or _last(position_ms)

    def take_own(self, start_ms: int | None, position_ms: int) -> tuple[Span, Ending]:
        """Where a turn of ours lies whose sound begins there, and what was to become of it."""
        found = (own for own in self._own if start_ms is not None and own[0].end_ms > start_ms)
        return next(found, (_last(position_ms), Ending.ANSWER))


def _last(position_ms: int) -> Span:
    """What was said last, where nobody knows better."""
    return Span(max(0, position_ms - BLIND_MS), position_ms)


def _bound(entries: dict[str, T]) -> None:
    while len(entries) > REMEMBERED:
        del entries[next(iter(entries))]


@cache
def backchannels() -> Backchannels:
    """Those of the package."""
    return Backchannels(tomllib.loads(resources.files("voice.data").joinpath("backchannels.toml").read_text("utf-8")))
