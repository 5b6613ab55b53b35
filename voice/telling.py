"""When the turns of `voice talk` are told, and with which times.

The main loop (`talk.py`) feeds it; what is told goes to a `Report`.
"""

import time
from collections import deque

from voice.audio.pcm import FRAME_MS
from voice.devices.base import Frame, Loudspeaker, Microphone
from voice.metering import Metering
from voice.protocol.captions import Caption, Captions, while_spoken
from voice.protocol.floor import Floor
from voice.protocol.notices import Notice
from voice.protocol.played import Played
from voice.protocol.turnlog import LATE_TEXT_S, NO_REPLY, STILL_S, Origin, Turn, TurnLog, Waterfall, turn_json, waterfall
from voice.report import Report
from voice.session import Session

RECENT = 50
"""Frames among which the one that was fetched soonest tells when the microphone's count began: 1 s."""


class Teller:
    """Tells each turn once it is over: answered, its words known, its reply heard or stopped; in order."""

    def __init__(
        self, log: TurnLog, played: Played, floor: Floor, session: Session, speaker: Loudspeaker, microphone: Microphone, report: Report
    ) -> None:
        self._log = log
        self._played = played
        self._speaker = speaker
        self._microphone = microphone
        self._report = report
        self._captions = Captions(speaker.heard_ms, lambda: session.history)
        self._meters = Metering(floor, microphone, speaker, report)
        self._shown: tuple[Caption, ...] = ()
        self._told = 0
        self._came_at = time.monotonic()
        self._began_s: deque[float] = deque(maxlen=RECENT)
        self._file_end_ms: int | None = None

    def fetched(self, frame: Frame, withheld: str, position_ms: int, now: float) -> None:
        """A frame of the microphone has been fetched, and pushed up to this position; `withheld`: why nobody is to hear it."""
        if self._report.live:
            self._meters.hear(frame, bool(withheld))
        self._began_s.append(now - self._microphone.latency_s - position_ms / 1000)
        if self._microphone.ended and self._file_end_ms is None:
            # This one is the first frame of the silence behind it.
            self._file_end_ms = position_ms - FRAME_MS

    def ended_ms(self, position_ms: int) -> int:
        """Where the microphone's file was at its end."""
        return position_ms if self._file_end_ms is None else self._file_end_ms

    def see(self, notice: Notice, now: float) -> None:
        """Something has come from the server."""
        self._came_at = now
        if self._report.live:
            self._captions.see(notice)

    def tell(self, now: float, final: bool = False) -> None:
        """Report the turns that are over, and, now and then, how it stands with the others."""
        if self._report.live and (final or self._meters.due(now)):
            self._meters.show()
            self._caption()
        if now - self._came_at > STILL_S and not self._speaker.busy:
            self._log.close()
        for turn in self._log.turns[self._told :]:
            if not final and not self._over(turn, now):
                return
            if self._report.live:
                self._caption()
            self._told += 1
            heard_ms = sum(self._speaker.heard_ms(item_id) for item_id in self._played.items(turn.response_id))
            line = turn_json(turn, Origin(self._microphone.name, 0), self._waterfall(turn))
            self._report.result(line | {"heard_ms": heard_ms})

    def _caption(self) -> None:
        """Show what has been recognised and heard since the last time."""
        captions: list[Caption] = []
        for turn in self._log.turns[self._told :]:
            stopped = turn.response_id is not None and self._played.was_stopped(turn.response_id)
            captions += [self._captions.you(turn), self._captions.voice(turn, stopped)]
        shown = (*(caption for caption in captions if caption.text), *while_spoken(self._log.early))
        if shown != self._shown:
            self._shown = shown
            self._report.saying(shown)

    def _over(self, turn: Turn, now: float) -> bool:
        if turn.status is None or not (turn.heard or now - self._came_at > LATE_TEXT_S):
            return False
        if turn.response_id is None or turn.status == NO_REPLY or self._played.was_stopped(turn.response_id):
            return True
        later = any(other.reply_samples for other in self._log.turns[turn.index + 1 :])
        return later or not self._speaker.busy

    def _waterfall(self, turn: Turn) -> Waterfall:
        items = self._played.items(turn.response_id)
        began_s = min(self._began_s) if self._began_s else None
        return waterfall(turn, began_s, self._speaker.began_s(items[0]) if items else None)
