"""The settings that the talking side asks for, on each link anew.

    UNLINKED --- ask ---> ASKED --- session.updated ----------------------------> READY
                          ASKED --- error for our id ---> ASKED_AGAIN (24 kHz) ---> READY

16 kHz first; a server that says no gets 24 kHz, one that answers another rate gets that. What changes while a server is being asked is
told it when it has answered.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec
from msgspec import UNSET

from voice.audio.pcm import RATE_HZ
from voice.protocol.events import ErrorEvent, ServerEvent, SessionUpdated, Unknown
from voice.protocol.inbound import input_rate, input_settings
from voice.protocol.objects import Audio, AudioFormat, Session
from voice.protocol.requests import ClientEvent, SessionUpdate
from voice.protocol.settings import PCM_RATE_HZ


class Stage(Enum):
    """How far the settings have got on this link; see the top of the file."""

    UNLINKED = "unlinked"
    ASKED = "asked"
    ASKED_AGAIN = "asked again, for 24 kHz"
    READY = "ready"


class Offer:
    """See the top of the file."""

    def __init__(self, settings: Session, send: Callable[[ClientEvent], None], new_id: Callable[[str], str]) -> None:
        self.settings = settings
        self.stage = Stage.UNLINKED
        self._send = send
        self._new_id = new_id
        self._event_id = ""
        self._told: object = UNSET

    def ask(self) -> None:
        """A link is there."""
        self._ask(RATE_HZ, Stage.ASKED)

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
                self._tell_tools()
                return input_rate(event.session)
            case ErrorEvent() if event.error.event_id == self._event_id and self.stage is Stage.ASKED:
                self._ask(PCM_RATE_HZ, Stage.ASKED_AGAIN)
            case ErrorEvent() if event.error.event_id == self._event_id:
                # Refused twice: the session runs with the server's defaults, and the program is told.
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

    def _ask(self, rate_hz: int, stage: Stage) -> None:
        wanted = msgspec.structs.replace(input_settings(self.settings), format=AudioFormat("audio/pcm", rate_hz))
        audio = self.settings.audio if isinstance(self.settings.audio, Audio) else Audio()
        settings = msgspec.structs.replace(self.settings, type="realtime", audio=msgspec.structs.replace(audio, input=wanted))
        self._event_id = self._new_id("event")
        self._told = self.settings.tools
        self.stage = stage
        self._send(SessionUpdate(event_id=self._event_id, session=settings))
