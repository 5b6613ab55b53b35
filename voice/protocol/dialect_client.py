"""Before a client that speaks a dialect: its server speaks the protocol of today. See `interpreter.py`.

The order of today is one that every dialect's client bears, so events are renamed, reshaped and left out, and never held back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voice.audio.encoding import Encoding
from voice.protocol.dialect import Dialect
from voice.protocol.dialect_asked import Asked
from voice.protocol.dialect_items import NEW_CONTENT, OLD_CONTENT, rename_contents, rename_error, rewrite_sounds, their_usage
from voice.protocol.dialect_link import APPEND, CLEAR, COMMIT, Microphone, Passage, passage, read, type_of
from voice.protocol.dialect_parts import Sounding
from voice.protocol.dialect_settings import possible, their_path, to_ours, to_theirs, written
from voice.protocol.dialect_sound import Formats, Way, first_of, nearest, read_theirs, whole
from voice.protocol.dialect_told import Event
from voice.protocol.flat import PLACES, put

TODAY = Sounding()
WORDS = "conversation.item.input_audio_transcription."
_NAMELESS = ("input_audio_buffer.speech_", "response.output_audio", "response.output_text", "response.function_call_arguments")
"""Events that some dialects' servers tell without their item."""
_FORMATS = ("input_audio_format", "output_audio_format")


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a client has asked for of what a server of today does not tell it."""

    formats: Formats
    own: Event
    """Settings that only the dialect has: they are told back."""


class ClientInterpreter:
    """Before a client that speaks `dialect`."""

    def __init__(self, dialect: Dialect, new_id: Callable[[str], str]) -> None:
        self._dialect, self._new_id = dialect, new_id
        self._asked = Asked(_Effect(first_of(dialect.sound), {}), new_id)
        self._microphone = Microphone(self._way_up(), new_id)
        self._ways: dict[str, Way] = {}
        self._kind = "realtime"
        self._chosen = False
        self._words: dict[str, str] = {}
        self._written: dict[str, str] = {}

    def _nearest(self, formats: Formats) -> Formats:
        """How a server of today writes sound, as close as it can."""
        return Formats(*(nearest(one, TODAY.formats_in, TODAY.rates_in_hz) for one in (formats.up, formats.down)))

    def _way_up(self) -> Way:
        """Sound is sent, and taken, as by the newest request."""
        formats = self._asked.latest.formats
        return Way(formats.up, self._nearest(formats).up, from_wav=self._dialect.sound.wav)

    # Client -> server.

    def up(self, text: str) -> Passage:
        """A client's message."""
        if self._dialect.plain or (self._microphone.way.untouched and type_of(text) == APPEND):
            return Passage((text,))
        event = read(text)
        if event is None:
            return Passage((text,))
        kind = event["type"]
        if kind in (APPEND, COMMIT, CLEAR):
            return self._microphone.carry(event)
        if kind in ("session.update", "transcription_session.update"):
            self._update(event)
        elif kind == "response.create" and isinstance(event.get("response"), dict):
            self._written |= written(event["response"])
            event["response"] = to_ours(event["response"], self._dialect, self._nearest(self._asked.latest.formats), asked=True)
        rewrite_sounds(event, self._given, str)
        if self._dialect.events.old_content:
            rename_contents(event, NEW_CONTENT)
        return passage([event])

    def _update(self, event: Event) -> None:
        """A change of the settings. What only the dialect has is told back to the client, and means nothing to the server."""
        if event["type"].startswith("transcription_session"):
            event["type"], self._kind = "session.update", "transcription"
        asked = event.get("session")
        if not isinstance(asked, dict):
            return
        names = written(asked)
        self._written |= names
        detection = ".".join(PLACES["turn_detection"]) in names
        self._chosen = self._chosen or detection
        kept, sound = self._dialect.settings.own - {"client_secret"}, self._dialect.sound
        own = {name: value for name, value in asked.items() if name in kept}
        said = {name: asked[name] for name in ("audio", *_FORMATS, sound.rate_field or "") if name in asked}
        before = self._asked.latest.formats
        self._asked.ask(event, lambda now: _Effect(read_theirs(said, sound, now.formats), {**now.own, **own}))
        self._listen(before)
        ours = to_ours(asked, self._dialect, self._nearest(self._asked.latest.formats), asked=True)
        if self._kind == "transcription":
            ours.pop("output_modalities", None)
        if self._dialect.detection.repeated and not detection:
            put(ours, PLACES["turn_detection"], None)
        event["session"] = ours if self._dialect.settings.typed else {"type": self._kind, **ours}

    def _given(self, sound: str) -> str:
        """A sound that is given whole."""
        formats = self._asked.latest.formats
        return whole(sound, formats.up, self._nearest(formats).up, from_wav=self._dialect.sound.wav)

    def _listen(self, before: Formats) -> None:
        """Sound that goes up is in another form than before, perhaps."""
        if self._asked.latest.formats != before:
            self._microphone.way = self._way_up()

    # Server -> client.

    def down(self, text: str) -> Passage:
        """A server's message."""
        event = None if self._dialect.plain else read(text)
        if event is None:
            return Passage((text,))
        kind = event["type"]
        if kind in self._dialect.events.silent_about:
            return Passage()
        event["type"] = self._dialect.events.names.get(kind, kind)
        if kind in ("session.created", "session.updated") and isinstance(event.get("session"), dict):
            return self._session(kind, event)
        if kind.startswith(WORDS):
            return passage(self._heard(kind, event))
        client = self._asked.now.formats
        server = self._nearest(client)
        rewrite_sounds(
            event,
            lambda sound: whole(sound, server.up, client.up, to_wav=self._dialect.sound.wav),
            lambda sound: whole(sound, server.down, client.down),
        )
        if not self._dialect.events.item_names and kind.startswith(_NAMELESS):
            event.pop("item_id", None)
        before = self._sound(kind, event, server.down, client.down)
        if isinstance(event.get("error"), dict) and not self._error(event):
            return Passage()
        if isinstance(event.get("response"), dict):
            self._response(kind, event)
        if kind == "response.function_call_arguments.done" and not self._dialect.events.call_names:
            event.pop("name", None)
        if self._dialect.events.old_content:
            rename_contents(event, OLD_CONTENT)
        return passage([*before, event])

    def _session(self, kind: str, event: Event) -> Passage:
        """The settings in effect. A session begins as those of the service do: where they begin without turn detection it is switched off."""
        settings, begins = event["session"], kind == "session.created"
        if settings.get("type") in ("realtime", "transcription"):
            self._kind = settings["type"]
        back: list[Event] = []
        if begins and not self._dialect.detection.at_first:
            put(settings, PLACES["turn_detection"], None)
            if not self._chosen:
                off: Event = {"type": self._kind}
                put(off, PLACES["turn_detection"], None)
                back = [{"type": "session.update", "event_id": self._new_id("event"), "session": off}]
                self._asked.ask(back[0], lambda now: now, ours=True)
        if not begins and not self._asked.granted():
            return Passage()
        event["session"] = {**to_theirs(settings, self._dialect, self._asked.now.formats), **self._asked.now.own}
        if self._kind == "transcription" and self._dialect.settings.transcription_sessions:
            event["type"] = f"transcription_{kind}"
            event["session"].setdefault("client_secret", None)
        greets = self._dialect.events.greets if begins else ()
        told = [event, *({"type": name, "event_id": self._new_id("event")} for name in greets)]
        return passage(told, back)

    def _error(self, event: Event) -> bool:
        """An error speaks of settings as the client writes them, and of what its dialect has. Whether the client is told."""
        error, before = event["error"], self._asked.latest.formats
        told = self._asked.refused(error)
        self._listen(before)
        code, param = error.get("code"), str(error.get("param"))
        possibly = possible(param, self._dialect) if code in ("invalid_value", "invalid_type") else None
        rename_error(event, lambda param: their_path(param, self._dialect.settings, self._written))
        if possibly:
            error["message"] = f"Invalid {str(code)[8:]} for '{error['param']}'. Supported values are: {possibly}."
        return told

    def _response(self, kind: str, event: Event) -> None:
        body = to_theirs(event["response"], self._dialect, self._asked.now.formats)
        if "max_response_output_tokens" in body:
            body["max_output_tokens"] = body.pop("max_response_output_tokens")
        body.update({name: value for name, value in self._asked.now.own.items() if name == "temperature"})
        usage = their_usage(body.get("usage"))
        event["response"] = {**body, "usage": usage}
        if self._dialect.events.usage_outside:
            event["response"].update(usage={}, status_details="unimplemented")
            if kind == "response.done":
                event["usage"] = usage

    def _heard(self, kind: str, event: Event) -> list[Event]:
        """What the user said."""
        telling, item_id = self._dialect.events, str(event.get("item_id"))
        event.pop("languages", None)
        if kind == f"{WORDS}completed":
            self._words.pop(item_id, None)
            if not telling.words_usage:
                event.pop("usage", None)
            return [{**event, "status": "completed"} if telling.whole_words else event]
        if kind == f"{WORDS}delta" and telling.whole_words:
            self._words[item_id] = self._words.get(item_id, "") + str(event.pop("delta", None) or "")
            return [{**event, "type": f"{WORDS}updated", "transcript": self._words[item_id]}]
        return [event]

    def _sound(self, kind: str, event: Event, source: Encoding, goal: Encoding) -> list[Event]:
        """The sound of an answer, in the client's form; gives what has to come before the event."""
        if source == goal or not kind.startswith("response.output_audio."):
            return []
        name = f"{event.get('response_id')} {event.get('item_id')} {event.get('content_index')}"
        way = self._ways.setdefault(name, Way(source, goal))
        delta: Any = event.get("delta")
        if kind.endswith(".delta"):
            try:
                event["delta"] = way.carry(delta) if isinstance(delta, str) else delta
            except ValueError:
                # Whoever plays it finds that it is no sound.
                pass
            return []
        del self._ways[name]
        theirs = self._dialect.events.names.get("response.output_audio.delta", "response.output_audio.delta")
        tail = {**event, "type": theirs, "event_id": self._new_id("event"), "delta": way.end()}
        return [tail] if tail["delta"] else []
