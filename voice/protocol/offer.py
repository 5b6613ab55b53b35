"""The settings that the talking side asks for, on each link anew.

    UNLINKED --- ask ---> ASKED --- session.updated --------------------------------------> READY
                          ASKED --- error for our id ---> ASKED_AGAIN, otherwise, and so on ---> READY

16 kHz first; a server that says no gets 24 kHz, one that answers another rate gets that. Where we want to decide what is answered (`deciding.py`), one
that says no to that, or does not say that it takes it, is asked to decide. What changes while a server is being asked is told it when it has answered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec
from msgspec import UNSET

from voice.audio.pcm import RATE_HZ
from voice.protocol.deciding import decided_there, wants_to_decide
from voice.protocol.events import ErrorEvent, ServerEvent, SessionUpdated, Unknown
from voice.protocol.inbound import input_rate, input_settings
from voice.protocol.objects import Audio, AudioFormat, AudioInput, Session
from voice.protocol.requests import ClientEvent, SessionUpdate
from voice.protocol.settings import PCM_RATE_HZ


class Stage(Enum):
    """How far the settings have got on this link; see the top of the file."""

    UNLINKED = "unlinked"
    ASKED = "asked"
    ASKED_AGAIN = "asked again, for less"
    READY = "ready"


class Offer:
    """See the top of the file."""

    def __init__(self, settings: Session, send: Callable[[ClientEvent], None], new_id: Callable[[str], str]) -> None:
        self.settings = settings
        self.stage = Stage.UNLINKED
        self._send = send
        self._new_id = new_id
        self.asked = 0
        """How often a server was asked."""
        self._event_id = ""
        self._told: object = UNSET
        self._now = _Try(RATE_HZ, plain=False)
        self._left: list[_Try] = []

    def ask(self) -> None:
        """A link is there."""
        self._left = [_Try(PCM_RATE_HZ, plain=False)]
        if wants_to_decide(self.settings):
            self._left.append(_Try(PCM_RATE_HZ, plain=True))
        self._ask(_Try(RATE_HZ, plain=False), Stage.ASKED)

    def tools(self, tools: list[dict[str, Any]]) -> None:
        """Other tools from now on."""
        self.settings = msgspec.structs.replace(self.settings, tools=tools)
        self._tell_tools()

    def answer(self, event: ServerEvent | Unknown) -> int | None:
        """The rate to send at, when an event of the server makes us ready; None for every other event."""
        if self.stage not in (Stage.ASKED, Stage.ASKED_AGAIN):
            return None
        match event:
            case SessionUpdated():
                self.stage = Stage.READY
                self._hand_over(event.session)
                self._tell_tools()
                return input_rate(event.session)
            case ErrorEvent() if event.error.event_id == self._event_id and self._left:
                if _about_deciding(event) and wants_to_decide(self.settings):
                    self._left = [_Try(rate_hz, plain=True) for rate_hz in dict.fromkeys((self._now.rate_hz, PCM_RATE_HZ))]
                self._ask(self._left.pop(0), Stage.ASKED_AGAIN)
            case ErrorEvent() if event.error.event_id == self._event_id:
                # Refused to the last: the session runs with the server's defaults, and the program is told.
                self.stage = Stage.READY
                self._tell_tools()
                return PCM_RATE_HZ
            case _:
                pass
        return None

    def _tell_tools(self) -> None:
        if self.stage is Stage.READY and self.settings.tools != self._told:
            self._told = self.settings.tools
            self._send(SessionUpdate(event_id=self._new_id("event"), session=Session(type="realtime", tools=self.settings.tools)))

    def _hand_over(self, granted: Session) -> None:
        """A server that has not said that we decide may have heard it all the same: it is told that it decides, or nobody would."""
        if wants_to_decide(self.settings) and not self._now.plain and not wants_to_decide(granted):
            hearing = AudioInput(turn_detection=input_settings(decided_there(self.settings)).turn_detection)
            self._send(SessionUpdate(event_id=self._new_id("event"), session=Session(type="realtime", audio=Audio(hearing))))

    def _ask(self, attempt: "_Try", stage: Stage) -> None:
        base = decided_there(self.settings) if attempt.plain else self.settings
        wanted = msgspec.structs.replace(input_settings(base), format=AudioFormat("audio/pcm", attempt.rate_hz))
        audio = base.audio if isinstance(base.audio, Audio) else Audio()
        settings = msgspec.structs.replace(base, type="realtime", audio=msgspec.structs.replace(audio, input=wanted))
        self._event_id = self._new_id("event")
        self._told = self.settings.tools
        self.asked += 1
        self.stage, self._now = stage, attempt
        self._send(SessionUpdate(event_id=self._event_id, session=settings))


@dataclass(frozen=True, slots=True)
class _Try:
    """One way to ask. `plain`: the server decides what is answered."""

    rate_hz: int
    plain: bool


def _about_deciding(event: ErrorEvent) -> bool:
    """Whether a server refuses what we say of turns, and not the rate."""
    return "turn_detection" in (event.error.param or "") or "_response" in f"{event.error.param} {event.error.message}"
