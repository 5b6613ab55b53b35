"""Before a server that speaks a dialect: its client speaks the protocol of today. See `interpreter.py`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from voice.protocol.dialect import Dialect
from voice.protocol.dialect_asked import Asked
from voice.protocol.dialect_items import (
    NEW_CONTENT,
    OLD_CONTENT,
    error_event,
    items_of,
    our_usage,
    parts_of,
    readable,
    rename_contents,
    rename_error,
    rewrite_sounds,
    strip,
)
from voice.protocol.dialect_link import APPEND, CLEAR, COMMIT, Microphone, Passage, passage, read, type_of
from voice.protocol.dialect_settings import our_path, their_detection, to_ours, to_theirs
from voice.protocol.dialect_sound import Formats, Way, first_of, nearest, read_ours, read_theirs, whole
from voice.protocol.dialect_story import Story
from voice.protocol.dialect_told import ADDED, DONE, Event, remember
from voice.protocol.lenient import fields

DETECTION = {"type": "server_vad"}
"""What a session of today begins with."""
ASKED = 64
"""Requests for responses that may be open; the oldest are forgotten."""
SETTINGS = tuple(f"{session}.{kind}" for session in ("session", "transcription_session") for kind in ("created", "updated"))
"""Events that tell settings."""
_PLACED = frozenset({ADDED, DONE, "input_audio_buffer.committed"})
"""Events in which `previous_item_id` has a meaning."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a client of today has asked for, as far as its server may do it in another way."""

    client: Formats
    server: Formats
    detection: Any
    modalities: list[str]


class ServerInterpreter:
    """Before a server that speaks `dialect`."""

    def __init__(self, dialect: Dialect, new_id: Callable[[str], str]) -> None:
        self._dialect, self._new_id = dialect, new_id
        self._asked = Asked(_Wish(Formats(), first_of(dialect.sound), DETECTION, ["audio"]), new_id)
        self._microphone = Microphone(self._way_up(), new_id)
        self._story = Story(new_id, self._way_down, dialect.events)
        self._ours = {theirs: ours for ours, theirs in dialect.events.names.items()}
        self._kind = "realtime"
        self._updated = False
        self._mine: str | None = None

    @property
    def _always_speaks(self) -> bool:
        """A written answer cannot be asked for: the words of a spoken one are told as one, if that was asked for."""
        return self._dialect.settings.spoken == self._dialect.settings.written

    def _way_up(self) -> Way:
        wish = self._asked.latest
        return Way(wish.client.up, wish.server.up, to_wav=self._dialect.sound.wav)

    def _way_down(self) -> Way:
        return Way(self._asked.now.server.down, self._asked.now.client.down)

    # Client -> server.

    def up(self, text: str) -> Passage:
        """A client's message."""
        if self._dialect.plain or (self._microphone.way.untouched and type_of(text) == APPEND):
            return Passage((text,))
        event = read(text)
        if event is None:
            return Passage((text,))
        readable(event)
        kind = event["type"]
        if kind in self._dialect.lacks:
            return self._instead(kind, event)
        if kind in (APPEND, COMMIT, CLEAR):
            return self._microphone.carry(event)
        theirs = {ours: name for name, ours in self._story.told.names.items()}
        for field in ("item_id", "previous_item_id"):
            if event.get(field) in theirs:
                event[field] = theirs[event[field]]
        if kind == "session.update":
            self._update(event)
        elif kind == "response.create":
            self._story.answers.asked = [*self._story.answers.asked[1 - ASKED :], {**event}]
            if isinstance(event.get("response"), dict):
                event["response"] = to_theirs(event["response"], self._dialect, self._asked.latest.server)
        elif kind == "response.cancel":
            self._story.answers.cancelled = True
        elif kind == "conversation.item.create":
            self._story.turns.sounds_given += any(part.get("type") == "input_audio" for item in items_of(event) for part in parts_of(item))
        wish = self._asked.latest
        rewrite_sounds(event, lambda sound: whole(sound, wish.client.up, wish.server.up, to_wav=self._dialect.sound.wav), str)
        if self._dialect.events.old_content:
            rename_contents(event, OLD_CONTENT)
        return passage([event])

    def _update(self, event: Event) -> None:
        """A change of the settings."""
        asked = event.get("session")
        if not isinstance(asked, dict):
            return
        if not self._updated and not self._dialect.detection.at_first:
            asked = event["session"] = _detecting(asked)
        self._updated = True
        self._kind = asked["type"] if asked.get("type") in ("realtime", "transcription") else self._kind
        audio = asked.get("audio")
        sides = {side: audio.get(side) if isinstance(audio, dict) else None for side in ("input", "output")}
        up, down = (read_ours(part.get("format")) if isinstance(part, dict) else None for part in sides.values())
        heard, modalities = sides["input"] if isinstance(sides["input"], dict) else {}, asked.get("output_modalities")
        sound = self._dialect.sound

        def change(now: _Wish) -> _Wish:
            server = Formats(
                nearest(up, sound.formats_in, sound.rates_in_hz) if up else now.server.up,
                nearest(down, sound.formats_out, sound.rates_out_hz) if down else now.server.down,
            )
            client = Formats(up or now.client.up, down or now.client.down)
            said = ["audio" if "audio" in modalities else "text"] if isinstance(modalities, list) else now.modalities
            return _Wish(client, server, heard.get("turn_detection", now.detection), said)

        self._asked.ask(event, change)
        self._follow()
        event["session"] = self._settings(asked)
        if self._kind == "transcription" and self._dialect.settings.transcription_sessions:
            event["type"] = "transcription_session.update"

    def _settings(self, asked: Event) -> Event:
        """Settings as the server is told of them."""
        theirs = to_theirs(asked, self._dialect, self._asked.latest.server)
        if self._dialect.detection.repeated:
            theirs.setdefault("turn_detection", their_detection(self._asked.latest.detection, self._dialect.detection))
        return {**self._dialect.settings.always, **theirs}

    def _follow(self) -> None:
        """Sound that goes up is carried from the client's form into the server's; answers are what was asked for."""
        self._story.answers.modalities = self._asked.latest.modalities
        way = self._way_up()
        if (way.source, way.goal) != (self._microphone.way.source, self._microphone.way.goal):
            self._microphone.way = way

    def _instead(self, kind: str, event: Event) -> Passage:
        """What the server does not know: answered from what was told, if that can be."""
        told, item_id, event_id = self._story.told, event.get("item_id"), self._new_id("event")
        known = told.items.get(item_id) if isinstance(item_id, str) else None
        if kind == "output_audio_buffer.clear":
            return Passage()
        if kind not in ("conversation.item.truncate", "conversation.item.retrieve"):
            message = f"The service behind does not know '{kind}'."
            return passage([], [error_event(event_id, message, "invalid_value", "type", event.get("event_id"))])
        if known is None:
            message = f"Item with item_id not found: '{item_id}'."
            return passage([], [error_event(event_id, message, "item_not_found", "item_id", event.get("event_id"))])
        if kind == "conversation.item.retrieve":
            return passage([], [{"type": "conversation.item.retrieved", "event_id": event_id, "item": known}])
        return passage([], [self._truncated(event, str(item_id), event_id)])

    def _truncated(self, event: Event, item_id: str, event_id: str) -> Event:
        """The server goes on believing that all was heard; what still comes of the item is not told."""
        told, end_ms = self._story.told, event.get("audio_end_ms")
        if type(end_ms) is not int or end_ms < 0:
            return error_event(event_id, "Invalid 'audio_end_ms'.", "invalid_value", "audio_end_ms", event.get("event_id"))
        if told.items[item_id].get("role") != "assistant":
            message = "Only model output audio messages can be truncated."
            return error_event(event_id, message, "invalid_value", "item_id", event.get("event_id"))
        if end_ms > (sent_ms := round(told.sound_ms.get(item_id, 0.0))):
            message = f"Audio content of {sent_ms}ms is already shorter than {end_ms}ms"
            return error_event(event_id, message, "invalid_value", "audio_end_ms", event.get("event_id"))
        remember(told.cut_ms, item_id, min(end_ms, told.cut_ms.get(item_id, end_ms)))
        where = {"item_id": item_id, "content_index": event.get("content_index") or 0, "audio_end_ms": told.cut_ms[item_id]}
        return {"type": "conversation.item.truncated", "event_id": event_id, **where}

    # Server -> client.

    def down(self, text: str) -> Passage:
        """A server's message."""
        event = None if self._dialect.plain else read(text)
        if event is None:
            return Passage((text,))
        kind = event["type"]
        if kind in self._dialect.events.chatter:
            return Passage()
        readable(event)
        event["type"] = kind = self._ours.get(kind, kind)
        strip(event, self._dialect.events.extras)
        if kind not in _PLACED and kind != "response.output_item.added":
            event.pop("previous_item_id", None)
        if kind in SETTINGS and isinstance(event.get("session"), dict):
            return self._session(kind, event)
        if self._dialect.events.old_content:
            rename_contents(event, NEW_CONTENT)
        if isinstance(event.get("error"), dict) and not self._error(event["error"]):
            return Passage()
        rename_error(event, lambda param: our_path(param, self._dialect.settings))
        wish = self._asked.now
        rewrite_sounds(
            event,
            lambda sound: whole(sound, wish.server.up, wish.client.up, from_wav=self._dialect.sound.wav),
            lambda sound: whole(sound, wish.server.down, wish.client.down),
        )
        self._response(event)
        return passage(self._story.tell(event))

    def _response(self, event: Event) -> None:
        """A response object, and the usage in it or beside it."""
        extras = self._dialect.events.extras
        if isinstance(event.get("response"), dict):
            body = to_ours(event["response"], self._dialect, self._asked.now.client)
            if self._always_speaks:
                body.pop("output_modalities", None)
            event["response"] = {**body, "usage": our_usage(body.get("usage"), extras)}
            if event["type"] == "response.done":
                event["usage"] = our_usage(event.get("usage"), extras)

    def _session(self, kind: str, event: Event) -> Passage:
        """The settings in effect, told as the client asks for sound."""
        begins = kind.endswith(".created")
        if kind.startswith("transcription_session."):
            self._kind = "transcription"
        event["type"] = "session.created" if begins else "session.updated"
        told = event["session"]
        mine = self._mine is not None and not begins
        self._mine = self._mine if begins else None
        if not begins and not mine:
            # All of them: not every service is known to answer each.
            self._asked.grant_all()
        now = self._asked.now
        self._asked.now = replace(now, server=read_theirs(told, self._dialect.sound, now.server))
        self._follow()
        if mine:
            # The answer to that request of ours: the client has not asked for it.
            return Passage()
        ours = to_ours(told, self._dialect, self._asked.now.client)
        ours["audio"] = fields(ours.get("audio"))
        settings = {"type": self._kind, **ours}
        if self._always_speaks:
            settings["output_modalities"] = self._asked.now.modalities
        elif isinstance(settings.get("output_modalities"), list):
            self._asked.now = replace(self._asked.now, modalities=settings["output_modalities"])
            self._follow()
        event["session"] = settings
        ask = begins and not self._dialect.detection.at_first and not self._updated
        if begins and not self._dialect.detection.at_first and self._asked.latest.detection == DETECTION:
            settings["audio"] = {**settings["audio"], "input": {**fields(settings["audio"].get("input")), "turn_detection": DETECTION}}
        if not ask:
            return passage(self._story.tell(event))
        self._mine = self._new_id("event")
        request = {"type": "session.update", "event_id": self._mine}
        back = {**request, "session": self._settings({"audio": {"input": {"turn_detection": DETECTION}}})}
        return passage(self._story.tell(event), [back])

    def _error(self, error: Event) -> bool:
        """What was refused is forgotten. Whether the client is told: not what we have asked for."""
        if self._mine is not None and error.get("event_id") == self._mine:
            self._mine = None
            return False
        self._asked.refused(error)
        self._follow()
        return True


def _detecting(asked: Event) -> Event:
    """The first settings that a client asks for, with the turn detection that its session begins with, if it says nothing of one."""
    audio = asked.get("audio", {})
    heard = audio.get("input", {}) if isinstance(audio, dict) else None
    if not isinstance(heard, dict) or "turn_detection" in heard:
        return asked
    return {**asked, "audio": {**audio, "input": {**heard, "turn_detection": DETECTION}}}
